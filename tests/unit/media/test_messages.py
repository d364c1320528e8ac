"""What a decoder may say of a file, since a file may have taken it over."""

from typing import Any

import msgspec
import pytest

from kinward.media import MAX_FRAMES
from kinward.media.messages import Answer

HASHED: dict[str, Any] = {"kind": "video", "signature": bytes(64), "media_type": "video/mp4"}
STRAND: dict[str, Any] = {"number": 0, "what": "track", "media_type": "video/mp4"}
PLAYED: dict[str, Any] = {"data": b"", "seconds": 1.0, "entire": True}


def read(answer: dict[str, Any]) -> Answer:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(answer), type=Answer)


def test_an_honest_answer_is_read() -> None:
    assert read({"hashed": HASHED}).hashed is not None
    assert read({"contents": {"strands": [STRAND], "entire": True}}).contents is not None
    assert read({"playback": PLAYED}).playback is not None


@pytest.mark.parametrize(
    "lie",
    [
        {"kind": "pdq"},
        {"kind": "video\0"},
        {"kind": "v" * 100},
        {"signature": bytes(33)},
        {"signature": bytes(32 * (MAX_FRAMES + 1))},
        {"media_type": "video/\0"},
        {"media_type": "video/mp4\n"},
        {"media_type": "<script>"},
        {"media_type": "v" * 1000},
        {"width": -1},
        {"height": 2**31},
        {"frames": 2**60},
        {"quality": 101},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"views": [[bytes(31)]]},
        {"views": [[bytes(32), 2**16]]},
        {"views": [[bytes(32)]] * 4097},
    ],
    ids=lambda lie: str(lie)[:30],
)
def test_a_hash_that_no_decoder_of_ours_gives_is_no_answer(lie: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read({"hashed": HASHED | lie})


@pytest.mark.parametrize(
    "lie", [{"number": -1}, {"what": "<b>"}, {"moments": 2**40}, {"role": "x\0"}], ids=str
)
def test_contents_that_no_decoder_of_ours_gives_are_no_answer(lie: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read({"contents": {"strands": [STRAND | lie], "entire": True}})


@pytest.mark.parametrize(
    "lie",
    [
        {"playback": PLAYED | {"seconds": float("nan")}},
        {"contents": {"strands": [STRAND] * (2**16 + 1), "entire": True}},
        {"begun": {"place": 2**40, "lasting": True}},
        {"begun": {"place": -1, "lasting": True}},
        {"error": "media.undecodable", "detail": "x" * 5000},
        {"error": "x" * 5000},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_nothing_in_an_answer_is_without_a_bound(lie: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(lie)
