"""Reporting for real: besides the operator's setting, two members of staff must agree.

An agreement is for one authority at one address, so another address needs another agreement. One
person can end it, and then the reports wait.
"""

from typing import Final, Literal
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward.access.api import (
    AgreementState,
    AlreadyDecided,
    Decider,
    Person,
    Staff,
    actor_of,
    asked,
    decide_agreement,
    lock_agreement,
)
from kinward.ground.errors import Invalid, NotConfigured
from kinward.ledger.api import kinds, record
from kinward.reporting.authorities.handover import HandOver
from kinward.reporting.authority import Authority, authority, names_in_use
from kinward.reporting.models import ENDED, Production

MAX_WHY: Final = 2000
LIVE: Final = (AgreementState.ASKED, AgreementState.APPROVED)
Way = Literal["production", "practice", "person", "unset"]


class InUse(msgspec.Struct, frozen=True):
    """An authority in use: its production address, or empty, and the agreement on it.

    `way`: how a report gets there. A `person` delivers it, or nobody has set the address (`unset`).
    """

    name: str
    production: str
    agreement: Production | None
    way: Way


def production_in_use() -> list[InUse]:
    """Return every authority in use, with the agreement on its production address."""
    in_use = []
    for name in names_in_use():
        used = authority(name)
        address = used.production
        agreement = _live(name, address).first() if address else None
        in_use.append(InUse(name, address, agreement, _way(used)))
    return in_use


def _way(used: Authority) -> Way:
    if used.production:
        return "production"
    if isinstance(used, HandOver):
        return "person"
    # An authority of somebody else's package may not say where it sends to: then it is practice.
    return "practice" if getattr(used, "address", "practice") else "unset"


def require_agreement(name: str) -> None:
    """Raise `NotConfigured` unless an authority is for practice, or two people agreed to it."""
    address = authority(name).production
    if not address or _live(name, address).filter(state=AgreementState.APPROVED).exists():
        return
    raise NotConfigured(
        f"Two people have to agree to report to {address} for real. See the console's operations."
    )


@transaction.atomic
def request_production(*, name: str, why: str, staff: Person) -> Production:
    """Request to report for real to an authority in use. Another person must approve."""
    staff.must(Production.permission)
    address = authority(name).production if name in names_in_use() else ""
    if not address:
        raise Invalid(f"{name} is not an authority that is set to its production address.")
    if not 1 <= len(why.strip()) <= MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    try:
        with transaction.atomic():
            production = Production.objects.create(
                authority=name, address=address, why=why.strip(), **asked(staff)
            )
    except IntegrityError as error:
        raise AlreadyDecided("Somebody asked for it already.") from error
    _record(kinds.ProductionAsked, production, staff)
    return production


@transaction.atomic
def approve_production(*, production_id: UUID, staff: Decider) -> Production:
    """Approve another person's request. From now on reports to this address are real."""
    production = decide_agreement(Production, production_id, approve=True, staff=staff)
    _record(kinds.ProductionAgreed, production, staff)
    return production


@transaction.atomic
def end_production(*, production_id: UUID, staff: Decider) -> Production:
    """End an agreement or a request, alone and at once. Reports wait from now on.

    An operator refuses or withdraws a request only. Raises `AlreadyDecided` for an agreement.
    """
    production = lock_agreement(Production, production_id, staff=staff)
    if production.state == AgreementState.APPROVED and isinstance(staff, Staff):
        production.state = ENDED
        production.ended_by, production.ended_at = staff, timezone.now()
        production.save(update_fields=["state", "ended_by", "ended_at"])
    else:
        production = decide_agreement(Production, production_id, approve=False, staff=staff)
    _record(kinds.ProductionEnded, production, staff)
    return production


Kind = type[kinds.ProductionAsked | kinds.ProductionAgreed | kinds.ProductionEnded]


def _live(name: str, address: str) -> QuerySet[Production]:
    return Production.objects.filter(
        authority=name, address=address, state__in=LIVE
    ).select_related("asked_by", "decided_by", "glass")


def _record(kind: Kind, production: Production, by: Decider) -> None:
    fact = kind(authority=production.authority, address=production.address)
    record(actor=actor_of(by), subject=str(production), fact=fact)
