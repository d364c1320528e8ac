"""Django's settings, all derived from `kinward.ground.config`."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf.locale import LANG_INFO

from kinward.ground.config import config, random_secret
from kinward.ground.transport import database_over_tls, mail_transport
from kinward.project.logs import configure_logs

_config = config()
configure_logs(_config.log_level)

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = False
# Without a stored secret, sessions end at a restart. `kinward up` creates one.
SECRET_KEY = (
    _config.secret("secret_key")
    if _config.secret_key or _config.secret_path("secret_key").exists()
    else random_secret()
)
ALLOWED_HOSTS = [urlsplit(_config.url).hostname or "localhost", "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [_config.url]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "kinward.ledger",
    "kinward.access",
    "kinward.reconciliation",
    "kinward.people",
    "kinward.erasure",
    "kinward.consents",
    "kinward.ages",
    "kinward.experience",
    "kinward.guidelines",
    "kinward.families",
    "kinward.matching",
    "kinward.exchanges",
    "kinward.casebook",
    "kinward.evidence",
    "kinward.reporting",
    "kinward.enforcement",
    "kinward.redress",
    "kinward.review",
    "kinward.custody",
    "kinward.verdicts",
    "kinward.findings",
    "kinward.gate",
    "kinward.portal",
    "kinward.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "kinward.web.middleware.close_connection",
    "kinward.web.middleware.page_headers",
    "kinward.web.middleware.no_turned_text",
    "kinward.web.middleware.whole_text",
    "kinward.web.middleware.known_host",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "kinward.web.sessions.note_activity",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "kinward.web.middleware.ProblemPages",
]
ROOT_URLCONF = "kinward.project.urls"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["kinward.ground.tags"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "kinward.web.context.console",
            ],
        },
    }
]


def database_settings(url: str) -> dict[str, Any]:
    """Return Django's settings for the database at a `postgresql://` URL."""
    database = urlsplit(database_over_tls(url) or "postgresql:///kinward")
    options = dict(parse_qsl(database.query))
    return {
        "ENGINE": "kinward.ground.postgres",
        "NAME": database.path.lstrip("/") or "kinward",
        "USER": unquote(database.username or ""),
        "PASSWORD": unquote(database.password or ""),
        "HOST": options.pop("host", "") or (database.hostname or ""),
        "PORT": str(database.port or ""),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **options},
    }


DATABASES = {"default": database_settings(_config.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "access.Staff"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "kinward.access.passwords.NoCommonPassword"},
    {"NAME": "kinward.access.passwords.NoWordsOfThisPlace"},
    {"NAME": "kinward.access.passwords.NoBreachedPassword"},
]
ACCOUNT_ADAPTER = "kinward.web.adapter.StaffAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
# `access.attempts` has the budgets: allauth's own would let strangers lock an account.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
MFA_RATE_LIMITS = {"webauthn_login": None}  # a passkey cannot be guessed
MFA_FORMS = {
    "authenticate": "kinward.web.codes.SignInCode",
    "reauthenticate": "kinward.web.codes.CodeAgain",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ADAPTER = "kinward.web.adapter.SealedMfaAdapter"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Kinward"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _config.secure
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

SESSION_ENGINE = "kinward.web.sessions"
SESSION_COOKIE_AGE = round(_config.session_hours * 3600)
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# No other host can set a cookie with this prefix, and browsers take it over https only.
SESSION_COOKIE_NAME = "__Host-kinward-session" if _config.secure else "sessionid"
CSRF_COOKIE_NAME = "__Host-kinward-csrf" if _config.secure else "csrftoken"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _config.secure
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _config.secure else None
SECURE_HSTS_SECONDS = 31_536_000 if _config.secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# In the database, because all processes must share used one-time codes and failed sign-ins.
CACHES = {
    "default": {
        "BACKEND": "kinward.access.cache.PlainCache",
        "LOCATION": "access_cache",
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# smtp://user:password@host:587 (STARTTLS), smtps:// or smtp+plain://
_mail, _mail_travels = urlsplit(_config.mail_url), mail_transport(_config.mail_url)
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL = _mail_travels == "smtps"
EMAIL_USE_TLS = _mail_travels == "starttls"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = _config.mail_from or "kinward@localhost"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

LANGUAGE_CODE = "en"
# A language is offered as soon as its catalogue exists.
LOCALE_PATHS = [BASE_DIR / "locale"]
_catalogues = sorted(path.parent.name for path in LOCALE_PATHS[0].glob("*/LC_MESSAGES"))
LANGUAGES = [(code, str(LANG_INFO[code]["name_local"])) for code in ("en", *_catalogues)]
USE_TZ = True
TIME_ZONE = "UTC"

PROCRASTINATE_IMPORT_PATHS = ["kinward.ground.jobs"]
PROCRASTINATE_ON_APP_READY = "kinward.ground.jobs.prepare"
LOGGING_CONFIG = None
TEST_RUNNER = "django.test.runner.DiscoverRunner"
