"""Which rows of `verdicts` stand for which entries: what staff do to pairings in a case."""

from kinward.access.api import ANYWHERE, marks_of_agreement
from kinward.ledger.api import Counterpart, Entry, Mark, declare, kinds, unrecorded
from kinward.verdicts.models import Backing, PairingOrder, PairingPause

PAUSE = "pause"


def _key(entry: Entry) -> str:
    data = entry.data or {}
    return f"{entry.subject} {data.get('pairing')} {data.get('verb')}"


def _key_of_order(entry: Entry) -> str:
    key = _key(entry)
    return "" if key.endswith(f" {PAUSE}") else key


def _key_of_pause(entry: Entry) -> str:
    key = _key(entry)
    return key if key.endswith(f" {PAUSE}") else ""


declare(
    Counterpart(
        name="pause of a pairing",
        model=PairingPause,
        subject=lambda row: str(row.case),
        key=lambda row: f"{row.case} {row.pairing} {PAUSE}",
        entry_key=_key_of_pause,
        field="",
        related=("case", "pairing"),
        marks=(Mark(facts=(kinds.PairingOrdered,), by=lambda row: row.paused_by),),
        made="paused_at",
    ),
    Counterpart(
        name="order about a pairing",
        model=PairingOrder,
        subject=lambda row: str(row.case),
        key=lambda row: f"{row.case} {row.pairing} {row.verb}",
        entry_key=_key_of_order,
        field="",
        related=("case", "pairing", *ANYWHERE),
        group=lambda row: PairingOrder.objects.filter(
            case=row.case_id, pairing=row.pairing_id, verb=row.verb
        ).select_related("case", "pairing", *ANYWHERE),
        marks=marks_of_agreement(
            asked=kinds.PairingOrdered,
            approved=kinds.PairingOrderDone,
            refused=kinds.PairingOrderRefused,
        ),
        made="asked_at",
    ),
)
unrecorded("which cases back a hash of our own bank, whose additions are compared", Backing)
