"""The entries about how long the evidence of a case is kept, and which of them Kinward wrote.

Whoever can write to the database could else let a file expire by one entry. So each has a MAC by
the secret key, which the database does not hold: over the case, its kind, the end of a term, and
the number of the entry of these that came before. Nobody writes one past Kinward, or one again, and
nobody takes one out from among them. That the last one is gone, `kinward ledger verify` finds.
Those who write hold the rows of the case's files.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from kinward.ground.secrets import is_mac, mac
from kinward.ledger.api import Entry, first_written, kinds, written_here

TERM: Final = kinds.EvidenceTermSet.kind
HELD: Final = kinds.EvidenceHeld.kind
PURPOSE: Final = "evidence term"  # of the MACs
KINDS: Final = (TERM, HELD, kinds.EvidenceHoldEnded.kind)
_encode = msgspec.json.Encoder(order="deterministic").encode

Said = TypeVar("Said", bound=kinds.EvidenceTermSet | kinds.EvidenceHeld | kinds.EvidenceHoldEnded)


def signed(case_id: UUID, fact: Said) -> Said:
    """Return a fact about a case with its MAC. The caller holds the rows of the case's files."""
    subject = f"case:{case_id}"
    after = max((entry.pk for entry, true in words_on(subject) if true), default=0)
    until = fact.until if isinstance(fact, kinds.EvidenceTermSet) else ""
    return msgspec.structs.replace(
        fact, after=after, mac=mac(_told(subject, fact.kind, until, after), PURPOSE).hex()
    )


def words_on(subject: str) -> Iterator[tuple[Entry, bool]]:
    """Yield the entries about a case (`case:<id>`), oldest first, and whether Kinward wrote each.

    One of an earlier version has no MAC in its data. It counts if Kinward wrote the entry, and it
    is older than each that has one. In the others that MAC decides, since it binds their order.
    """
    before = 0
    for entry in Entry.objects.filter(subject=subject, kind__in=KINDS).order_by("pk"):
        true = _is_true(entry, before)
        if true:
            before = entry.pk
        yield entry, true


def reference_in(entry: Entry) -> str:
    """Return what a hold says of its reference, or "" where somebody wrote something else."""
    reference = entry.data.get("reference") if isinstance(entry.data, dict) else None
    return reference if isinstance(reference, str) else ""


def end_in(entry: Entry) -> datetime | None:
    """Return the end of a term, or None where somebody wrote something else."""
    try:
        moment = datetime.fromisoformat(entry.data["until"])
    except (ValueError, KeyError, TypeError):
        return None
    return moment if moment.tzinfo else None


def _is_true(entry: Entry, before: int) -> bool:
    if entry.data is None or not (end_in(entry) if entry.kind == TERM else reference_in(entry)):
        return False
    data: dict[str, Any] = entry.data
    if "mac" not in data:
        with_mac = Entry.objects.filter(kind__in=KINDS, pk__lt=entry.pk, data__has_key="mac")
        return bool(written_here([entry])) and first_written(with_mac.order_by("pk")) is None
    until = str(data["until"]) if entry.kind == TERM else ""
    told = _told(str(entry.subject), entry.kind, until, before)
    try:
        return data.get("after") == before and is_mac(bytes.fromhex(data["mac"]), told, PURPOSE)
    except (ValueError, TypeError):  # it is no hexadecimal number
        return False


def _told(subject: str, kind: str, until: str, after: int) -> bytes:
    return _encode([1, subject, kind, until, after])
