"""A file on the page: a section for each thing in it, with a heading in plain words."""

import base64
from collections import Counter
from typing import Final

import msgspec

from kinward.evidence.api import Sight, Still
from kinward.media import Strand

NOUNS: Final = {
    "picture": "picture",
    "animation": "animation",
    "track": "video",
    "cover": "cover",
    "subtitle": "subtitles",
}
ADJECTIVES: Final = {"appended": "appended", "inside": "inner", "embedded": "embedded"}


class Picture(msgspec.Struct, frozen=True):
    """A still on the page: its data URL, empty if it cannot be shown, and its text alternative."""

    source: str
    words: str


class Section(msgspec.Struct, frozen=True):
    """A strand on the page.

    `moves`: there is a film to ask for. `further`: the moment at which its other pictures start;
    None if there are none. `film`: the data URL of its film, once it was asked for.
    """

    number: int
    title: str
    pictures: list[Picture]
    moves: bool
    further: int | None = None
    film: str = ""


def sections_of(sight: Sight, *, strand: int | None = None) -> list[Section]:
    """Return what a page shows of a sight: one section if it is of one `strand`."""
    titles = titles_of(sight.contents.strands)
    if sight.film is not None and strand is not None:
        return [Section(strand, titles[strand], [], moves=False, film=_film_url(sight.film.data))]
    if strand is not None:
        shown = [_picture(still, titles) for still in sight.stills]
        return [_section(sight.stills[0].strand, titles, shown, sight.following)]
    return [
        _section(
            still.strand,
            titles,
            [_picture(still, titles)],
            1 if still.strand.moments > 1 else None,
        )
        for still in sight.stills
    ]


def titles_of(strands: list[Strand]) -> dict[int, str]:
    """Return a heading for each strand, such as "Picture 2 of 3" or "Embedded video"."""
    tracks = Counter(strand.role for strand in strands if strand.what == "track")
    names = {strand.number: _name(strand, tracks[strand.role]) for strand in strands}
    totals, counts, titles = Counter(names.values()), Counter[str](), {}
    for number, name in names.items():
        counts[name] += 1
        several = f"{name} {counts[name]} of {totals[name]}"
        titles[number] = several if totals[name] > 1 else name
    return titles


def _name(strand: Strand, tracks: int) -> str:
    noun = NOUNS.get(strand.what, "file")
    if strand.what == "track" and tracks > 1:
        noun = "track"
    return f"{ADJECTIVES.get(strand.role, '')} {noun}".strip().capitalize()


def _section(
    strand: Strand, titles: dict[int, str], pictures: list[Picture], further: int | None
) -> Section:
    return Section(strand.number, titles[strand.number], pictures, strand.moves, further)


def _picture(still: Still, titles: dict[int, str]) -> Picture:
    strand = still.strand
    words = f"{titles[strand.number]}, as a viewer shows it"
    if strand.moments > 1:
        words = f"{titles[strand.number]}, moment {still.moment + 1} of {strand.moments}"
    elif strand.what == "track":
        words = f"{titles[strand.number]}, some of its frames"
    if still.data is None:
        return Picture("", words)
    return Picture(f"data:image/jpeg;base64,{base64.b64encode(still.data).decode()}", words)


def _film_url(data: bytes) -> str:
    return f"data:video/webm;base64,{base64.b64encode(data).decode()}"
