"""What an authority is to Kinward, and how one is found.

A new authority is a package beside `cybertipline` (or in a distribution of your own) with a class
that fits `Authority`, named under the entry-point group `kinward.authorities`.
"""

from functools import cache
from importlib.metadata import entry_points
from typing import Protocol

import msgspec

from kinward.config import Config, config
from kinward.errors import NotConfigured
from kinward.reporting.filing import Filing

GROUP = "kinward.authorities"


class Receipt(msgspec.Struct, frozen=True):
    """The authority has the report: its id there, and its answer verbatim."""

    external_id: str
    verbatim: str


class Authority(Protocol):
    """A place that reports go to. It is constructed with the configuration."""

    def __init__(self, config: Config) -> None: ...

    @property
    def production(self) -> str:
        """The address, where what is filed there is real; empty where it is practice.

        Empty also where nothing is filed without a person who brings it there.
        """
        ...

    def check(self) -> str:
        """Say in a sentence that the address and credentials work, or raise a KinwardError."""
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
    for each in config().authorities.split(","):
        place, equals, name = each.strip().partition("=")
        if place:
            chosen[place.strip() if equals else "*"] = name.strip() if equals else place.strip()
    return chosen


def names_in_use() -> list[str]:
    """The names of the authorities that reports go to."""
    return sorted(set(authorities().values()))


@cache
def authority(name: str) -> Authority:
    """The authority by the name of its entry point, ready to use."""
    for point in entry_points(group=GROUP, name=name):
        built: Authority = point.load()(config())
        return built
    raise NotConfigured(f"No authority {name!r} is installed (entry points in {GROUP!r}).")
