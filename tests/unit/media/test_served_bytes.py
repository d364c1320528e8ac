"""No byte of an upload reaches a browser unless our own encoder wrote it."""

import os
from collections.abc import Iterator
from typing import Final

import pytest

from kinward.ground.errors import KinwardError
from kinward.media import Decoders
from tests.support.corpus import KINDS, make_corpus
from tests.support.corpus.looks import served
from tests.support.deep import DEEP

SEED: Final = int(os.environ.get("KINWARD_TEST_SEED", "20261126"))
EVERY: Final = 32 if DEEP else 96  # so many files of the corpus to one that is asked for
RUN: Final = 48  # bytes that no file has from another by chance
JPEG, WEBM = b"\xff\xd8\xff", b"\x1a\x45\xdf\xa3"


@pytest.fixture(scope="module")
def pool() -> Iterator[Decoders]:
    pool = Decoders(count=2, seconds=20, video_seconds=20, max_pixels=10**7, memory=2**30)
    yield pool
    pool.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_served_is_jpeg_or_webm_of_our_own(pool: Decoders, kind: str) -> None:
    for entry in make_corpus(SEED, [kind])[::EVERY]:
        try:
            files = list(served(pool, entry.data))
        except KinwardError:
            continue  # nothing is served
        for _, file in files:
            assert file.startswith((JPEG, WEBM)), entry.name
            body = _scan_of(file) if file.startswith(JPEG) else file
            assert not shared(body, entry.data), entry.name


def shared(body: bytes, upload: bytes) -> list[int]:
    """Where in a file a run of the upload's bytes begins; padding is nobody's."""
    runs = (upload[at : at + RUN] for at in range(0, len(upload) - RUN + 1, RUN))
    wanted = {run for run in runs if len(set(run)) >= RUN // 4}
    return [at for at in range(len(body) - RUN + 1) if body[at : at + RUN] in wanted]


def _scan_of(jpeg: bytes) -> bytes:
    """What is in a JPEG after its tables, which are the same in many files."""
    return jpeg[jpeg.rindex(b"\xff\xda") :]


def test_a_copied_run_of_bytes_is_found() -> None:
    """The test above can fail."""
    data = next(entry.data for entry in make_corpus(SEED) if entry.element == "video")
    assert shared(bytes(100) + data[1000:1200], data)
