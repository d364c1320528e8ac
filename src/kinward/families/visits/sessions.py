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


def read_link(secret: str, visiting: PortalSession | None) -> PortalSession:
    """Return the visit that a link would begin, without beginning it. Raises as `enter_portal`."""
    with transaction.atomic():
        session, error = _check(secret, visiting, late=False)
    # Raised outside the transaction, so that the ledger entry stays.
    if error is not None or session is None:
        raise error or PortalLinkRefused()
    return session


def enter_portal(
    secret: str, visiting: PortalSession | None, *, read_in_time: bool = False
) -> tuple[str, PortalSession]:
    """Open a link, and return the key of the visit with the visit.

    `visiting` is the visit that this browser is already on, if any. `read_in_time` says that the
    link was read before it expired, since nobody has to answer in a hurry. Raises
    `PortalLinkRefused` for a used, expired or unknown link, and `PortalOtherAccount` if the browser
    visits as somebody else. A refusal is in the ledger, unless the link is unknown.
    """
    with transaction.atomic():
        session, error = _check(secret, visiting, late=read_in_time)
        if error is None and session is not None:
            now, key = timezone.now(), secrets.token_urlsafe(32)
            session.opened_at, session.expires_at = now, now + VISIT
            session.key_digest = _digest(key)
            session.save(update_fields=["opened_at", "expires_at", "key_digest"])
            return key, session
    raise error or PortalLinkRefused()


def refuse_link(secret: str) -> None:
    """Close a link, because it reached somebody else. It never begins a visit."""
    with transaction.atomic():
        session, error = _check(secret, None, late=True)
        if error is None and session is not None:
            now = timezone.now()
            session.opened_at = session.expires_at = session.ended_at = now
            session.save(update_fields=["opened_at", "expires_at", "ended_at"])
            _record_refusal(session, "another person")
            return
    raise error or PortalLinkRefused()


def _check(
    secret: str, visiting: PortalSession | None, *, late: bool
) -> tuple[PortalSession | None, PortalLinkRefused | PortalOtherAccount | None]:
    """Lock the visit of a link, and say why the link is refused, if it is. Records a refusal."""
    session = (
        PortalSession.objects.select_for_update(of=("self",))
        .select_related("account")
        .filter(link_digest=_digest(secret))
        .first()
    )
    if session is None:
        return None, PortalLinkRefused()
    expired = session.link_expires_at <= timezone.now() and not late
    if session.opened_at is None and not expired:
        if visiting is None or visiting.account_id == session.account_id:
            return session, None
        _record_refusal(session, "other account")
        return session, PortalOtherAccount()
    _record_refusal(session, "expired" if session.opened_at is None else "used before")
    return session, PortalLinkRefused()


def _record_refusal(session: PortalSession, why: str) -> None:
    record(
        actor=session.account.actor,
        subject=f"account:{session.account.platform_id}",
        fact=kinds.PortalRefused(why=why),
    )


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
