"""What is watched in a person's work, and from where on somebody else should look.

A measure says that a colleague should look, and never that anybody did wrong.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from kinward.ground.config import config

FEWEST: Final = 5  # a share of fewer than these says nothing


class Work(msgspec.Struct):
    """One person's work since a moment, in counts.

    `busiest_hour`: the most verdicts within one hour of the clock. `unseen`: confirmed verdicts on
    cases with files of which the person had opened none. `dismissed_matches`: dismissed cases with
    a match of a verified list. `looks_alone`: files looked at of cases in which the person gave
    neither a verdict nor a second person's grounds. `appeals`: those against their verdicts.
    """

    person: str
    verdicts: int = 0
    busiest_hour: int = 0
    confirmed: int = 0
    unseen: int = 0
    matches: int = 0
    dismissed_matches: int = 0
    overturned: int = 0
    appeals: int = 0
    read: int = 0
    agreed: int = 0
    looks: int = 0
    looks_alone: int = 0

    @property
    def disagreed(self) -> int:
        """How many second readers did not agree."""
        return self.read - self.agreed


class Measure(msgspec.Struct, frozen=True):
    """One thing that is watched: a count, out of how many, and the words for a person's alert."""

    sentence: str
    count: Callable[[Work], int]
    among: Callable[[Work], int] | None = None

    def is_past(self, work: Work) -> bool:
        """Return whether a person's work is past the threshold."""
        if self.among is None:
            return self.count(work) > config().watch_verdicts_an_hour
        among = self.among(work)
        return among >= FEWEST and self.count(work) > config().watch_share * among


MEASURES: Final[dict[str, Measure]] = {
    "busiest_hour": Measure("{count} verdicts within one hour", lambda work: work.busiest_hour),
    "unseen": Measure(
        "{count} of {among} confirmed without opening any file of the case",
        lambda work: work.unseen,
        lambda work: work.confirmed,
    ),
    "dismissed_matches": Measure(
        "{count} of {among} matches with a verified list dismissed",
        lambda work: work.dismissed_matches,
        lambda work: work.matches,
    ),
    "disagreed": Measure(
        "a second reader did not agree with {count} of {among} verdicts",
        lambda work: work.disagreed,
        lambda work: work.read,
    ),
    "overturned": Measure(
        "{count} of {among} confirmed verdicts overturned",
        lambda work: work.overturned,
        lambda work: work.confirmed,
    ),
    "looks_alone": Measure(
        "{count} of {among} files opened in cases that they did not decide",
        lambda work: work.looks_alone,
        lambda work: work.looks,
    ),
}
