"""What a reviewer is shown of a file: each still, and each film frame by frame."""

import io
from collections.abc import Iterator

import av
import numpy as np
from PIL import Image

from kinward.ground.errors import KinwardError
from kinward.media import Decoders, Strand
from kinward.media.shown import picture_of
from tests.support.corpus.entry import Entry
from tests.support.corpus.reference import hash_screen

MOMENTS = 64  # of a strand; the page shows all, 24 at once
SHEET = 3  # frames a side of the sheet of a track
BESIDE = 8  # pictures side by side on a still, at most


def sample_of(corpus: list[Entry], seed: int, each: int) -> list[Entry]:
    """Return so many files of each kind that Chromium shows."""
    dice = np.random.default_rng(seed)
    kinds: dict[str, list[Entry]] = {}
    for entry in corpus:
        if entry.element:
            kinds.setdefault(entry.kind, []).append(entry)
    return [
        entries[place]
        for entries in kinds.values()
        for place in sorted(dice.permutation(len(entries))[:each])
    ]


def served(decoders: Decoders, data: bytes) -> Iterator[tuple[Strand, bytes]]:
    """Yield the JPEGs and films that the console has for a file, each with its strand."""
    for strand in decoders.contents(data).strands:
        for moment in range(min(strand.moments, MOMENTS)):
            try:
                still = decoders.still(data, veiled=False, strand=strand.number, moment=moment)
            except KinwardError:
                continue  # the page says that it cannot be shown
            yield strand, still
        if strand.moves:
            yield strand, decoders.play(data, strand=strand.number).data


def shown_hashes(decoders: Decoders, data: bytes) -> list[bytes]:
    """Return the hashes of all pictures that a reviewer is shown of a file."""
    try:
        files = list(served(decoders, data))
    except KinwardError:
        return []
    pictures = (picture for strand, file in files for picture in _pictures(strand, file))
    hashes = (hash_screen(picture) for picture in pictures)
    return [pdq for pdq in dict.fromkeys(hashes) if pdq is not None]


def _pictures(strand: Strand, file: bytes) -> Iterator[Image.Image]:
    """Yield the pictures of a film, or those side by side on a still."""
    if not file.startswith(b"\xff\xd8"):
        with av.open(io.BytesIO(file), "r") as film:
            for frame in film.decode(video=0):
                yield picture_of(frame, 4096)
        return
    still = Image.open(io.BytesIO(file)).convert("RGB")
    yield still
    across = range(2, SHEET + 1) if strand.what == "track" else range(2, BESIDE + 1)
    for columns in across:
        for rows in range(1, SHEET + 1 if columns == SHEET and strand.what == "track" else 2):
            wide, high = still.width // columns, still.height // rows
            for place in range(columns * rows):
                left, top = place % columns * wide, place // columns * high
                yield still.crop((left, top, left + wide, top + high))
