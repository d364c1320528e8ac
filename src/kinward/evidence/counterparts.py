"""Which rows of `evidence` stand for which entries: files, their terms, and legal holds."""

import hashlib
from collections.abc import Iterator
from typing import Any

from kinward.access.api import ANYWHERE, marks_of_agreement
from kinward.evidence import storage
from kinward.evidence.authenticity import find_difference
from kinward.evidence.models import Evidence, HoldEnding
from kinward.evidence.services import sealed_bytes
from kinward.ledger.api import Counterpart, Entry, Mark, Told, declare, kinds, valid_ids


def _authentic(row: Evidence, told: Told) -> Iterator[str]:
    """The row, its MAC, its check and its entry agree, and the sealed bytes are those sealed.

    While the store does not answer, nobody can tell. The comparison stops, which is an alarm, and
    resumes.
    """
    if row.destroyed_at is not None:
        return
    if difference := find_difference(row):
        yield difference
        return
    try:
        digest = hashlib.sha256(sealed_bytes(row)).hexdigest()
    except storage.StoreUnreachable as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        yield "Its sealed bytes are gone."
        return
    if digest != row.sealed_sha256:
        yield "Its sealed bytes have changed."


def _wrapped(row: Evidence, told: Told) -> Iterator[str]:
    rewrapped = told.get("evidence.rewrapped")
    if rewrapped is not None and rewrapped.newest.data["after"] != row.key_id:
        yield "Its key is wrapped by another key than the newest entry says."


def _concerns(row: Evidence, entry: Entry) -> bool:
    """Whether an entry about a case was about this file: sealed before it, not destroyed."""
    return row.sealed_at < entry.at and (row.destroyed_at is None or row.destroyed_at > entry.at)


def _held(row: Evidence, told: Told) -> Iterator[str]:
    """A file is held, and for what, as the newest entry about its case says."""
    kinds_of_hold = ("evidence.held", "evidence.hold_ended")
    entries = [told[kind].newest for kind in kinds_of_hold if kind in told]
    newest = max(
        (entry for entry in entries if _concerns(row, entry)),
        key=lambda entry: entry.pk,
        default=None,
    )
    held = newest is not None and newest.kind == "evidence.held"
    reference = newest.data["reference"] if held and newest is not None else ""
    if row.destroyed_at is None and row.hold_reference != reference:
        yield "Whether it is under legal hold is not what the ledger says."


def _term(row: Evidence, told: Told) -> Iterator[str]:
    """Its term is the one of the newest entry about its case."""
    term = told.get("evidence.term_set")
    if row.destroyed_at is not None:
        return
    if term is None or not _concerns(row, term.newest):
        if row.expires_at is not None and term is None:
            yield "It has a term, and no entry says so."
        return
    if row.expires_at is None or row.expires_at.isoformat() != term.newest.data["until"]:
        yield "Its term is another one than the newest entry says."


def _ending(row: Any) -> str:
    return f"{row.case_id} {row.reference}"


declare(
    Counterpart(
        name="evidence",
        model=Evidence,
        related=("check_made",),
        defer=("ciphertext",),
        marks=(
            Mark(
                facts=(kinds.EvidenceSealed,),
                same={
                    "case": lambda row: str(row.case_id),
                    "sha256": lambda row: row.sha256,
                    "size": lambda row: row.size,
                },
            ),
            Mark(
                facts=(kinds.EvidenceStored,),
                happened=lambda row: row.location != "",
                same={"sealed_sha256": lambda row: row.sealed_sha256},
            ),
            Mark(
                facts=(kinds.EvidenceDestroyed,),
                happened=lambda row: row.destroyed_at is not None,
                same={"sha256": lambda row: row.sha256},
            ),
            Mark(
                facts=(kinds.EvidenceDamaged,),
                happened=lambda row: row.damaged_at is not None or None,
                once=False,
            ),
        ),
        also=(
            kinds.EvidenceVeiled,
            kinds.EvidenceViewed,
            kinds.EvidenceRead,
            kinds.EvidenceReleased,
            kinds.EvidenceGivenBack,
            kinds.EvidenceRewrapped,
        ),
        checks=(_authentic, _wrapped),
        made="sealed_at",
    ),
    Counterpart(
        name="evidence of a case",
        model=Evidence,
        subject=lambda row: f"case:{row.case_id}",
        field="",
        defer=("ciphertext",),
        also=(kinds.EvidenceHeld, kinds.EvidenceHoldEnded, kinds.EvidenceTermSet),
        checks=(_held, _term),
        made="sealed_at",
    ),
    Counterpart(
        name="end of a legal hold",
        model=HoldEnding,
        subject=lambda row: f"case:{row.case_id}",
        key=_ending,
        entry_key=lambda entry: (
            f"{(entry.subject or '').removeprefix('case:')} {entry.data['reference']}"
        ),
        find=lambda keys: {
            _ending(row)
            for row in HoldEnding.objects.filter(
                case__in=valid_ids(key.partition(" ")[0] for key in keys)
            )
        },
        related=ANYWHERE,
        group=lambda row: HoldEnding.objects.filter(
            case=row.case_id, reference=row.reference
        ).select_related(*ANYWHERE),
        marks=(
            *marks_of_agreement(asked=kinds.EvidenceHoldEndAsked, refused=kinds.EvidenceHoldStays),
            Mark(
                facts=(kinds.EvidenceHoldEnded,),
                happened=lambda row: row.carried_out,
                at=lambda row: row.decided_at,
            ),
        ),
        made="asked_at",
    ),
)
