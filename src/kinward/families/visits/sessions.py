"""Visits to the family pages, which the platform opens for people signed in with it."""

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
from kinward.ledger.api import kinds, record
from kinward.people.api import get_account

LINK_SECONDS: Final = 120
VISIT: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=30)
PAGES = Literal["family", "pair", "ask", "report", "safe", "decisions"]


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The start of a visit: a page, a scanned code, and the subject of a user report."""

    page: PAGES = "family"
    code: str = ""
    account_id: str = ""
    content_id: str = ""


def _digest(secret: str) -> bytes:
    # The secret has 256 random bits, so it needs no slow hash.
    return hashlib.sha256(secret.encode()).digest()


@transaction.atomic
def open_portal(*, account_id: str, start: Start, actor: Actor) -> tuple[str, PortalSession]:
    """Create a visit for an account and return the secret of its link.

    The link opens once, within `LINK_SECONDS`. Only the secret's digest is stored.
    """
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
    """Open a link, and return the key of the visit with the visit.

    `visiting` is the visit that this browser is already on, if any. Raises `PortalLinkRefused` for
    a used, expired or unknown link, and `PortalOtherAccount` if the browser visits as somebody
    else. A refusal is in the ledger, unless the link is unknown.
    """
    with transaction.atomic():
        session = (
            PortalSession.objects.select_for_update(of=("self",))
            .select_related("account")
            .filter(link_digest=_digest(secret))
            .first()
        )
        now = timezone.now()
        error: PortalLinkRefused | PortalOtherAccount | None = None
        if session is None or session.opened_at is not None or session.link_expires_at <= now:
            error = PortalLinkRefused()
        elif visiting is not None and visiting.account_id != session.account_id:
            error = PortalOtherAccount()
        if error is None and session is not None:
            key = secrets.token_urlsafe(32)
            session.opened_at, session.expires_at = now, now + VISIT
            session.key_digest = _digest(key)
            session.save(update_fields=["opened_at", "expires_at", "key_digest"])
            return key, session
        if session is not None:
            record(
                actor=session.account.actor,
                subject=f"account:{session.account.platform_id}",
                fact=kinds.PortalRefused(
                    why="other account" if session.opened_at is None else "used before"
                ),
            )
    # Raised outside the transaction, so that the ledger entry stays.
    raise error or PortalLinkRefused()


def current_visit(key: str) -> PortalSession:
    """Return the open visit of a key. Raises `PortalClosed` if there is none."""
    session = (
        PortalSession.objects.select_related("account")
        .filter(key_digest=_digest(key), ended_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if session is None:
        raise PortalClosed
    return session


def leave_portal(session: PortalSession) -> None:
    """End a visit."""
    PortalSession.objects.filter(pk=session.pk).update(ended_at=timezone.now())


def start_of_visit(session: PortalSession) -> Start:
    """Return the start of a visit, decoded."""
    start: Any = session.start
    return msgspec.convert(start, Start)


def forget_visits() -> int:
    """Delete visits whose link expired more than `KEPT` ago; return how many."""
    oldest = timezone.now() - KEPT
    return PortalSession.objects.filter(link_expires_at__lt=oldest).delete()[0]
