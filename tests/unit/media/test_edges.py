"""A picture that lost a little of its edges is still near the whole one."""

import numpy as np
from PIL import ImageOps

from kinward.demo import pictures
from kinward.media.edges import hash_continued
from kinward.media.pdq import Hash, hash_array


def apart(one: Hash, other: Hash) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def test_two_percent_cut_off_each_side_stay_within_the_radius() -> None:
    plain = continued = 0
    for seed in range(30):
        whole = pictures.draw(seed, (640, 480)).convert("RGB")
        cut = np.asarray(ImageOps.crop(whole, round(whole.width * 0.02)))
        known, _ = hash_array(np.asarray(whole))
        plain += apart(known, hash_array(cut)[0]) <= 31
        continued += apart(known, hash_continued(cut)[0]) <= 31
    assert plain <= 6
    assert continued >= 27


def test_a_large_picture_is_reduced_first_and_hashes_the_same() -> None:
    small = pictures.draw(3, (320, 240)).convert("RGB")
    large = small.resize((2560, 1920))
    assert apart(hash_continued(np.asarray(small))[0], hash_continued(np.asarray(large))[0]) <= 24


def test_a_thin_picture_can_be_continued() -> None:
    assert hash_continued(np.zeros((1, 3000, 3), dtype=np.uint8))[1] == 0
