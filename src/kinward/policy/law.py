"""What a pack says of the law: duties beside its rules, and when somebody last read each text."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kinward.policy.places import is_place
from kinward.policy.problems import Problem
from kinward.policy.rules import STATUSES, Rule, read_words
from kinward.policy.sources import line_of, tables

if TYPE_CHECKING:
    from kinward.policy.pack import Pack

READ_AGAIN_DAYS: Final = 90
_KEYS: Final = {
    *("id", "what", "jurisdiction", "source", "url", "from", "until", "status"),
    *("note", "scope", "checked", "read_at"),
}


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """A duty by law that no decision carries: a person or another part of the platform has it.

    `what` is the duty in one sentence. `starts` is `date.min` while nobody knows the day.
    """

    id: str
    place: str
    what: str
    status: str
    starts: date
    ends: date
    source: str
    url: str
    note: str
    scope: str
    checked: date | None
    read_at: tuple[str, ...]
    file: str
    line: int


def read_duties(
    file: str, raw: Mapping[str, Any], text: str, law: Mapping[str, Any]
) -> tuple[list[Duty], list[Problem]]:
    """Read the tables `[[duty]]` of an overlay, and return them with their errors.

    No decision rests on a duty, so a stored pack is readable in spite of an error in one.
    """
    rows = raw.get("duty", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return [], [Problem(file, 1, "error", "duties are tables: [[duty]]")]
    lines = [line for line, _ in tables(text, "duty")]
    duties: list[Duty] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows):
        line = lines[number] if number < len(lines) else 1
        merged = {key: value for key, value in law.items() if key in _KEYS} | row
        if wrong := _wrong(merged):
            problems += [Problem(file, line, "error", what) for what in wrong]
            continue
        duties.append(
            Duty(
                id=merged["id"],
                place=merged["jurisdiction"],
                what=merged["what"],
                status=merged["status"],
                starts=merged.get("from", date.min),
                ends=merged.get("until", date.max),
                source=merged["source"],
                url=merged["url"],
                file=file,
                line=line,
                **read_words(merged),
            )
        )
    return duties, problems


def _wrong(row: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a duty's table, in words."""
    wrong = [f"unknown key {key!r} in a duty" for key in sorted(set(row) - _KEYS)]
    wrong += [
        f"a duty has its {key}"
        for key in ("id", "what", "source", "url")
        if not isinstance(row.get(key), str) or not row[key]
    ]
    if row.get("status") not in STATUSES:
        wrong.append(f"the status of a duty is one of {', '.join(STATUSES)}")
    if not isinstance(row.get("jurisdiction"), str) or not is_place(row["jurisdiction"]):
        wrong.append("the jurisdiction of a duty is an ISO 3166 code")
    starts, ends = row.get("from", date.min), row.get("until", date.max)
    if type(starts) is not date or type(ends) is not date or starts >= ends:
        wrong.append("`from` and `until` of a duty are dates, the first before the last")
    return wrong


def judge_law(file: str, text: str, laws: Iterable[Rule | Duty]) -> list[Problem]:
    """Return what the laws of a file lack by today's rules: an address, a day, a reading.

    A law may lack its day while it is pending or to be verified.
    """
    laws = list(laws)
    problems = []
    for law in laws:
        waits = law.status in ("pending", "verify")
        waits |= law.status == "lapsed" and law.ends != date.max
        if not law.url or (law.starts == date.min and not waits):
            what = f"{law.id}: a law has a `url` and a date `from` which it holds"
            problems.append(Problem(file, law.line, "error", what))
    unread = [law for law in laws if law.checked is None]
    if unread:
        line = line_of(text, "checked") if file != "pack.toml" else unread[0].line
        name = name_of(file) if file != "pack.toml" else unread[0].id
        what = f"{name}: say when somebody last read this law, such as checked = 2026-11-25"
        problems.append(Problem(file, line, "error", what))
    return problems


def name_of(file: str) -> str:
    """Return the name of an overlay by its file, such as `US-TX`."""
    return file.removeprefix("overlays/").removesuffix(".toml")


class Reading(msgspec.Struct, frozen=True, order=True):
    """A law that somebody last read on `checked`: an overlay's name, or one of its duties by id."""

    checked: date
    name: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.name} ({self.checked})"


def laws_of(pack: "Pack") -> Iterator[Rule | Duty]:
    """Yield every rule that is a law, and every duty, in the order of the files."""
    yield from (rule for rule in pack.rules if rule.place)
    yield from pack.duties


def readings(pack: "Pack") -> list[Reading]:
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


def stale_readings(pack: "Pack", today: date) -> list[Reading]:
    """Return the laws that nobody has read for more than `READ_AGAIN_DAYS` days, oldest first."""
    return [one for one in readings(pack) if (today - one.checked).days > READ_AGAIN_DAYS]


def reading_problems(pack: "Pack", today: date) -> Iterator[Problem]:
    """Yield a notice for each law to read again, and an error for one read in the future."""
    for one in readings(pack):
        days = (today - one.checked).days
        if days > READ_AGAIN_DAYS:
            what = f"{one.name} was last read on {one.checked}, {days} days ago: read it again"
            yield Problem(one.file, one.line, "notice", what)
        elif days < -30:  # a date by mistake, which would put off every reminder
            what = f"{one.name} cannot have been read on {one.checked}: today is {today}"
            yield Problem(one.file, one.line, "error", what)


def unverified_problems(pack: "Pack") -> Iterator[Problem]:
    """Yield a notice for each law that is not applied until somebody verifies its status."""
    for law in laws_of(pack):
        if law.status == "verify":
            what = f"{law.id} is off until somebody verifies its status"
            yield Problem(law.file, law.line, "notice", what)


def unread_laws(pack: "Pack") -> list[str]:
    """Return the overlays, and laws of the pack itself, that do not say when they were read."""
    unread = [law for law in laws_of(pack) if law.checked is None]
    return sorted({law.id if law.file == "pack.toml" else name_of(law.file) for law in unread})


def unverified(pack: "Pack") -> list[str]:
    """Return the ids of the laws that are not applied until somebody verifies their status."""
    return sorted({law.id for law in laws_of(pack) if law.status == "verify"})
