"""Which rows of `exchanges` stand for which entries: partners."""

from collections.abc import Iterator

from kinward.exchanges.models import Exchange, Opinion, Signal, Sync
from kinward.ledger.api import Counterpart, Mark, Told, declare, kinds, unrecorded


def _switched(row: Exchange, told: Told) -> Iterator[str]:
    said = [told[kind].newest for kind in ("exchange.enabled", "exchange.disabled") if kind in told]
    added = told.get("exchange.added")
    newest = max(said, key=lambda entry: entry.pk, default=None)
    if newest is not None and added is not None and newest.pk < added.newest.pk:
        newest = None  # of an earlier partner of this name
    if row.enabled != (newest is None or newest.kind == "exchange.enabled"):
        yield "Whether it is switched on is not what the ledger says."


declare(
    Counterpart(
        name="partner",
        model=Exchange,
        field="name",
        marks=(
            Mark(
                facts=(kinds.ExchangeAdded,),
                same={"api": lambda row: row.api},
                once=False,  # one may be removed, and another added under its name
            ),
        ),
        also=(
            kinds.ExchangeEnabled,
            kinds.ExchangeDisabled,
            kinds.ExchangeChanged,
            kinds.ExchangeSynced,
        ),
        gone=(kinds.ExchangeRemoved,),
        checks=(_switched,),
    ),
)
unrecorded("what a partner was told of a hash, whose mark is compared", Opinion)
unrecorded("which hash a partner lists", Signal)
unrecorded("the progress of a sync, which is one entry about its partner", Sync)
