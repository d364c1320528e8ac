"""Colour profiles: every way in which viewers may apply one to a picture.

Viewers differ in which profiles they refuse and in which of a profile's tags they use. So a profile
is read as it stands, and again in the simple form that every viewer takes.
"""

import io
import itertools
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image, ImageCms

from kinward.media.stills.hdr import tone_map
from kinward.media.stills.primaries import CODED, coded_profile

Change = Callable[[Image.Image], Image.Image | None]
Tags = dict[bytes, bytes]
UNREAD: Final = b"unread"  # instead of a profile that there is, and that cannot be read
HEADER: Final = 128
SPACES: Final = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}  # ICC's words, and modes
CLASSES: Final = frozenset({b"mntr", b"scnr", b"prtr", b"spac"})
MOST_TAGS: Final = 100  # that littleCMS takes
NEWEST: Final = 4  # version
TABLES: Final = tuple(
    way + number for way in (b"A2B", b"D2B") for number in (b"0", b"1", b"2", b"3")
)
CURVES: Final = {
    "RGB": (b"rTRC", b"gTRC", b"bTRC", b"rXYZ", b"gXYZ", b"bXYZ"),
    "L": (b"kTRC",),
    "CMYK": (),
}
LEVELS: Final = 3  # of a channel: a profile that changes no colour by more is not applied
FAULTS: Final = (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError)


class Profile(NamedTuple):
    """A profile that was read.

    `mode`: of the images that it is for; empty if no viewer applies it. `changes`: to sRGB, the
    usual one first; none if it changes next to nothing. `readable`: false if a viewer may apply it
    and we cannot.
    """

    mode: str
    changes: tuple[Change, ...]
    readable: bool = True


NOTHING: Final = Profile("", ())


@lru_cache(maxsize=16)
def read_profile(profile: bytes) -> Profile:
    """Return the changes of a profile; one without a header or colours is applied by nobody."""
    if profile == UNREAD:
        return Profile("", (), readable=False)
    if profile.startswith(CODED):
        table = tone_map(*profile[len(CODED) :])
        return Profile("RGB", (lambda image: image.convert("RGB").filter(table),))
    if len(profile) < HEADER + 4 or profile[36:40] != b"acsp":
        return NOTHING
    entries = list(_entries(profile))
    names = {name for name, _ in entries}
    mode = SPACES.get(profile[16:20], "")
    told = _told(dict(entries).get(b"cicp", b""))
    if mode and not told and not _has_colours(names, mode):
        return NOTHING
    changes, read = [], False
    for variant in (*_variants(profile, entries, mode), *told):
        change = _change(variant, mode) if mode else None
        read |= change is not None
        if change is not None and not _is_usual(variant, mode, change):
            changes.append(change)
    return Profile(mode, tuple(changes), read)


def _entries(profile: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and content of each tag that lies within the profile."""
    (count,) = struct.unpack_from(">I", profile, HEADER)
    for number in range(min(count, (len(profile) - HEADER - 4) // 12)):
        name, at, length = struct.unpack_from(">4sII", profile, HEADER + 4 + 12 * number)
        if length >= 4 and at + length <= len(profile):
            yield name, profile[at : at + length]


def _has_colours(names: set[bytes], mode: str) -> bool:
    curves = CURVES[mode]
    return bool(names.intersection(TABLES)) or (bool(curves) and names.issuperset(curves))


def _told(tag: bytes) -> list[bytes]:
    """Return the profile that a tag names by the numbers of H.273, if it is not sRGB."""
    told = coded_profile(tag[8], tag[9]) if len(tag) >= 12 else b""
    return [told] if told else []


def _variants(profile: bytes, entries: list[tuple[bytes, bytes]], mode: str) -> Iterator[bytes]:
    """Yield a profile, and what is left of it for viewers that read other tags of it."""
    if not mode:
        return
    yield profile
    last, first = dict(entries), dict(reversed(entries))
    twice = len(last) < len(entries)
    odd = twice or len(entries) > MOST_TAGS or profile[12:16] not in CLASSES or profile[8] > NEWEST
    used = {*TABLES, *CURVES[mode], b"wtpt", b"chad", b"bkpt"}
    for tags in [first] * odd + [last] * twice:
        yield _assemble(profile, {name: tags[name] for name in tags if name in used}, mode)
    tables = [name for name in TABLES if name in first]
    simple = {name: body for name, body in first.items() if name in used.difference(TABLES)}
    curves = bool(CURVES[mode]) and simple.keys() >= set(CURVES[mode])
    if len(tables) + curves < 2:
        return
    for name in tables:
        yield _assemble(profile, simple | {name[:3] + b"0": first[name]}, mode)
    if curves:
        yield _assemble(profile, simple, mode)


def _assemble(profile: bytes, tags: Tags, mode: str) -> bytes:
    """Return a profile of these tags, of a class and a version that every viewer takes."""
    table, content, start = b"", b"", HEADER + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += struct.pack(">4sII", name, start + len(content), len(body))
        content += body + bytes(-len(body) % 4)
    version = profile[8:12] if profile[8] <= NEWEST else b"\4\x40\0\0"
    kind = b"prtr" if mode == "CMYK" else b"mntr"
    head = struct.pack(">I", start + len(content)) + profile[4:8] + version + kind
    return head + profile[16:HEADER] + struct.pack(">I", len(tags)) + table + content


def _change(profile: bytes, mode: str) -> Change | None:
    """Return what littleCMS makes of a profile; None if it refuses."""
    if profile.startswith(CODED):
        return read_profile(profile).changes[0]
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    except FAULTS:
        return None
    return partial(_apply, transform)


def _apply(transform: Any, image: Image.Image) -> Image.Image | None:
    try:
        return ImageCms.applyTransform(image, transform)
    except FAULTS:
        return None


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _is_usual(profile: bytes, mode: str, change: Change) -> bool:
    """Return whether a profile of curves changes next to nothing.

    Every level of each curve is tried. A table has too many colours: of it, nothing is assumed.
    """
    if mode == "CMYK" or profile.startswith(CODED):
        return False
    if any(name in TABLES for name, _ in _entries(profile)):
        return False
    ramp = np.arange(256, dtype=np.uint8)
    if mode == "L":
        colours, probe = np.repeat(ramp[:, None], 3, axis=1), Image.fromarray(ramp[None])
    else:
        colours = _colours()
        probe = Image.fromarray(colours[None])
    shown = change(probe)
    return shown is not None and _most(np.asarray(shown)[0], colours) <= LEVELS


def _most(one: Any, other: Any) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@lru_cache(maxsize=1)
def _colours() -> Any:
    """Return the colours at which a profile is tried, uint8[N, 3]."""
    ramp = np.arange(256, dtype=np.uint8)
    ramps = [np.outer(ramp, on) for on in itertools.product((0, 1), repeat=3)]
    steps = np.array(list(itertools.product(range(0, 256, 51), repeat=3)))
    return np.concatenate([*ramps, steps]).astype(np.uint8)
