"""What the ledger and the metrics say of sign-ins, failures and second factors."""

from collections.abc import Collection
from typing import Final

import prometheus_client
from django.db import transaction

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.refusals import count_refusal_of_page
from kinward.ledger.api import kinds, record

WRONG: Final = "sign_in.wrong"  # counted under this reason, beside the codes of errors
SIGN_INS = prometheus_client.Counter("kinward_sign_ins", "Sign-ins of staff", ["outcome"])
SOMEBODY: Final = Actor.system("access")


def staff_named(login: str) -> Staff | None:
    """Return whose name was typed, in whatever case, as allauth finds it."""
    name = login.strip()
    namesakes = Staff.objects.filter(username__iexact=name)
    return next((one for one in namesakes if one.username.lower() == name.lower()), None)


@transaction.atomic
def record_sign_in(*, staff: Staff, how: Collection[str], known: bool) -> None:
    """Record that somebody signed in: with what, and whether on a device that did before."""
    SIGN_INS.labels("signed_in").inc()
    fact = kinds.StaffSignedIn(how=list(how), known=known)
    record(actor=staff.actor, subject=str(staff.actor), fact=fact)


@transaction.atomic
def record_failed_sign_in(*, login: str, what: str, known: bool) -> None:
    """Count a wrong password or code, and record it if there is such an account.

    Only attempts within the budgets are checked, so that strangers cannot fill the ledger.
    """
    SIGN_INS.labels("wrong").inc()
    count_refusal_of_page(WRONG)
    staff = staff_named(login)
    if staff is not None:
        fact = kinds.StaffSignInFailed(what=what, known=known)
        record(actor=SOMEBODY, subject=str(staff.actor), fact=fact)


def count_refused_sign_in(code: str) -> None:
    """Count an attempt that a budget refused, under the code of the error."""
    SIGN_INS.labels("refused").inc()
    count_refusal_of_page(code)


@transaction.atomic
def record_factor(*, staff: Staff, factor: str, added: bool) -> None:
    """Record that somebody added or removed a second factor of their own."""
    fact = (kinds.StaffFactorAdded if added else kinds.StaffFactorRemoved)(factor=factor)
    record(actor=staff.actor, subject=str(staff.actor), fact=fact)
