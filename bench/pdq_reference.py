"""Ask the reference package for the hashes with which the tests compare ours.

python -m bench.pdq_reference           compare the reference with our hashes and the recorded ones
python -m bench.pdq_reference --record  record its answers in tests/support/reference_pictures.csv
"""

import csv
import sys
from collections.abc import Iterator

import numpy as np
import pdqhash

from kinward.media import hash_array, hash_dihedral
from tests.support import reference_pictures as recorded

Row = tuple[str, int, str, int]


def row(kind: str, number: int, bits: np.ndarray, quality: float) -> Row:
    return kind, number, np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality)


def ask_reference() -> Iterator[tuple[Row, bytes]]:
    """Yield the reference's answer for each image, and our hash of the same pixels."""
    for format in recorded.FORMATS:
        for seed in recorded.SEEDS:
            pixels = recorded.decode(recorded.draw_file(format, seed))
            yield row(format, seed, *pdqhash.compute(pixels)), hash_array(pixels)[0].tobytes()
    for number, pixels in enumerate(recorded.draw_noise()):
        yield row("noise", number, *pdqhash.compute(pixels)), hash_array(pixels)[0].tobytes()
    for seed in recorded.TURNED_SEEDS:
        pixels = recorded.draw_pixels(seed)
        theirs, quality = pdqhash.compute_dihedral(pixels)
        for variant, (bits, ours) in enumerate(zip(theirs, hash_dihedral(pixels)[0], strict=True)):
            number = seed * recorded.VARIANTS + variant
            yield row("turned", number, bits, quality), ours.tobytes()


def compare(answers: list[tuple[Row, bytes]]) -> int:
    """Print how far our hashes are from the reference's, and how many recorded answers changed."""
    known = recorded.read_reference()
    changed = [
        answer
        for answer, _ in answers
        if known.pop((answer[0], answer[1]), None) != (bytes.fromhex(answer[2]), answer[3])
    ]
    worst = max(
        (int.from_bytes(bytes.fromhex(answer[2])) ^ int.from_bytes(ours)).bit_count()
        for answer, ours in answers
    )
    print(f"PDQ of {len(answers)} generated images: at most {worst} bits from pdqhash's")
    print(f"recorded answers that are no longer pdqhash's: {len(changed) + len(known)}")
    return int(worst > 2 or bool(changed) or bool(known))


def record(answers: list[tuple[Row, bytes]]) -> None:
    with recorded.PATH.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["kind", "number", "pdq", "quality"])
        writer.writerows(answer for answer, _ in answers)


if __name__ == "__main__":
    answers = list(ask_reference())
    if "--record" in sys.argv[1:]:
        record(answers)
    else:
        sys.exit(compare(answers))
