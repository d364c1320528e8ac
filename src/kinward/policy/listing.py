"""All places of a pack: what holds there, since when, until when, and when it was read."""

from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from kinward.policy.ages import ASSURANCES, MAX_AGE
from kinward.policy.duties import Duty, name_of
from kinward.policy.pack import Pack
from kinward.policy.rules import ALL_RELATIONSHIPS, MOVERS, Rule
from kinward.policy.sentences import capability_words, value_words
from kinward.policy.sources import parse
from kinward.policy.values import ValueKind

# The order of the groups of a place, by what holds on the day.
STANDINGS: Final = ("in force", "pending", "enjoined", "verify", "lapsed")
_NOT_APPLIED: Final = {
    "enjoined": "enjoined, not applied",
    "verify": "not applied until somebody verifies it",
    "lapsed": "lapsed, not applied",
}

PEOPLE: Final = {
    "family": "family",
    "mutual": "mutual contacts",
    "follower": "followers",
    "group": "members of a group",
    "stranger": "strangers",
    "blocked": "blocked people",
}


class Row(msgspec.Struct, frozen=True):
    """One law of one place, in words. `standing` is one of `STANDINGS`, on the day of the list.

    `value` and `whom` are empty for a duty. `checked` is empty if nobody has read the law, or said
    when.
    """

    place: str
    overlay: str
    id: str
    what: str
    meanings: tuple[tuple[str, str], ...]  # each capability in `what`, and what it means in English
    value: str
    whom: str
    standing: str
    status: str
    since: str
    until: str
    checked: str
    source: str
    url: str
    read_at: tuple[str, ...]
    scope: str
    note: str


def list_places(pack: Pack, day: date) -> list[Row]:
    """Return every law of a pack on a day, by place and standing. Duties come after rules."""
    rows = [_rule_row(pack, rules, day) for rules in _grouped(pack.rules)]
    rows += [_row(duty, duty.what, (), "", "", day) for duty in pack.duties]
    return sorted(rows, key=lambda row: (row.place, STANDINGS.index(row.standing)))


def titles_of(pack: Pack) -> dict[str, str]:
    """Return the title of each overlay by its name."""
    return {
        name_of(file): str(parse(file, text).get("title", ""))
        for file, text in pack.files.items()
        if file.startswith("overlays/")
    }


def _grouped(rules: Iterable[Rule]) -> list[list[Rule]]:
    """Return the rules that one table of a file makes for one place, as one group."""
    groups: dict[tuple[str, int, str], list[Rule]] = {}
    for rule in rules:
        if rule.place:
            groups.setdefault((rule.file, rule.line, rule.place), []).append(rule)
    return list(groups.values())


def _rule_row(pack: Pack, rules: list[Rule], day: date) -> Row:
    names = [rule.capability for rule in rules]
    own = pack.ruling.words
    meanings = tuple((name, capability_words(name, "en", own(name))) for name in names)
    return _row(rules[0], ", ".join(names), meanings, _value(pack, rules), _whom(rules[0]), day)


def _value(pack: Pack, rules: list[Rule]) -> str:
    """Return the default of the rules in words, and who may move it."""
    kinds = [pack.capabilities[rule.capability].kind for rule in rules]
    values = {_default(kind, rule.default) for kind, rule in zip(kinds, rules, strict=True)}
    value = values.pop() if len(values) == 1 else "most protective"
    may = {"guardian": rules[0].guardian, "self": rules[0].self_}
    proof = f" (proof: {rules[0].proof})" if rules[0].proof else ""
    movers = [name + (proof if name == "guardian" else "") for name in MOVERS if may[name]]
    return f"{value}, moved by {' or '.join(movers)}" if movers else value


def _default(kind: ValueKind, code: int) -> str:
    """Return a value as rules write it, and minutes with their unit."""
    value = str(kind.value(code))
    return value_words(kind, code, "en") if value.isdecimal() else value


def _row(
    law: Rule | Duty,
    what: str,
    meanings: tuple[tuple[str, str], ...],
    value: str,
    whom: str,
    day: date,
) -> Row:
    standing = _standing(law, day)
    return Row(
        place=law.place,
        overlay=name_of(law.file),
        id=law.id,
        what=what,
        meanings=meanings,
        value=value,
        whom=whom,
        standing=standing,
        status=_status(law, standing),
        since="" if law.starts == date.min else law.starts.isoformat(),
        until="" if law.ends == date.max else law.ends.isoformat(),
        checked="" if law.checked is None else law.checked.isoformat(),
        source=law.source,
        url=law.url,
        read_at=law.read_at,
        scope=law.scope,
        note=law.note,
    )


def _standing(law: Rule | Duty, day: date) -> str:
    """Return what a law's status comes to on a day."""
    if law.status not in ("in force", "pending"):
        return law.status
    if law.ends <= day:
        return "lapsed"
    if isinstance(law, Rule):
        return "in force" if law.in_force(day) else "pending"
    begun = date.min < law.starts <= day
    return "in force" if begun else "pending"


def _status(law: Rule | Duty, standing: str) -> str:
    if standing == "pending" and law.starts == date.min:
        return "pending, its day is not known, not applied"
    return _NOT_APPLIED.get(standing, standing)


def _whom(rule: Rule) -> str:
    """Return whom a rule is about: their ages, and each further condition."""
    words = [_ages(rule.lower, rule.upper)]
    others = (rule.other_lower, rule.other_upper)
    if rule.relationships != ALL_RELATIONSHIPS or others != (0, MAX_AGE):
        people = [words for name, words in PEOPLE.items() if name in rule.relationships]
        towards = "anybody" if rule.relationships == ALL_RELATIONSHIPS else ", ".join(people)
        old = "" if others == (0, MAX_AGE) else f" of {_ages(*others)}"
        words.append(f"towards {towards}{old}")
    if rule.assurance_below < len(ASSURANCES):
        words.append(f"while the age is less certain than {ASSURANCES[rule.assurance_below]}")
    if rule.joined_from != date.min:
        words.append(f"accounts that joined on {rule.joined_from} or later")
    return ", ".join(words)


def _ages(lower: int, upper: int) -> str:
    if (lower, upper) == (0, MAX_AGE):
        return "all ages"
    if lower == 0:
        return f"under {upper}"
    return f"{lower} and over" if upper == MAX_AGE else f"{lower} to {upper - 1}"


def places_page(pack: Pack, day: date) -> str:
    """Return the list as a page of the documentation: a section a place, a table a section."""
    rows = list_places(pack, day)
    titles = titles_of(pack)
    parts = []
    for place in sorted({row.place for row in rows}):
        here = [row for row in rows if row.place == place]
        names = sorted({titles[row.overlay] for row in here if titles.get(row.overlay)})
        lines = [f"## {place}", "", *(f"{name}." for name in names), "", *_table(here)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _table(rows: list[Row]) -> list[str]:
    head = ["| what | value | for | status | since | until | read on | source |"]
    head.append("| --- " * 8 + "|")
    return head + [
        f"| {_what(row)} | {row.value} | {row.whom} | {row.status} | {row.since} | {row.until} "
        f"| {row.checked or 'nobody yet'} | [{row.source}]({row.url}){_notes(row)} |"
        for row in rows
    ]


def _what(row: Row) -> str:
    return ", ".join(f"`{name}`" for name in row.what.split(", ")) if row.whom else row.what


def _notes(row: Row) -> str:
    notes = [f"For {row.scope}." if row.scope else "", row.note]
    return "".join(f" {note}" for note in notes if note)
