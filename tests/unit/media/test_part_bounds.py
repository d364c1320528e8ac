"""The search for files in the bytes is bounded, and answers whatever the bytes are."""

import base64
import time
import zlib
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinward.media import Undecodable
from kinward.media.composition import hash_parts
from kinward.media.decoder import answer
from kinward.media.registry import MEDIA
from tests.support import joined
from tests.support.joined import (
    BOUNDS,
    FILMS,
    FORMATS,
    archive,
    data_url,
    film,
    hashed,
    knows,
    picture,
    segment,
    svg,
    with_segments,
)
from tests.unit.media.test_documents import DOCUMENTS, MEASURES

JPEG, PNG = picture(1), picture(1, "PNG")
CODES = ("media.type_unsupported", "media.undecodable", "media.too_many_pixels")


def bomb(size: int) -> bytes:
    return archive({"a.png": PNG + bytes(size)})


BOMBS: dict[str, Callable[[], bytes]] = {
    "many pictures": lambda: JPEG + joined.dot() * 1_000_000,
    "much in an archive": lambda: JPEG + bomb(200 * 2**20),
    "much in many": lambda: JPEG + bomb(60 * 2**20) * 8,
    "archives in archives": lambda: JPEG + joined.nested(12, PNG),
    "much in a PDF": lambda: (
        JPEG
        + joined.pdf_of(
            MEASURES + b"/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter/FlateDecode",
            zlib.compress(bytes(100 * 2**20)),
        )
    ),
    "laughs": lambda: svg(data_url(JPEG), "<!DOCTYPE svg [" + joined.laughs() + "]>").replace(
        b"</svg>", b"&z;</svg>"
    ),
    "pictures in pictures": lambda: with_segments(JPEG, *[segment(0xE2, JPEG[:2000] * 20)] * 300),
    "beginnings of pictures": lambda: JPEG + JPEG[:700] * 20_000,
    "beginnings of films": lambda: JPEG + film(9)[:40] * 20_000,
    "beginnings of packets": lambda: JPEG + b"G" * 5_000_000,
    "beginnings of URLs": lambda: (
        b"<svg>" + b"'data:;base64," * 200_000 + b"'" + data_url(JPEG).encode()
    ),
    "beginnings of streams": lambda: b"%PDF-1.7" + joined.STREAM * 50_000 + JPEG,
    "beginnings of members": lambda: JPEG + archive({"a.png": PNG})[:60] * 100_000,
    "comments": lambda: b"<!-- a -->" * 100_000 + data_url(JPEG).encode(),
    "lines": lambda: b"A: b\r\n" * 100_000 + b"MIME-Version: 1.0\r\n\r\n" + base64.b64encode(JPEG),
    "spaces": lambda: b" " * 5_000_000 + svg(data_url(JPEG)),
    "sizes": lambda: JPEG + b"\x28\0\0\0" * 2_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_nothing_costs_much(name: str) -> None:
    data, began = BOMBS[name](), time.process_time()
    file = hashed(data)
    assert knows(file, 1)
    assert time.process_time() - began < BOUNDS.seconds + 10


@pytest.mark.parametrize("name", ["many pictures", "much in an archive", "archives in archives"])
def test_what_is_beyond_a_bound_is_missed(name: str) -> None:
    assert not hashed(BOMBS[name]()).entire


FILES = [picture(seed, format) for seed, format in enumerate(FORMATS, 1)]
FILES += [film(seed, *FILMS[name]) for seed, name in enumerate(("MP4", "WebM", "MPEG-TS"), 6)]
GARBAGE = st.one_of(
    st.binary(max_size=300),
    st.just(b""),
    st.sampled_from([b"\n" * 50, bytes(64), b"\xff\xd8\xff", b"PK\3\4"]),
)


@pytest.mark.parametrize("data", [JPEG, PNG, film(9), archive({"a.jpg": JPEG}), JPEG + film(9)])
def test_what_there_was_no_time_for_is_not_said_to_show_nothing(data: bytes) -> None:
    with pytest.raises(Undecodable, match="Its time was up"):
        hash_parts(data, msgspec.structs.replace(BOUNDS, seconds=-1), lambda views: True, MEDIA)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    order=st.lists(st.integers(0, len(FILES) - 1), min_size=1, max_size=4, unique=True),
    garbage=st.lists(GARBAGE, min_size=5, max_size=5),
)
def test_files_in_any_order_with_garbage_between_are_all_read(
    order: list[int], garbage: list[bytes]
) -> None:
    pieces = [piece for at, place in enumerate(order) for piece in (garbage[at], FILES[place])]
    file = hashed(b"".join([*pieces, garbage[-1]]))
    assert knows(file, *[place + 1 for place in order], bits=14)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_changed_bytes_give_an_answer_or_one_of_three_errors(data: st.DataObject) -> None:
    whole = bytearray(
        data.draw(st.sampled_from([*FILES, *(make(JPEG) for make in DOCUMENTS.values())]))
        + data.draw(st.sampled_from(FILES))
    )
    dice = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    for place in dice.integers(0, len(whole), 40):
        whole[place] = dice.integers(0, 256)
    given = answer(
        "hash", bytes(whole[: int(dice.integers(1, len(whole)))]), BOUNDS, lambda views: True
    )
    assert given.hashed is not None or given.error in CODES
