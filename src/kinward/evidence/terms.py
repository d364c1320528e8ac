"""Terms: until when evidence is kept. The ledger decides that, and the row only says it again.

Whoever can write to the database could else let a file expire early by one date in its row. The
entry of a term has a MAC by the secret key, which the database does not hold, over the case, the
moment, and the entry of the term before it. So nobody writes one past Kinward, or again.
"""

import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.evidence.holds import AFTER_HOLD
from kinward.evidence.models import Evidence
from kinward.ground.config import config
from kinward.ground.secrets import mac
from kinward.ledger.api import Entry, kinds, record, says

DISMISSED_DAYS: Final = 30  # for a dismissed case's files, in case of a mistake
TERM_ENDED: Final = "its term ended"
_KINDS: Final = tuple(
    fact.kind for fact in (kinds.EvidenceTermSet, kinds.EvidenceHeld, kinds.EvidenceHoldEnded)
)
_encode = msgspec.json.Encoder(order="deterministic").encode


class Term(msgspec.Struct, frozen=True):
    """What the ledger says of how long a file is kept.

    `until`: the end of its term, or None without one. `hold`: the references of its legal holds, as
    the entry is committed to them, or "". `hold_ended_at`: when the latest one ended. `forged`:
    whether Kinward did not write some entry of a term. Such an entry counts for nothing.
    """

    until: datetime | None = None
    hold: str = ""
    hold_ended_at: datetime | None = None
    forged: bool = False

    def is_over(self, now: datetime) -> bool:
        """Return whether the term has ended, and no hold keeps the file, nor the days after one."""
        return self.until is not None and self.until <= now and not self.is_held(now)

    def is_held(self, now: datetime) -> bool:
        """Return whether a hold keeps the file, or the days after one."""
        ended = self.hold_ended_at
        return bool(self.hold) or (ended is not None and ended > now - AFTER_HOLD)


@transaction.atomic
def keep_until(*, case_id: UUID, until: datetime, why: str, actor: Actor) -> int:
    """Set the expiry of a case's evidence; return the number of its files."""
    files = Evidence.objects.filter(case_id=case_id, destroyed_at=None)
    list(files.select_for_update().order_by("pk").values_list("pk", flat=True))
    count = files.update(expires_at=until)
    subject, moment = f"case:{case_id}", until.isoformat()
    after = max((entry.pk for entry, true in _terms(_entries(subject)) if true), default=0)
    fact = kinds.EvidenceTermSet(
        until=moment, why=why, files=count, after=after, mac=_mac(subject, moment, after)
    )
    record(actor=actor, subject=subject, fact=fact)
    return count


def keep_after_report(*, case_id: UUID, finished_at: datetime) -> None:
    """Start the preservation term of a finished report: one year under 18 USC 2258A(h)."""
    until = finished_at + timedelta(days=config().preservation_days)
    keep_until(case_id=case_id, until=until, why="report finished", actor=Actor.system("reporting"))


def keep_shortly(*, case_id: UUID, why: str, actor: Actor) -> None:
    """Keep the files of a case without consequences for a short while, in case of a mistake."""
    until = timezone.now() + timedelta(days=DISMISSED_DAYS)
    keep_until(case_id=case_id, until=until, why=why, actor=actor)


def keep_for_appeals(*, case_id: UUID, days: int, actor: Actor) -> None:
    """Keep the files of an unreported case until an appeal can no longer come or wait."""
    until = timezone.now() + timedelta(days=days)
    keep_until(case_id=case_id, until=until, why="an appeal may come", actor=actor)


def term_of(evidence: Evidence, before: int | None = None) -> Term:
    """Return what the ledger says of how long a file is kept, or said `before` an entry.

    Only what came after its sealing concerns it. The order is that of the entries, which no row
    changes.
    """
    sealed = Entry.objects.filter(kind=kinds.EvidenceSealed.kind, subject=str(evidence))
    since = sealed.order_by("pk").values_list("pk", flat=True).first()
    if since is None:
        return Term()
    entries = _entries(f"case:{evidence.case_id}")
    if before is not None:
        entries = [entry for entry in entries if entry.pk < before]
    terms = list(_terms(entries))
    until = [_moment(entry) for entry, true in terms if true and entry.pk > since]
    all_holds = [entry for entry in entries if entry.kind != _KINDS[0]]
    holds = [entry for entry in all_holds if _reference(entry)]
    newest = holds[-1] if holds and holds[-1].pk > since else None
    held = newest is not None and newest.kind == kinds.EvidenceHeld.kind
    return Term(
        until=until[-1] if until else None,
        hold=_reference(newest) if newest is not None and held else "",
        hold_ended_at=newest.at if newest is not None and not held else None,
        forged=len(holds) < len(all_holds) or not all(true for _, true in terms),
    )


def find_term_difference(evidence: Evidence) -> Iterator[str]:
    """Yield what a row says of its term and holds and the ledger does not."""
    if evidence.destroyed_at is not None:
        yield from _find_early_end(evidence)
        return
    term = term_of(evidence)
    if term.forged:
        yield "An entry about its term or a hold was not written by Kinward."
    held = bool(evidence.hold_reference)
    if held != bool(term.hold) or not says(term.hold, evidence.hold_reference):
        yield "Whether it is under legal hold is not what the ledger says."
    if evidence.expires_at == term.until:
        return
    if term.until is None:
        yield "It has a term, and no entry says so."
    else:
        yield "Its term is another one than the newest entry says."


def _find_early_end(evidence: Evidence) -> Iterator[str]:
    """Yield that a file was destroyed as expired before the ledger said that its term ended."""
    ends = Entry.objects.filter(kind=kinds.EvidenceDestroyed.kind, subject=str(evidence))
    end = ends.order_by("pk").first()
    if end is None or (end.data or {}).get("reason") != TERM_ENDED:
        return
    if not term_of(evidence, before=end.pk).is_over(end.at):
        yield "It was destroyed as expired, and by the ledger its term had not ended."


def _entries(subject: str) -> list[Entry]:
    """Return the entries about the terms and holds of a case, oldest first."""
    entries = Entry.objects.filter(subject=subject, kind__in=_KINDS, data__isnull=False)
    return list(entries.order_by("pk"))


def _terms(entries: Iterable[Entry]) -> Iterator[tuple[Entry, bool]]:
    """Yield the entries of terms, each with whether Kinward wrote it.

    One without a MAC is older than MACs, so it is older than each that has one.
    """
    before = 0
    for entry in entries:
        if entry.kind != _KINDS[0]:
            continue
        true = _is_true(entry, before)
        if true:
            before = entry.pk
        yield entry, true


def _reference(entry: Entry) -> str:
    """Return what a hold says of its reference, or "" where somebody wrote something else."""
    reference = entry.data.get("reference") if isinstance(entry.data, dict) else None
    return reference if isinstance(reference, str) else ""


def _moment(entry: Entry) -> datetime | None:
    """Return the end of a term, or None where somebody wrote something else."""
    try:
        moment = datetime.fromisoformat(entry.data["until"])
    except (ValueError, KeyError, TypeError):
        return None
    return moment if moment.tzinfo else None


def _is_true(entry: Entry, before: int) -> bool:
    if _moment(entry) is None:
        return False
    data: dict[str, Any] = entry.data
    if "mac" not in data:
        with_mac = Entry.objects.filter(kind=entry.kind, pk__lt=entry.pk, data__has_key="mac")
        return not with_mac.exists()
    expected = _mac(str(entry.subject), str(data.get("until")), before)
    return data.get("after") == before and hmac.compare_digest(expected, str(data["mac"]))


def _mac(subject: str, until: str, after: int) -> str:
    """Return the MAC (hex) of a term. `after`: the number of the entry of the term before it."""
    return mac(_encode([1, subject, until, after]), "evidence term").hex()
