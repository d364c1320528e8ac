"""The community's URLs."""

from django.urls import path

from kinward.demo import views, webhooks

urlpatterns = [
    path("", views.feed, name="feed"),
    path("join", views.sign_up, name="sign_up"),
    path("leave", views.sign_out, name="sign_out"),
    path("post", views.post, name="post"),
    path("mine", views.mine, name="mine"),
    path("account", views.account, name="account"),
    path("notices/<int:notice_id>/answer", views.answer, name="answer"),
    path("phone", views.guardians_phone, name="phone"),
    path("phone/decide", views.decide_on_phone, name="decide_on_phone"),
    path("guardian", views.guardian, name="guardian"),
    path("family", views.family, name="family"),
    path("time", views.time, name="time"),
    path("pictures/<uuid:post_id>", views.picture, name="picture"),
    path("samples", views.samples, name="samples"),
    path("samples/<int:seed>.jpg", views.sample, name="sample"),
    path("health", views.health, name="health"),
    path("webhooks/kinward", webhooks.receive, name="webhook"),
]
