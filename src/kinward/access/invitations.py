"""Invitations to the staff: a link that is shown once, by which the person sets their password.

Nobody else ever knows that password. Only a hash of the link is stored. It ends after three days,
when it is taken, withdrawn or replaced, and when who invited may not invite any more.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Final

import structlog
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.appointments import appoint, asker_of
from kinward.access.joining import Appointment, StaffInvitation
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.roles import ADMINISTRATOR, in_order
from kinward.access.staff import add_person, check_name, check_roles, listed, lock_staff
from kinward.access.step_up import require_fresh_factor
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ledger.api import kinds, record

log = structlog.get_logger(__name__)
LASTS: Final = timedelta(days=3)
MAX_SECRET: Final = 100  # characters; a longer one is not hashed


class InvitationOver(KinwardError):
    """This invitation has been used, withdrawn or replaced, or has expired. Ask for another one."""

    code = "staff.invitation_over"
    status = 410


@transaction.atomic
def invite_staff(*, username: str, roles: Collection[str], actor: Actor, email: str = "") -> str:
    """Invite somebody to some roles, and return the secret of the link, which is never shown again.

    Another open invitation for this name ends. Raises `NameTaken`, or `Invalid` for an unknown
    role, an unreadable name or a wrong mail address.
    """
    actor.must(Permission.MANAGE_STAFF)
    require_fresh_factor()
    check_roles(roles)
    check_name(username)
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise Invalid("This is not a mail address.") from error
    return _invite(username, roles, actor, email)


@transaction.atomic
def invite_first(*, actor: Actor) -> str | None:
    """Invite the first administrator, who chooses a name; None once there is anybody.

    Another open invitation of this kind ends, because its link was shown once.
    """
    actor.must(Permission.MANAGE_STAFF)
    return None if Staff.objects.exists() else _invite("", [ADMINISTRATOR], actor)


def _invite(username: str, roles: Collection[str], actor: Actor, email: str = "") -> str:
    now, secret = timezone.now(), secrets.token_urlsafe(32)
    asked_by, operator = asker_of(actor)
    open_invitations().filter(username__iexact=username).update(ended_at=now)
    invitation = StaffInvitation.objects.create(
        username=username,
        roles=in_order(roles),
        email=email,
        digest=_digest(secret),
        asked_by=asked_by,
        operator=operator,
        expires_at=now + LASTS,
    )
    fact = kinds.StaffInvited(role=listed(roles), until=invitation.expires_at.isoformat())
    record(actor=actor, subject=f"staff:{username}", fact=fact)
    return secret


@transaction.atomic
def withdraw_invitation(*, username: str, actor: Actor) -> None:
    """End an open invitation. Raises `NotFound`."""
    actor.must(Permission.MANAGE_STAFF)
    if not open_invitations().filter(username=username).update(ended_at=timezone.now()):
        raise NotFound(f"There is no open invitation for {username!r}.")
    record(actor=actor, subject=f"staff:{username}", fact=kinds.StaffInvitationWithdrawn())


def open_invitations() -> QuerySet[StaffInvitation]:
    """Return the invitations that nobody has taken, withdrawn or replaced, the newest first."""
    rows = StaffInvitation.objects.filter(ended_at=None)
    return rows.select_related("asked_by").order_by("-made_at")


def read_invitation(secret: str) -> StaffInvitation:
    """Return the invitation of a link. Raises `InvitationOver`."""
    return _live(open_invitations(), secret)


@transaction.atomic
def accept_invitation(*, secret: str, username: str, password: str) -> list[Appointment]:
    """Join the staff by a link. Whoever has the link is the person. `username`: for the first one.

    Returns the requests for those roles that a present holder has to confirm. Raises
    `InvitationOver`, `NameTaken`, or `Invalid` for a weak password.
    """
    rows = StaffInvitation.objects.select_for_update(of=("self",)).select_related("asked_by")
    invitation = _live(rows.filter(ended_at=None), secret)
    first = not Staff.objects.exists()
    if not invitation.username and not first:
        raise InvitationOver("Somebody else has become the first administrator.")
    asker = invitation.asked_by
    inviter = asker.actor if asker else Actor.stored(invitation.operator)
    name = invitation.username or username.strip()
    add_person(username=name, password=password, email=invitation.email, added_by=str(inviter))
    invitation.ended_at = timezone.now()
    invitation.save(update_fields=["ended_at"])
    staff = lock_staff(name)
    fact = kinds.StaffCreated(role=listed(invitation.roles), invited_by=str(inviter))
    record(actor=staff.actor, subject=str(staff.actor), fact=fact)
    return appoint(staff, invitation.roles, inviter, first=first)


def _live(rows: QuerySet[StaffInvitation], secret: str) -> StaffInvitation:
    if len(secret) > MAX_SECRET:
        raise InvitationOver
    invitation = rows.filter(digest=_digest(secret), expires_at__gt=timezone.now()).first()
    if invitation is None:
        raise InvitationOver
    if invitation.asked_by and not invitation.asked_by.may(Permission.MANAGE_STAFF):
        raise InvitationOver(f"{invitation.asked_by.username} may not invite any more.")
    return invitation


def _digest(secret: str) -> bytes:
    # The secret has 256 random bits, so one plain SHA-256 is as good as a slow hash.
    return hashlib.sha256(secret.encode()).digest()


def link_of(secret: str) -> str:
    """Return the address of an invitation."""
    return f"{config().url}/account/join/{secret}"


def mail_invitation(address: str, secret: str) -> bool:
    """Mail the link to whom it is for, and return whether it was sent.

    At once and in no job, because a job would keep the link in the database.
    """
    if not config().mail_url:
        return False
    text = (
        f"You are invited to work in the console of {config().platform_name}'s safety team.\n\n"
        f"Set your password and your second factor here, within {LASTS.days} days:\n"
        f"{link_of(secret)}\n\nThe link works once. Pass it on to nobody.\n"
    )
    try:
        send_mail("Your invitation to the safety team", text, None, [address])
    except OSError as error:
        log.warning("invitation.not_mailed", error=str(error))
        return False
    return True
