"""The community as a WSGI application. It migrates its database when it starts."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kinward.demo.settings")

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
call_command("migrate", verbosity=0, interactive=False)

from kinward.demo.posting import keep_checking  # noqa: E402 - its tables need Django to be set up

keep_checking()
