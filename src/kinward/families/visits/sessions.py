"""Visits to the family pages: the platform opens one for who is signed in with it."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Final, Literal

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.families.errors import PortalClosed, PortalLinkRefused, PortalOtherAccount
from kinward.families.models import PortalSession
from kinward.ledger.api import record
from kinward.people.api import get_account

LINK_SECONDS: Final = 120
VISIT: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=30)
PAGES = Literal["family", "pair", "ask", "report", "safe", "decisions"]


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a visit begins: a page, a code that was scanned, what a report would be about."""

    page: PAGES = "family"
    code: str = ""
    account_id: str = ""
    content_id: str = ""


def _digest(secret: str) -> bytes:
    # 256 random bits need no slow hash.
    return hashlib.sha256(secret.encode()).digest()


@transaction.atomic
def open_portal(*, account_id: str, start: Start, actor: Actor) -> tuple[str, PortalSession]:
    """Make a link for an account: a secret that opens once, within `LINK_SECONDS`."""
    account = get_account(account_id)
    secret = secrets.token_urlsafe(32)
    session = PortalSession.objects.create(
        account=account,
        link_digest=_digest(secret),
        link_expires_at=timezone.now() + timedelta(seconds=LINK_SECONDS),
        start=msgspec.to_builtins(start),
        made_by=str(actor),
    )
    return secret, session


def enter_portal(secret: str, visiting: PortalSession | None) -> tuple[str, PortalSession]:
    """Open a link: returns the key of the visit. Whatever is refused is in the ledger.

    `visiting` is the visit that this browser is on already, if any.
    """
    with transaction.atomic():
        found = (
            PortalSession.objects.select_for_update(of=("self",))
            .select_related("account")
            .filter(link_digest=_digest(secret))
            .first()
        )
        now = timezone.now()
        error: PortalLinkRefused | PortalOtherAccount | None = None
        if found is None or found.opened_at is not None or found.link_expires_at <= now:
            error = PortalLinkRefused()
        elif visiting is not None and visiting.account_id != found.account_id:
            error = PortalOtherAccount()
        if error is None and found is not None:
            key = secrets.token_urlsafe(32)
            found.opened_at, found.expires_at, found.key_digest = now, now + VISIT, _digest(key)
            found.save(update_fields=["opened_at", "expires_at", "key_digest"])
            return key, found
        if found is not None:
            record(
                actor=found.account.actor,
                kind="portal.refused",
                subject=f"account:{found.account.platform_id}",
                why="other account" if found.opened_at is None else "used before",
            )
    raise error or PortalLinkRefused()


def current_visit(key: str) -> PortalSession:
    """The visit of a key. Raises `PortalClosed` when there is none any more."""
    found = (
        PortalSession.objects.select_related("account")
        .filter(key_digest=_digest(key), ended_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if found is None:
        raise PortalClosed
    return found


def leave_portal(session: PortalSession) -> None:
    """End a visit."""
    PortalSession.objects.filter(pk=session.pk).update(ended_at=timezone.now())


def started(session: PortalSession) -> Start:
    """Where a visit begins."""
    start: Any = session.start
    return msgspec.convert(start, Start)


def forget_visits() -> int:
    """Forget visits of long ago; returns how many."""
    oldest = timezone.now() - KEPT
    return PortalSession.objects.filter(link_expires_at__lt=oldest).delete()[0]
