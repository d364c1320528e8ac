"""Authorities: their interface, and how Kinward finds them.

A new authority is a package beside `cybertipline` (or in a distribution of your own) with a class
that fits `Authority`, named under the entry-point group `kinward.authorities`.
"""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Any, ClassVar, Final, Protocol

import msgspec

from kinward.ground.config import Config, Section, config, section
from kinward.ground.errors import NotInstalled, SettingWrong
from kinward.reporting.answer import Answer
from kinward.reporting.filing import Filing
from kinward.reporting.vocabulary import Vocabulary, merge_vocabularies

GROUP: Final = "kinward.authorities"


class Receipt(msgspec.Struct, frozen=True):
    """Proof that the authority has the report: its id there, and the answer verbatim."""

    external_id: str
    verbatim: str


class Authority(Protocol):
    """A recipient of reports, constructed with the configuration and its own settings."""

    settings: ClassVar[type[Section]]  # read from the environment
    vocabulary: ClassVar[Vocabulary]
    # A class may also have `correction: ClassVar[str]`: how the authority accepts the correction of
    # a finished report, for a person. Without it the sentence is `corrections.BY_LETTER`.

    def __init__(self, config: Config, settings: Any) -> None: ...

    @property
    def production(self) -> str:
        """The address, if reports to it are real; empty for practice.

        Also empty if a person has to deliver every report.
        """
        ...

    def check(self) -> str:
        """Return a sentence that the address and credentials work, or raise a KinwardError."""
        ...

    def prior(self, numbers: Sequence[str]) -> list[str]:
        """Return the earlier reports that a new one names, in the authority's form.

        `numbers` are this authority's own numbers of finished reports about the same account,
        oldest first.
        """
        ...

    def succeeded(self, answer: Answer) -> bool:
        """Return whether an answer says that the call was carried out, so it is not repeated."""
        ...

    def file(self, filing: Filing) -> Receipt:
        """Resume the filing and return its receipt.

        Raises `TryLater` (the job runs again) or `Refused` (a person must look). Every call goes
        through `filing.call`, so that this can be killed anywhere and called again.
        """
        ...

    def withdraw(self, filing: Filing) -> Receipt | None:
        """Take back an unfinished report. A receipt means that it is too late: it is finished.

        Raises `TryLater`. With nothing to take back it succeeds.
        """
        ...


def authority_for(jurisdiction: str) -> str:
    """Return the name of the authority for a place (ISO 3166), by `KINWARD_AUTHORITIES`.

    >>> authority_for("DE")
    'cybertipline'
    """
    chosen = authorities()
    country = jurisdiction.partition("-")[0]
    return chosen.get(jurisdiction) or chosen.get(country) or chosen["*"]


def authorities() -> dict[str, str]:
    """Return the names of the authorities by place. `*` is everywhere else."""
    chosen = {"*": "cybertipline"}
    for entry in config().authorities.split(","):
        place, equals, name = entry.strip().partition("=")
        if place:
            chosen[place.strip() if equals else "*"] = name.strip() if equals else place.strip()
    return chosen


def names_in_use() -> list[str]:
    """Return the names of the authorities that reports go to, sorted."""
    return sorted(set(authorities().values()))


@cache
def authority(name: str) -> Authority:
    """Return the authority with this entry point, ready to use. Raises `NotConfigured`."""
    kind = authority_class(name)
    return kind(config(), section(kind.settings))


@cache
def authority_class(name: str) -> type[Authority]:
    """Return the class of an authority. It needs no configuration to say what it can take."""
    for point in entry_points(group=GROUP, name=name):
        kind: type[Authority] = point.load()
        return kind
    raise NotInstalled(f"No authority {name!r} is installed (entry points in {GROUP!r}).")


def vocabulary_of(names: Sequence[str]) -> Vocabulary:
    """Return the vocabulary that at least one of these authorities understands."""
    return merge_vocabularies(authority_class(name).vocabulary for name in names)


def installed_sections() -> dict[str, type[Section]]:
    """Return the settings that installed authorities read, by the authorities' names."""
    names = sorted(entry_points(group=GROUP).names)
    return {name: authority_class(name).settings for name in names}


def check_authority_settings() -> None:
    """Raise `NotConfigured` if a setting of an authority in use is wrong, or is another's."""
    readers: dict[str, type[msgspec.Struct]] = {
        f"KINWARD_{field.upper()}": Config for field in Config.__struct_fields__
    }
    for name, kind in installed_sections().items():
        for variable in kind.variables():
            if readers.setdefault(variable, kind) is not kind:
                raise SettingWrong(f"{name} reads {variable}, which is another's setting.")
    for name in names_in_use():
        section(authority_class(name).settings)
