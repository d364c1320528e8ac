"""Our PDQ is the reference's, on every picture."""

import numpy as np
import pytest

from kinward.demo import pictures
from kinward.ground.errors import KinwardError
from kinward.media import (
    hash_array,
    hash_bytes,
    hash_dihedral,
    hash_many,
    read_picture,
    turn_hashes,
)
from tests.support import reference_pictures
from tests.support.deep import DEEP

MAX = 50_000_000
REFERENCE = reference_pictures.read_reference()


def distance(one: bytes, other: bytes) -> int:
    return int.from_bytes(bytes(a ^ b for a, b in zip(one, other, strict=True))).bit_count()


@pytest.mark.parametrize("format", reference_pictures.FORMATS)
def test_pictures_are_within_two_bits_of_the_reference(format: str) -> None:
    """Fifty of each format, of which an ordinary run takes each fifth."""
    for seed in reference_pictures.SEEDS[:: 1 if DEEP else 5]:
        ours = read_picture(reference_pictures.draw_file(format, seed), MAX)
        theirs, quality = REFERENCE[format, seed]
        assert distance(ours.signature, theirs) <= 2
        assert ours.quality is not None
        assert abs(ours.quality - quality) <= 1


def test_noise_alone_is_within_two_bits_of_the_reference() -> None:
    for number, pixels in enumerate(reference_pictures.draw_noise()):
        ours, _ = hash_array(pixels)
        assert distance(ours.tobytes(), REFERENCE["noise", number][0]) <= 2


def test_a_flat_picture_has_no_quality() -> None:
    assert hash_array(np.full((200, 300, 3), 90, dtype=np.uint8))[1] == 0


def test_reencoding_and_resizing_stay_within_the_radius_and_others_do_not() -> None:
    original = pictures.draw(901)
    known = read_picture(pictures.encode(original), MAX).signature
    variants = {
        "re-encoded": pictures.encode(original, "JPEG", quality=60),
        "resized": pictures.encode(original.resize((512, 384)), "WEBP", quality=80),
    }
    for name, data in variants.items():
        assert distance(known, read_picture(data, MAX).signature) <= 31, name
    other = read_picture(pictures.encode(pictures.draw(5)), MAX)
    assert distance(known, other.signature) > 31


@pytest.mark.parametrize("seed", reference_pictures.TURNED_SEEDS)
def test_turned_and_mirrored_it_is_the_reference_s(seed: int) -> None:
    pixels = reference_pictures.draw_pixels(seed)
    ours, quality = hash_dihedral(pixels)
    assert len(ours) == reference_pictures.VARIANTS
    for variant, digest in enumerate(ours):
        number = seed * reference_pictures.VARIANTS + variant
        theirs, their_quality = REFERENCE["turned", number]
        assert distance(digest.tobytes(), theirs) <= 2
        assert abs(quality - their_quality) <= 1
    assert (ours[0] == hash_array(pixels)[0]).all()


def test_the_reference_was_recorded_whole() -> None:
    pictures_recorded = len(reference_pictures.FORMATS) * len(reference_pictures.SEEDS)
    turned = len(reference_pictures.TURNED_SEEDS) * reference_pictures.VARIANTS
    assert len(REFERENCE) == pictures_recorded + len(reference_pictures.NOISE_SIZES) + turned


def test_many_files_are_hashed_in_their_order_and_a_bad_one_alone_fails() -> None:
    files = [pictures.encode(pictures.draw(seed, (320, 240)), "PNG") for seed in range(9)]
    files.insert(4, b"no picture")
    found = list(hash_many(files, workers=3))
    assert isinstance(found.pop(4), KinwardError)
    del files[4]
    for data, each in zip(files, found, strict=True):
        assert not isinstance(each, KinwardError)
        alone = hash_bytes(data)
        assert (each[0] == alone[0]).all()
        assert each[1] == alone[1]


def test_a_hash_alone_tells_nearly_how_the_picture_would_hash_turned_and_mirrored() -> None:
    apart: list[int] = []
    for seed in range(20):
        exact, _ = hash_dihedral(reference_pictures.draw_pixels(seed))
        turned = turn_hashes(exact[:1])[0]
        assert turned[0].tobytes() == exact[0].tobytes()
        apart += [min(distance(w.tobytes(), one.tobytes()) for one in turned) for w in exact]
    assert np.median(apart) <= 6
    assert max(apart) <= 31


def test_turning_keeps_distances() -> None:
    random = np.random.default_rng(5)
    first, second = random.integers(0, 256, (2, 1, 32), dtype=np.uint8)
    apart = int(np.bitwise_count(first ^ second).sum())
    pairs = zip(turn_hashes(first)[0], turn_hashes(second)[0], strict=True)
    assert {int(np.bitwise_count(one ^ other).sum()) for one, other in pairs} == {apart}
