"""The guides: `guides.toml` has the facts of each, and `text/NAME/LANGUAGE.toml` its text.

A text says nothing about the product. What the product does is said by the claims and settings
that a guide names, because those are tested or generated.
"""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

from kinward.portal.helplines import Help

FALLBACK: Final = "en"  # for a language of the pages in which a guide is not written yet
GUIDE_DAYS: Final = 365  # after which somebody has to read a guide again

Reader = Literal["13-15", "16-17", "parent", "carer", "teacher"]
Group = Literal["happened", "everyday", "family", "rules"]
Speaker = Literal["teen", "adult", "friend"]


class Guide(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The facts of a guide, in every language.

    `discreet` pages may be dangerous to be seen with: help comes first, the silent ways before the
    others, and no browser stores the page. Without `reviewer` no outside expert has read it.
    `settings` are shown as the pack in force decides them, and `claims` are said word by word.
    """

    name: str
    group: Group
    readers: tuple[Reader, ...]
    written: date
    sources: tuple[str, ...]
    discreet: bool = False
    reviewer: str = ""
    reviewed: date | None = None
    help: tuple[Help, ...] = ("talk",)
    claims: tuple[str, ...]
    settings: tuple[str, ...] = ()
    see: tuple[str, ...] = ()

    @property
    def day(self) -> date:
        """The day on which somebody last wrote or reviewed it."""
        return max(self.written, self.reviewed or self.written)


class Saying(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words with which a talk can start, and whose they are."""

    who: Speaker
    words: str


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a guide with a title of its own."""

    title: str
    text: tuple[str, ...]


class GuideText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A guide in one language.

    `when` is what happened to the reader, for the index. `about` is what this is, in two sentences.
    `first` are the steps to take first. `blanks` are lines to fill in by hand. `keywords` are words
    that people search by.
    """

    title: str
    when: str
    about: tuple[str, str]
    first: tuple[str, ...]
    say: tuple[Saying, ...]
    more: tuple[Section, ...]
    keywords: str
    blanks: tuple[str, ...] = ()

    def prose(self) -> list[str]:
        """Return every paragraph of the guide, without what families say or write themselves."""
        sections = [part for section in self.more for part in (section.title, *section.text)]
        return [self.title, self.when, *self.about, *self.first, *sections]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    guide: tuple[Guide, ...]


@cache
def guides() -> dict[str, Guide]:
    """Return every guide by its name, in the order of the index."""
    text = files(__package__).joinpath("guides.toml").read_text(encoding="utf-8")
    return {guide.name: guide for guide in msgspec.toml.decode(text, type=_File).guide}


@cache
def text_of(name: str, language: str) -> GuideText:
    """Return the text of a guide in a language, or in English where there is none."""
    folder = files(__package__).joinpath("text", name)
    path = folder.joinpath(f"{language}.toml")
    if not path.is_file():
        path = folder.joinpath(f"{FALLBACK}.toml")
    return msgspec.toml.decode(path.read_text(encoding="utf-8"), type=GuideText)


def stale_guides(today: date) -> list[str]:
    """Return the names of the guides that nobody wrote or reviewed within `GUIDE_DAYS` days."""
    return [name for name, guide in guides().items() if (today - guide.day).days > GUIDE_DAYS]
