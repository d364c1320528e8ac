"""Our PDQ is the reference's, on every picture."""

import io

import numpy as np
import pdqhash
import pytest
from PIL import Image

from kinward.demo import pictures
from kinward.errors import KinwardError
from kinward.media import hash_array, hash_bytes, hash_dihedral, hash_many, read_picture

SIZES = [(1024, 768), (640, 480), (333, 517), (64, 64), (1600, 300), (129, 128), (50, 40)]
MAX = 50_000_000


def distance(one: bytes, other: bytes) -> int:
    return int.from_bytes(bytes(a ^ b for a, b in zip(one, other, strict=True))).bit_count()


def reference(data: bytes) -> tuple[bytes, int]:
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    bits, quality = pdqhash.compute(pixels)
    return np.packbits(bits).tobytes(), int(quality)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_two_hundred_pictures_are_within_two_bits_of_the_reference(format: str) -> None:
    for seed in range(50):
        image = pictures.draw(seed, SIZES[seed % len(SIZES)])
        data = pictures.encode(image, format)
        ours = read_picture(data, MAX)
        theirs, quality = reference(data)
        assert distance(ours.signature, theirs) <= 2
        assert abs((ours.quality or 0) - quality) <= 1


def test_noise_alone_is_within_two_bits_of_the_reference() -> None:
    dice = np.random.default_rng(7)
    for height, width in [(768, 1024), (70, 1000), (2000, 1500)]:
        pixels = dice.integers(0, 256, (height, width, 3), dtype=np.uint8)
        bits, _ = pdqhash.compute(pixels)
        ours, _ = hash_array(pixels)
        assert distance(ours.tobytes(), np.packbits(bits).tobytes()) <= 2


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


@pytest.mark.parametrize("seed", range(12))
def test_turned_and_mirrored_it_is_the_reference_s(seed: int) -> None:
    pixels = np.asarray(pictures.draw(seed, SIZES[seed % len(SIZES)]).convert("RGB"))
    ours, quality = hash_dihedral(pixels)
    theirs, their_quality = pdqhash.compute_dihedral(pixels)
    for mine, other in zip(ours, theirs, strict=True):
        assert distance(mine.tobytes(), np.packbits(other).tobytes()) <= 2
    assert abs(quality - int(their_quality)) <= 1
    assert (ours[0] == hash_array(pixels)[0]).all()


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
