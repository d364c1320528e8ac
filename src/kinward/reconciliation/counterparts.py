"""Which rows of the comparison itself stand for which entries."""

from collections.abc import Iterator

from kinward.ledger.api import (
    CosignedTree,
    Counterpart,
    Entry,
    HashTile,
    HolderWord,
    Leaf,
    Log,
    LogRotation,
    Mark,
    SignedTree,
    StampedTree,
    Told,
    WitnessWord,
    Words,
    declare,
    is_intact,
    kinds,
    rowless,
    unrecorded,
)
from kinward.reconciliation.models import Difference, Run


def _intact(row: Words, told: Told) -> Iterator[str]:
    if not is_intact(row):
        yield "These words are not those to which their entry is committed."


declare(
    Counterpart(
        name="rotation",
        model=LogRotation,
        marks=(
            Mark(
                facts=(kinds.LedgerKeyRotated,),
                same={"before": lambda row: row.before, "after": lambda row: row.after},
            ),
        ),
        made="at",
    ),
    Counterpart(name="words", model=Words, field="", checks=(_intact,)),
    Counterpart(
        name="comparison",
        model=Run,
        marks=(
            Mark(
                facts=(kinds.LedgerReconciled,),
                happened=lambda row: row.finished_at is not None,
                same={
                    "everything": lambda row: row.since is None,
                    "differences": lambda row: row.found,
                },
            ),
        ),
        made="began_at",
    ),
    Counterpart(
        name="difference",
        model=Difference,
        marks=(
            Mark(
                facts=(kinds.LedgerDiffers,),
                same={
                    "what": lambda row: row.what,
                    "about": lambda row: row.counterpart,
                    "of_kind": lambda row: row.kind,
                },
            ),
            Mark(facts=(kinds.LedgerAgrees,), happened=lambda row: row.ended_at is not None),
        ),
        made="found_at",
    ),
)
unrecorded(
    "is the ledger itself, which `kinward ledger verify` proves",
    *(Entry, HashTile, Leaf, Log, SignedTree),
)
unrecorded(
    "is what witnesses and other holders said of the ledger, in their own words",
    *(CosignedTree, HolderWord, StampedTree, WitnessWord),
)
rowless("the log itself has another origin from then on", kinds.BackupRestored)
