"""Reporting for real: besides the operator's setting, two people of the staff agree to it.

What they agree to is one authority at one address. Another address is another agreement, and when
one of them ends it, the reports wait.
"""

from typing import Final
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward.access.models import Staff
from kinward.access.roles import OPERATE
from kinward.errors import Forbidden, Invalid, KinwardError, NotConfigured, NotFound
from kinward.ledger.services import record
from kinward.reporting.authority import authority, names_in_use
from kinward.reporting.models import Production

MAX_WHY: Final = 2000


class ProductionDecided(KinwardError):
    """This was agreed to or ended already."""

    code = "production.decided"
    status = 409


class InUse(msgspec.Struct, frozen=True):
    """An authority in use: its production address, or empty; and what was agreed on that."""

    name: str
    production: str
    agreement: Production | None


def in_use() -> list[InUse]:
    """Every authority that reports go to, and whether they go there for real."""
    found = []
    for name in names_in_use():
        address = authority(name).production
        found.append(InUse(name, address, _live(name, address).first() if address else None))
    return found


def require_agreement(name: str) -> None:
    """Raise unless an authority is one to practise with, or two people agreed to its address."""
    address = authority(name).production
    if not address or _live(name, address).filter(agreed_at__isnull=False).exists():
        return
    raise NotConfigured(
        f"Two people have to agree to report to {address} for real. See the console's operations."
    )


@transaction.atomic
def ask(*, name: str, why: str, staff: Staff) -> Production:
    """Ask to report for real to an authority that is in use."""
    staff.must(OPERATE, "Switching real reporting")
    address = authority(name).production if name in names_in_use() else ""
    if not address:
        raise Invalid(f"{name} is not an authority that is set to its production address.")
    if not 1 <= len(why.strip()) <= MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    try:
        with transaction.atomic():
            made = Production.objects.create(
                authority=name, address=address, why=why.strip(), asked_by=staff
            )
    except IntegrityError as error:
        raise ProductionDecided("Somebody asked for it already.") from error
    _record("asked", made, staff)
    return made


@transaction.atomic
def agree(*, production_id: UUID, staff: Staff) -> Production:
    """Agree to what another person asked for. From now on reports to this address are real."""
    found = _locked(production_id, staff)
    if found.agreed_at is not None:
        raise ProductionDecided("It is agreed to.")
    if found.asked_by_id == staff.pk:
        raise Forbidden("You asked for this, so another person agrees.")
    found.agreed_by, found.agreed_at = staff, timezone.now()
    found.save(update_fields=["agreed_by", "agreed_at"])
    _record("agreed", found, staff)
    return found


@transaction.atomic
def end(*, production_id: UUID, staff: Staff) -> Production:
    """End it, alone and at once, whether it was agreed to or only asked for. Reports wait."""
    found = _locked(production_id, staff)
    found.ended_by, found.ended_at = staff, timezone.now()
    found.save(update_fields=["ended_by", "ended_at"])
    _record("ended", found, staff)
    return found


def _live(name: str, address: str) -> QuerySet[Production]:
    return Production.objects.filter(authority=name, address=address, ended_at=None).select_related(
        "asked_by", "agreed_by"
    )


def _locked(production_id: UUID, staff: Staff) -> Production:
    staff.must(OPERATE, "Switching real reporting")
    found = Production.objects.select_for_update().filter(pk=production_id).first()
    if found is None:
        raise NotFound(f"Nobody asked for {production_id}.")
    if found.ended_at is not None:
        raise ProductionDecided("It is ended.")
    return found


def _record(what: str, made: Production, staff: Staff) -> None:
    record(
        actor=staff.actor,
        kind=f"production.{what}",
        subject=str(made),
        authority=made.authority,
        address=made.address,
    )
