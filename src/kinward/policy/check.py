"""`kinward policy check`: the errors in a pack beyond its form, and the tests beside it."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec

from kinward.policy.ages import ASSURANCES, MAX_AGE, AgeRange
from kinward.policy.bounds import combine
from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.decision import Decision
from kinward.policy.engine import decide
from kinward.policy.law import reading_problems, unverified_problems
from kinward.policy.opening import CLOSES_THE_APP
from kinward.policy.pack import Pack, judge_pack
from kinward.policy.places import within
from kinward.policy.problems import PackInvalid, Problem
from kinward.policy.question import Person
from kinward.policy.rules import Rule
from kinward.policy.sources import line_of, parse, tables
from kinward.policy.values import HOURS, MINUTES, ValueKind

MAX_TESTS: Final = 2000
_TEST_KEYS: Final = {
    *("name", "capability", "ages", "age", "jurisdiction", "assurance", "relationship", "at"),
    *("joined", "other_age", "other_self", "guardian", "self", "expect"),
}
_EXPECT_KEYS: Final = {"effect", "value", "layer", "reasons", "obligations"}


def require_sound(files: Mapping[str, str], *, today: date) -> None:
    """Raise `PackInvalid` with every error in a pack by today's rules, if there are any."""
    errors = [problem for problem in check_pack(files, today=today) if problem.level == "error"]
    if errors:
        raise PackInvalid(errors)


def check_pack(files: Mapping[str, str], *, today: date) -> list[Problem]:
    """List every problem of a pack. A pack whose form is wrong has no others."""
    try:
        pack, notices = judge_pack(files)
    except PackInvalid as error:
        return error.problems or [Problem("pack.toml", 1, "error", error.detail)]
    problems = [*notices, *_never(pack, today), *_contradictions(pack), *_uncovered(pack)]
    problems += [
        *_closable(pack),
        *_unspoken(pack),
        *unverified_problems(pack),
        *reading_problems(pack, today),
    ]
    problems += run_tests(pack)
    return sorted(set(problems))  # a rule about many capabilities has one notice


def _never(pack: Pack, today: date) -> Iterator[Problem]:
    """Complain about rules that never apply or never decide, and about laws whose day has come."""
    for rule in pack.rules:
        if rule.ends <= pack.date:
            yield _at(rule, "error", f"{rule.id} can never apply: it ended on {rule.ends}")
        elif rule.status == "pending" and date.min < rule.starts <= today:
            yield _at(
                rule, "notice", f"{rule.id} is pending, and its day, {rule.starts}, has come: check"
            )
        elif not rule.place and rule.status == "in force" and _is_idle(pack, rule):
            yield _at(
                rule,
                "notice",
                f"{rule.id} never decides {rule.capability}: stricter rules cover all it covers",
            )


def _is_idle(pack: Pack, rule: Rule) -> bool:
    """Return whether removing a rule would change no default and no bound anywhere."""
    kind = pack.capabilities[rule.capability].kind
    others = [
        other
        for other in pack.rules
        if other.capability == rule.capability and other.status == "in force" and other is not rule
    ]
    edges = sorted({edge for r in (*others, rule) for edge in (r.lower, r.upper)})
    for lower in (edge for edge in edges if rule.lower <= edge < rule.upper):
        # A rule is most decisive where only rules without further conditions apply beside it.
        beside = [
            other
            for other in others
            if other.lower <= lower < other.upper and other.is_plain and not other.place
        ]
        if not beside or combine(kind, beside) != combine(kind, [*beside, rule]):
            return False
        if set(rule.obligations) - {name for other in beside for name in other.obligations}:
            return False
    return True


def _contradictions(pack: Pack) -> Iterator[Problem]:
    """Complain about two rules for the same people whose bounds share no value."""
    for number, first in enumerate(pack.rules):
        kind = pack.capabilities[first.capability].kind
        for second in pack.rules[number + 1 :]:
            if second.capability != first.capability or not _meet(first, second):
                continue
            if not _share(kind, first, second):
                yield _at(
                    second,
                    "error",
                    f"the bounds of {second.id} contradict those of {first.id} "
                    f"({first.file}:{first.line}): {_span(kind, second)} and {_span(kind, first)}",
                )


def _meet(a: Rule, b: Rule) -> bool:
    """Return whether two rules have the same origin and could apply to one person."""
    return (
        a.place == b.place
        and max(a.lower, b.lower) < min(a.upper, b.upper)
        and max(a.other_lower, b.other_lower) < min(a.other_upper, b.other_upper)
        and max(a.starts, b.starts) < min(a.ends, b.ends)
        and bool(a.relationships & b.relationships)
        and a.status == b.status == "in force"
        and not (a.place and b.place)  # laws cannot contradict: their floor is the bottom
        and a.is_plain == b.is_plain  # a special case may leave a general rule's bounds
    )


def _share(kind: ValueKind, a: Rule, b: Rule) -> bool:
    floor, cap = kind.loosest(a.floor, b.floor), kind.strictest(a.cap, b.cap)
    return kind.strictest(floor, cap) == floor


def _span(kind: ValueKind, rule: Rule) -> str:
    return f"{kind.value(rule.floor)!r} to {kind.value(rule.cap)!r}"


def _uncovered(pack: Pack) -> Iterator[Problem]:
    """Complain about ages without a rule of the platform and its places without an overlay."""
    ruling, text = pack.ruling, pack.files["pack.toml"]
    for name, bands in sorted(ruling.uncovered.items()):
        for start, end in _spans(sorted(bands)):
            ages = f"{ruling.edges[start]} to below {ruling.edges[end]}"
            yield Problem(
                "pack.toml",
                _last_rule(pack, name) or line_of(text, "name"),
                "error",
                f"{name}: no rule of the platform says what holds for ages {ages}",
            )
    law = {rule.place for rule in pack.rules if rule.place}
    for place in pack.operates_in:
        if not within(place) & law:
            yield Problem(
                "pack.toml",
                line_of(text, "operates_in"),
                "error",
                f"the platform operates in {place}, and no overlay covers it",
            )


def _closable(pack: Pack) -> Iterator[Problem]:
    """Tell of rules under which a guardian could close the app altogether."""
    for rule in pack.rules:
        kind = pack.capabilities[rule.capability].kind
        closes = rule.capability in CLOSES_THE_APP and kind in (HOURS, MINUTES)
        if closes and rule.guardian and rule.floor == kind.strictest_code:
            what = "lets a guardian close the app altogether: give it a lower bound"
            yield _at(rule, "notice", f"{rule.id} {what}")


def _unspoken(pack: Pack) -> Iterator[Problem]:
    """Tell of Kinward's capabilities that a pack has no rule about, and so denies."""
    missing = sorted(set(CAPABILITIES) - set(pack.capabilities))
    if missing:
        what = f"no rule speaks of these, so they are denied: {', '.join(missing)}"
        yield Problem("pack.toml", line_of(pack.files["pack.toml"], "name"), "notice", what)


def _spans(bands: list[int]) -> Iterator[tuple[int, int]]:
    start = None
    for number, band in enumerate(bands):
        start = band if start is None else start
        if number + 1 == len(bands) or bands[number + 1] != band + 1:
            yield start, band + 1
            start = None


def _last_rule(pack: Pack, name: str) -> int:
    return max((r.line for r in pack.rules if r.capability == name and not r.place), default=0)


def _at(rule: Rule, level: Any, text: str) -> Problem:
    return Problem(rule.file, rule.line, level, text)


class Failure(msgspec.Struct, frozen=True):
    """A failed test: its number (from 0), the key of its expectation, and the value that came."""

    number: int
    line: int
    key: str
    got: Any
    text: str


def run_tests(pack: Pack) -> list[Problem]:
    """Run the tests beside a pack, and return each failure as a problem at its line."""
    if "tests.toml" not in pack.files:
        return [Problem("tests.toml", 1, "notice", "the pack has no tests beside it")]
    try:
        return [
            Problem("tests.toml", failure.line, "error", failure.text)
            for failure in pack_failures(pack)
        ]
    except PackInvalid as error:
        return error.problems


def pack_failures(pack: Pack) -> list[Failure]:
    """Run the tests beside a pack, and return the failures.

    Raises `PackInvalid` for a malformed test.
    """
    text = pack.files.get("tests.toml", "")
    tests = parse("tests.toml", text).get("test", [])
    lines = [line for line, _ in tables(text, "test")]
    if not isinstance(tests, list) or len(tests) > MAX_TESTS:
        what = f"tests are at most {MAX_TESTS} tables [[test]]"
        raise PackInvalid([Problem("tests.toml", 1, "error", what)])
    failures: list[Failure] = []
    for number, test in enumerate(tests):
        line = lines[number] if number < len(lines) else 1
        try:
            for key, got, complaint in _failures(pack, test):
                failures.append(Failure(number, line, key, got, complaint))
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            what = f"this is not a test: {error}"
            raise PackInvalid([Problem("tests.toml", line, "error", what)]) from error
    return failures


def _failures(pack: Pack, test: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    expect = test.get("expect")
    if unknown := set(test) - _TEST_KEYS:
        raise ValueError(f"unknown key {min(unknown)!r}")
    if not isinstance(expect, dict) or not expect or set(expect) - _EXPECT_KEYS:
        raise ValueError(f"expect is some of {', '.join(sorted(_EXPECT_KEYS))}")
    names = test["capability"] if isinstance(test["capability"], list) else [test["capability"]]
    for name in names:
        for lower, upper in _ranges(test):
            decision = _decision(pack, test, name, AgeRange(lower, upper, "test", _sure(test)))
            got = decision.as_dict()
            got["reasons"] = [reason.code for reason in decision.reasons]
            got["obligations"] = list(decision.obligations)
            for key, wanted in expect.items():
                if got[key] != wanted:
                    label = test.get("name", "a test")
                    text = f"{label}: {name} at {lower} is {key} {got[key]!r}, not {wanted!r}"
                    yield key, got[key], text


def _ranges(test: Mapping[str, Any]) -> list[tuple[int, int]]:
    if "ages" in test:
        return [(age, age + 1) for age in test["ages"]]
    lower, upper = test.get("age", (0, MAX_AGE))
    return [(lower, upper)]


def _sure(test: Mapping[str, Any]) -> Any:
    sure = test.get("assurance", "declared")
    if sure not in ASSURANCES:
        raise ValueError(f"assurance is one of {', '.join(ASSURANCES)}")
    return sure


def _decision(pack: Pack, test: Mapping[str, Any], name: str, age: AgeRange) -> Decision:
    at, other = test.get("at"), test.get("other_age")
    if at is not None and not isinstance(at, datetime):
        raise ValueError("at is a date and time")
    joined = test.get("joined")
    if joined is not None and type(joined) is not date:
        raise ValueError("joined is a date")
    return decide(
        pack,
        name,
        Person(age, test.get("jurisdiction", ""), joined=joined),
        target=None if other is None else Person(AgeRange(*other)),
        relationship=test.get("relationship"),
        at=at,
        guardian=test.get("guardian"),
        self_=test.get("self"),
        target_self=test.get("other_self"),
    )
