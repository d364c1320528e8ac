"""Where a container and what it holds disagree, each view that some viewer shows is hashed."""

import pytest
from PIL import Image

from kinward.media import read_picture
from kinward.media.medium import FRAME
from kinward.media.stills import heif
from tests.support.corpus import Desk, Entry, disagreeing, make_corpus
from tests.support.corpus.containers import png_chunk, png_chunks
from tests.support.looks import MAX, NEAR, bits, encode, plain, seen

CORPUS = {entry.name: entry for entry in make_corpus(11, ["disagreeing"])}


def views(entry: Entry) -> list[bytes]:
    return [view.hash for view in read_picture(entry.data, MAX).views]


@pytest.mark.parametrize("name", ["thumbnail.avif", "thumbnail.heic"])
def test_a_thumbnail_that_galleries_show_is_looked_up_and_in_no_signature(name: str) -> None:
    hashed = read_picture(CORPUS[name].data, MAX)
    picture, small = CORPUS[name].truth
    assert bits(picture, [view.hash for view in hashed.views if view.strand == 0]) <= NEAR
    assert bits(small, [view.hash for view in hashed.views if view.strand == 1]) <= NEAR
    assert (hashed.kind, len(hashed.signature), hashed.frames) == ("pdq", FRAME, 1)
    assert (hashed.entire, hashed.unread) == (True, False)


def test_thumbnails_that_are_too_many_are_said_to_be_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heif, "MOST_THUMBNAILS", 0)
    assert read_picture(CORPUS["thumbnail.avif"].data, MAX).unread


def test_a_frame_of_a_webp_is_as_large_as_its_picture_and_as_the_file_says() -> None:
    desk, name = Desk(11), "frame-said-smaller.webp"
    first, second = desk.picture(f"{name}-first"), desk.picture(name)
    shown = Image.new("RGB", (320, 260), "white")
    shown.paste(second)
    said = Image.new("RGB", (320, 260), "white")
    said.paste(first)
    said.paste(second.crop((0, 0, 240, 180)))
    for picture in (shown, said):
        assert bits(picture, views(CORPUS[name])) <= NEAR
    plain_ = encode(first, "WEBP", save_all=True, append_images=[second], duration=99)
    assert {view.strand for view in read_picture(plain_, MAX).views} == {0}


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"abCd"])
def test_data_of_a_png_that_is_interrupted_is_read_to_there_and_to_its_end(kind: bytes) -> None:
    """Chromium stops there, and shows 32 KiB of pixels less than it has unpacked."""
    picture = plain(401)
    whole = encode(picture, "PNG")
    head = whole[: whole.index(b"IDAT") - 4]
    body = b"".join(part for own, part in png_chunks(whole) if own == b"IDAT")
    one, other = (
        png_chunk(b"IDAT", part) for part in (body[: len(body) // 2], body[len(body) // 2 :])
    )
    end = png_chunk(b"IEND", b"")
    data = head + one + png_chunk(kind, b"a\0bbb") + other + end
    hashes = seen(data)
    assert bits(picture, hashes) <= NEAR
    assert not read_picture(data, MAX).entire
    nearest = min(bits(_upper(picture, rows), hashes) for rows in range(60, 200, 2))
    assert nearest <= NEAR
    assert read_picture(head + one + other + end, MAX).entire


def _upper(picture: Image.Image, rows: int) -> Image.Image:
    shown = Image.new("RGB", picture.size, "white")
    shown.paste(picture.crop((0, 0, picture.width, rows)))
    return shown


def test_the_corpus_has_each_disagreement() -> None:
    assert set(CORPUS) == {entry.name for entry in disagreeing.entries(Desk(11))}
    assert len(CORPUS) >= 10
