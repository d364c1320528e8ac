"""A picture that lost a little of its edges is still near the whole one."""

import numpy as np
from PIL import Image, ImageOps

from kinward.demo import pictures
from kinward.media.edges import continue_edges
from kinward.media.pdq import Hash, Luma, hash_array, hash_turns, shrink


def apart(one: Hash, other: Hash) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def luma(image: Image.Image) -> Luma:
    return np.asarray(image.convert("F"))


def continued_hash(image: Image.Image) -> Hash:
    hashes, _ = hash_turns(continue_edges(shrink(luma(image))))
    return np.asarray(hashes[0], dtype=np.uint8)


def test_two_percent_cut_off_each_side_stay_within_the_radius() -> None:
    plain = continued = 0
    for seed in range(30):
        whole = pictures.draw(seed, (640, 480)).convert("RGB")
        cut = ImageOps.crop(whole, round(whole.width * 0.02))
        known, _ = hash_array(np.asarray(whole))
        plain += apart(known, hash_array(np.asarray(cut))[0]) <= 31
        continued += apart(known, continued_hash(cut)) <= 31
    assert plain <= 6
    assert continued >= 27


def test_a_large_picture_is_reduced_first_and_hashes_the_same() -> None:
    small = pictures.draw(3, (320, 240)).convert("RGB")
    large = small.resize((2560, 1920))
    assert apart(continued_hash(small), continued_hash(large)) <= 24


def test_a_flat_picture_stays_flat() -> None:
    flat = np.full((4, 64, 64), 7.0)
    assert np.allclose(continue_edges(flat), flat)


def test_a_turned_picture_is_continued_like_the_picture() -> None:
    picture = luma(pictures.draw(4, (320, 240)))
    turned = continue_edges(shrink(picture[:, ::-1].copy()))
    assert np.allclose(continue_edges(shrink(picture))[2], turned[0], atol=0.01)
