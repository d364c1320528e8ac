"""The console as a Django app: it notes what allauth tells of second factors."""

from typing import Any

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Connects allauth's signals to the ledger and to the session."""

    name = "kinward.web"

    def ready(self) -> None:
        """Called by Django once all models are there."""
        from allauth.mfa import signals

        signals.authenticator_added.connect(_added)
        signals.authenticator_reset.connect(_made_again)
        signals.authenticator_removed.connect(_removed)
        signals.authenticator_used.connect(_shown)


def _added(sender: Any, request: Any, user: Any, authenticator: Any, **about: Any) -> None:
    _record(user, authenticator, added=True)
    _offer(request)
    if authenticator.type != "recovery_codes":  # those are made without one
        _shown(sender, request, user)


def _offer(request: Any) -> None:
    from django.contrib import messages

    messages.info(request, "Your factors changed. Under Your sessions you can end all others.")


def _made_again(sender: Any, request: Any, user: Any, authenticator: Any, **about: Any) -> None:
    _record(user, authenticator, added=True)
    _offer(request)


def _removed(sender: Any, request: Any, user: Any, authenticator: Any, **about: Any) -> None:
    _record(user, authenticator, added=False)
    _offer(request)


def _shown(sender: Any, request: Any, user: Any, **about: Any) -> None:
    from kinward.web.sessions import note_factor

    note_factor(request, user)


def _record(user: Any, authenticator: Any, *, added: bool) -> None:
    from kinward.access.api import record_factor

    record_factor(staff=user, factor=str(authenticator.type), added=added)
