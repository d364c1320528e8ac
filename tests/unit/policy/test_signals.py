"""Age signals in every shape they have had. What is unknown never makes anybody older."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.policy import AgeRange, from_apple, from_google, from_openid4vp
from kinward.policy.ages import ASSURANCES, MAX_AGE
from kinward.policy.signals import MAX_FIELDS

Reader = Callable[..., AgeRange]


def read(reader: Reader, answer: Mapping[str, Any]) -> tuple[int, int, str, list[str]]:
    notes: list[str] = []
    age = reader(answer, notes.append)
    assert (age.changes_on, age.leap_day) == (None, False), "no answer names a birthday"
    return age.lower, age.upper, age.assurance, notes


def play(status: Any = "SHARED", tier: Any = "TIER_A", lower: Any = 13, upper: Any = 15) -> Any:
    return {
        "ageSignalsStatus": status,
        "ageRangeSource": tier,
        "ageLower": lower,
        "ageUpper": upper,
        "significantChangeStatus": None,
        "significantChangeApprovalDate": None,
        "installId": None,
    }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # 0.0.4, by names: the tiers, the bounds (inclusive), and what is not shared
        (play(tier="TIER_A"), (13, 16, "declared")),
        (play(tier="TIER_B"), (13, 16, "guardian")),
        (play(tier="TIER_C", lower=18, upper=None), (18, MAX_AGE, "estimated")),
        (play(tier="TIER_D", lower=18, upper=None), (18, MAX_AGE, "verified")),
        (play(tier="TIER_A", lower=0, upper=12), (0, 13, "declared")),
        (play(tier="TIER_A", lower=17, upper=None), (17, MAX_AGE, "declared")),
        (play("NOT_SHARED", None, None, None), (0, MAX_AGE, "none")),
        (play("VERIFICATION_REQUIRED", None, None, None), (0, MAX_AGE, "none")),
        # the answer of checkAgeSignals() alone has no status
        ({"ageRangeSource": "TIER_D", "ageLower": 18}, (18, MAX_AGE, "verified")),
        ({"ageRangeSource": None, "ageLower": None}, (0, MAX_AGE, "none")),
        # Android's integers
        (play(1, 2), (13, 16, "guardian")),
        (play(1, 4, 18, None), (18, MAX_AGE, "verified")),
        (play(2, 0, None, None), (0, MAX_AGE, "none")),
        # a change that waits or was declined is no consent, and no other age
        (play(tier="TIER_B") | {"significantChangeStatus": "DECLINED"}, (13, 16, "guardian")),
        (play(tier="TIER_B") | {"significantChangeStatus": 2}, (13, 16, "guardian")),
        # until 0.0.3, by names and by Android's integers
        ({"userStatus": "VERIFIED"}, (18, MAX_AGE, "verified")),
        ({"userStatus": 0}, (18, MAX_AGE, "verified")),
        ({"userStatus": 0, "ageLower": 18, "ageUpper": 18}, (18, MAX_AGE, "verified")),
        ({"userStatus": "SUPERVISED", "ageLower": 13, "ageUpper": 15}, (13, 16, "guardian")),
        ({"userStatus": 1, "ageLower": 13, "ageUpper": 15}, (13, 16, "guardian")),
        ({"userStatus": 2, "ageLower": 0, "ageUpper": 12}, (0, 13, "guardian")),
        ({"userStatus": 3, "ageLower": 16, "ageUpper": 17}, (16, 18, "guardian")),
        ({"userStatus": 4}, (0, MAX_AGE, "none")),
        ({"userStatus": "DECLARED", "ageLower": 18}, (18, MAX_AGE, "declared")),
        ({"userStatus": 5, "ageLower": 18}, (18, MAX_AGE, "declared")),
        ({"userStatus": None}, (0, MAX_AGE, "none")),
        ({}, (0, MAX_AGE, "none")),
    ],
)
def test_each_shape_of_google_play(answer: Any, expected: tuple[int, int, str]) -> None:
    assert read(from_google, answer) == (*expected, [])


@pytest.mark.parametrize(
    ("answer", "expected", "note"),
    [
        (play(tier="TIER_E", lower=18, upper=None), (0, MAX_AGE, "none"), "ageRangeSource=TIER_E"),
        (play(tier=9, lower=18, upper=None), (0, MAX_AGE, "none"), "ageRangeSource=9"),
        (play(tier=True, lower=18, upper=None), (0, MAX_AGE, "none"), "ageRangeSource=True"),
        (play("SEALED", "TIER_D", 18, None), (0, MAX_AGE, "none"), "ageSignalsStatus=SEALED"),
        (
            play("NOT_SHARED", "TIER_D", 18, None),
            (0, MAX_AGE, "none"),
            "ageSignalsStatus=NOT_SHARED with an age",
        ),
        (play() | {"ageBand": "X"}, (13, 16, "declared"), "ageBand"),
        (
            play() | {"significantChangeStatus": "LATER"},
            (13, 16, "declared"),
            "significantChangeStatus=LATER",
        ),
        ({"userStatus": "NEW", "ageLower": 18}, (0, MAX_AGE, "none"), "userStatus=NEW"),
        ({"userStatus": 6, "ageLower": 18}, (0, MAX_AGE, "none"), "userStatus=6"),
        (
            {"userStatus": "VERIFIED", "ageUpper": 12},
            (0, MAX_AGE, "none"),
            "userStatus=VERIFIED with the bounds of a minor",
        ),
        (
            {"userStatus": "VERIFIED", "ageUpper": 17},
            (0, MAX_AGE, "none"),
            "userStatus=VERIFIED with the bounds of a minor",
        ),
        (
            {"userStatus": "VERIFIED", "ageLower": 17, "ageUpper": 18},
            (0, MAX_AGE, "none"),
            "userStatus=VERIFIED with the bounds of a minor",
        ),
        (
            {"userStatus": "VERIFIED", "ageLower": 16},
            (0, MAX_AGE, "none"),
            "userStatus=VERIFIED with the bounds of a minor",
        ),
        (
            {"userStatus": "VERIFIED", "ageLower": 0},
            (0, MAX_AGE, "none"),
            "userStatus=VERIFIED with the bounds of a minor",
        ),
        (
            play() | {"significantChangeApprovalDate": "soon"},
            (13, 16, "declared"),
            "significantChangeApprovalDate=soon",
        ),
        (
            play(tier="TIER_A", lower=0, upper=12) | {"userStatus": "VERIFIED"},
            (0, MAX_AGE, "none"),
            "userStatus beside the fields of 0.0.4",
        ),
    ],
)
def test_what_google_play_has_never_said_is_named_and_makes_nobody_older(
    answer: Any, expected: tuple[int, int, str], note: str
) -> None:
    *age, notes = read(from_google, answer)
    assert (tuple(age), notes) == (expected, [note])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"lowerBound": 13, "upperBound": 15}, (13, 16, "declared", [])),
        ({"upperBound": 12, "ageRangeDeclaration": "selfDeclared"}, (0, 13, "declared", [])),
        (
            {"lowerBound": 13, "upperBound": 15, "ageRangeDeclaration": "guardianPaymentChecked"},
            (13, 16, "guardian", []),
        ),
        (
            {"lowerBound": 18, "ageRangeDeclaration": "governmentIDChecked"},
            (18, MAX_AGE, "verified", []),
        ),
        (
            {"lowerBound": 18, "ageRangeDeclaration": "paymentChecked"},
            (18, MAX_AGE, "estimated", []),
        ),
        ({"declined": True}, (0, MAX_AGE, "none", [])),
        ({"declined": True, "lowerBound": 18}, (0, MAX_AGE, "none", ["declined with an age"])),
        ({"declined": False, "lowerBound": 18}, (18, MAX_AGE, "declared", [])),
        (
            {"lowerBound": 18, "ageRangeDeclaration": "guardianOracle"},
            (18, MAX_AGE, "declared", ["ageRangeDeclaration=guardianOracle"]),
        ),
        ({"declined": True, "mood": "x"}, (0, MAX_AGE, "none", ["mood"])),
        ({"declined": "no"}, (0, MAX_AGE, "none", ["declined=no"])),
        (
            {"declined": True, "lowerBound": 18, "ageRangeDeclaration": "governmentIDChecked"},
            (0, MAX_AGE, "none", ["declined with an age"]),
        ),
        (
            {"declined": 0, "upperBound": 12},
            (0, 13, "declared", ["declined=0"]),
        ),
        (
            {"lowerBound": 18, "requiredRegulatoryFeatures": [{"x": 1}]},
            (18, MAX_AGE, "declared", ["requiredRegulatoryFeatures=…"]),
        ),
        (
            {"lowerBound": 18, "requiredRegulatoryFeatures": "newDuty"},
            (18, MAX_AGE, "declared", ["requiredRegulatoryFeatures=newDuty"]),
        ),
    ],
)
def test_each_shape_of_apple(answer: Any, expected: Any) -> None:
    assert read(from_apple, answer) == expected


def test_a_wallet_says_more_than_thresholds() -> None:
    answer = {"age_over_16": True, "age_over_18": False, "age_in_years": 17, "portrait": b""}
    assert read(from_openid4vp, answer) == (16, 18, "verified", ["age_in_years", "portrait"])
    with pytest.raises(ValueError, match="lower < upper"):
        from_openid4vp({"age_over_18": True, "age_over_16": False})
    assert from_openid4vp({"age_over_١٨": True}).assurance == "none"  # no ASCII digits


@pytest.mark.parametrize("reader", [from_apple, from_google, from_openid4vp])
def test_an_answer_has_a_bound(reader: Reader) -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_FIELDS} fields"):
        reader({f"f{number}": 1 for number in range(MAX_FIELDS + 1)})


@pytest.mark.parametrize("bound", ["13", 13.0, True, [13], -1, 400])
def test_a_bound_that_is_no_age_is_refused(bound: Any) -> None:
    for reader, name in ((from_apple, "lowerBound"), (from_google, "ageLower")):
        with pytest.raises(ValueError, match=r"age (bound|range)"):
            reader({name: bound, "userStatus": "DECLARED"})


# -- nothing unknown loosens -----------------------------------------------------------------------

JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 300), st.text(max_size=8), st.floats(), st.just([])
)
BOUND = st.one_of(st.none(), st.integers(0, 18))
ENUMS: Final[dict[Reader, dict[str, st.SearchStrategy[Any]]]] = {
    from_google: {
        "userStatus": st.sampled_from(["VERIFIED", "SUPERVISED", "DECLARED", "UNKNOWN", 0, 1, 5]),
        "ageSignalsStatus": st.sampled_from(["SHARED", "NOT_SHARED", 1, 2, 3]),
        "ageRangeSource": st.sampled_from(["TIER_A", "TIER_B", "TIER_C", "TIER_D", 1, 2, 3, 4]),
    },
    from_apple: {"ageRangeDeclaration": st.sampled_from(["selfDeclared", "governmentIDChecked"])},
}
BOUNDS: Final[dict[Reader, tuple[str, str]]] = {
    from_google: ("ageLower", "ageUpper"),
    from_apple: ("lowerBound", "upperBound"),
}


def looser(one: AgeRange, than: AgeRange) -> bool:
    """Whether a range is taken for older, or for better proven, than another."""
    better = ASSURANCES.index(one.assurance) > ASSURANCES.index(than.assurance)
    return one.lower > than.lower or better


@given(st.data(), st.sampled_from([from_google, from_apple]))
def test_no_unknown_or_contradictory_field_loosens(data: st.DataObject, reader: Reader) -> None:
    names = BOUNDS[reader]
    answer: dict[str, Any] = {name: data.draw(BOUND) for name in names}
    for name, values in ENUMS[reader].items():
        if data.draw(st.booleans()):
            answer[name] = data.draw(values)
    extra = data.draw(st.dictionaries(st.text(min_size=1, max_size=8), JUNK, max_size=3))
    broken = answer | {
        name: f"{data.draw(st.text(max_size=3))}-new"
        for name in ENUMS[reader]
        if name in answer and data.draw(st.booleans())
    }
    try:
        known = reader(answer)
    except ValueError:  # bounds in the wrong order are refused, with and without junk
        with pytest.raises(ValueError, match="age"):
            reader(answer | {k: v for k, v in extra.items() if k not in answer})
        return
    assert not looser(reader(broken), known)
    kept = {name: value for name, value in extra.items() if name not in ENUMS[reader]}
    assert not looser(reader({**kept, **answer}), known)


@given(st.dictionaries(st.text(max_size=12), JUNK, max_size=6))
def test_of_junk_nobody_grows_older(answer: dict[str, Any]) -> None:
    for reader in (from_apple, from_google, from_openid4vp):
        assert reader(answer) == AgeRange(0, MAX_AGE, reader(answer).source, "none")
