"""All of Django's addresses are the console's."""

from django.urls import include, path

urlpatterns = [path("", include("kinward.web.urls"))]
