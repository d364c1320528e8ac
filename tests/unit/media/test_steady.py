"""Frames that are all but the same as one before are not looked at again, and no others."""

from dataclasses import replace

import numpy as np
import pytest

from kinward.media import luma
from kinward.media import variants as ways
from kinward.media.orientation import UPRIGHT, Turn
from kinward.media.pdq import Hash
from kinward.media.planes import Planes
from kinward.media.samples import Strand
from kinward.media.steady import LEVELS, MOST, is_keepable, is_steady
from kinward.media.variants import Look, Variants

GREY = np.full((48, 64), 100, dtype=np.uint8)
BEFORE = Planes(GREY, GREY[::2, ::2], GREY[::2, ::2], alpha=GREY)


@pytest.mark.parametrize("plane", ["luma", "blue", "red", "alpha"])
def test_each_plane_is_compared(plane: str) -> None:
    samples = getattr(BEFORE, plane)
    near, far = samples + np.uint8(LEVELS), samples + np.uint8(LEVELS + 1)
    assert is_steady(replace(BEFORE, **{plane: near}), BEFORE)
    assert not is_steady(replace(BEFORE, **{plane: far}), BEFORE)


def test_black_is_not_next_to_white() -> None:
    black, white = (Planes(np.full((9, 9), grey, dtype=np.uint8)) for grey in (0, 255))
    assert not is_steady(black, white)
    assert not is_steady(white, black)


@pytest.mark.parametrize(
    "change",
    [{"full": True}, {"space": 1}, {"shape": 2.0}, {"blue": None}, {"luma": GREY[:-2]}],
    ids=str,
)
def test_another_reading_of_the_same_samples_is_another_frame(change: dict[str, object]) -> None:
    assert not is_steady(replace(BEFORE, **change), BEFORE)  # type: ignore[arg-type]


@pytest.mark.parametrize("row", range(8))
def test_no_row_is_never_compared(row: int) -> None:
    luma = GREY.copy()
    luma[row::8] = 200
    changed = replace(BEFORE, luma=luma)
    assert not all(is_steady(changed, BEFORE) for _ in range(400))


def test_a_turn_and_fields_are_other_looks() -> None:
    same = Variants(BEFORE, UPRIGHT, tuple)
    assert same.rests(Look(BEFORE, UPRIGHT, False))
    assert not same.rests(Look(BEFORE, Turn(rows_back=True), False))
    assert not same.rests(Look(BEFORE, UPRIGHT, True))


def test_a_large_frame_is_not_kept() -> None:
    assert is_keepable(BEFORE)
    assert not is_keepable(Planes(np.zeros((1, MOST + 1), dtype=np.uint8)))


def test_a_slow_change_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame differs little from the one before, and the last much from the first."""
    hashed = []
    hash_planes = luma.hash_planes

    def counted(planes: Planes, turn: Turn = UPRIGHT) -> tuple[Hash, int]:
        hashed.append(planes)
        return hash_planes(planes, turn)

    monkeypatch.setattr(ways, "hash_planes", counted)
    dice = np.random.default_rng(1)
    first, last = dice.integers(0, 256, (2, 64, 64))
    strand = Strand(0)
    for step in range(256):
        mixed = first + (last - first) * step // 255
        strand.see(Variants(Planes(mixed.astype(np.uint8), full=True), UPRIGHT, tuple), step / 1000)
    leads = {kept.view.hash for kept in strand.kept}
    assert len(hashed) > 10
    assert len(leads) > 3
