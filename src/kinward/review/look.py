"""Look at a case's files: only with its lease, only through the vault."""

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
    get_evidence,
    open_evidence,
    record_evidence_watched,
    veil_evidence,
)
from kinward.ground.errors import Invalid, NotFound
from kinward.media import Display, Playback
from kinward.review.exposure import count_look
from kinward.review.lease import require_lease

SALT: Final = "kinward.review.look"
FASTEST: Final = 2.0  # times: how fast the browser's player goes at most


class Shown(msgspec.Struct, frozen=True):
    """A video that was shown: its id, the viewer, its seconds, and when."""

    evidence: str
    staff: int
    seconds: float
    at: float


def look_at_file(
    *, case_id: UUID, evidence_id: UUID, staff: Staff, reason: str, moving: bool = False
) -> Display:
    """Open a file for the person who has the lease. The look is counted and in the ledger.

    Animations and videos are shown still, unless `moving` is set. Raises `BreakDue` or `DayFull`.
    """
    staff.must(Permission.OPEN_EVIDENCE)
    evidence = _leased_file(case_id, evidence_id, staff)
    count_look(staff=staff, evidence_id=evidence.id)
    return open_evidence(evidence=evidence, staff=staff, reason=reason, moving=moving)


def player_ticket(*, evidence_id: UUID, staff: Staff, playback: Playback) -> str:
    """Return the token that the page sends once a video was played; empty if part was shown."""
    if not playback.entire:
        return ""
    shown = Shown(str(evidence_id), staff.pk, playback.seconds, timezone.now().timestamp())
    return signing.dumps(msgspec.to_builtins(shown), salt=SALT)


def record_watched(*, case_id: UUID, evidence_id: UUID, staff: Staff, ticket: str) -> None:
    """Record that a person played a whole video. It counts as entirely viewed from then on.

    The page claims it. The claim is refused if the video cannot have been played in that time.
    """
    staff.must(Permission.OPEN_EVIDENCE)
    evidence = _leased_file(case_id, evidence_id, staff)
    try:
        shown = msgspec.convert(signing.loads(ticket, salt=SALT), Shown)
    except (signing.BadSignature, msgspec.ValidationError) as error:
        raise Invalid("Show the video again, and play it.") from error
    if (shown.evidence, shown.staff) != (str(evidence_id), staff.pk):
        raise Invalid("This video was shown to somebody else, or was another.")
    if timezone.now().timestamp() < shown.at + shown.seconds / FASTEST:
        raise Invalid("It cannot have been played to its end yet.")
    record_evidence_watched(evidence=evidence, staff=staff, reason="played to its end")


def veil_file(*, case_id: UUID, evidence_id: UUID, staff: Staff) -> bytes:
    """Return the file's grey blur, for the person who has the lease."""
    staff.must(Permission.OPEN_EVIDENCE)
    evidence = _leased_file(case_id, evidence_id, staff)
    return veil_evidence(evidence=evidence, staff=staff, reason="the case page")


def _leased_file(case_id: UUID, evidence_id: UUID, staff: Staff) -> Evidence:
    require_lease(get_case(case_id), staff)
    evidence = get_evidence(evidence_id)
    if evidence.case_id != case_id:
        raise NotFound("This file belongs to another case.")
    return evidence
