"""Which rows of `evidence` stand for which entries: files, their terms, and legal holds."""

import hashlib
from collections.abc import Iterator
from typing import Any

from kinward.access.api import ANYWHERE, marks_of_agreement
from kinward.evidence import storage
from kinward.evidence.authenticity import find_difference
from kinward.evidence.models import Evidence, HoldEnding
from kinward.evidence.services import sealed_bytes
from kinward.evidence.terms import find_term_difference
from kinward.ledger.api import Counterpart, Mark, Told, declare, kinds, valid_ids


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


def _term(row: Evidence, told: Told) -> Iterator[str]:
    """Its term and its holds are those of the entries, whatever time its row names."""
    yield from find_term_difference(row)


def _ending(row: Any) -> str:
    return str(row.case_id)


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
        checks=(_authentic,),
        made="sealed_at",
    ),
    Counterpart(
        name="evidence of a case",
        model=Evidence,
        subject=lambda row: f"case:{row.case_id}",
        field="",
        defer=("ciphertext",),
        also=(kinds.EvidenceHeld, kinds.EvidenceHoldEnded, kinds.EvidenceTermSet),
        checks=(_term,),
        checks_blank=True,
        made="sealed_at",
    ),
    Counterpart(
        name="end of a legal hold",
        model=HoldEnding,
        subject=lambda row: f"case:{row.case_id}",
        key=_ending,
        entry_key=lambda entry: (entry.subject or "").removeprefix("case:"),
        find=lambda keys: set(map(_ending, HoldEnding.objects.filter(case__in=valid_ids(keys)))),
        related=ANYWHERE,
        group=lambda row: HoldEnding.objects.filter(case=row.case_id).select_related(*ANYWHERE),
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
