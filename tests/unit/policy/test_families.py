"""What a pack says of families, and settings that differ by weekday."""

from datetime import datetime

import pytest

from kinward.policy.ages import AgeRange
from kinward.policy.bounds import bounds_in_general
from kinward.policy.engine import decide
from kinward.policy.families import FamilyRules
from kinward.policy.pack import Pack, decode_pack
from kinward.policy.problems import PackInvalid
from kinward.policy.question import Person
from kinward.policy.signed import load_pack
from kinward.policy.sources import read_files

MONDAY, SATURDAY = datetime(2026, 11, 16, 12), datetime(2026, 11, 21, 12)
WEEK = (30, 30, 30, 30, 30, 90, 90)


def with_families(text: str) -> dict[str, str]:
    files = dict(read_files("teen-accounts"))
    header, _, rest = files["pack.toml"].partition("[families]")
    files["pack.toml"] = header + f"[families]\n{text}\n" + rest[rest.index("# ---- under 13") :]
    return files


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("guardian_age = 16", "a guardian is an adult"),
        ('guardian_assurance = "sure"', "guardian_assurance is one of"),
        ('guardian_proof = "word"', "guardian_proof is one of declared"),
        ("until = 21", "until is the age"),
        ("notice_hours = 100000", "notice_hours is 0 to"),
        ('guardian_sees = ["messages_text"]', "never content"),
        ('guardian_sees = ["minutes"]', "guardian_sees is settings, asks"),
        ("colour = 1", "unknown field"),
        ('notice_hours = "long"', "Expected `int`"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, says: str) -> None:
    with pytest.raises(PackInvalid) as refused:
        load_pack(with_families(text))
    assert says in str(refused.value)
    assert "pack.toml:" in str(refused.value)


def test_who_may_guard_and_be_guarded() -> None:
    rules = load_pack("teen-accounts").families
    assert rules.may_guard(AgeRange(18, 150, "test", "estimated"))
    assert not rules.may_guard(AgeRange(18, 150, "test", "declared"))
    assert not rules.may_guard(AgeRange(17, 150, "test", "verified"))
    assert rules.may_be_guarded(AgeRange(0, 150))
    assert not rules.may_be_guarded(AgeRange(18, 19))
    assert rules.leaves_at_once(AgeRange(16, 18))
    assert not rules.leaves_at_once(AgeRange(15, 18))
    assert FamilyRules().notice_hours == 48


def test_a_week_counts_by_its_day_and_strictly_without_one() -> None:
    pack, teen = load_pack("teen-accounts"), Person(AgeRange(15, 16))
    for at, value in ((MONDAY, 30), (SATURDAY, 90), (None, 30)):
        decision = decide(pack, "session.time", teen, at=at, guardian=WEEK)
        assert decision.value == value
        assert decision.layer == "guardian"
    odd = decide(pack, "session.time", teen, guardian=WEEK[:6])
    assert (odd.effect, [each.code for each in odd.reasons]) == (
        "deny",
        ["state.unavailable", "setting.invalid"],
    )


def test_a_week_never_permits_more_than_its_loosest_day() -> None:
    pack, teen = load_pack("teen-accounts"), Person(AgeRange(15, 16))
    hours = ("08:00-20:00",) * 5 + ("10:00-22:00",) * 2
    general = decide(pack, "session.hours", teen, guardian=hours)
    assert general.value == "10:00-20:00"
    assert decide(pack, "session.hours", teen, at=SATURDAY, guardian=hours).value == "10:00-22:00"


# ---- the proof of a guardian


def least(pack: Pack, capability: str, age: int, place: str = "") -> str:
    bounds = bounds_in_general(pack.ruling, capability, Person(AgeRange(age, age + 1), place))
    assert bounds is not None
    return bounds.proof


def with_proof(line: str) -> dict[str, str]:
    """The shipped pack, in which one rule about guardians names a proof."""
    files = dict(read_files("teen-accounts"))
    rule = 'id = "profile-13-15"\n'
    assert rule in files["pack.toml"]
    files["pack.toml"] = files["pack.toml"].replace(rule, f"{rule}{line}\n")
    return files


def test_a_pack_names_the_least_proof_for_each_capability_and_law() -> None:
    pack = load_pack("teen-accounts")
    assert least(pack, "purchase.make", 15) == "card"
    assert least(pack, "account.join", 15, "BR") == "id"
    assert least(pack, "account.join", 15, "DE") == "", "no guardian moves it there"
    own = load_pack(with_proof('proof = "court"'))
    assert least(own, "profile.private", 15) == "court"
    assert least(own, "profile.private", 16) == "card"
    weaker = load_pack(with_proof('proof = "declared"'))
    assert least(weaker, "profile.private", 15) == "declared"


def test_of_the_rules_that_apply_the_strongest_proof_counts() -> None:
    pack = load_pack(with_proof('proof = "court"'))
    bounds = bounds_in_general(pack.ruling, "profile.private", Person(AgeRange(13, 18)))
    assert bounds is not None
    assert bounds.proof == "court", "an age that is not known asks for the proof of each"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('proof = "word"', "proof is one of declared"),
        ("proof = 3", "proof is one of declared"),
    ],
)
def test_a_rule_with_no_such_proof_is_refused_with_its_line(line: str, says: str) -> None:
    with pytest.raises(PackInvalid) as refused:
        load_pack(with_proof(line))
    assert says in str(refused.value)


def test_a_proof_is_for_a_rule_that_a_guardian_moves() -> None:
    files = dict(read_files("teen-accounts"))
    rule = 'id = "messages-from-16"\n'
    files["pack.toml"] = files["pack.toml"].replace(rule, f'{rule}proof = "card"\n')
    with pytest.raises(PackInvalid, match="a rule that a guardian may move"):
        load_pack(files)


def test_a_pack_from_before_asks_for_none_and_an_unknown_word_for_the_strongest() -> None:
    earlier = decode_pack(read_files("teen-accounts 2026.11"))
    assert earlier.families.least_proof == least(earlier, "purchase.make", 15) == ""
    assert FamilyRules(guardian_proof="oath").least_proof == "court"
