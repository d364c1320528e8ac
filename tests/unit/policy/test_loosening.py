"""Each adapter of age signals: no unknown, missing or contradictory field ever loosens.

Each test begins with an answer as its interface gives it, and breaks it in some way. What comes of
it is refused, or knows no more than the whole answer said, and proves it no better.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.policy import (
    SIGNALS_CHECKED,
    AgeRange,
    change_from_apple,
    consent_from_google,
    from_agekey,
    from_apple,
    from_estimate,
    from_eu_wallet,
    from_google,
    from_openid4vp,
)
from kinward.policy.ages import ASSURANCES
from kinward.policy.borders import STRENGTHS

Reader = Callable[..., AgeRange]
Answers = st.SearchStrategy[dict[str, Any]]


def bounds(lower: str, upper: str) -> Answers:
    """Inclusive bounds, either of which may be missing."""
    pairs = st.sampled_from([(0, 12), (13, 15), (16, 17), (18, None), (None, 12)])
    return pairs.map(lambda pair: {lower: pair[0], upper: pair[1]})


def joined(*parts: Answers) -> Answers:
    def join(found: tuple[dict[str, Any], ...]) -> dict[str, Any]:
        return {name: value for part in found for name, value in part.items()}

    return st.tuples(*parts).map(join)


def one(name: str, *values: Any) -> Answers:
    return st.sampled_from(values).map(lambda value: {name: value})


AGES: Final = bounds("ageLower", "ageUpper")
TIERS: Final = ("TIER_A", "TIER_B", "TIER_C", "TIER_D")
CHANGES: Final = one("significantChangeStatus", None, "APPROVED", "PENDING", "DECLINED", 1, 2, 3)
PLAY: Final = joined(
    one("ageSignalsStatus", "SHARED"), one("ageRangeSource", *TIERS), AGES, CHANGES
)
PLAY_IN_INTEGERS: Final = joined(
    one("ageSignalsStatus", 1), one("ageRangeSource", 1, 2, 3, 4), AGES
)
PLAY_KEEPS: Final = one("ageSignalsStatus", "NOT_SHARED", "VERIFICATION_REQUIRED", 2, 3)
OLD_PLAY: Final = joined(
    one("userStatus", "SUPERVISED", "SUPERVISED_APPROVAL_DENIED", "DECLARED", "UNKNOWN", 1, 2, 5),
    AGES,
)
OLD_ADULT: Final = one("userStatus", "VERIFIED", 0)
APPLE: Final = joined(
    bounds("lowerBound", "upperBound"),
    one("ageRangeDeclaration", "selfDeclared", "guardianDeclared", "governmentIDChecked"),
)
CLAIMS: Final = st.sampled_from(
    [
        {"age_over_18": True},
        {"age_over_18": False},
        {"age_over_13": True, "age_over_16": True, "age_over_18": False},
    ]
)
REACHED: Final = st.sampled_from(
    [{"13": True, "18": False}, {"16": True, "18": True}, {"18": False}]
)
THRESHOLDS: Final = REACHED.map(lambda ages: {"age_thresholds": ages, "iss": "https://a.example"})
JUNK: Final = st.one_of(  # no true and no false, which are words of a wallet
    st.none(),
    st.integers(-9, -1),
    st.integers(200, 2**70),
    st.floats(),
    st.text(max_size=6).map(lambda text: f"{text}?"),
    st.lists(st.just("TIER_D"), max_size=2),
    st.just({"TIER_D": True}),
)
# What stands beside an answer and says something else. It takes the place of nothing.
CONTRADICTIONS: Final[Mapping[Callable[..., Any], list[dict[str, Any]]]] = {
    from_google: [
        {"userStatus": "VERIFIED"},
        {"userStatus": 0},
        {"userStatus": "DECLARED"},
        {"ageRangeSource": "TIER_D"},
        {"ageRangeSource": "TIER_D", "ageSignalsStatus": "SHARED"},
        {"ageSignalsStatus": "NOT_SHARED"},
        {"significantChangeStatus": "APPROVED", "significantChangeApprovalDate": "2099-01-01"},
    ],
    from_apple: [{"declined": True}, {"declined": "no"}, {"activeParentalControls": {"x": 1}}],
    from_openid4vp: [{"age_in_years": 40}, {"age_over_21": None}],
    from_eu_wallet: [{"age_in_years": 40}, {"age_over_21": None}],
    change_from_apple: [{"approved": True}, {"answer": "approval"}, {"result": "askToApprove"}],
    from_agekey: [{"age": 40}, {"birthdate": "1980-01-01"}, {"age_over_18": True}],
}
ADAPTERS: Final = [
    ("Play, names", from_google, PLAY),
    ("Play, integers", from_google, PLAY_IN_INTEGERS),
    ("Play, nothing shared", from_google, PLAY_KEEPS),
    ("Play until 0.0.3", from_google, OLD_PLAY),
    ("Play until 0.0.3, an adult", from_google, OLD_ADULT),
    ("Apple", from_apple, APPLE),
    ("a wallet, verified by the platform", from_openid4vp, CLAIMS),
    ("a wallet, verified here", from_eu_wallet, CLAIMS),
    ("an age key", from_agekey, THRESHOLDS),
]


def broken(
    data: st.DataObject, answer: dict[str, Any], reader: Callable[..., Any]
) -> dict[str, Any]:
    """Break an answer: fields of it are missing or junk, or others contradict it or are new."""
    more = data.draw(st.dictionaries(st.text(min_size=1, max_size=9), JUNK, max_size=3), "new")
    if data.draw(st.booleans(), "contradictory"):
        beside = data.draw(st.sampled_from(CONTRADICTIONS[reader]))
        return {**more, **beside, **answer}
    names = sorted(answer)
    gone = data.draw(st.sets(st.sampled_from(names)), "missing")
    spoilt = data.draw(st.sets(st.sampled_from(names)), "junk")
    junk = {name: data.draw(JUNK) for name in spoilt}
    return more | {name: junk.get(name, answer[name]) for name in names if name not in gone}


@pytest.mark.parametrize(("name", "reader", "answers"), ADAPTERS)
@given(data=st.data())
def test_a_broken_answer_knows_no_more_than_the_whole_one(
    name: str, reader: Reader, answers: Answers, data: st.DataObject
) -> None:
    whole = data.draw(answers)
    said = reader(whole)
    sent = broken(data, whole, reader)
    try:
        read = reader(sent)
    except ValueError:  # refused, and the platform is told so
        return
    assert read.lower <= said.lower
    assert read.upper >= said.upper
    for order in (ASSURANCES, STRENGTHS):
        assert order.index(read.assurance) <= order.index(said.assurance)


@given(data=st.data())
def test_a_broken_threshold_of_an_age_key_is_none(data: st.DataObject) -> None:
    thresholds = data.draw(REACHED)
    said = from_agekey({"age_thresholds": thresholds})
    gone = data.draw(st.sets(st.sampled_from(sorted(thresholds))))
    spoilt = data.draw(st.sets(st.sampled_from(sorted(thresholds))))
    junk = {age: data.draw(JUNK) for age in spoilt}
    sent = {age: junk.get(age, held) for age, held in thresholds.items() if age not in gone}
    try:
        read = from_agekey({"age_thresholds": sent})
    except ValueError:
        return
    assert read.lower <= said.lower
    assert ASSURANCES.index(read.assurance) <= ASSURANCES.index(said.assurance)


@given(answer=PLAY | OLD_PLAY, data=st.data())
def test_a_broken_answer_of_play_gives_no_consent(
    answer: dict[str, Any], data: st.DataObject
) -> None:
    said = consent_from_google(answer)
    word = consent_from_google(broken(data, answer, from_google))
    if word is not None and word.state == "given":
        assert said is not None
        assert said.state == "given"


KIT: Final = st.sampled_from(
    [
        {"answer": "denial"},
        {"result": "askToApprove", "didSend": True},
        {"result": "cancel"},
        {"result": "approveInPerson", "approved": False},
    ]
)


@given(answer=KIT, data=st.data())
def test_a_broken_answer_of_permission_kit_gives_no_consent(
    answer: dict[str, Any], data: st.DataObject
) -> None:
    sent = broken(data, answer, change_from_apple)
    assert change_from_apple(sent, lambda words: None) != "given"


@given(st.floats(0, 100), st.floats(0, 20), st.floats(0, 20))
def test_an_estimate_with_a_larger_error_knows_no_more(
    years: float, error: float, more: float
) -> None:
    sure, unsure = from_estimate(years, error), from_estimate(years, error + more)
    assert unsure.lower <= sure.lower
    assert unsure.upper >= sure.upper


def test_each_adapter_is_here() -> None:
    here = {reader({}).source for _, reader, _ in ADAPTERS}
    # The door of the App Store has its own tests, since its answers are signed.
    assert here | {"permission-kit", "app-store"} == {*SIGNALS_CHECKED}
