"""Django's settings for the demo community, from `DEMO_*` in the environment."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

KINWARD_URL = os.environ.get("DEMO_KINWARD_URL", "http://127.0.0.1:8700")
KINWARD_KEY = os.environ.get("DEMO_KINWARD_KEY", "")
APP_STORE_URL = os.environ.get("DEMO_APP_STORE_URL", "")
WEBHOOK_SECRET = os.environ.get("DEMO_WEBHOOK_SECRET", "")

_database = urlsplit(os.environ.get("DEMO_DATABASE_URL", "postgresql:///kinward_demo"))
_options = dict(parse_qsl(_database.query))

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = os.environ.get("DEMO_SECRET_KEY", "only for loopback")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "kinward.demo",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
MISBEHAVE = float(os.environ.get("DEMO_MISBEHAVE", "0"))
if MISBEHAVE:
    MIDDLEWARE.append("kinward.demo.misbehaving.misbehaving")
ROOT_URLCONF = "kinward.demo.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "kinward.demo.views.visitor",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": _database.username or "",
        "PASSWORD": _database.password or "",
        "HOST": _options.pop("host", "") or (_database.hostname or ""),
        "PORT": str(_database.port or ""),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_COOKIE_NAME = "demo_session"
CSRF_COOKIE_NAME = "demo_csrf"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 33 * 1024 * 1024
USE_TZ = True
