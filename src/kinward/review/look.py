"""Looking at a case's files: only with its lease, only through the vault."""

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
from kinward.media import Playback, View
from kinward.review.exposure import count_look
from kinward.review.lease import require_lease

SALT: Final = "kinward.review.look"
FASTEST: Final = 2.0  # times: how fast the browser's player goes at most


class Shown(msgspec.Struct, frozen=True):
    """A video that was shown: which, to whom, how many seconds of it, and when."""

    evidence: str
    staff: int
    seconds: float
    at: float


def look_at_file(
    *, case_id: UUID, evidence_id: UUID, staff: Staff, reason: str, moving: bool = False
) -> View:
    """The file, for the person who holds the case and may look yet; it is in the ledger.

    One that moves is shown still, unless it is asked for moving.
    """
    staff.must(Permission.OPEN_EVIDENCE)
    evidence = _held(case_id, evidence_id, staff)
    count_look(staff=staff, evidence_id=evidence.id)
    return open_evidence(evidence=evidence, staff=staff, reason=reason, moving=moving)


def player_ticket(*, evidence_id: UUID, staff: Staff, playback: Playback) -> str:
    """What whoever was shown a video sends when they played all of it; empty if it is not all."""
    if not playback.entire:
        return ""
    shown = Shown(str(evidence_id), staff.pk, playback.seconds, timezone.now().timestamp())
    return signing.dumps(msgspec.to_builtins(shown), salt=SALT)


def record_watched(*, case_id: UUID, evidence_id: UUID, staff: Staff, ticket: str) -> None:
    """Note that a person played all of a video: it is seen whole from then on.

    The page says so, and can be believed no sooner than a player could have been through with it.
    """
    staff.must(Permission.OPEN_EVIDENCE)
    evidence = _held(case_id, evidence_id, staff)
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
    """The file's grey blur, for the person who holds the case."""
    staff.must(Permission.OPEN_EVIDENCE)
    evidence = _held(case_id, evidence_id, staff)
    return veil_evidence(evidence=evidence, staff=staff, reason="the case page")


def _held(case_id: UUID, evidence_id: UUID, staff: Staff) -> Evidence:
    require_lease(get_case(case_id), staff)
    evidence = get_evidence(evidence_id)
    if evidence.case_id != case_id:
        raise NotFound("This file belongs to another case.")
    return evidence
