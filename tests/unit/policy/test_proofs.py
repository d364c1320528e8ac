"""A proof of age never makes anybody older against the word of somebody who vouches."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.policy import AgeRange, from_eu_wallet, settled
from kinward.policy.ages import ASSURANCES, MAX_AGE
from kinward.policy.borders import outweighs
from kinward.policy.proofs import VOUCHED

ADULT: Final = AgeRange(18, MAX_AGE, "eu-wallet", "verified")
MINOR: Final = AgeRange(0, 18, "eu-wallet", "verified")
TEEN: Final = AgeRange(13, 18, "eu-wallet", "verified")
KEY: Final = AgeRange(18, MAX_AGE, "agekey", "estimated")


def known(lower: int, upper: int, assurance: Any) -> AgeRange:
    return AgeRange(lower, upper, "earlier", assurance)


@pytest.mark.parametrize(
    ("before", "proof", "bounds", "assurance", "fits"),
    [
        (known(0, MAX_AGE, "none"), ADULT, (18, MAX_AGE), "verified", True),
        (known(15, 16, "declared"), ADULT, (18, MAX_AGE), "verified", True),
        (known(30, 31, "declared"), MINOR, (0, 18), "verified", True),
        (known(13, 17, "estimated"), ADULT, (18, MAX_AGE), "verified", True),
        (known(13, 17, "estimated"), KEY, (18, MAX_AGE), "estimated", True),
        (known(21, MAX_AGE, "declared"), ADULT, (18, MAX_AGE), "verified", True),
        # somebody vouches: older is not believed, younger is, and an overlap narrows
        (known(13, 16, "guardian"), ADULT, (13, 16), "guardian", False),
        (known(13, 16, "verified"), ADULT, (13, 16), "verified", False),
        (known(13, 16, "guardian"), KEY, (13, 16), "guardian", False),
        (known(18, MAX_AGE, "verified"), MINOR, (0, MAX_AGE), "none", False),
        (known(16, 19, "guardian"), ADULT, (18, 19), "guardian", True),
        (known(10, 30, "guardian"), TEEN, (13, 18), "verified", True),
        (known(15, 16, "verified"), TEEN, (15, 16), "verified", True),
        (known(13, 30, "guardian"), KEY, (13, 30), "guardian", True),
        (known(18, MAX_AGE, "verified"), KEY, (18, MAX_AGE), "verified", True),
    ],
)
def test_what_a_proof_leaves(
    before: AgeRange, proof: AgeRange, bounds: tuple[int, int], assurance: str, fits: bool
) -> None:
    age, agrees = settled(before, proof)
    assert ((age.lower, age.upper), age.assurance, agrees) == (bounds, assurance, fits)


RANGES: Final = st.tuples(st.integers(0, 149), st.integers(1, 150)).filter(lambda r: r[0] < r[1])
AGES: Final = st.builds(
    lambda r, sure: AgeRange(r[0], r[1], "earlier", sure), RANGES, st.sampled_from(ASSURANCES)
)
PROOFS: Final = st.builds(
    lambda r, sure: AgeRange(r[0], r[1], "eu-wallet", sure),
    RANGES,
    st.sampled_from(["estimated", "verified"]),
)


@given(AGES, PROOFS)
def test_a_proof_opens_nothing_that_nobody_proved(before: AgeRange, proof: AgeRange) -> None:
    age, fits = settled(before, proof)
    assert age.lower <= max(before.lower, proof.lower)
    if before.assurance in VOUCHED:
        assert age.lower < before.upper  # nobody vouched for is older than that
        assert age.assurance != "verified" or "verified" in (before.assurance, proof.assurance)
    if not fits:
        assert age.lower <= before.lower
        assert age.upper >= before.upper
    if age.assurance == "verified":
        assert any(
            by.assurance == "verified" and (by.lower, by.upper) <= (age.lower, MAX_AGE)
            for by in (before, proof)
        )


@given(AGES, PROOFS, st.sampled_from(ASSURANCES))
def test_a_proof_makes_nobody_older_than_a_stronger_word_did(
    before: AgeRange, proof: AgeRange, strength: Any
) -> None:
    age, fits = settled(before, proof, strength)
    if not outweighs(proof.assurance, strength) and before.assurance not in VOUCHED:
        assert age.lower <= before.lower
        assert age.upper <= before.upper
    if not fits:
        assert age.lower <= before.lower
        assert age.upper >= before.upper


CLAIMS: Final = st.dictionaries(
    st.integers(0, 99).map(lambda age: f"age_over_{age:02}") | st.text(max_size=12),
    st.booleans() | st.none() | st.integers() | st.text(max_size=3),
    max_size=6,
)


@given(CLAIMS)
def test_no_claim_makes_anybody_older_than_it_says(claims: dict[str, Any]) -> None:
    notes: list[str] = []
    try:
        age = from_eu_wallet(claims, notes.append)
    except ValueError:
        return
    held = {
        int(name[-2:])
        for name, holds in claims.items()
        if holds is True and name[:9] == "age_over_"
    }
    denied = {
        int(name[-2:])
        for name, holds in claims.items()
        if holds is False and name[:9] == "age_over_"
    }
    assert age.lower == max(held, default=0)
    assert age.upper == min(denied, default=MAX_AGE)
    assert age.source == "eu-wallet"


@pytest.mark.parametrize(
    "claims",
    [
        {"age_over_18": True, "age_over_16": False},
        {"age_over_18": 1},
        {"age_over_18": "true"},
        {"age_over_18": None},
    ],
)
def test_claims_that_contradict_each_other_or_are_no_answer(claims: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="age"):
        from_eu_wallet(claims)
