"""Ages as ranges of years, each with its source and its assurance."""

from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

import msgspec

MAX_AGE: Final = 150
# No rule asks for a higher age, so from here on only "at least this" is stored.
GROWN: Final = 21
MAX_DAY: Final = 10  # characters: 2026-01-31

Assurance = Literal["none", "declared", "guardian", "estimated", "verified"]
ASSURANCES: Final[tuple[Assurance, ...]] = (
    "none",
    "declared",
    "guardian",
    "estimated",
    "verified",
)


class AgeRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Years `[lower, upper)`, with the source of the range and its assurance.

    `changes_on` is the day on which the person reaches `upper`, if known. A birth date is never
    stored. `leap_day` says that `changes_on` is 29 February in every year that has one, and
    1 March in the others. Raises `ValueError` for an empty or an impossible range.

    >>> AgeRange(13, 16).upper
    16
    """

    lower: int = 0
    upper: int = MAX_AGE
    source: str = "self-declared"
    assurance: Assurance = "declared"
    changes_on: date | None = None
    leap_day: bool = False

    def __repr__(self) -> str:
        names = ("lower", "upper", "source", "assurance", "changes_on")
        fields = [f"{name}={getattr(self, name)!r}" for name in names]
        fields += ["leap_day=True"] if self.leap_day else []
        return f"AgeRange({', '.join(fields)})"

    def __post_init__(self) -> None:
        if not 0 <= self.lower < self.upper <= MAX_AGE:
            raise ValueError(f"an age range needs 0 <= lower < upper <= {MAX_AGE}")
        if not 1 <= len(self.source) <= 40:
            raise ValueError("the source of an age has 1 to 40 characters")
        if self.leap_day and (
            self.changes_on is None or self.changes_on != _leap_day(self.changes_on.year)
        ):
            raise ValueError("with leap_day, changes_on is 29 February, or 1 March without one")

    def on(self, day: date) -> "AgeRange":
        """Return the range on a day. Each `changes_on` until then makes the person a year older.

        >>> AgeRange(15, 16, changes_on=date(2026, 3, 1)).on(date(2026, 3, 1))
        AgeRange(lower=16, upper=17, source='self-declared', assurance='declared', \
changes_on=datetime.date(2027, 3, 1))
        """
        now = self
        while now.changes_on is not None and now.changes_on <= day:
            age = now.upper
            if age >= GROWN:
                return AgeRange(GROWN, MAX_AGE, now.source, now.assurance)
            leaps = now.leap_day or (now.changes_on.month, now.changes_on.day) == (2, 29)
            year = now.changes_on.year + 1
            following = _leap_day(year) if leaps else _anniversary(now.changes_on, year)
            now = AgeRange(age, age + 1, now.source, now.assurance, following, leaps)
        return now


def is_unknown(lower: int, upper: int) -> bool:
    """Return whether a range tells a rule nothing."""
    return lower == 0 and upper >= 100


UNKNOWN: Final = AgeRange(0, MAX_AGE, "unknown", "none")


def from_birth_date(born: date, today: date, *, source: str = "self-declared") -> AgeRange:
    """Turn a birth date into a range, so that the date itself need not be stored.

    Raises `ValueError` for a date in the future or too far in the past.

    >>> from_birth_date(date(2010, 12, 24), date(2026, 11, 21)).lower
    15
    """
    if not date(today.year - MAX_AGE + 1, 1, 1) <= born <= today:
        raise ValueError("a birth date lies in the past, and within a human life")
    age = today.year - born.year
    if today < _anniversary(born, today.year):
        age -= 1
    if age >= GROWN:
        return AgeRange(GROWN, MAX_AGE, source)
    leaps = (born.month, born.day) == (2, 29)
    following = _anniversary(born, born.year + age + 1)
    return AgeRange(age, age + 1, source, "declared", following, leaps)


def from_guardian(lower: int, upper: int) -> AgeRange:
    """Return the range that a guardian states."""
    return AgeRange(lower, upper, "guardian", "guardian")


def from_estimate(years: float, error: float) -> AgeRange:
    """Return an estimate (by face, by activity), widened on both sides by its error in years."""
    if not 0 <= years <= MAX_AGE or not 0 <= error <= MAX_AGE:
        raise ValueError("an estimate and its error are years")
    lower = max(0, int(years - error))
    upper = min(MAX_AGE, int(years + error) + 1)
    return AgeRange(lower, max(upper, lower + 1), "estimate", "estimated")


def day_of(value: object) -> date | None:
    """Return a day in ISO 8601 or in milliseconds since 1970; None for anything else."""
    try:
        if isinstance(value, str):
            return date.fromisoformat(value[:MAX_DAY])
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _leap_day(year: int) -> date:
    """Return the birthday, in a year, of a person who was born on 29 February."""
    return _anniversary(date(2000, 2, 29), year)


def _anniversary(day: date, year: int) -> date:
    """Return the same day of another year. A person born on 29 February waits for 1 March."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28) + timedelta(days=1)
