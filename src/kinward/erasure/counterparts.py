"""Which rows of `erasure` stand for which entries, and how many values may be gone."""

from collections.abc import Iterator
from typing import Any

from kinward.access.api import ANYWHERE, marks_of_agreement
from kinward.erasure.models import Erasure, Replayed, Wish
from kinward.ledger.api import (
    Counterpart,
    Entry,
    Mark,
    Told,
    declare,
    forgotten_values,
    kinds,
    rowless,
    unrecorded,
)


def _counted(row: Any, told: Told) -> Iterator[str]:
    """Values of entries go only in erasures, which say how many. Compared with the newest row."""
    if Erasure.objects.filter(asked_at__gt=row.asked_at).exists():
        return
    facts = Entry.objects.filter(kind__in=(kinds.AccountErased.kind, kinds.ErasureReplayed.kind))
    said = sum(entry.data["values"] for entry in facts if entry.data is not None)
    gone = forgotten_values()
    if said != gone:
        yield f"{gone} values are gone from the ledger, and erasures say {said}."


declare(
    Counterpart(
        name="erasure",
        model=Erasure,
        related=ANYWHERE,
        marks=(
            *marks_of_agreement(asked=kinds.ErasureAsked, refused=kinds.ErasureRefused),
            *marks_of_agreement(
                approved=kinds.AccountErased,
                same={"rows": lambda row: row.rows, "values": lambda row: row.values},
            ),
        ),
        checks=(_counted,),
        made="asked_at",
    ),
    Counterpart(
        name="erasure after a restore",
        model=Replayed,
        marks=(Mark(facts=(kinds.ErasureReplayed,)),),
        made="at",
    ),
)
rowless("the wish goes with the account", kinds.ErasureWanted)
rowless("the list of erasures is a file outside the database", kinds.ErasuresListed)
unrecorded("the wish of the platform, whose entry goes with it", Wish)
