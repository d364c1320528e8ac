"""When somebody last read each law of a pack, and what waits for somebody to read it again."""

from collections.abc import Iterator
from datetime import date
from typing import Final

import msgspec

from kinward.policy.duties import Duty, name_of
from kinward.policy.pack import Pack
from kinward.policy.problems import Problem
from kinward.policy.rules import Rule

READ_AGAIN_DAYS: Final = 90


class Reading(msgspec.Struct, frozen=True, order=True):
    """A law that somebody last read on `checked`: an overlay's name, or one of its duties by id."""

    checked: date
    name: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.name} ({self.checked})"


def laws_of(pack: Pack) -> Iterator[Rule | Duty]:
    """Yield every rule that is a law, and every duty, in the order of the files."""
    yield from (rule for rule in pack.rules if rule.place)
    yield from pack.duties


def readings(pack: Pack) -> list[Reading]:
    """Return when each overlay was last read, the oldest first.

    What an overlay has read earlier than the rest of it is named on its own.
    """
    newest: dict[str, date] = {}
    laws = [law for law in laws_of(pack) if law.checked is not None]
    for law in laws:
        if law.checked is not None:
            newest[law.file] = max(newest.get(law.file, date.min), law.checked)
    found = set()
    for law in laws:
        if law.checked is None:
            continue
        whole = law.checked == newest[law.file] and law.file != "pack.toml"
        name = name_of(law.file) if whole else f"{law.id} of {name_of(law.file)}"
        found.add(Reading(law.checked, name, law.file, 1 if whole else law.line))
    return sorted(found)


def stale_readings(pack: Pack, today: date) -> list[Reading]:
    """Return the laws that nobody has read for more than `READ_AGAIN_DAYS` days, oldest first."""
    return [one for one in readings(pack) if (today - one.checked).days > READ_AGAIN_DAYS]


def reading_problems(pack: Pack, today: date) -> Iterator[Problem]:
    """Yield a notice for each law to read again, and an error for one read in the future."""
    for one in readings(pack):
        days = (today - one.checked).days
        if days > READ_AGAIN_DAYS:
            what = f"{one.name} was last read on {one.checked}, {days} days ago: read it again"
            yield Problem(one.file, one.line, "notice", what)
        elif days < -30:  # a date by mistake, which would put off every reminder
            what = f"{one.name} cannot have been read on {one.checked}: today is {today}"
            yield Problem(one.file, one.line, "error", what)


def unverified_problems(pack: Pack) -> Iterator[Problem]:
    """Yield a notice for each law that is not applied until somebody verifies its status."""
    for law in laws_of(pack):
        if law.status == "verify":
            what = f"{law.id} is off until somebody verifies its status"
            yield Problem(law.file, law.line, "notice", what)


def unread_laws(pack: Pack) -> list[str]:
    """Return the overlays, and laws of the pack itself, that do not say when they were read."""
    unread = [law for law in laws_of(pack) if law.checked is None and law.status != "verify"]
    return sorted({law.id if law.file == "pack.toml" else name_of(law.file) for law in unread})


def unverified(pack: Pack) -> list[str]:
    """Return the ids of the laws that are not applied until somebody verifies their status."""
    return sorted({law.id for law in laws_of(pack) if law.status == "verify"})
