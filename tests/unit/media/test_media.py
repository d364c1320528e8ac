"""Each medium is one class: it knows its files, and everything else asks it."""

import importlib
import io
import pkgutil
import subprocess
import sys
import time
from typing import Final

import pytest
from PIL import Image

from kinward import media
from kinward.demo import pictures
from kinward.matching.kinds import FILE_KINDS, kind_of
from kinward.media import MEDIA, Medium, TypeUnsupported, medium_of, medium_of_type
from kinward.media.medium import FRAME, Bounds
from kinward.media.parts import Budget, Role, find_parts
from kinward.media.registry import SHOWN
from kinward.web.sections import NOUNS
from tests.support import joined, jxl, videos

BOUNDS: Final = Bounds(max_pixels=10**7, seconds=30)
PICTURE: Final = pictures.draw(1, (320, 240))
MOVING: Final = pictures.encode(
    PICTURE, "GIF", save_all=True, append_images=[pictures.draw(2, (320, 240))]
)
FILE: Final = pictures.encode(PICTURE, "JPEG")
# Files of each medium, by its name. A new medium needs some.
FILES: Final[dict[str, list[bytes]]] = {
    "image": [
        *(pictures.encode(PICTURE, format) for format in ("JPEG", "PNG", "WEBP", "GIF", "AVIF")),
        *(pictures.encode(PICTURE, format) for format in ("BMP", "TIFF", "JPEG2000")),
        pictures.encode(PICTURE, "ICO", sizes=[(128, 128)]),
        jxl.encode(PICTURE.convert("RGB"), container=True),
        MOVING,
    ],
    "video": [
        videos.encode(range(2)),
        videos.encode(range(2), format="webm", codec="libvpx"),
        videos.encode(range(2), format="mpegts", codec="mpeg2video"),
    ],
    "image/svg+xml": [joined.svg(joined.data_url(FILE)), joined.svg(joined.quoted(FILE))],
    "text/html": [b"<!DOCTYPE html><img src='" + joined.data_url(FILE).encode() + b"'>"],
    "message/rfc822": [joined.email(FILE)],
    "application": [joined.pdf(FILE), joined.docx(FILE), joined.archive({"a.jpg": FILE})],
}
JPEG, WEBM = b"\xff\xd8\xff", b"\x1a\x45\xdf\xa3"
EVERY = pytest.mark.parametrize("medium", MEDIA, ids=lambda medium: medium.name)


def subclasses(base: type) -> set[type]:
    direct: set[type] = set(base.__subclasses__())
    return direct.union(*map(subclasses, direct))


def test_every_class_of_a_medium_is_in_the_registry_once() -> None:
    for module in pkgutil.iter_modules(media.__path__, "kinward.media."):
        importlib.import_module(module.name)
    ours = {cls for cls in subclasses(Medium) if cls.__module__.startswith("kinward.media")}
    assert ours == {type(medium) for medium in MEDIA}
    assert len({medium.name for medium in MEDIA}) == len(MEDIA)
    assert {medium.name for medium in MEDIA} == set(FILES), "files of it for these tests"


@EVERY
def test_a_medium_knows_its_files_and_no_other_does(medium: Medium) -> None:
    for data in FILES[medium.name]:
        assert medium_of(data) is medium
        assert medium_of_type(medium.recognise(data)) is medium
        assert [other.name for other in MEDIA if other.recognise(data)] == [medium.name]


@pytest.mark.parametrize("medium", SHOWN, ids=lambda medium: medium.name)
def test_a_file_is_found_after_a_picture(medium: Medium) -> None:
    for data in FILES[medium.name]:
        parts = find_parts(FILE + data, SHOWN, Budget(time.monotonic() + BOUNDS.seconds))
        assert medium in [part.medium for part in parts if part.role is Role.APPENDED]


@pytest.mark.parametrize("data", [b"", b"words", b"II-\0" + bytes(40), bytes(500)])
def test_what_is_of_no_medium_is_a_415(data: bytes) -> None:
    with pytest.raises(TypeUnsupported):
        medium_of(data)
    assert medium_of_type("model/obj") is None
    assert medium_of_type("") is None


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"<svg/>", b"<html>", joined.archive({"a": b"a"})])
def test_a_document_without_pictures_is_a_415(data: bytes) -> None:
    with pytest.raises(TypeUnsupported):
        medium_of(data).hash(data, BOUNDS, lambda views: True)


@EVERY
def test_a_refusal_names_the_formats_of_every_medium(medium: Medium) -> None:
    for format in medium.formats:
        assert format in (TypeUnsupported.__doc__ or ""), format


@EVERY
def test_the_hash_of_a_medium_is_a_kind_that_banks_and_blocks_have(medium: Medium) -> None:
    assert medium.hash_kind in FILE_KINDS
    for data in FILES[medium.name]:
        hashed = medium.hash(data, BOUNDS, lambda frames: True)
        kind = kind_of(hashed.kind)
        # What shows several pictures has the kind of a video.
        several = len(hashed.signature) > FRAME
        assert hashed.kind == ("video" if several else medium.hash_kind)
        assert kind.parse(kind.write(hashed.signature)) == hashed.signature
        assert kind.says_enough(hashed.signature, hashed.quality)
        assert medium_of_type(hashed.media_type) is medium
        assert hashed.entire


@EVERY
def test_every_file_has_a_still_and_a_veil(medium: Medium) -> None:
    for data in FILES[medium.name]:
        still = Image.open(io.BytesIO(medium.still(data, BOUNDS, veiled=False)))
        veil = Image.open(io.BytesIO(medium.still(data, BOUNDS, veiled=True)))
        assert (still.format, veil.format) == ("JPEG", "JPEG")
        assert (veil.mode, veil.width) == ("L", 240)


@EVERY
def test_each_strand_has_its_stills_and_a_film_if_it_moves(medium: Medium) -> None:
    for data in FILES[medium.name]:
        moves = medium.hash(data, BOUNDS, lambda frames: True).frames > 1
        strands = medium.strands(data, BOUNDS)
        assert any(strand.moves for strand in strands) is moves
        for strand in strands:
            assert strand.what in NOUNS, "a reviewer reads what it is"
            for moment in range(strand.moments):
                still = medium.still_of(
                    data, BOUNDS, veiled=False, strand=strand.number, moment=moment
                )
                assert still.startswith(JPEG)
            if strand.moves:
                film = medium.play_of(data, BOUNDS, strand=strand.number)
                assert film.entire
                assert film.data.startswith(WEBM)


def test_a_picture_is_never_played() -> None:
    with pytest.raises(TypeUnsupported):
        medium_of(FILE).play(FILE, BOUNDS)


@EVERY
def test_the_words_for_the_eu_are_set(medium: Medium) -> None:
    # Annex of the Digital Services Act's transparency database: the values of `content_type`.
    taken = ("APP", "AUDIO", "IMAGE", "PRODUCT", "SYNTHETIC_MEDIA", "TEXT", "VIDEO", "OTHER")
    assert medium.statement in taken


def test_whoever_only_asks_the_decoders_loads_no_decoder_and_no_django() -> None:
    program = (
        "import sys, kinward.media, kinward.media.decoder\n"
        "heavy = {'django', 'psycopg', 'av', 'PIL', 'pillow_heif', 'numba'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout.decode().strip() == "[]"


def test_what_the_face_names_is_there() -> None:
    for name in media.__all__:
        assert getattr(media, name) is not None
    with pytest.raises(AttributeError):
        _ = media.nonsense
