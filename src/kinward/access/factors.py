"""A lost second factor: two people agree to remove it, after a time in which its owner may refuse.

The password stays, so nobody who asks for it can sign in for that person. Recovery codes need none
of this.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.agreement import (
    AgreementState,
    decide_agreement,
    refuse_about_self,
)
from kinward.access.appointments import asker_of
from kinward.access.delay import AT_ONCE, carry_out_due, due_to_go_ahead, go_ahead, nobody_until
from kinward.access.joining import FactorReset
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.staff import lock_staff, sign_out
from kinward.access.step_up import require_fresh_factor
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.jobs import enqueue
from kinward.ledger.api import kinds, record

TELL: Final = "access.tell_of_reset"
MAX_WHY: Final = 2000
SYSTEM: Final = Actor.system("access")


class ResetAsked(KinwardError):
    """Somebody has asked already to remove this person's second factor."""

    code = "staff.reset_asked"
    status = 409


@transaction.atomic
def request_factor_reset(*, username: str, why: str, actor: Actor) -> FactorReset:
    """Ask to remove somebody's second factor. A second person agrees, and nothing hurries it.

    The person is told by mail if there is an address, and on every page while they are signed in.
    Raises `NotFound`, `StaffEnded`, `ResetAsked`, or `Invalid` without a factor or a reason.
    """
    actor.must(Permission.MANAGE_STAFF)
    require_fresh_factor()
    if not 1 <= len(why.strip()) <= MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    staff = lock_staff(username)
    if not Authenticator.objects.filter(user=staff).exists():
        raise Invalid(f"{username!r} has no second factor, and sets one up at the next sign-in.")
    if open_resets().filter(staff=staff).exists():
        raise ResetAsked
    asked_by, operator = asker_of(actor)
    row = FactorReset(
        staff=staff,
        why=why.strip(),
        asked_by=asked_by,
        operator=operator,
        not_before=timezone.now() + timedelta(hours=config().factor_reset_hours),
    )
    alone = nobody_until(row)
    row.goes_ahead_at = alone and max(alone, row.not_before)
    row.save(force_insert=True)
    fact = kinds.StaffFactorResetAsked(why=row.why, not_before=row.not_before.isoformat())
    _record(row, actor, fact)
    if staff.email and config().mail_url:
        enqueue(TELL, reset_id=str(row.pk))
    return row


@transaction.atomic
def decide_factor_reset(*, reset_id: UUID, approve: bool, staff: Staff) -> FactorReset:
    """Agree to remove a colleague's second factor, once its time has come, or refuse it."""
    row = decide_agreement(FactorReset, reset_id, approve=approve, staff=staff)
    fact = kinds.StaffFactorResetAgreed() if approve else kinds.StaffFactorResetRefused()
    _record(row, staff.actor, fact)
    return row


@transaction.atomic
def refuse_own_reset(*, staff: Staff) -> None:
    """Refuse the removal of one's own second factor, which is not lost. Raises `NotFound`."""
    row = open_resets().filter(staff=staff).first()
    if row is None:
        raise NotFound("Nobody asks to remove your second factor.")
    refuse_about_self(FactorReset, row.pk, staff=staff)
    _record(row, staff.actor, kinds.StaffFactorResetRefused())


def carry_out_resets() -> int:
    """Remove the second factors whose time has come, and to which two agreed; return how many."""
    carry_out_due(due_to_go_ahead(FactorReset), lambda pk: go_ahead(FactorReset, pk) is not None)
    agreed = open_resets().filter(_AGREED, not_before__lte=timezone.now())
    return sum(_carry_out(row.pk) for row in list(agreed[:AT_ONCE]))


_AGREED: Final = ~Q(state=AgreementState.ASKED) | Q(went_ahead_at__isnull=False)


@transaction.atomic
def _carry_out(pk: UUID) -> bool:
    row = open_resets().select_for_update(of=("self",)).filter(_AGREED, pk=pk).first()
    if row is None:
        return False
    row.done_at = timezone.now()
    row.save(update_fields=["done_at"])
    Authenticator.objects.filter(user=row.staff).delete()
    sign_out(row.staff)
    _record(row, SYSTEM, kinds.StaffFactorReset())
    return True


def open_resets() -> QuerySet[FactorReset]:
    """Return the requests that are neither refused nor carried out, the oldest first."""
    rows = FactorReset.objects.filter(done_at=None).exclude(state=AgreementState.REFUSED)
    return rows.select_related("staff", "asked_by").order_by("asked_at")


def tell_of_reset(reset_id: str) -> None:
    """Mail the person whose second factor somebody asks to remove."""
    row = open_resets().filter(pk=reset_id).first()
    if row is None or not row.staff.email:
        return
    text = (
        f"{row.asker} asks to remove the second factor of your account {row.staff.username!r}.\n"
        f"It can be removed from {row.not_before:%Y-%m-%d %H:%M} UTC on.\n\n"
        f"If it is not lost, sign in with it and refuse: {config().url}\n"
    )
    send_mail("Your second factor", text, None, [row.staff.email])


def _record(row: FactorReset, actor: Actor, fact: kinds.Fact) -> None:
    record(actor=actor, subject=str(row.staff.actor), fact=fact)
