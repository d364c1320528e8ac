"""Each kind of finding is one class, and runs over its examples."""

from itertools import combinations
from typing import get_args

import msgspec
import pytest

from kinward.casebook import kinds
from kinward.casebook.kinds import FINDING_KINDS, FindingKind
from kinward.casebook.models import SOURCES, Finding
from kinward.findings.user_reports import USER_REPORT_CATEGORIES
from kinward.guidelines import Confidence, read_guidelines
from kinward.guidelines.reading import shipped
from kinward.guidelines.rules import BY_PEOPLE, CATEGORIES
from tests.support.sensed import EXAMPLES, WHEN

EVERY = pytest.mark.parametrize("kind", FINDING_KINDS.values(), ids=lambda kind: kind.name)


def concrete(base: type) -> set[type]:
    direct: set[type] = set(base.__subclasses__())
    named = {cls for cls in direct if "name" in vars(cls) and cls.__module__ == kinds.__name__}
    return named.union(*map(concrete, direct))


def examples(kind: FindingKind) -> list[Finding]:
    return EXAMPLES[kind.name]()


def test_every_class_of_a_kind_is_in_the_registry_once() -> None:
    assert concrete(FindingKind) == {type(kind) for kind in FINDING_KINDS.values()}
    assert list(FINDING_KINDS) == [kind.name for kind in FINDING_KINDS.values()]


def test_every_kind_has_examples() -> None:
    assert list(EXAMPLES) == list(FINDING_KINDS)
    assert all(make() for make in EXAMPLES.values())


@EVERY
def test_an_example_knows_its_kind_and_its_moment(kind: FindingKind) -> None:
    for finding in examples(kind):
        assert finding.kind == kind.name
        assert finding.at >= WHEN
        assert finding.at.tzinfo is not None


@EVERY
def test_each_kind_has_reasons_for_a_reviewer(kind: FindingKind) -> None:
    for finding in examples(kind):
        reasons = kind.in_words(finding)
        assert reasons
        for reason in reasons:
            assert reason.text.endswith(".")
            assert reason.verified == (finding.confidence == "verified")


def test_no_two_kinds_have_the_same_words() -> None:
    words = {
        kind.name: {reason.text for finding in examples(kind) for reason in kind.in_words(finding)}
        for kind in FINDING_KINDS.values()
    }
    for one, other in combinations(words, 2):
        assert not words[one] & words[other], (one, other)


@EVERY
def test_each_kind_is_counted_in_words(kind: FindingKind) -> None:
    assert kind.tally in FINDING_KINDS
    for finding in examples(kind):
        one, many = (kind.counted(finding.confidence, count) for count in (1, 4711))
        assert one.startswith("1 ")
        assert many.startswith("4711 ")
        assert one[2:] != many[5:], "the plural"


@EVERY
def test_no_two_tallies_have_the_same_words(kind: FindingKind) -> None:
    own = {kind.counted(finding.confidence, 1) for finding in examples(kind)}
    for other in FINDING_KINDS.values():
        theirs = {other.counted(finding.confidence, 1) for finding in examples(other)}
        assert bool(own & theirs) == (kind.tally == other.tally)


@EVERY
def test_the_shipped_guidelines_have_a_rule_for_each_kind(kind: FindingKind) -> None:
    guidelines = read_guidelines(shipped())
    for finding in examples(kind):
        rule = kind.rule(guidelines, finding)
        assert rule in guidelines.finding
        assert rule.confidence == finding.confidence
        assert kind.by_person == (finding.confidence in BY_PEOPLE), "a person never acts by itself"
        if kind.by_person:
            assert (rule.content, rule.account, rule.verdict) == ("keep", "keep", "")


@EVERY
def test_a_finding_that_waits_holds_its_content_and_nothing_else(kind: FindingKind) -> None:
    shipped_rules = read_guidelines(shipped())
    severe = tuple(
        msgspec.structs.replace(rule, content="keep", account="suspend", verdict="CS-1")
        for rule in shipped_rules.finding
    )
    guidelines = msgspec.structs.replace(shipped_rules, finding=severe)
    for finding in examples(kind):
        rule = kind.rule(guidelines, finding)
        assert (rule.content, rule.account, rule.verdict) == ("keep", "suspend", "CS-1")
        finding.waits = True
        held = kind.rule(guidelines, finding)
        assert (held.content, held.account, held.verdict) == ("quarantine", "keep", "")
        assert (held.id, held.within_hours) == (rule.id, rule.within_hours)


def test_every_word_of_the_guidelines_for_a_finding_is_asked_for() -> None:
    asked = {
        kind.asks(finding).confidence
        for kind in FINDING_KINDS.values()
        for finding in examples(kind)
    }
    assert asked == set(get_args(Confidence))
    assert set(CATEGORIES) == set(USER_REPORT_CATEGORIES)


@EVERY
def test_what_no_file_shows_is_told_to_an_authority_in_words(kind: FindingKind) -> None:
    for finding in examples(kind):
        lines = kind.for_authority(finding)
        assert bool(lines) != kind.of_file
        assert all(line.endswith(".") for line in lines)


@EVERY
def test_a_kind_has_a_source_row_or_none(kind: FindingKind) -> None:
    fields = [field for field, names in SOURCES.items() if kind.name in names]
    assert len(fields) <= 1
    for finding in examples(kind):
        assert [field for field in SOURCES if getattr(finding, field) is not None] == fields


def test_every_source_is_of_a_kind_that_is_there() -> None:
    assert {name for names in SOURCES.values() for name in names} <= set(FINDING_KINDS)
