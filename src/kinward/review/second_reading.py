"""Quality: a senior reviewer reads some verdicts, drawn by lot, a second time.

The lot is the verdict's own random id. Nobody can choose what is drawn, and everybody can check
that nothing was left out.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from kinward.access import Permission
from kinward.access.api import Staff
from kinward.casebook.api import MAX_NOTE, Verdict
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ledger.api import kinds, record
from kinward.review.models import SecondReading


class OwnVerdict(KinwardError):
    """You gave this verdict, or agreed to it. Another person has to read it."""

    code = "quality.own_verdict"
    status = 409


class AlreadyRead(KinwardError):
    """Another person has read this verdict."""

    code = "quality.already_read"
    status = 409


class Agreement(msgspec.Struct, frozen=True):
    """How often a second reader agreed with one person's verdicts."""

    person: str
    read: int
    agreed: int

    @property
    def percent(self) -> int:
        """The share of verdicts that the reader agreed with, in percent."""
        return round(100 * self.agreed / self.read) if self.read else 0


def is_drawn(verdict: Verdict) -> bool:
    """Return whether the lot falls on a verdict; `KINWARD_SECOND_READING_SHARE` is the chance."""
    return verdict.given_by is not None and verdict.id.int % 10_000 < (
        config().second_reading_share * 10_000
    )


def draw(verdict: Verdict) -> None:
    """Queue a verdict for a second reading if the lot falls on it, in the verdict's transaction.

    One that went ahead without its second person is always read.
    """
    proposal = verdict.proposal
    alone = proposal is not None and proposal.went_ahead_at is not None
    if alone or is_drawn(verdict):
        SecondReading.objects.create(verdict=verdict)


def unread_verdicts() -> QuerySet[SecondReading]:
    """Return the second readings that wait: what went ahead alone comes first, then the oldest."""
    waiting = SecondReading.objects.filter(read_at=None)
    return waiting.select_related(
        "verdict__case__account", "verdict__given_by", "verdict__proposal"
    ).order_by(F("verdict__proposal__went_ahead_at").asc(nulls_last=True), "drawn_at")


@transaction.atomic
def record_second_reading(
    *, verdict_id: UUID, agrees: bool, note: str, staff: Staff
) -> SecondReading:
    """Record whether the verdict was right. Only an appeal or another case can undo it."""
    staff.must(Permission.READ_VERDICTS)
    if len(note) > MAX_NOTE or (not agrees and not note.strip()):
        raise Invalid(f"Say why you disagree, in at most {MAX_NOTE} characters.")
    reading = SecondReading.objects.select_for_update().filter(verdict=verdict_id).first()
    if reading is None:
        raise NotFound("This verdict was not drawn.")
    if reading.read_at is not None:
        raise AlreadyRead
    if _had_part(reading.verdict, staff):
        raise OwnVerdict
    reading.read_by, reading.read_at = staff, timezone.now()
    reading.agrees, reading.note = agrees, note.strip()
    reading.save()
    record(
        actor=staff.actor,
        subject=f"case:{reading.verdict.case_id}",
        fact=kinds.VerdictRead(verdict=str(verdict_id), agrees=agrees),
    )
    return reading


def _had_part(verdict: Verdict, staff: Staff) -> bool:
    """Return whether somebody gave a verdict, or was the second person of any of its case."""
    agreed = verdict.case.proposals.filter(Q(second_by=staff) | Q(decided_by=staff))
    return verdict.given_by_id == staff.pk or agreed.exists()


def reader_agreement(since: datetime) -> list[Agreement]:
    """Return how often readers agreed since a moment, for each person whose verdicts were read."""
    counted = (
        SecondReading.objects.filter(read_at__gte=since)
        .values_list("verdict__given_by__username")
        .annotate(read=Count("pk"), agreed=Count("pk", filter=Q(agrees=True)))
        .order_by("verdict__given_by__username")
    )
    return [Agreement(str(person), count, agreed) for person, count, agreed in counted]
