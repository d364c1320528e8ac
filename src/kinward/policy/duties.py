"""Duties of an overlay beside its rules, and what today's rules ask of every law."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from kinward.policy.places import is_place
from kinward.policy.problems import Problem
from kinward.policy.rules import STATUSES, Rule, read_words
from kinward.policy.sources import line_of, tables

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
        elif not law.url.startswith(("https://", "http://")):
            what = f"{law.id}: a `url` begins with https://, because a page links to it"
            problems.append(Problem(file, law.line, "error", what))
    # What is to be verified, and so not applied, may be a text that nobody has read at all.
    unread = [law for law in laws if law.checked is None and law.status != "verify"]
    if unread:
        line = line_of(text, "checked") if file != "pack.toml" else unread[0].line
        name = name_of(file) if file != "pack.toml" else unread[0].id
        what = f"{name}: say when somebody last read this law, such as checked = 2026-11-25"
        problems.append(Problem(file, line, "error", what))
    return problems


def name_of(file: str) -> str:
    """Return the name of an overlay by its file, such as `US-TX`."""
    return file.removeprefix("overlays/").removesuffix(".toml")
