"""Stored blocks stay readable for ever: no format is changed, and no block is packed again."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
import pytest

from kinward.matching import uploaded
from kinward.matching.uploaded import (
    CURRENT,
    FORMATS,
    New,
    Uploaded,
    candidates,
    new_hashes,
    pack,
    record_type,
    unpack,
    unpack_blocks,
)

NEXT: Final = CURRENT + 1
BLOCKS: Final = Path(__file__).parents[2] / "support" / "stored" / "blocks"


class Stored(msgspec.Struct):
    """A block as the database has it."""

    pk: int
    format: int
    count: int
    records: bytes


def digest(kind: str, number: int) -> bytes:
    return hashlib.new(kind, f"file {number}".encode(), usedforsecurity=False).digest()


def frame(number: int) -> bytes:
    return hashlib.sha256(f"frame {number}".encode()).digest()


def near(value: bytes, bits: int) -> bytes:
    return (int.from_bytes(value) ^ ((1 << bits) - 1)).to_bytes(32)


def exact(number: int) -> dict[str, bytes]:
    return {kind: digest(kind, number) for kind in ("md5", "sha1", "sha256")}


# What is in `format-1.block`, which the code before formats had a number wrote.
CHECKS: Final = (
    Uploaded(UUID(int=1), [frame(1)], exact(1)),
    Uploaded(UUID(int=2), [frame(20), frame(21), frame(22)], exact(2)),
    Uploaded(UUID(int=3), [], {kind: digest(kind, 3) for kind in ("md5", "sha256")}),
    Uploaded(UUID(int=4), [frame(4)]),
)


def stored(number: int) -> bytes:
    return (BLOCKS / f"format-{number}.block").read_bytes()


def hits(data: bytes, number: int, new: New) -> set[int]:
    return {check.int for check in candidates(unpack(data, number), new)}


@pytest.fixture
def another_format(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A format with one more kind of hash, as a new kind brings it."""
    monkeypatch.setitem(FORMATS, NEXT, (*FORMATS[CURRENT], ("another", 4)))
    monkeypatch.setitem(uploaded.SIZES, "another", 4)
    monkeypatch.setattr(uploaded, "CURRENT", NEXT)
    record_type.cache_clear()
    yield
    record_type.cache_clear()


def test_there_is_a_stored_block_of_every_format() -> None:
    assert {path.name for path in BLOCKS.iterdir()} == {f"format-{n}.block" for n in FORMATS}


def test_a_stored_block_of_every_format_is_read() -> None:
    for format in FORMATS:
        assert len(unpack(stored(format), format)) > 0


def test_a_format_names_no_size_that_another_contradicts() -> None:
    for fields in FORMATS.values():
        assert {name: uploaded.SIZES[name] for name, _ in fields} == dict(fields)
        assert all(size <= 8 for name, size in fields if name not in ("pdq", "check"))


def test_a_stored_block_of_format_1_gives_each_check_by_each_of_its_hashes() -> None:
    data = stored(1)
    assert len(unpack(data, 1)) == 6
    for check in CHECKS:
        for value in check.frames:
            assert hits(data, 1, new_hashes([near(value, 31)], {})) == {check.check.int}
            assert hits(data, 1, new_hashes([near(value, 32)], {})) == set()
        for kind, value in check.exact.items():
            assert hits(data, 1, new_hashes([], {kind: [value]})) == {check.check.int}
    assert hits(data, 1, new_hashes([frame(9)], exact_lists(9))) == set()


def exact_lists(number: int) -> dict[str, list[bytes]]:
    return {kind: [value] for kind, value in exact(number).items()}


def test_a_new_kind_leaves_stored_blocks_as_they_are(another_format: None) -> None:
    fresh = Uploaded(UUID(int=5), [frame(5)], {**exact(5), "another": b"loud and clear"})
    blocks = [
        Stored(1, 1, 6, stored(1)),
        Stored(2, NEXT, 1, pack([fresh])),
        Stored(3, 1, 6, stored(1)),
    ]
    assert len(blocks[1].records) == record_type(CURRENT).itemsize + 4

    def found(new: New) -> set[int]:
        return {
            check.int for records in unpack_blocks(blocks) for check in candidates(records, new)
        }

    assert [len(records) for records in unpack_blocks(blocks)] == [12, 1]
    assert found(new_hashes([], {"another": [b"loud"]})) == {5}
    assert found(new_hashes([frame(21), frame(5)], {})) == {2, 5}
    assert found(new_hashes([], {"sha1": [digest("sha1", 1), digest("sha1", 5)]})) == {1, 5}
