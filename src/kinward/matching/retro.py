"""Retro-matching: the blocks of uploaded content, and the checks that new hashes could hit.

Checks are packed into blocks of `BLOCK` records. Checks not packed yet are read from their rows. A
run reads the blocks in order, a few at a time, and records its progress.
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
from kinward.matching.kinds import FILE_KINDS, kind_of
from kinward.matching.models import BankedHash, Check, HeldBlock, RetroRun, Role, Unheld
from kinward.matching.queries import current_version
from kinward.matching.services import check_values, check_views
from kinward.matching.uploaded import (
    CURRENT,
    Block,
    New,
    Uploaded,
    candidates,
    new_hashes,
    pack,
    unpack,
    unpack_blocks,
)

BLOCK: Final = 65_536  # records: 4 MiB
GROUP: Final = 48  # blocks joined at a time: 200 MB, plus 400 MB for an index

Join = Callable[[Sequence[Block], New], set[UUID]]


class Step(msgspec.Struct, frozen=True):
    """The candidates in a part of uploaded content.

    `block`: the last block of the part; none for checks that are not packed yet.
    """

    checks: set[UUID]
    records: int
    block: int | None


def pack_checks(size: int = BLOCK) -> int:
    """Pack checks into blocks while there are enough for one. Returns how many blocks were packed.

    Only one process packs at a time: a run reads blocks by number, so they must appear in order.
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
    data = pack(map(_uploaded, Check.objects.filter(pk__in=chosen).iterator(5000)))
    HeldBlock.objects.create(format=CURRENT, count=len(unpack(data)), records=data)
    Unheld.objects.filter(pk__in=chosen).delete()
    return True


def _uploaded(check: Check) -> Uploaded:
    return Uploaded.of(check.pk, check_values(check), check_views(check))


def next_run() -> RetroRun | None:
    """Return the unfinished run, or a new run for all hashes since the last; none without new ones.

    A hash counts as new if it was added, came back, or its bank was enabled again.
    """
    unfinished = RetroRun.objects.filter(finished_at=None).order_by("began_at").first()
    if unfinished is not None:
        return unfinished
    done = RetroRun.objects.aggregate(upto=Max("upto"))["upto"] or 0
    version = current_version()
    return RetroRun.objects.create(since=done, upto=version) if version > done else None


def hashes_of_run(run: RetroRun) -> New:
    """Return the live hashes that a run looks for. Those of negative banks match nothing."""
    live = BankedHash.objects.live().exclude(bank__role=Role.NEGATIVE)
    rows = live.filter(version__gt=run.since, version__lte=run.upto, kind__in=FILE_KINDS)
    frames: list[bytes] = []
    exact: dict[str, list[bytes]] = {}
    for name, banked in rows.values_list("kind", "value").iterator(50_000):
        kind, value = kind_of(name), bytes(banked)
        frames += kind.frames(value)
        exact.setdefault(name, []).extend(kind.exact(value))
    return new_hashes(frames, exact)


def steps(run: RetroRun, new: New, join: Join | None = None, group: int = GROUP) -> Iterator[Step]:
    """Yield the candidates part by part: the remaining blocks, then the checks not packed yet.

    A check that is packed meanwhile is read from its block, from its row, or from both.
    """
    block = run.block
    while True:
        while chosen := list(HeldBlock.objects.filter(pk__gt=block).order_by("pk")[:group]):
            block = chosen[-1].pk
            checks = (join or join_here)(chosen, new)
            yield Step(checks, sum(row.count for row in chosen), block)
        waiting = Unheld.objects.values("pk")
        rows = pack(map(_uploaded, Check.objects.filter(pk__in=waiting).iterator(5000)))
        yield Step(candidates(unpack(rows), new), len(unpack(rows)), None)
        if not HeldBlock.objects.filter(pk__gt=block).exists():
            return


def join_here(blocks: Sequence[Block], new: New) -> set[UUID]:
    """Return the candidates in some blocks, using all cores of this machine."""
    parts = np.array_split(np.arange(len(blocks)), min(len(blocks), os.cpu_count() or 1))

    def join_part(part: Iterable[int]) -> set[UUID]:
        chosen = [blocks[number] for number in part]
        return set().union(*(candidates(records, new) for records in unpack_blocks(chosen)))

    with ThreadPoolExecutor(len(parts)) as pool:
        return set().union(*pool.map(join_part, parts))


def count_uploaded() -> int:
    """Estimate the number of records of uploaded content, as the length of a progress bar."""
    packed = HeldBlock.objects.aggregate(count=Sum("count"))["count"] or 0
    return int(packed) + Unheld.objects.count()
