"""Hours as a page shows and sends them: spans for every day, and other spans on some days.

What a page shows it also keeps: reading the fields back gives the value that they were made from.
"""

from collections import Counter
from collections.abc import Sequence
from typing import cast

from kinward.ground.errors import Invalid
from kinward.policy import ALWAYS, HOURS, SLOTS, WEEK, Weekly, clock

Span = tuple[str, str]  # two times, such as 07:00 and 21:30

WHOLE_DAY: Span = ("00:00", "24:00")


def spans_of(code: int) -> list[Span]:
    """Return the spans of a day. One may cross midnight.

    >>> spans_of(HOURS.code("22:00-06:00, 12:00-13:00"))
    [('12:00', '13:00'), ('22:00', '06:00')]
    >>> spans_of(HOURS.code("never")), spans_of(HOURS.code("always"))
    ([], [('00:00', '24:00')])
    """
    if code in (0, ALWAYS):
        return [WHOLE_DAY] if code else []
    spans = []
    for start in range(SLOTS):
        # A span begins after a closed half hour, also after the last one of the day.
        if code >> start & 1 and not code >> (start - 1) % SLOTS & 1:
            end = start
            while code >> end % SLOTS & 1:
                end += 1
            spans.append((clock(start), clock(end % SLOTS or SLOTS)))
    return spans


def fields_of(value: Weekly) -> tuple[list[Span], list[str]]:
    """Return the spans of most days, and for each day other hours as text, "" where there are none.

    >>> fields_of(("07:00-21:00",) * 5 + ("09:00-12:00, 14:00-22:00", "never"))
    ([('07:00', '21:00')], ['', '', '', '', '', '09:00-12:00, 14:00-22:00', 'never'])
    """
    week = value if isinstance(value, tuple | list) else (value,) * WEEK
    codes = [HOURS.code(day) for day in week]
    usual = Counter(codes).most_common(1)[0][0]
    return spans_of(usual), ["" if code == usual else _text(code) for code in codes]


def _text(code: int) -> str:
    spans = spans_of(code)
    return ", ".join(f"{first}-{last}" for first, last in spans) if spans else "never"


def sent_hours(opens: Sequence[str], closes: Sequence[str], days: Sequence[str]) -> Weekly:
    """Return the value of fields that a page sent. `days` is empty or has a text for each day.

    Raises `Invalid` for half a span, and for one that begins and ends at the same time.

    >>> sent_hours(["07:00", "15:00", ""], ["08:00", "21:00", ""], [])
    '07:00-08:00, 15:00-21:00'
    """
    spans = []
    for first, last in zip(opens, closes, strict=False):
        if not first and not last:
            continue
        if not first or not last or first == last:
            raise Invalid("A span needs two different times, such as 07:00 and 21:00.")
        spans.append((first, last))
    usual = ", ".join(f"{first}-{last}" for first, last in spans) or "never"
    usual = "always" if WHOLE_DAY in spans else usual
    if not any(day.strip() for day in days):
        return usual
    if len(days) != WEEK:
        raise Invalid("Say the hours of each day.")
    return cast("Weekly", tuple(day.strip()[:400] or usual for day in days))
