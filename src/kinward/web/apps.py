"""The console as a Django app: it records what allauth tells of second factors."""

from typing import Any

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Connects allauth's signals to the ledger."""

    name = "kinward.web"

    def ready(self) -> None:
        """Called by Django once all models are there."""
        from allauth.mfa import signals

        signals.authenticator_added.connect(_added)
        signals.authenticator_reset.connect(_added)
        signals.authenticator_removed.connect(_removed)


def _added(sender: Any, user: Any, authenticator: Any, **about: Any) -> None:
    _record(user, authenticator, added=True)


def _removed(sender: Any, user: Any, authenticator: Any, **about: Any) -> None:
    _record(user, authenticator, added=False)


def _record(user: Any, authenticator: Any, *, added: bool) -> None:
    from kinward.access.api import record_factor

    record_factor(staff=user, factor=str(authenticator.type), added=added)
