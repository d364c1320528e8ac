"""Archives: what each of their headers says is read, and what cannot be opened is named."""

import gzip
import io
import struct
import tarfile
from collections.abc import Callable

import pytest

from kinward.media import Hashed
from kinward.media.composition import hash_parts
from kinward.media.errors import Undecodable
from kinward.media.registry import MEDIA
from tests.support import joined, jxl, looks
from tests.support.joined import archive, data_url, hashed, knows, picture, svg

JPEG, PNG, OTHER = picture(1), picture(2, "PNG"), picture(2)
WORDS = b"words " * 900


def changed(whole: bytes, place: int, value: int) -> bytes:
    """An archive whose second local header has another byte."""
    at = whole.index(b"PK\3\4", 10) + place
    return whole[:at] + bytes([value]) + whole[at + 1 :]


def pair(method: int = 8) -> bytes:
    return archive({"a.txt": b"words", "b.png": PNG}, method)


def claiming(count: int = 18) -> bytes:
    """A first file that claims the bytes of all others, which are stored."""
    many = {f"{seed}.jpg": joined.thumbnail(seed) for seed in range(10, 10 + count)}
    whole = bytearray(archive({"a": b"words"}) + archive({**many, "z.jpg": OTHER}, 0))
    struct.pack_into("<I", whole, 18, len(whole))
    return bytes(whole)


def tar(body: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as target:
        for name, data in (("a.txt", WORDS * 3), ("b.jpg", body)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    return out.getvalue()


def style(body: bytes) -> bytes:
    return b"/* " + WORDS + b"*/ body{background:url(" + data_url(body).encode() + b")}"


LATE = svg(data_url(OTHER), "<!-- " + WORDS.decode() + "-->")
READ: dict[str, Callable[[], bytes]] = {
    "version of a high byte": lambda: changed(pair(), 5, 1),
    "method of a high byte": lambda: changed(pair(), 9, 1),
    "stored by its header alone": lambda: changed(pair(), 8, 0),
    "encrypted by its header alone": lambda: changed(pair(), 6, 1),
    "bytes that another file claims": claiming,
    "gzip, stored": lambda: archive({"a.svgz": gzip.compress(OTHER)}, 0),
    "gzip of several": lambda: gzip.compress(JPEG) + gzip.compress(OTHER),
    "gzip of several, padded": lambda: (
        gzip.compress(b"words") + gzip.compress(b"") + gzip.compress(OTHER)
    ),
    "tar": lambda: archive({"a.tar": tar(OTHER)}),
    "style": lambda: archive({"a.css": style(OTHER)}),
    "style, stored": lambda: archive({"a.css": style(OTHER)}, 0),
    "SVG after a long comment": lambda: archive({"a.svg": LATE}),
    "quoted SVG in a short style": lambda: archive(
        {"a.css": b"a{b:url(" + joined.quoted(OTHER, "image/jpeg").encode() + b")}"}
    ),
}


@pytest.mark.parametrize("name", READ)
def test_what_a_program_opens_is_read(name: str) -> None:
    assert knows(hashed(READ[name]()), 2)


def heard(file: Hashed) -> bool:
    return not file.entire or file.unread


SEALED: dict[str, bytes] = {
    "encrypted by the directory alone": pair(),
    "7z": archive({"a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(100)}),
    "RAR": archive({"a.rar": b"Rar!\x1a\x07\0" + bytes(100)}, 0),
    "a picture of layers": archive({"a.psd": b"8BPS\0\1" + bytes(100)}),
    "a film of raw frames": archive({"a.y4m": b"YUV4MPEG2 W9 H9\nFRAME\n" + bytes(100)}, 0),
    "an old archive": archive({"a.Z": b"\x1f\x9d\x90" + bytes(100)}),
    "damaged": changed(pair(), 30 + 5, 0xFF),
    "gzip, cut": archive({"a.gz": gzip.compress(WORDS)[:-20]}),
}
_AT = SEALED["encrypted by the directory alone"].rindex(b"PK\1\2") + 8
SEALED["encrypted by the directory alone"] = pair()[:_AT] + b"\1" + pair()[_AT + 1 :]


@pytest.mark.parametrize("name", SEALED)
def test_what_cannot_be_opened_is_said_to_be_unread(name: str) -> None:
    assert heard(hashed(archive({"c.jpg": JPEG}) + SEALED[name]))


def test_ordinary_archives_are_read_whole() -> None:
    for data in (
        archive({"a.jpg": JPEG, "a.txt": WORDS * 99, "b/": b"", "c": b""}),
        archive({"a.jpg": JPEG, "a.txt": WORDS * 99, "b/": b"", "c": b""}, 0),
        joined.docx(JPEG),
        joined.nested(3, PNG) + JPEG,
        archive({"a.jpg": JPEG, "a.tgz": gzip.compress(tar(WORDS))}),
    ):
        assert not heard(hashed(data))


def test_a_large_text_in_an_archive_costs_no_clear_answer() -> None:
    file = hashed(archive({"a.jpg": JPEG, "a.txt": bytes(70 * 2**20)}))
    assert knows(file, 1)
    assert (file.entire, file.unread) == (True, True)


@pytest.mark.parametrize("container", [False, True])
def test_a_jpeg_xl_inside_is_read(container: bool) -> None:
    image = looks.plain(305)
    data = jxl.encode(image, container=container)
    page = svg(data_url(JPEG, "image/jpeg"), data_url(data, "image/jxl"))
    for method in (0, 8):
        file = hashed(archive({"a.jpg": JPEG, "b.jxl": data}, method))
        assert not heard(file)
        for whole in (file, hashed(page)):
            assert knows(whole, 1)
            assert looks.bits(image, [view.hash for view in whole.views]) <= looks.NEAR


@pytest.mark.parametrize("head", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"])
def test_what_begins_as_a_jpeg_xl_and_is_none_is_never_read_to_its_end(head: bytes) -> None:
    """Another viewer may show it."""
    broken = head + bytes(range(200))
    with pytest.raises(Undecodable):
        hash_parts(broken, joined.BOUNDS, lambda views: True, MEDIA)
    packed = [hashed(archive({"a.jpg": JPEG, "b.jxl": broken}, method)) for method in (0, 8)]
    page = svg(data_url(JPEG, "image/jpeg"), data_url(broken, "image/jxl"))
    for both in (*packed, hashed(page), hashed(broken + JPEG)):
        assert knows(both, 1)
        assert not both.entire
