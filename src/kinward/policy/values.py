"""The kinds of value of capabilities, and which of two values protects more.

Inside the engine a value is an integer, its *code*. For every kind but `hours` a smaller code
protects more. `hours` is a set of half hours (bit 0 is 00:00 to 00:30), and fewer bits protect
more. So the strictest of two values is a minimum or an intersection, and order does not matter.
"""

import re
from functools import reduce
from typing import Final

import msgspec

DAY_MINUTES: Final = 1440
SLOTS: Final = 48  # half hours
ALWAYS: Final = (1 << SLOTS) - 1
_HALF_HOUR: Final = re.compile(r"(\d{1,2}):(00|30)", re.ASCII)
AUDIENCES: Final = ("nobody", "family", "mutuals", "followers", "groups", "everyone")
MAX_LEVELS: Final = 16

WEEK: Final = 7

Value = str | int
Weekly = Value | tuple[Value, ...]  # one value, or seven of them, Monday first


class ValueKind(msgspec.Struct, frozen=True):
    """A kind of value. `words` are its values, if they are words, the most protective first."""

    name: str
    words: tuple[str, ...] = ()

    @property
    def strictest_code(self) -> int:
        """The code that protects most."""
        return 0

    @property
    def open_code(self) -> int:
        """The code that restricts nothing."""
        if self.name == "minutes":
            return DAY_MINUTES
        return ALWAYS if self.name == "hours" else len(self.words) - 1

    def strictest(self, a: int, b: int) -> int:
        """Return the loosest code that protects as much as both."""
        return a & b if self.name == "hours" else min(a, b)

    def loosest(self, a: int, b: int) -> int:
        """Return the strictest code that permits as much as both."""
        return a | b if self.name == "hours" else max(a, b)

    def code(self, value: object) -> int:
        """Return the code of a value. Raises `ValueError`, which says what is expected.

        >>> MINUTES.code(90), AUDIENCE.code("followers"), HOURS.code("00:00-01:00, 23:30-24:00")
        (90, 3, 140737488355331)
        """
        if self.name == "minutes":
            return _minutes(value)
        if self.name == "hours":
            return _hours(value)
        if isinstance(value, str) and value in self.words:
            return self.words.index(value)
        raise ValueError(f"{value!r} is none of {', '.join(self.words)}")

    def code_on(self, setting: object, weekday: int | None) -> int:
        """Return the code of a setting on a day (0 is Monday), or the week's strictest without one.

        >>> MINUTES.code_on((60, 60, 60, 60, 60, 120, 120), 6), MINUTES.code_on((60,) * 7, None)
        (120, 60)
        """
        if not isinstance(setting, tuple | list):
            return self.code(setting)
        if len(setting) != WEEK:
            raise ValueError(f"a week has {WEEK} values, Monday first; not {len(setting)}")
        codes = [self.code(value) for value in setting]
        return reduce(self.strictest, codes) if weekday is None else codes[weekday]

    def value(self, code: int) -> Value:
        """Return the value of a code, as a person would write it.

        >>> HOURS.value(HOURS.code("22:00-06:00"))
        '00:00-06:00, 22:00-24:00'
        """
        if self.name == "minutes":
            return code
        return _spans(code) if self.name == "hours" else self.words[code]

    def clamp(self, code: int, floor: int, cap: int) -> int:
        """Return a code limited to the most protective (`floor`) and the loosest (`cap`)."""
        return self.loosest(self.strictest(code, cap), floor)


PERMISSION: Final = ValueKind("permission", ("deny", "allow"))
AUDIENCE: Final = ValueKind("audience", AUDIENCES)
MINUTES: Final = ValueKind("minutes")
HOURS: Final = ValueKind("hours")
KINDS: Final = {kind.name: kind for kind in (PERMISSION, AUDIENCE, MINUTES, HOURS)}


def level(words: tuple[str, ...]) -> ValueKind:
    """Return a kind with words of its own, the most protective first. A first word `off` denies."""
    if not 2 <= len(words) <= MAX_LEVELS or len(set(words)) != len(words):
        raise ValueError(f"levels are 2 to {MAX_LEVELS} different words, the most protective first")
    return ValueKind("level", words)


def _minutes(value: object) -> int:
    if value == "unlimited":
        return DAY_MINUTES
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= DAY_MINUTES:
        return value
    raise ValueError(f"{value!r} is not minutes a day: 0 to {DAY_MINUTES}, or 'unlimited'")


def _hours(value: object) -> int:
    if value in ("always", "never"):
        return ALWAYS if value == "always" else 0
    if not isinstance(value, str) or len(value) > 400:
        raise ValueError(f"{value!r} is not hours such as '06:00-22:00', 'always' or 'never'")
    bits = 0
    for span in value.split(","):
        first, dash, last = span.strip().partition("-")
        if not dash:
            raise ValueError(f"{span.strip()!r} is not a span such as '06:00-22:00'")
        start, end = _slot(first), _slot(last)
        slots = range(start, end) if start < end else (*range(start, SLOTS), *range(end))
        for slot in slots:
            bits |= 1 << slot
    return bits


def _slot(text: str) -> int:
    match = _HALF_HOUR.fullmatch(text.strip())
    slot = int(match[1]) * 2 + (match[2] == "30") if match else SLOTS + 1
    if slot > SLOTS:
        raise ValueError(f"{text.strip()!r} is not a half hour such as '21:30'")
    return slot


def _spans(bits: int) -> str:
    if bits in (0, ALWAYS):
        return "always" if bits else "never"
    spans, start = [], None
    for slot in range(SLOTS + 1):
        is_open = bits >> slot & 1
        if is_open and start is None:
            start = slot
        elif not is_open and start is not None:
            spans.append(f"{clock(start)}-{clock(slot)}")
            start = None
    return ", ".join(spans)


def clock(slot: int) -> str:
    """Return the time at which a half hour begins, such as `21:30`."""
    return f"{slot // 2:02}:{'30' if slot % 2 else '00'}"
