"""What an authority is to Kinward, and how one is found.

A new authority is a package beside `cybertipline` (or in a distribution of your own) with a class
that fits `Authority`, named under the entry-point group `kinward.authorities`.
"""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Any, ClassVar, Final, Protocol

import msgspec

from kinward.ground.config import Config, Section, config, section
from kinward.ground.errors import NotConfigured
from kinward.reporting.answer import Answer
from kinward.reporting.filing import Filing
from kinward.reporting.vocabulary import Vocabulary, merge_vocabularies

GROUP: Final = "kinward.authorities"


class Receipt(msgspec.Struct, frozen=True):
    """The authority has the report: its id there, and its answer verbatim."""

    external_id: str
    verbatim: str


class Authority(Protocol):
    """A place that reports go to. It is constructed with the configuration and its own settings."""

    settings: ClassVar[type[Section]]  # what it reads from the environment
    vocabulary: ClassVar[Vocabulary]

    def __init__(self, config: Config, settings: Any) -> None: ...

    @property
    def production(self) -> str:
        """The address, where what is filed there is real; empty where it is practice.

        Empty also where nothing is filed without a person who brings it there.
        """
        ...

    def check(self) -> str:
        """Say in a sentence that the address and credentials work, or raise a KinwardError."""
        ...

    def prior(self, numbers: Sequence[str]) -> list[str]:
        """Which earlier reports a new one names, as the authority takes them.

        `numbers` are those that this authority itself gave to finished reports about the same
        account, oldest first.
        """
        ...

    def succeeded(self, answer: Answer) -> bool:
        """Whether an answer says that the call was carried out, so that it is not made again."""
        ...

    def file(self, filing: Filing) -> Receipt:
        """Take the filing from wherever it stands to its receipt.

        Raises TryLater (the job will come back), or Refused (a person must look). Every call goes
        through `filing.call`, so that this can be killed anywhere and called again.
        """
        ...

    def withdraw(self, filing: Filing) -> Receipt | None:
        """Take back what was filed so far. A receipt says that it is too late: it is finished.

        Raises TryLater. Nothing to take back is a success.
        """
        ...


def authority_for(jurisdiction: str) -> str:
    """The name of the authority for a place (ISO 3166), as `KINWARD_AUTHORITIES` has it.

    >>> authority_for("DE")
    'cybertipline'
    """
    chosen = authorities()
    country = jurisdiction.partition("-")[0]
    return chosen.get(jurisdiction) or chosen.get(country) or chosen["*"]


def authorities() -> dict[str, str]:
    """Which authority reports go to, by place; `*` is everywhere else."""
    chosen = {"*": "cybertipline"}
    for entry in config().authorities.split(","):
        place, equals, name = entry.strip().partition("=")
        if place:
            chosen[place.strip() if equals else "*"] = name.strip() if equals else place.strip()
    return chosen


def names_in_use() -> list[str]:
    """The names of the authorities that reports go to."""
    return sorted(set(authorities().values()))


@cache
def authority(name: str) -> Authority:
    """The authority by the name of its entry point, ready to use."""
    kind = authority_class(name)
    return kind(config(), section(kind.settings))


@cache
def authority_class(name: str) -> type[Authority]:
    """The class of an authority, which says what it can take before anything is configured."""
    for point in entry_points(group=GROUP, name=name):
        kind: type[Authority] = point.load()
        return kind
    raise NotConfigured(f"No authority {name!r} is installed (entry points in {GROUP!r}).")


def vocabulary_of(names: Sequence[str]) -> Vocabulary:
    """What can be said to at least one of some authorities."""
    return merge_vocabularies(authority_class(name).vocabulary for name in names)


def installed_sections() -> dict[str, type[Section]]:
    """The settings that installed authorities read, by the authorities' names."""
    names = sorted(entry_points(group=GROUP).names)
    return {name: authority_class(name).settings for name in names}


def check_authority_settings() -> None:
    """Raise `NotConfigured` where a setting of an authority in use is wrong, or not its own."""
    readers: dict[str, type[msgspec.Struct]] = {
        f"KINWARD_{field.upper()}": Config for field in Config.__struct_fields__
    }
    for name, kind in installed_sections().items():
        for variable in kind.variables():
            if readers.setdefault(variable, kind) is not kind:
                raise NotConfigured(f"{name} reads {variable}, which is another's setting.")
    for name in names_in_use():
        section(authority_class(name).settings)
