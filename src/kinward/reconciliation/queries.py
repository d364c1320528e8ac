"""What the last comparison found, for the doctor and the console."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.db.models import QuerySet
from django.utils import timezone

from kinward.ledger.api import Entry, each_written, first_written, kinds
from kinward.reconciliation.models import Difference, Run

LATE: Final = timedelta(hours=48)


class Comparison(msgspec.Struct, frozen=True):
    """Where the comparison stands. `late`: nobody has compared everything for two days.

    `finished_at`: the last whole comparison, by its entry. `problem`: why the present one stopped.
    `hidden`: differences that the ledger names and the table has lost.
    """

    finished_at: datetime | None
    late: bool
    problem: str
    differences: int
    hidden: int

    @property
    def alarms(self) -> bool:
        """Whether a person has to look. Ignorance is no peace."""
        return bool(self.late or self.problem or self.differences or self.hidden)


def comparison() -> Comparison:
    """Return where the comparison stands. What it found is counted by the ledger, too.

    Only entries that Kinward wrote say that a comparison ended, or that a difference did.
    """
    entries = Entry.objects.filter(kind=kinds.LedgerReconciled.kind, data__everything=True)
    newest = first_written(entries.order_by("-pk"))
    finished_at = None if newest is None else newest.at
    oldest = newest or first_written(Entry.objects.order_by("pk"))
    reference = None if oldest is None else oldest.at
    stopped = Run.objects.filter(finished_at=None).values_list("problem", flat=True).first()
    differences = open_differences().count()
    said, over = (
        sum(1 for _ in each_written(Entry.objects.filter(kind=fact.kind)))
        for fact in (kinds.LedgerDiffers, kinds.LedgerAgrees)
    )
    return Comparison(
        finished_at=finished_at,
        late=reference is not None and reference < timezone.now() - LATE,
        problem=stopped or "",
        differences=differences,
        hidden=max(said - over - differences, 0),
    )


def open_differences() -> QuerySet[Difference]:
    """Return the differences that nothing explains, oldest first."""
    return Difference.objects.filter(ended_at=None)
