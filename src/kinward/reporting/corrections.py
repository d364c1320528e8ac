"""Corrections: what an authority must hear if the verdict of a finished report was overturned.

No authority takes a finished report back by its API. A person corrects it in the way that the
authority accepts, and records what was said.
"""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import AlreadyDecided, Staff
from kinward.ground.errors import Invalid, NotFound
from kinward.ledger.api import kinds, record
from kinward.reporting.authority import authority_class
from kinward.reporting.models import Correction, Report, ReportState

MAX_HOW: Final = 2000
MAX_REFERENCE: Final = 100
BY_LETTER: Final = "Write to the authority, name the number of the report, and say what was wrong."


def open_correction(*, report: Report, why: str, actor: Actor) -> Correction | None:
    """Open the task to correct a finished report, in the transaction that overturned its verdict.

    Returns None for a report that is not finished: that one is withdrawn. Idempotent.
    """
    if report.state != ReportState.FINISHED:
        return None
    correction, new = Correction.objects.get_or_create(report=report, defaults={"why": why[:200]})
    if new:
        fact = kinds.ReportCorrectionDue(case=str(report.case_id), why=why)
        record(actor=actor, subject=str(report), fact=fact)
    return correction


@transaction.atomic
def record_correction(*, correction_id: UUID, how: str, reference: str, staff: Staff) -> Correction:
    """Record how a person corrected a report with its authority, and what was said.

    `reference` is the authority's own for the correction, if it gave one.
    """
    staff.must(Permission.HAND_OVER_REPORTS)
    if not 1 <= len(how.strip()) <= MAX_HOW or len(reference.strip()) > MAX_REFERENCE:
        raise Invalid(
            f"Enter what you told the authority and what it said, in at most {MAX_HOW} "
            f"characters, and its reference in at most {MAX_REFERENCE}."
        )
    rows = Correction.objects.select_for_update(of=("self",)).select_related("report")
    correction = rows.filter(pk=correction_id).first()
    if correction is None:
        raise NotFound(f"There is no correction {correction_id}.")
    if correction.done_at is not None:
        raise AlreadyDecided("It is done.")
    correction.how, correction.reference = how.strip(), reference.strip()
    correction.done_by, correction.done_at = staff, timezone.now()
    correction.save(update_fields=["how", "reference", "done_by", "done_at"])
    record(
        actor=staff.actor,
        subject=str(correction.report),
        fact=kinds.ReportCorrected(
            case=str(correction.report.case_id),
            how=correction.how,
            reference=correction.reference,
        ),
    )
    return correction


def corrections_due() -> QuerySet[Correction]:
    """Return the reports that a person has to correct, oldest first."""
    due = Correction.objects.filter(done_at=None).select_related("report")
    return due.order_by("asked_at")


def how_to_correct(name: str) -> str:
    """Return how an authority accepts the correction of a finished report, for a person."""
    return str(getattr(authority_class(name), "correction", BY_LETTER))
