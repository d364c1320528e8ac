"""What the newest edition changes: `policy diff` has a line for each decision that differs."""

import re
from datetime import date
from itertools import product
from typing import Final

from kinward.policy.ages import AgeRange, Assurance
from kinward.policy.diff import Line, diff_over_time
from kinward.policy.engine import decide
from kinward.policy.pack import decode_pack
from kinward.policy.places import within
from kinward.policy.question import Person
from kinward.policy.signed import load_pack
from kinward.policy.sources import read_files

TODAY: Final = date(2026, 11, 26)
BEFORE: Final = decode_pack(read_files("teen-accounts 2026.11"))
AFTER: Final = load_pack("teen-accounts")
PLACES: Final = ("", "US-TX", "US-UT", "US-AL", "US-CA", "US-LA", "KR", "MY", "ID", "IN", "DE")
SURE: Final[tuple[Assurance, ...]] = ("declared", "verified")
PEOPLE: Final = [
    Person(AgeRange(age, age + 1, "a test", assurance), place, joined=joined)
    for age, place, assurance, joined in product(
        (15, 17, 30),
        PLACES,
        SURE,
        (date(2026, 1, 1), date(2027, 2, 1)),
    )
]


def tells(line: Line, name: str, place: str, day: date) -> bool:
    """Whether a line is about a capability, in this place, on this day."""
    if line.capability != name or (line.starts is not None and day < line.starts):
        return False
    if line.ends is not None and day >= line.ends:
        return False
    where = re.search(r", in ([A-Z-]+)", line.who)
    return where is None or (place != "" and where[1] in within(place))


def test_each_decision_that_differs_has_a_line() -> None:
    lines = diff_over_time(BEFORE, AFTER, TODAY)
    untold, changed = [], 0
    for day in sorted({TODAY, *BEFORE.edges_after(TODAY), *AFTER.edges_after(TODAY)}):
        old, new = BEFORE.on(day), AFTER.on(day)
        for name, person in product(BEFORE.capabilities, PEOPLE):
            first, second = (decide(pack, name, person) for pack in (old, new))
            if (first.effect, first.value) == (second.effect, second.value):
                continue
            changed += 1
            if not any(tells(line, name, person.jurisdiction, day) for line in lines):
                untold.append((day, person, first, second))
    assert changed > 100
    assert untold == []
