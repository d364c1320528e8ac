"""Django's URLs: the pages for the platform's users, and the console."""

from django.urls import include, path

urlpatterns = [path("", include("kinward.portal.urls")), path("", include("kinward.web.urls"))]
