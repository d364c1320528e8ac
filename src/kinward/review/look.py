"""Look at a case's files: only with its lease, only through the vault."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec
from django.core import signing
from django.utils import timezone

from kinward.access import Permission
from kinward.access.api import Staff
from kinward.casebook.api import get_case
from kinward.evidence.api import (
    Evidence,
    Sight,
    get_evidence,
    open_evidence,
    play_evidence,
    record_evidence_watched,
    seconds_played,
    veil_evidence,
)
from kinward.ground.errors import Invalid, NotFound
from kinward.review.exposure import count_look, note_shown
from kinward.review.lease import require_lease
from kinward.review.models import Look

SALT: Final = "kinward.review.look"
FASTEST: Final = 2.0  # times: how fast the browser's player goes at most


class Shown(msgspec.Struct, frozen=True):
    """A film that was shown: its file and strand, the viewer, its seconds, and when."""

    evidence: str
    staff: int
    strand: int
    seconds: float
    at: float


def look_at_file(
    *,
    case_id: UUID,
    evidence_id: UUID,
    staff: Staff,
    reason: str,
    strand: int | None = None,
    start: int = 0,
) -> Sight:
    """Open a file for the person who has the lease. The look is counted and in the ledger.

    Returns stills, also of what moves: `open_evidence` says which. Raises `BreakDue` or `DayFull`.
    """
    evidence, look = _counted_file(case_id, evidence_id, staff)
    sight = open_evidence(evidence=evidence, staff=staff, reason=reason, strand=strand, start=start)
    note_shown(look)
    return sight


def play_file(
    *, case_id: UUID, evidence_id: UUID, staff: Staff, reason: str, strand: int
) -> tuple[Sight, str]:
    """Show a strand of a file moving, for the person who has the lease. Counts like a look.

    Also returns the ticket that the page sends once it was played; empty if part was shown.
    """
    evidence, look = _counted_file(case_id, evidence_id, staff)
    sight = play_evidence(evidence=evidence, staff=staff, reason=reason, strand=strand)
    note_shown(look)
    if sight.film is None or not sight.film.entire:
        return sight, ""
    now = timezone.now().timestamp()
    shown = Shown(str(evidence_id), staff.pk, strand, sight.film.seconds, now)
    return sight, signing.dumps(msgspec.to_builtins(shown), salt=SALT)


def record_watched(*, case_id: UUID, evidence_id: UUID, staff: Staff, ticket: str) -> Sight:
    """Record that a person played a film to its end, and return what is left for them.

    The page claims it. The claim is refused if they cannot have played it in that time, beside all
    else that they have played since it was shown.
    """
    staff.must(Permission.OPEN_EVIDENCE)
    evidence = _leased_file(case_id, evidence_id, staff)
    try:
        shown = msgspec.convert(signing.loads(ticket, salt=SALT), Shown)
    except (signing.BadSignature, msgspec.ValidationError) as error:
        raise Invalid("Show the video again, and play it.") from error
    if (shown.evidence, shown.staff) != (str(evidence_id), staff.pk):
        raise Invalid("This video was shown to somebody else, or was another.")
    since = datetime.fromtimestamp(shown.at, UTC)
    seconds = shown.seconds + seconds_played(staff, since, FASTEST)
    if timezone.now().timestamp() < shown.at + seconds / FASTEST:
        raise Invalid("It cannot have been played to its end yet.")
    return record_evidence_watched(
        evidence=evidence,
        staff=staff,
        reason="played to its end",
        strand=shown.strand,
        seconds=shown.seconds,
    )


def veil_file(*, case_id: UUID, evidence_id: UUID, staff: Staff) -> bytes:
    """Return the file's grey blur, for the person who has the lease."""
    staff.must(Permission.OPEN_EVIDENCE)
    evidence = _leased_file(case_id, evidence_id, staff)
    return veil_evidence(evidence=evidence, staff=staff, reason="the case page")


def _counted_file(case_id: UUID, evidence_id: UUID, staff: Staff) -> tuple[Evidence, Look]:
    staff.must(Permission.OPEN_EVIDENCE)
    evidence = _leased_file(case_id, evidence_id, staff)
    return evidence, count_look(staff=staff, evidence_id=evidence.id)


def _leased_file(case_id: UUID, evidence_id: UUID, staff: Staff) -> Evidence:
    require_lease(get_case(case_id), staff)
    evidence = get_evidence(evidence_id)
    if evidence.case_id != case_id:
        raise NotFound("This file belongs to another case.")
    return evidence
