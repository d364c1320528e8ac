"""A pack's own capabilities, declared beside Kinward's, and their words.

Kinward may later introduce a capability under a name that a stored pack declares as its own. The
pack's meaning then counts, because its rules, its people's settings and the calling app were made
for it. Kinward's meaning adds protection only: blocking ends contact under either.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kinward.policy.capabilities import CAPABILITIES, Capability
from kinward.policy.problems import Level, Problem
from kinward.policy.values import KINDS, ValueKind, level

MAX_OWN: Final = 200
_NAME: Final = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*){1,3}")


class Declared(msgspec.Struct, frozen=True):
    """All capabilities of a pack, and the words for its own by name and language.

    `problems` are errors of the form. `judged` are errors and notices by today's rules.
    """

    capabilities: dict[str, Capability]
    names: dict[str, dict[str, str]]
    problems: list[Problem]
    judged: list[Problem]


def read_own(table: object, text: str) -> Declared:
    """Read the tables `[capability]` of a pack.toml, whose `text` gives the lines."""
    declared = Declared(dict(CAPABILITIES), {}, [], [])
    for name, raw in table.items() if isinstance(table, dict) else ():
        if not _NAME.fullmatch(name):
            what = f"{name!r} is not of the form 'guild.create'"
            declared.judged.append(_at(text, name, "error", what))
        try:
            kind, words = _kind(raw), _words(name, raw)
        except (ValueError, AttributeError) as error:
            declared.problems.append(_at(text, name, "error", str(error)))
            continue
        known = CAPABILITIES.get(name)
        if known is not None:
            declared.judged.append(_at(text, name, *_judge(name, kind, known)))
        contact = known is not None and known.between_people
        declared.capabilities[name] = Capability(name, kind, is_contact=contact)
        declared.names[name] = words
    if len(declared.names) > MAX_OWN:
        declared.judged.append(Problem("pack.toml", 1, "error", f"more than {MAX_OWN} own"))
    return declared


def _at(text: str, name: str, level: Level, what: str) -> Problem:
    line = 1 + text[: max(0, text.find(name))].count("\n")
    return Problem("pack.toml", line, level, f"capability: {what}")


def _judge(name: str, kind: ValueKind, known: Capability) -> tuple[Level, str]:
    if known.kind == kind and not known.counterpart:
        what = f"Kinward has {name!r} of the same kind now. Yours counts until you drop it"
        return "notice", what
    return "error", f"{name!r} is taken by one of Kinward's, of another kind. Rename yours"


def _words(name: str, raw: Mapping[str, Any]) -> dict[str, str]:
    words = raw.get("name", {})
    if not isinstance(words.get("en"), str):
        raise ValueError(f'{name} needs its words: name = {{ en = "Creating a guild" }}')
    return {language: str(word) for language, word in words.items()}


def _kind(raw: Mapping[str, Any]) -> ValueKind:
    type_ = raw.get("type")
    if type_ == "level":
        return level(tuple(map(str, raw.get("levels", ()))))
    if type_ not in KINDS:
        raise ValueError(f"its type is one of {', '.join(KINDS)}, level; not {type_!r}")
    return KINDS[type_]
