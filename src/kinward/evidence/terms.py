"""Terms: until when evidence is kept. The ledger decides that, and the row only says it again.

Whoever can write to the database could else let a file expire early by one date in its row.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.evidence.holds import AFTER_HOLD, lock_files
from kinward.evidence.models import Evidence
from kinward.evidence.words_on_terms import HELD, TERM, end_in, reference_in, signed, words_on
from kinward.ground.config import config
from kinward.ledger.api import Entry, first_written, kinds, record, says

DISMISSED_DAYS: Final = 30  # for a dismissed case's files, in case of a mistake
TERM_ENDED: Final = "its term ended"


class Term(msgspec.Struct, frozen=True):
    """What the ledger says of how long a file is kept.

    `until`: the end of its term, or None without one. `hold`: the references of its legal holds, as
    the entry is committed to them, or "". `hold_ended_at`: when the latest one ended. `forged`:
    whether Kinward did not write some entry of a term. Such an entry counts for nothing. `blank`:
    whether somebody took away what an entry said. It may have been a hold, so the file stays.
    """

    until: datetime | None = None
    hold: str = ""
    hold_ended_at: datetime | None = None
    forged: bool = False
    blank: bool = False

    def is_over(self, now: datetime) -> bool:
        """Return whether the term has ended, and no hold keeps the file, nor the days after one."""
        return self.until is not None and self.until <= now and not self.is_held(now)

    def is_held(self, now: datetime) -> bool:
        """Return whether a hold keeps the file, or the days after one."""
        ended = self.hold_ended_at
        return self.blank or bool(self.hold) or (ended is not None and ended > now - AFTER_HOLD)


@transaction.atomic
def keep_until(*, case_id: UUID, until: datetime, why: str, actor: Actor) -> int:
    """Set the expiry of a case's evidence; return the number of its files."""
    count = lock_files(case_id).update(expires_at=until)
    fact = kinds.EvidenceTermSet(until=until.isoformat(), why=why, files=count)
    record(actor=actor, subject=f"case:{case_id}", fact=signed(case_id, fact))
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
    first = first_written(sealed.order_by("pk"))
    if first is None:
        return Term()
    since = first.pk
    words = [
        (entry, true)
        for entry, true in words_on(f"case:{evidence.case_id}")
        if before is None or entry.pk < before
    ]
    told = [entry for entry, true in words if true and entry.pk > since]
    terms = [entry for entry in told if entry.kind == TERM]
    holds = [entry for entry in told if entry.kind != TERM]
    newest = holds[-1] if holds else None
    held = newest is not None and newest.kind == HELD
    return Term(
        until=end_in(terms[-1]) if terms else None,
        hold=reference_in(newest) if newest is not None and held else "",
        hold_ended_at=newest.at if newest is not None and not held else None,
        forged=not all(true for _, true in words),
        blank=any(entry.data is None for entry, _ in words),
    )


def find_term_difference(evidence: Evidence) -> Iterator[str]:
    """Yield what a row says of its term and holds and the ledger does not."""
    if evidence.destroyed_at is not None:
        yield from _find_early_end(evidence)
        return
    term = term_of(evidence)
    if term.blank:
        yield "What an entry about its term or a hold said is gone, and the file is here."
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
    end = first_written(ends.order_by("pk"))
    if end is None or (end.data or {}).get("reason") != TERM_ENDED:
        return
    term = term_of(evidence, before=end.pk)
    if not term.blank and not term.is_over(end.at):
        yield "It was destroyed as expired, and by the ledger its term had not ended."
