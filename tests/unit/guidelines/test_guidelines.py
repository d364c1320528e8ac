"""The guidelines as data: what a document must say, and what follows from it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.guidelines.consequences import SEVERITY, consequence, rule_for, step_at
from kinward.guidelines.reading import (
    GuidelinesInvalid,
    guidelines_notices,
    read_guidelines,
    shipped,
)
from kinward.guidelines.rules import CATEGORIES, OnVerdictAccount
from kinward.policy.sentences import LANGUAGES

BEGINNING = read_guidelines(shipped())
BY_RULE = """
[[finding]]
id = "exact-verified-match"
confidence = "verified"
exact = true
verdict = "CS-1"
within_hours = 24
"""


def changed(*changes: tuple[str, str]) -> str:
    """The document that Kinward begins with, with some of its text replaced."""
    text = shipped()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def before_the_first_rule(rule: str) -> str:
    return changed(
        ('[[finding]]\nid = "verified-match"', f'{rule}\n[[finding]]\nid = "verified-match"')
    )


def test_the_document_that_kinward_begins_with_is_right() -> None:
    assert guidelines_notices(shipped()) == []
    for clause in BEGINNING.clause:
        assert set(clause.title) == set(clause.text) == set(LANGUAGES)
        assert len({clause.says(language) for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"suspend"\npriority', '"terminate"\npriority'), "finding[0].account"),
        (("within_hours = 72", "within_hours = 0"), "within_hours is from 1"),
        (('content = "quarantine"', 'content = "remove"'), "finding[0].content"),
        (('"unverified"\n', '"unverified"\naccount = "suspend"\n'), "nobody is suspended"),
        (('"abuse", "harm"', '"abuse", "harms"'), "unknown: harms"),
        (("hours = 168", 'hours = 168\ncontent = "quarantine"'), "never acts by itself"),
        (("within_hours = 168", "within_hours = 168\nexact = true"), "never exact"),
        (('id = "other-report"', 'id = "danger"'), "danger is there twice"),
        (('other-report"\nconfidence = "reported"', 'x"\nconfidence = "verified"'), "'bullying'"),
        (("at = 3", "at = 2"), "steps go upwards"),
        (('capabilities = ["dm.send", "comment.send", "live.host"]\n', ""), "names capabilities"),
        (('"live.host"]', '"Live Host"]'), "not a capability"),
        (("days = 30\n\n[[strikes", "days = 9999\n\n[[strikes"), "days are from 0"),
        (('code = "CS-2"', 'code = "CS-1"'), "CS-1 is there twice"),
        (('code = "CS-2"', 'code = "grooming"'), "two to four capitals"),
        (("strikes = 2", 'strikes = 2\naccount = "warn"'), "either `account` or `strikes`"),
        (('content = "remove everywhere"', 'content = "keep"'), "is also removed"),
        (("strikes = 2", "strikes = 2\nblock_registration = true"), "kept from a new one"),
        (("{ days = 30, why", "{ days = 0, why"), "silence.days"),
        (('why = "Telling could', 'why = "" # "Telling could'), "not TOML"),
        (('sv = "Ingen grooming', 'da = "Ingen grooming'), "title: da is not one of"),
        (('en = "No grooming or enticement"', 'en = " "'), "title is missing in 'en'"),
        (('sv = "Ingen grooming', 'sv = "' + "x" * 121), "title in 'sv' has at most 120"),
        (('name = "community-guidelines"', 'name = "Our Rules"'), "a name has"),
        (("appeal_days = 183", "appeal_days = 0"), "appeal_days is from 1"),
        (("decay_days = 180", "decay_days = 0"), "decay_days is from 1"),
        (("format = 1", "format = 2"), "format"),
        (('code = "SF-3"', 'code = "SF-3"\ncolour = "blue"'), "colour"),
    ],
)  # fmt: skip
def test_what_a_document_gets_wrong_is_said_with_its_line(
    change: tuple[str, str], said: str
) -> None:
    text = changed(change)
    with pytest.raises(GuidelinesInvalid) as caught:
        read_guidelines(text)
    assert said in str(caught.value)
    assert all(problem.line >= 1 for problem in caught.value.problems)
    errors = [problem for problem in guidelines_notices(text) if problem.level == "error"]
    assert errors == caught.value.problems


def test_a_problem_names_the_line_of_its_key() -> None:
    text = changed(("strikes = 2", "strikes = 200"))
    (problem,) = guidelines_notices(text)
    assert text.splitlines()[problem.line - 1] == "strikes = 200"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("exact = true", "exact = false"), "only an exact match"),
        (("exact = true\n", ""), "only an exact match"),
        (('confidence = "verified"', 'confidence = "unverified"'), "only an exact match"),
        (('verdict = "CS-1"', 'verdict = "CS-9"'), "no clause CS-9"),
    ],
)
def test_only_an_exact_match_with_a_verified_bank_is_a_verdict(
    wrong: tuple[str, str], said: str
) -> None:
    read = read_guidelines(before_the_first_rule(BY_RULE))
    assert rule_for(read, "verified", exact=True).verdict == "CS-1"
    assert rule_for(read, "verified", exact=False).verdict == ""
    with pytest.raises(GuidelinesInvalid, match=said):
        read_guidelines(before_the_first_rule(BY_RULE.replace(*wrong)))


def test_a_report_that_keeps_the_account_is_worth_a_second_look() -> None:
    text = changed(('account = "terminate"\nreport = "imagery"\nblock_registration = true',
                    'account = "suspend"\nreport = "imagery"'))  # fmt: skip
    (notice,) = guidelines_notices(text)
    assert notice.level == "notice"
    assert "the account goes on" in notice.text
    read_guidelines(text)


def test_every_finding_has_a_rule_and_none_is_final() -> None:
    rules = [rule_for(BEGINNING, "reported", category=each) for each in CATEGORIES]
    assert all((rule.content, rule.account, rule.verdict) == ("keep", "keep", "") for rule in rules)
    assert rule_for(BEGINNING, "reported", category="abuse").priority == "imminent"
    assert rule_for(BEGINNING, "verified").account == "suspend"
    assert rule_for(BEGINNING, "unverified").account == "keep"


def test_a_kind_of_finding_that_is_newer_than_the_guidelines_names_itself_as_the_rule() -> None:
    bare = msgspec.structs.replace(BEGINNING, finding=())
    match, report = rule_for(bare, "verified"), rule_for(bare, "reported")
    assert (match.id, match.content) == ("newer-than-guidelines", "quarantine")
    assert (report.id, report.content) == ("newer-than-guidelines", "keep")
    for rule in (match, report):
        assert (rule.priority, rule.within_hours) == ("imminent", 1)


@pytest.mark.parametrize("account", SEVERITY)
def test_only_who_loses_the_account_is_kept_from_a_new_one(account: OnVerdictAccount) -> None:
    """Whatever a document that was stored under earlier rules says."""
    clause = msgspec.structs.replace(
        BEGINNING.clauses["CS-1"], account=account, block_registration=True, strikes=0
    )
    found = consequence(BEGINNING, clause, 0)
    assert found.account == account
    assert found.blocks_registration == (account == "terminate")


def test_strikes_come_to_more_the_more_there_are() -> None:
    steps = [step_at(BEGINNING, count).account for count in range(8)]
    assert steps == [
        "keep",
        "warn",
        "restrict",
        "suspend",
        "suspend",
        "terminate",
        "terminate",
        "terminate",
    ]


@given(
    before=st.integers(0, 200),
    more=st.integers(0, 200),
    code=st.sampled_from(sorted(BEGINNING.clauses)),
)
def test_more_strikes_never_come_to_less(before: int, more: int, code: str) -> None:
    clause = BEGINNING.clauses[code]
    one = consequence(BEGINNING, clause, before)
    other = consequence(BEGINNING, clause, before + more)
    assert SEVERITY.index(other.account) >= SEVERITY.index(one.account)
    assert other.reports == (clause.report is not None)
    assert not other.blocks_registration or other.account == "terminate"


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read: object = read_guidelines(text)
    except GuidelinesInvalid as error:
        read = error.problems
    assert read
