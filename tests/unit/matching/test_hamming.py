"""The index agrees with the slow and obvious way, whatever is added, removed, merged and loaded."""

import mmap
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kinward.matching import hamming, segments
from kinward.matching.hamming import HashesInvalid, Index, SnapshotRefused
from kinward.matching.layout import TABLE_BYTES, Chunk, Layout, best_layout
from tests.support.deep import TIMES

# Cuts that no small index would choose by itself, so that every path is taken by few hashes.
CUTS: dict[int, list[Layout]] = {
    0: [(Chunk(0, 16, 0),)],
    9: [(Chunk(0, 12, 4), Chunk(70, 14, 4)), tuple(Chunk(20 * n, 9, 0) for n in range(10))],
    31: [
        tuple(Chunk(16 * n, 16, 1) for n in range(16)),
        tuple(Chunk(23 * n, 10, 2 if n < 10 else 1) for n in range(11)),
        tuple(Chunk(8 * n, 8, 0) for n in range(32)),
    ],
    64: [tuple(Chunk(25 * n, 13, 6 if n < 5 else 5) for n in range(10))],
}


def slow(known: dict[int, bytes], value: bytes, radius: int) -> list[tuple[int, int]]:
    """Every `(id, distance)` within the radius, the nearest first."""
    number = int.from_bytes(value)
    found = [(i, (int.from_bytes(each) ^ number).bit_count()) for i, each in known.items()]
    return sorted(
        (each for each in found if each[1] <= radius), key=lambda each: (each[1], each[0])
    )


def array(values: list[bytes]) -> Any:
    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, 32)


def search(index: Index, value: bytes) -> list[tuple[int, int]]:
    ids, distances = index.search(np.frombuffer(value, dtype=np.uint8))
    return list(zip(ids.tolist(), distances.tolist(), strict=True))


def near(rng: np.random.Generator, value: bytes, bits: int) -> bytes:
    number = int.from_bytes(value)
    for bit in rng.choice(256, bits, replace=False):
        number ^= 1 << int(bit)
    return number.to_bytes(32)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have every segment cut in one way."""

    def use(layout: Layout) -> None:
        monkeypatch.setattr(segments, "best_layout", lambda count, radius: layout)

    return use


@pytest.mark.parametrize(
    ("radius", "layout"),
    [(radius, each) for radius, cuts in CUTS.items() for each in cuts],
    ids=str,
)
def test_nothing_is_missed_and_nothing_false(radius: int, layout: Layout, cut: Any) -> None:
    assert sum(each.radius + 1 for each in layout) > radius
    cut(layout)
    rng = np.random.default_rng(radius)
    values = [rng.bytes(32) for _ in range(3000)]
    values += [near(rng, values[n], int(rng.integers(0, 90))) for n in range(2000)]  # clusters
    values += [values[0]] * 500
    known = {int(n): value for n, value in enumerate(values)}
    index = Index(radius)
    index.add(array(values), np.arange(len(values)))
    assert index._state.segments, "a segment, not the tail"
    queries = [
        near(rng, values[int(n)], int(rng.integers(0, 70))) for n in rng.integers(0, 5500, 80)
    ]
    queries += [rng.bytes(32) for _ in range(10)]
    limits, ids, distances = index.search_batch(array(queries))
    for number, query in enumerate(queries):
        expected = slow(known, query, radius)
        assert search(index, query) == expected
        part = slice(limits[number], limits[number + 1])
        assert list(zip(ids[part], distances[part], strict=True)) == expected


@given(st.integers(1, 2 * 10**7), st.integers(0, 64))
@settings(max_examples=200, deadline=None)
def test_every_layout_keeps_the_promise(count: int, radius: int) -> None:
    layout = best_layout(count, radius)
    if layout:
        assert sum(each.radius + 1 for each in layout) > radius
        ends = [each.offset + each.bits for each in layout]
        assert all(end <= each.offset for end, each in zip(ends, layout[1:], strict=False))
        assert ends[-1] <= 256
        assert sum(4 * 2**each.bits for each in layout) <= TABLE_BYTES * count


hashes = st.binary(min_size=32, max_size=32)


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.index, self.known = Index(31), dict[int, bytes]()

    @rule(number=st.integers(0, 60), values=st.lists(hashes, min_size=1, max_size=12))
    def add(self, number: int, values: list[bytes]) -> None:
        ids = [number + n for n in range(len(values))]
        added = self.index.add(array(values), np.array(ids))
        fresh = {i: each for i, each in zip(ids, values, strict=True) if i not in self.known}
        assert added == len(fresh)
        self.known |= fresh

    @rule(numbers=st.lists(st.integers(0, 70), max_size=9))
    def remove(self, numbers: list[int]) -> None:
        there = set(numbers) & set(self.known)
        assert self.index.remove(np.array(numbers, dtype=np.int64)) == len(there)
        for number in there:
            del self.known[number]

    @rule()
    def wait(self) -> None:
        self.index.settle()

    @rule()
    def snapshot(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            self.index.save(Path(directory) / "index")
            self.index = Index.load(Path(directory) / "index")

    @rule(value=hashes, bits=st.integers(0, 45), data=st.data())
    def look(self, value: bytes, bits: int, data: st.DataObject) -> None:
        if self.known:
            there = data.draw(st.sampled_from(sorted(self.known.values())))
            value = near(np.random.default_rng(bits), there, bits)
        assert search(self.index, value) == slow(self.known, value, 31)

    @invariant()
    def sizes_agree(self) -> None:
        assert len(self.index) == len(self.known)


def test_any_sequence_of_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    monkeypatch.setattr(hamming, "TAIL", 8)  # so that segments and merges are many
    monkeypatch.setattr(hamming, "SEGMENTS", 2)
    monkeypatch.setattr(segments, "best_layout", lambda count, radius: CUTS[31][0])
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=40 * TIMES, stateful_step_count=40, deadline=None)
    )


def filled(count: int = 6000) -> tuple[Index, dict[int, bytes]]:
    rng = np.random.default_rng(7)
    values = [rng.bytes(32) for _ in range(count)]
    index = Index()
    index.add(array(values), np.arange(count) * 3)
    return index, {3 * n: value for n, value in enumerate(values)}


def test_a_snapshot_is_read_back_and_goes_on_living(tmp_path: Path) -> None:
    index, known = filled()
    index.remove(np.array([0, 3]))
    index.save(tmp_path / "index")
    loaded = Index.load(tmp_path / "index")
    for n in (0, 3):
        del known[n]
    assert len(loaded) == len(known)
    assert is_mapped(loaded._state.segments[0].rows)  # shared, not copied
    value = known[9]
    assert search(loaded, value) == [(9, 0)]
    loaded.remove(np.array([9]))
    assert search(loaded, value) == []
    loaded.add(array([value]), np.array([10**6]))
    assert search(loaded, value) == [(10**6, 0)]


def is_mapped(part: Any) -> bool:
    while part is not None and not isinstance(part, mmap.mmap):
        part = getattr(part, "base", None)
    return part is not None


def test_an_index_that_was_emptied_goes_on_living(tmp_path: Path) -> None:
    index, known = filled()
    index.remove(np.array(list(known)))
    index.save(tmp_path / "index")
    for empty in (index, Index.load(tmp_path / "index")):
        assert len(empty) == 0
        assert empty.remove(np.array([0, 3])) == 0
        assert search(empty, known[0]) == []
        assert empty.add(array([known[0]]), np.array([0])) == 1
        assert search(empty, known[0]) == [(0, 0)]


@pytest.mark.parametrize("damage", ["cut", "bit", "head", "empty"])
def test_a_damaged_snapshot_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "index"
    filled()[0].save(path)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "bit":
        data[-5000] ^= 1
    elif damage == "head":
        data[30] ^= 1
    else:
        data = bytearray(b"x")
    path.write_bytes(data)
    with pytest.raises(SnapshotRefused):
        Index.load(path)


def test_a_snapshot_is_whole_or_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, _ = filled()
    index.save(tmp_path / "index")
    before = (tmp_path / "index").read_bytes()

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        index.save(tmp_path / "index")
    assert (tmp_path / "index").read_bytes() == before


READER = """
import sys
from kinward.matching.hamming import Index
print("ready", flush=True)
seen = 0
while not sys.stdin.closed:
    assert len(Index.load(sys.argv[1])) in (40, 90), "neither the old nor the new"
    seen += 1
    if seen % 50 == 0:
        print(seen, flush=True)
"""


def test_a_reader_never_sees_half_a_snapshot_while_a_thousand_are_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    indexes = []
    for count in (40, 90):
        index = Index()
        index.add(array([rng.bytes(32) for _ in range(count)]), np.arange(count))
        indexes.append(index)
    path = tmp_path / "index"
    indexes[0].save(path)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n"
    for number in range(1000):
        indexes[number % 2].save(path)
    assert int(reader.stdout.readline()) >= 50
    assert reader.poll() is None, "the reader met something else"
    reader.kill()
    reader.wait()


def test_readers_read_on_while_somebody_writes_and_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hamming, "TAIL", 64)
    monkeypatch.setattr(hamming, "SEGMENTS", 2)
    rng = np.random.default_rng(3)
    values = [rng.bytes(32) for _ in range(4000)]
    index = Index()
    index.add(array(values[:1000]), np.arange(1000))
    stop, wrong = threading.Event(), list[int]()

    def read() -> None:
        own = np.random.default_rng(threading.get_ident() % 1000)
        while not stop.is_set():
            n = int(own.integers(0, 1000))
            if (n, 0) not in search(index, values[n]):
                wrong.append(n)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for n in range(1000, 4000, 50):
        index.add(array(values[n : n + 50]), np.arange(n, n + 50))
        index.remove(np.arange(n, n + 10))
    index.settle()
    stop.set()
    for each in readers:
        each.join()
    assert wrong == []
    assert len(index) == 1000 + 60 * 40


@pytest.mark.parametrize(
    ("wrong", "ids"),
    [
        (np.zeros((1, 31), dtype=np.uint8), np.array([1])),
        (np.zeros((1, 32), dtype=np.int64), np.array([1])),
        (np.zeros(32, dtype=np.uint8), np.array([1])),
        (np.zeros((2, 32), dtype=np.uint8), np.array([1])),
        (np.zeros((1, 32), dtype=np.uint8), np.array([1.5])),
    ],
)
def test_what_are_no_hashes_is_refused(wrong: Any, ids: Any) -> None:
    with pytest.raises(HashesInvalid):
        Index().add(wrong, ids)
    with pytest.raises(HashesInvalid):
        Index(65)
