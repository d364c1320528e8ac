"""Retro-matching: the blocks of what is held, and which of it new hashes could hit.

Checks are packed into blocks of `BLOCK` records; those not packed yet are read from their rows. A
run reads the blocks in order, a few at a time, and remembers how far it came.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import UUID

import msgspec
import numpy as np
from django.db import transaction
from django.db.models import Max, Sum

from kinward.ground.locks import exclusive
from kinward.matching.held import (
    CURRENT,
    Block,
    Held,
    New,
    candidates,
    new_hashes,
    pack,
    unpack,
    unpack_blocks,
)
from kinward.matching.kinds import FILE_KINDS, kind_of
from kinward.matching.models import BankedHash, Check, HeldBlock, RetroRun, Unheld
from kinward.matching.queries import current_version
from kinward.matching.services import check_values

BLOCK: Final = 65_536  # records: 4 MiB
GROUP: Final = 48  # blocks that are joined at a time: 200 MB, and an index of 400

Join = Callable[[Sequence[Block], New], set[UUID]]


class Step(msgspec.Struct, frozen=True):
    """The candidates of a part of what is held; `block` is the last block that it had."""

    checks: set[UUID]
    records: int
    block: int | None


def pack_checks(size: int = BLOCK) -> int:
    """Move checks into blocks as long as there are enough for one; returns how many blocks.

    One at a time: a run reads blocks by their number, and so they have to appear in that order.
    """
    blocks = 0
    with exclusive("matching.pack") as mine:
        while mine and _pack_block(size):
            blocks += 1
    return blocks


@transaction.atomic
def _pack_block(size: int) -> bool:
    chosen = list(Unheld.objects.order_by("pk").values_list("pk", flat=True)[:size])
    if len(chosen) < size:
        return False
    data = pack(map(_held, Check.objects.filter(pk__in=chosen).iterator(5000)))
    HeldBlock.objects.create(format=CURRENT, count=len(unpack(data)), records=data)
    Unheld.objects.filter(pk__in=chosen).delete()
    return True


def _held(check: Check) -> Held:
    return Held.of(check.pk, check_values(check))


def next_run() -> RetroRun | None:
    """The run that was not finished, or one for all hashes since the last; none if there are none.

    A bank's hash counts as new when it was added, came back, or its bank was enabled again.
    """
    unfinished = RetroRun.objects.filter(finished_at=None).order_by("began_at").first()
    if unfinished is not None:
        return unfinished
    done = RetroRun.objects.aggregate(upto=Max("upto"))["upto"] or 0
    version = current_version()
    return RetroRun.objects.create(since=done, upto=version) if version > done else None


def hashes_of_run(run: RetroRun) -> New:
    """The live hashes that a run looks for."""
    rows = BankedHash.objects.live().filter(
        version__gt=run.since, version__lte=run.upto, kind__in=FILE_KINDS
    )
    frames: list[bytes] = []
    exact: dict[str, list[bytes]] = {}
    for name, banked in rows.values_list("kind", "value").iterator(50_000):
        kind, value = kind_of(name), bytes(banked)
        frames += kind.frames(value)
        exact.setdefault(name, []).extend(kind.exact(value))
    return new_hashes(frames, exact)


def steps(run: RetroRun, new: New, join: Join | None = None, group: int = GROUP) -> Iterator[Step]:
    """What new hashes could hit, part by part: all blocks that are not done, then the rest.

    A check that is packed into a block meanwhile is read there, or from its row, or both.
    """
    block = run.block
    while True:
        while chosen := list(HeldBlock.objects.filter(pk__gt=block).order_by("pk")[:group]):
            block = chosen[-1].pk
            found = (join or join_here)(chosen, new)
            yield Step(found, sum(each.count for each in chosen), block)
        waiting = Unheld.objects.values("pk")
        rows = pack(map(_held, Check.objects.filter(pk__in=waiting).iterator(5000)))
        yield Step(candidates(unpack(rows), new), len(unpack(rows)), None)
        if not HeldBlock.objects.filter(pk__gt=block).exists():
            return


def join_here(blocks: Sequence[Block], new: New) -> set[UUID]:
    """Join some blocks on the cores of this machine."""
    parts = np.array_split(np.arange(len(blocks)), min(len(blocks), os.cpu_count() or 1))

    def join_part(part: Iterable[int]) -> set[UUID]:
        chosen = [blocks[number] for number in part]
        return set().union(*(candidates(records, new) for records in unpack_blocks(chosen)))

    with ThreadPoolExecutor(len(parts)) as pool:
        return set().union(*pool.map(join_part, parts))


def held_count() -> int:
    """About how many records are held: to show how far a run is."""
    packed = HeldBlock.objects.aggregate(count=Sum("count"))["count"] or 0
    return int(packed) + Unheld.objects.count()
