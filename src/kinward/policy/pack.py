"""A policy pack: header, the platform's rules and the overlays' rules, as one checked value."""

import hashlib
import re
from collections.abc import Callable, Mapping
from copy import copy
from datetime import date
from typing import Any, Final

import msgspec

from kinward.policy.capabilities import Capability
from kinward.policy.duties import Duty, judge_law, read_duties
from kinward.policy.families import FamilyRules, read_family_rules
from kinward.policy.own import read_own
from kinward.policy.places import is_place
from kinward.policy.problems import PackInvalid, Problem
from kinward.policy.proving import METHODS
from kinward.policy.rules import Place, Rule, RuleReader
from kinward.policy.ruling import Ruling
from kinward.policy.sources import MAX_FILES, check_size, line_of, parse, tables

MAX_RULES: Final = 5000
ELSEWHERE: Final = ("baseline", "protective")
UNKNOWN_PLACE: Final = ("baseline", "strictest")

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,39}")
_HEADER: Final = {
    *(
        "format",
        "name",
        "version",
        "title",
        "date",
        "overlays",
        "elsewhere",
        "unknown_place",
        "operates_in",
    ),
    *("families", "law", "capability", "rule"),
}
_OVERLAY: Final = {"title", "jurisdiction", "checked", "law", "rule", "duty"}


class Pack:
    """A readable pack. It never changes; `on` returns it for another day.

    `elsewhere` is the answer where no overlay applies: the platform's `baseline`, or the most
    `protective` one. `unknown_place` is the answer for a person whose place is not known: the
    `baseline`, or the `strictest` of all overlays.
    """

    def __init__(
        self,
        *,
        header: Mapping[str, Any],
        capabilities: Mapping[str, Capability],
        names: Mapping[str, Mapping[str, str]],
        rules: tuple[Rule, ...],
        duties: tuple[Duty, ...],
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
        self.duties = duties
        self.families = families
        self.files = dict(files)
        self.digest = pack_digest(files)
        edges = {day for rule in rules for day in (rule.starts, rule.ends)} - {date.min, date.max}
        self._edges = [date.min, *sorted(edges), date.max]
        self._rulings: dict[int, Ruling] = {}
        self.ruling = self.ruling_on(self.date)

    @property
    def label(self) -> str:
        """The name and version, as in decisions."""
        return f"{self.name} {self.version}"

    @property
    def places(self) -> tuple[str, ...]:
        """Every jurisdiction with a rule or a duty, whatever its status."""
        laws = {rule.place for rule in self.rules} | {duty.place for duty in self.duties}
        return tuple(sorted(laws - {""}))

    def ruling_on(self, day: date) -> Ruling:
        """Return the rules in force on a day."""
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

    def edges_after(self, day: date) -> list[date]:
        """Return the days after a day on which the rules in force change by themselves."""
        return [edge for edge in self._edges if day < edge < date.max]

    def on(self, day: date) -> "Pack":
        """Return this pack with a day of its own, for questions that name none."""
        other = copy(self)
        other.ruling = self.ruling_on(day)
        return other


def pack_digest(files: Mapping[str, str]) -> str:
    """Return the SHA-256 (hex) of a pack's files, which does not depend on their order."""
    return hashlib.sha256(msgspec.json.encode(sorted(files.items()))).hexdigest()


class _Reading:
    """A pack's files while they are read, with the problems so far.

    `problems` are errors of the form, with which there is no pack. `judged` are errors and notices
    by today's rules and words, with which a stored pack is still readable.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.text = files["pack.toml"]
        self.header = parse("pack.toml", self.text)
        self.problems: list[Problem] = []
        self.judged: list[Problem] = []

    def at(self, key: str, text: str) -> Problem:
        """Return an error at the line of a key of the header."""
        return Problem("pack.toml", line_of(self.text, key), "error", text)


def judge_pack(files: Mapping[str, str]) -> tuple[Pack, list[Problem]]:
    """Read a new pack by today's rules, and return it with their notices.

    Raises `PackInvalid` with every error, by file and line.
    """
    if "pack.toml" not in files or len(files) > MAX_FILES:
        raise PackInvalid(f"A pack is a pack.toml and at most {MAX_FILES} files.")
    for file, text in files.items():
        check_size(file, text)
    pack, judged = _read(files)
    errors = [problem for problem in judged if problem.level == "error"]
    if errors:
        raise PackInvalid(errors)
    return pack, judged


def read_pack(files: Mapping[str, str]) -> Pack:
    """Read a new pack by today's rules. Raises `PackInvalid` with every error, by file and line."""
    return judge_pack(files)[0]


def decode_pack(files: Mapping[str, str]) -> Pack:
    """Decode a stored or exported pack of any format that was ever accepted, without judging it.

    A part that this version no longer understands counts as the most protective it could mean.
    Raises `PackInvalid` for a form that was never accepted.
    """
    if "pack.toml" not in files:
        raise PackInvalid("A pack is a pack.toml and the files beside it.")
    return _read(files)[0]


def _read(files: Mapping[str, str]) -> tuple[Pack, list[Problem]]:
    reading = _Reading(files)
    number = reading.header.get("format", 1)
    if type(number) is not int or number not in FORMATS:
        known = ", ".join(map(str, FORMATS))
        raise PackInvalid(
            [reading.at("format", f"format {number!r} is unknown; known are {known}")]
        )
    pack = FORMATS[number](reading)
    if pack is None:
        raise PackInvalid([*reading.problems, *reading.judged])
    return pack, reading.judged


def _read_1(reading: _Reading) -> Pack | None:
    """Read a pack of format 1. Returns None if its form has problems."""
    return _read_rules(reading, by_date=False)


def _read_2(reading: _Reading) -> Pack | None:
    """Read a pack of format 2, in which a pending law holds from its day on, by itself."""
    return _read_rules(reading, by_date=True)


def _read_rules(reading: _Reading, *, by_date: bool) -> Pack | None:
    header, files = reading.header, reading.files
    _read_header(reading)
    families, wrong = read_family_rules(header.get("families", {}), reading.at)
    (reading.problems if families is None else reading.judged).extend(wrong)
    own = read_own(header.get("capability", {}), reading.text)
    reading.problems += own.problems
    reading.judged += own.judged
    proof = METHODS[-1] if families is None else families.least_proof
    rule_reader = RuleReader(own.capabilities, by_date=by_date, proof=proof)
    rules: list[Rule] = []
    duties: list[Duty] = []
    for file in sorted(files):
        if file == "tests.toml":
            continue
        raw = header if file == "pack.toml" else parse(file, files[file])
        law = _law_of(file, raw)
        rules_of_file = _rules_of(file, raw, files[file], rule_reader, law)
        duties_of_file, wrong = read_duties(file, raw, files[file], law)
        reading.judged += wrong
        laws = [rule for rule in rules_of_file if rule.place]
        reading.judged += judge_law(file, files[file], [*laws, *duties_of_file])
        rules += rules_of_file
        duties += duties_of_file
    reading.problems += rule_reader.problems
    reading.judged += [*rule_reader.judged, *_repeated(rules)]
    if len(rules) > MAX_RULES:
        reading.judged.append(Problem("pack.toml", 1, "error", f"more than {MAX_RULES} rules"))
    if reading.problems or families is None:
        return None
    return Pack(
        header=header,
        capabilities=_spoken_of(own.capabilities, own.names, rules),
        names=own.names,
        rules=tuple(rules),
        duties=tuple(duties),
        files=files,
        families=families,
    )


def _spoken_of(
    capabilities: Mapping[str, Capability], own: Mapping[str, Any], rules: list[Rule]
) -> dict[str, Capability]:
    """Return the capabilities that a pack knows: its own, and Kinward's that some rule is about.

    What a later Kinward adds is as unknown to an older pack as it was before, and so is denied. A
    contact is known from both sides, or else its other side could not refuse it.
    """
    named = {rule.capability for rule in rules} | set(own)
    return {
        name: capability
        for name, capability in capabilities.items()
        if name in named or capability.counterpart in named
    }


# Never remove a reader or narrow what it accepts. A pack of each format is in
# tests/support/stored, and a format without one fails the tests.
FORMATS: Final[dict[int, Callable[[_Reading], Pack | None]]] = {1: _read_1, 2: _read_2}


def _read_header(reading: _Reading) -> None:
    header, problems, judged = reading.header, reading.problems, reading.judged
    unknown = set(header) - _HEADER
    judged += [reading.at(key, f"unknown key {key!r} in the header") for key in unknown]
    for key, pattern in (("name", _NAME), ("version", _VERSION)):
        value = header.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            what = f"the header needs a {key}, such as 'teen-accounts' or '3.1'"
            problems.append(reading.at(key, what))
    if type(header.get("date")) is not date:
        what = "the header needs the pack's date, such as 2026-11-21"
        problems.append(reading.at("date", what))
    for key, known in (("elsewhere", ELSEWHERE), ("unknown_place", UNKNOWN_PLACE)):
        if header.get(key, known[0]) not in known:
            problems.append(reading.at(key, f"{key} is one of {', '.join(known)}"))
    problems += [
        reading.at("overlays", f"there is no overlay {name!r}")
        for name in _names(header, "overlays")
        if f"overlays/{name}.toml" not in reading.files
    ]
    judged += [
        reading.at("operates_in", f"{place!r} is not an ISO 3166 code")
        for place in _names(header, "operates_in")
        if not isinstance(place, str) or not is_place(place)
    ]


def _names(header: Mapping[str, Any], key: str) -> list[Any]:
    """Return a list of the header. A value that is no list counts as one name."""
    value = header.get(key, [])
    return value if isinstance(value, list) else [value]


def _law_of(file: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the laws of a file have in common: its table `[law]`, its place, its reading."""
    law = dict(raw.get("law", {}))
    if file != "pack.toml":
        law.setdefault("jurisdiction", raw.get("jurisdiction", ""))
        if "checked" in raw:
            law.setdefault("checked", raw["checked"])
    return law


def _rules_of(
    file: str, raw: Mapping[str, Any], text: str, reader: RuleReader, law: Mapping[str, Any]
) -> list[Rule]:
    """Read the rules of one file. An overlay's are for its jurisdiction unless they name one."""
    if file != "pack.toml":
        reader.judged += [
            Problem(file, line_of(text, key), "error", f"unknown key {key!r} in an overlay")
            for key in set(raw) - _OVERLAY
        ]
        if not isinstance(raw.get("title"), str):
            reader.judged.append(Problem(file, 1, "error", "an overlay has a title"))
    raw_rules = raw.get("rule", [])
    if not isinstance(raw_rules, list) or not all(isinstance(row, dict) for row in raw_rules):
        reader.problems.append(Problem(file, 1, "error", "rules are tables: [[rule]]"))
        return []
    lines = list(tables(text, "rule"))
    rules: list[Rule] = []
    for number, row in enumerate(raw_rules):
        line, keys = lines[number] if number < len(lines) else (1, {})
        place = Place(file, line, keys)
        rules_of_row = list(reader.read(row, place, law))
        for rule in rules_of_row:
            if not rule.place and file != "pack.toml":
                reader.problems.append(
                    place.error("jurisdiction", "a rule of an overlay has a jurisdiction")
                )
        rules += rules_of_row
    return rules


def _repeated(rules: list[Rule]) -> list[Problem]:
    seen: dict[tuple[str, str, str], Rule] = {}
    problems = []
    for rule in rules:
        key = (rule.id, rule.capability, rule.place)
        if key in seen:
            text = f"the id {rule.id!r} is taken by {seen[key].file}:{seen[key].line}"
            problems.append(Problem(rule.file, rule.line, "error", text))
        seen[key] = rule
    return problems
