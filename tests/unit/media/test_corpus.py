"""The corpus of files that look different from what a plain decoder returns."""

from types import SimpleNamespace

import pytest

from kinward.media import Hashed, View
from tests.support.corpus import KINDS, Desk, make_corpus, views
from tests.support.corpus.entry import distance

SOME = ("vector", "document")  # those that are made fast


def test_the_same_seed_makes_the_same_files() -> None:
    one, other = (
        [(entry.name, entry.data) for kind in SOME for entry in KINDS[kind](Desk(3))]
        for _ in range(2)
    )
    assert one == other
    assert [data for _, data in one] != [entry.data for entry in make_corpus(4, SOME)]


def test_the_true_pictures_of_a_file_differ() -> None:
    for entry in make_corpus(kinds=SOME):
        hashes = entry.truth_hashes()
        assert bool(hashes) == bool(entry.truth)
        assert all(distance(one, two) > 30 for one in hashes for two in hashes if one != two)


def test_each_hash_by_which_a_file_is_looked_up_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Hashed("pdq", bytes(32), views=(View(b"1" * 32, turned=b"2" * 64), View(b"3" * 32)))
    monkeypatch.setattr(views, "decoders", lambda: SimpleNamespace(hash=lambda data: seen))
    assert views.view_hashes(b"file") == [digit * 32 for digit in (b"1", b"2", b"2", b"3")]
