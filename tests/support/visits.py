"""A browser on a visit to the family pages."""

from django.test import Client

from kinward.access.actor import Actor
from kinward.families.visits.sessions import Start, open_portal
from kinward.people.models import Account


def visitor(account: Account | None, start: Start | None = None) -> Client:
    """A browser, on a visit of an account's; without one, a browser that nobody has signed in."""
    client = Client(enforce_csrf_checks=False)
    if account is not None:
        secret, _ = open_portal(
            account_id=account.platform_id, start=start or Start(), actor=Actor.key("app")
        )
        client.post(f"/family/enter/{secret}", {"answer": "yes"})
    return client
