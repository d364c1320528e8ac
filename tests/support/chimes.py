"""A medium whose hash is no PDQ hash, and that hash: what the contributing pages let you add.

Neither is in the product. A chime is six letters and eight bytes, and the eight bytes are its toll.
"""

import io
import sys
from typing import Final

import pytest
from PIL import Image

from kinward.matching import kinds
from kinward.matching.kinds import HashKind, HexKind
from kinward.media import registry
from kinward.media.errors import TypeUnsupported
from kinward.media.medium import Bounds, Hashed, Medium, More, Playback

HEAD: Final = b"CHIME\n"


class Toll(HexKind):
    """The eight bytes of a chime, compared byte for byte."""

    name = "toll"
    of_files = True
    sizes = range(8, 9)
    examples = ("0123456789abcdef", "fedcba9876543210")

    def in_words(self, bank: str, distance: int) -> str:
        return f"Rings like an entry of {bank}."


class Chime(Medium):
    """A neutral medium without pictures."""

    name = "chime"
    formats = ()
    hash_kind = "toll"
    lasting = True
    statement = "AUDIO"

    def recognise(self, data: bytes) -> str:
        return "chime/plain" if data.startswith(HEAD) else ""

    def hash(self, data: bytes, bounds: Bounds, more: More) -> Hashed:
        toll = data[len(HEAD) : len(HEAD) + 8]
        return Hashed("toll", toll, media_type="chime/plain", frames=2, seconds=1.0)

    def still(self, data: bytes, bounds: Bounds, *, veiled: bool) -> bytes:
        still = io.BytesIO()
        Image.new("L", (240, 180), 128).save(still, "JPEG")
        return still.getvalue()

    def play(self, data: bytes, bounds: Bounds) -> Playback:
        raise TypeUnsupported


def chime(number: int) -> bytes:
    """A chime of this number, which is not 0."""
    return HEAD + number.to_bytes(8)


def begin_chimes(patch: pytest.MonkeyPatch) -> None:
    """Register the medium and its kind, as their contributing pages say."""
    toll, medium = Toll(), Chime()
    listed: dict[str, tuple[HashKind, ...]] = {"KINDS": (*kinds.KINDS, toll)}
    names = {"FILE_KINDS": (*kinds.FILE_KINDS, toll.name)}
    media = {"SHOWN": (*registry.SHOWN, medium), "MEDIA": (medium, *registry.MEDIA)}
    patch.setitem(kinds._BY_NAME, toll.name, toll)
    for home, new in ((kinds, listed), (kinds, names), (registry, media)):
        for name, value in new.items():
            replace_everywhere(patch, name, vars(home)[name], value)
    if rules := sys.modules.get("kinward.matching.rules"):  # it lists the kinds once it is loaded
        patch.setattr(rules, "STRONGEST", (*vars(rules)["STRONGEST"], toll.name))


def replace_everywhere(patch: pytest.MonkeyPatch, name: str, old: object, new: object) -> None:
    """Replace a list of the code in every module that has it."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("kinward.") and vars(module).get(name) is old:
            patch.setattr(module, name, new)
