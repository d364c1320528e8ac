"""The console of somebody who is signed in."""

import time

from django.test import Client

from kinward.access.models import Staff
from kinward.web.sessions import FACTOR


def show_factor(client: Client, staff: Staff, *, ago: float = 0) -> None:
    """A person showed a second factor, some seconds ago."""
    session = client.session
    session[FACTOR] = {"staff": staff.pk, "at": time.time() - ago}
    session.save()
