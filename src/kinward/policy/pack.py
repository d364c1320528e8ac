"""A policy pack: a header, the platform's rules, the overlays' rules, as one checked value."""

import hashlib
import re
from collections.abc import Callable, Mapping
from copy import copy
from datetime import date
from typing import Any, Final

import msgspec

from kinward.policy.capabilities import CAPABILITIES, Capability
from kinward.policy.families import FamilyRules, read_family_rules
from kinward.policy.places import is_place
from kinward.policy.problems import PackInvalid, Problem
from kinward.policy.rules import Place, Rule, RuleReader
from kinward.policy.ruling import Ruling
from kinward.policy.sources import MAX_FILES, check_size, line_of, parse, tables
from kinward.policy.values import KINDS, Kind, level

MAX_RULES: Final = 5000
MAX_CAPABILITIES: Final = 200
ELSEWHERE: Final = ("baseline", "protective")
UNKNOWN_PLACE: Final = ("baseline", "strictest")

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,39}")
_CAPABILITY: Final = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*){1,3}")
_HEADER: Final = {
    *("name", "version", "title", "date", "overlays", "elsewhere", "unknown_place", "operates_in"),
    *("families", "law", "capability", "rule"),
}
_OVERLAY: Final = {"title", "jurisdiction", "law", "rule"}


class Pack:
    """A pack that was read and found usable. It never changes; `on` gives it another day.

    `elsewhere` says what holds where no overlay does: the platform's `baseline`, or the most
    `protective` answer. `unknown_place` says what holds for a person whose place is not known: the
    `baseline`, or the `strictest` of all overlays.
    """

    def __init__(
        self,
        *,
        header: Mapping[str, Any],
        capabilities: Mapping[str, Capability],
        names: Mapping[str, Mapping[str, str]],
        rules: tuple[Rule, ...],
        files: Mapping[str, str],
        families: FamilyRules,
    ) -> None:
        self.name: str = header["name"]
        self.version: str = header["version"]
        self.title: str = header.get("title", self.name)
        self.date: date = header["date"]
        self.elsewhere: str = header.get("elsewhere", "baseline")
        self.unknown_place: str = header.get("unknown_place", "baseline")
        self.operates_in: tuple[str, ...] = tuple(header.get("operates_in", ()))
        self.capabilities = dict(capabilities)
        self.names = names  # of the pack's own capabilities: capability -> language -> words
        self.rules = rules
        self.families = families
        self.files = dict(files)
        self.digest = digest(files)
        edges = {each for rule in rules for each in (rule.starts, rule.ends)} - {date.min, date.max}
        self._edges = [date.min, *sorted(edges), date.max]
        self._rulings: dict[int, Ruling] = {}
        self.ruling = self.ruling_on(self.date)

    @property
    def label(self) -> str:
        """Name and version, as a decision carries them."""
        return f"{self.name} {self.version}"

    @property
    def places(self) -> tuple[str, ...]:
        """Every jurisdiction that some rule is for, whatever its status."""
        return tuple(sorted({rule.place for rule in self.rules if rule.place}))

    def ruling_on(self, day: date) -> Ruling:
        """What is in force on a day."""
        ordinal = 0
        for number, edge in enumerate(self._edges[:-1]):
            if edge <= day:
                ordinal = number
        if ordinal not in self._rulings:
            self._rulings[ordinal] = Ruling(
                label=self.label,
                capabilities=self.capabilities,
                rules=[rule for rule in self.rules if rule.in_force(self._edges[ordinal])],
                elsewhere=self.elsewhere,
                unknown_place=self.unknown_place,
                names=self.names,
                until=self._edges[ordinal + 1],
            )
        return self._rulings[ordinal]

    def on(self, day: date) -> "Pack":
        """This pack as `decide` is to read it on a day, where a question names no other."""
        other = copy(self)
        other.ruling = self.ruling_on(day)
        return other


def digest(files: Mapping[str, str]) -> str:
    """The SHA-256 (hex) of a pack's files, whatever their order."""
    return hashlib.sha256(msgspec.json.encode(sorted(files.items()))).hexdigest()


def read_pack(files: Mapping[str, str]) -> Pack:
    """Read a pack from its files. Raises `PackInvalid` with every mistake, by file and line."""
    if "pack.toml" not in files or len(files) > MAX_FILES:
        raise PackInvalid(f"A pack is a pack.toml and at most {MAX_FILES} files.")
    for file, text in files.items():
        check_size(file, text)
    problems: list[Problem] = []
    header = parse("pack.toml", files["pack.toml"])
    problems += _check_header(header, files)
    families, wrong = read_family_rules(header.get("families", {}), _in_header(files))
    problems += wrong
    capabilities, names = _own_capabilities(header, files["pack.toml"], problems)
    reader = RuleReader(capabilities)
    rules: list[Rule] = []
    for file in sorted(files):
        if file == "tests.toml":
            continue
        raw = header if file == "pack.toml" else parse(file, files[file])
        rules += _rules_of(file, raw, files[file], reader)
    problems += reader.problems
    problems += _repeated(rules)
    if len(rules) > MAX_RULES:
        problems.append(Problem("pack.toml", 1, "error", f"more than {MAX_RULES} rules"))
    if problems:
        raise PackInvalid(problems)
    return Pack(
        header=header,
        capabilities=capabilities,
        names=names,
        rules=tuple(rules),
        files=files,
        families=families,
    )


def _check_header(header: Mapping[str, Any], files: Mapping[str, str]) -> list[Problem]:
    error = _in_header(files)
    found = [error(key, f"unknown key {key!r} in the header") for key in set(header) - _HEADER]
    for key, pattern in (("name", _NAME), ("version", _VERSION)):
        value = header.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            found.append(error(key, f"the header needs a {key}, such as 'teen-accounts' or '3.1'"))
    if type(header.get("date")) is not date:
        found.append(error("date", "the header needs the pack's date, such as 2026-11-21"))
    for key, known in (("elsewhere", ELSEWHERE), ("unknown_place", UNKNOWN_PLACE)):
        if header.get(key, known[0]) not in known:
            found.append(error(key, f"{key} is one of {', '.join(known)}"))
    found += [
        error("overlays", f"there is no overlay {name!r}")
        for name in _names(header, "overlays")
        if f"overlays/{name}.toml" not in files
    ]
    found += [
        error("operates_in", f"{place!r} is not an ISO 3166 code")
        for place in _names(header, "operates_in")
        if not isinstance(place, str) or not is_place(place)
    ]
    return found


def _in_header(files: Mapping[str, str]) -> Callable[[str, str], Problem]:
    """Makes complaints at the lines of the header's keys."""
    return lambda key, what: Problem("pack.toml", line_of(files["pack.toml"], key), "error", what)


def _names(header: Mapping[str, Any], key: str) -> list[Any]:
    """A list in the header; what is no list is one wrong name."""
    value = header.get(key, [])
    return value if isinstance(value, list) else [value]


def _own_capabilities(
    header: Mapping[str, Any], text: str, problems: list[Problem]
) -> tuple[dict[str, Capability], dict[str, dict[str, str]]]:
    """The built-in capabilities and the pack's own, with the words for these."""
    capabilities, names = dict(CAPABILITIES), {}
    own = header.get("capability", {})
    for name, raw in own.items() if isinstance(own, dict) else ():
        try:
            if name in CAPABILITIES or not _CAPABILITY.fullmatch(name):
                raise ValueError(f"{name!r} is taken, or not of the form 'guild.create'")
            capabilities[name] = Capability(name, _kind(raw))
            words = raw.get("name", {})
            if not isinstance(words.get("en"), str):
                raise ValueError(f'{name} needs its words: name = {{ en = "Creating a guild" }}')
            names[name] = {language: str(each) for language, each in words.items()}
        except (ValueError, AttributeError) as error:
            line = 1 + text[: max(0, text.find(str(name)))].count("\n")
            problems.append(Problem("pack.toml", line, "error", f"capability: {error}"))
    if len(names) > MAX_CAPABILITIES:
        problems.append(Problem("pack.toml", 1, "error", f"more than {MAX_CAPABILITIES} own"))
    return capabilities, names


def _kind(raw: Mapping[str, Any]) -> Kind:
    type_ = raw.get("type")
    if type_ == "level":
        return level(tuple(map(str, raw.get("levels", ()))))
    if type_ not in KINDS:
        raise ValueError(f"its type is one of {', '.join(KINDS)}, level; not {type_!r}")
    return KINDS[type_]


def _rules_of(file: str, raw: Mapping[str, Any], text: str, reader: RuleReader) -> list[Rule]:
    """The rules of one file; an overlay's are for its jurisdiction unless they name another."""
    law = dict(raw.get("law", {}))
    if file != "pack.toml":
        reader.problems += [
            Problem(file, line_of(text, key), "error", f"unknown key {key!r} in an overlay")
            for key in set(raw) - _OVERLAY
        ]
        law.setdefault("jurisdiction", raw.get("jurisdiction", ""))
        if not isinstance(raw.get("title"), str):
            reader.problems.append(Problem(file, 1, "error", "an overlay has a title"))
    given = raw.get("rule", [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        reader.problems.append(Problem(file, 1, "error", "rules are tables: [[rule]]"))
        return []
    lines = list(tables(text, "rule"))
    found: list[Rule] = []
    for number, each in enumerate(given):
        line, keys = lines[number] if number < len(lines) else (1, {})
        place = Place(file, line, keys)
        read = list(reader.read(each, place, law))
        for rule in read:
            if rule.place and not (rule.url and rule.starts != date.min):
                reader.problems.append(
                    place.error(
                        "url", f"{rule.id}: a law has a `url` and a date `from` which it holds"
                    )
                )
            if not rule.place and file != "pack.toml":
                reader.problems.append(
                    place.error("jurisdiction", "a rule of an overlay has a jurisdiction")
                )
        found += read
    return found


def _repeated(rules: list[Rule]) -> list[Problem]:
    seen: dict[tuple[str, str, str], Rule] = {}
    found = []
    for rule in rules:
        key = (rule.id, rule.capability, rule.place)
        if key in seen:
            text = f"the id {rule.id!r} is taken by {seen[key].file}:{seen[key].line}"
            found.append(Problem(rule.file, rule.line, "error", text))
        seen[key] = rule
    return found
