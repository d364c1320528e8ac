"""What Google Play's answers say about consent. Only a plain approval ever gives it."""

from datetime import date
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.policy import ConsentWord, consent_from_google

DENIED: Final = {"userStatus": "SUPERVISED_APPROVAL_DENIED", "ageLower": 13, "ageUpper": 15}
DECLINED: Final = {
    "ageSignalsStatus": "SHARED",
    "ageRangeSource": "TIER_B",
    "ageLower": 13,
    "ageUpper": 15,
    "significantChangeStatus": "DECLINED",
    "significantChangeApprovalDate": "2026-03-01",
}
SUPERVISED: Final = DENIED | {"userStatus": "SUPERVISED", "mostRecentApprovalDate": "2026-03-01"}
APPROVED: Final = DECLINED | {"significantChangeStatus": "APPROVED"}
MARCH: Final = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (DENIED, ConsentWord(True)),
        (DENIED | {"userStatus": 3}, ConsentWord(True)),
        (DECLINED, ConsentWord(True, MARCH)),
        (DECLINED | {"significantChangeStatus": 3}, ConsentWord(True, MARCH)),
        (SUPERVISED, ConsentWord(False, MARCH)),
        (SUPERVISED | {"mostRecentApprovalDate": 1772323200000}, ConsentWord(False, MARCH)),
        (SUPERVISED | {"mostRecentApprovalDate": None}, ConsentWord(False)),
        (SUPERVISED | {"mostRecentApprovalDate": "soon"}, ConsentWord(False)),
        (APPROVED, ConsentWord(False, MARCH)),
        # what says neither
        ({"userStatus": "SUPERVISED_APPROVAL_PENDING", "ageLower": 13, "ageUpper": 15}, None),
        ({"userStatus": "VERIFIED"}, None),
        ({"userStatus": "DECLARED", "ageLower": 18}, None),
        (DECLINED | {"significantChangeStatus": "PENDING"}, None),
        (DECLINED | {"significantChangeStatus": None}, None),
        ({}, None),
        # what Kinward does not know gives nothing, and takes nothing from a denial
        (APPROVED | {"approvalRevoked": True}, None),
        (APPROVED | {"ageRangeSource": "TIER_A"}, None),
        (APPROVED | {"ageSignalsStatus": "NOT_SHARED"}, None),
        (APPROVED | {"userStatus": "SUPERVISED"}, None),
        (APPROVED | {"significantChangeStatus": "GRANTED"}, None),
        (DECLINED | {"approvalRevoked": False}, ConsentWord(True, MARCH)),
        (APPROVED | {"userStatus": "SUPERVISED_APPROVAL_DENIED"}, ConsentWord(True, MARCH)),
        (DECLINED | {"userStatus": "SUPERVISED"}, ConsentWord(True, MARCH)),
    ],
)
def test_each_word_of_google_play(answer: Any, expected: ConsentWord | None) -> None:
    assert consent_from_google(answer) == expected


values = st.none() | st.booleans() | st.integers(-3, 9) | st.text(max_size=8)
fields = st.sampled_from([*DECLINED, *SUPERVISED, "installId", "approvalRevoked", "x"])


@given(st.sampled_from([DENIED, DECLINED, {}]), st.dictionaries(fields, values, max_size=4))
def test_nothing_that_is_said_beside_a_denial_gives_consent(
    answer: dict[str, Any], more: dict[str, Any]
) -> None:
    word = consent_from_google(more | answer)
    assert word is None or word.withdrawn or not answer


@given(
    st.sampled_from([SUPERVISED, APPROVED]),
    st.sets(st.sampled_from([*APPROVED, *SUPERVISED])),
    st.dictionaries(fields, values, max_size=3),
)
def test_an_approval_with_fewer_or_unknown_fields_is_never_a_better_one(
    answer: dict[str, Any], missing: set[str], more: dict[str, Any]
) -> None:
    changed = {name: value for name, value in answer.items() if name not in missing}
    changed |= {name: value for name, value in more.items() if name not in changed}
    word = consent_from_google(changed)
    if word is not None and not word.withdrawn:
        # It still has the one word that gives consent.
        assert changed.get("userStatus") in {"SUPERVISED", 1} or changed.get(
            "significantChangeStatus"
        ) in {"APPROVED", 1}
        assert not set(changed) - {*APPROVED, *SUPERVISED, "installId"}
