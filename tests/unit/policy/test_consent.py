"""What app stores answer about consent for a change. Only a plain approval ever gives it."""

from datetime import date
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.policy import ConsentWord, change_from_apple, consent_from_google

DENIED: Final = {"userStatus": "SUPERVISED_APPROVAL_DENIED", "ageLower": 13, "ageUpper": 15}
PENDING: Final = DENIED | {"userStatus": "SUPERVISED_APPROVAL_PENDING"}
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
        (DENIED, ConsentWord("refused")),
        (DENIED | {"userStatus": 3}, ConsentWord("refused")),
        (DECLINED, ConsentWord("refused", MARCH)),
        (DECLINED | {"significantChangeStatus": 3}, ConsentWord("refused", MARCH)),
        (SUPERVISED, ConsentWord("given", MARCH)),
        (SUPERVISED | {"mostRecentApprovalDate": 1772323200000}, ConsentWord("given", MARCH)),
        (SUPERVISED | {"mostRecentApprovalDate": None}, ConsentWord("given")),
        (SUPERVISED | {"mostRecentApprovalDate": "soon"}, None),
        (PENDING | {"mostRecentApprovalDate": "soon"}, ConsentWord("asked", odd_day=True)),
        (APPROVED, ConsentWord("given", MARCH)),
        (PENDING, ConsentWord("asked")),
        (PENDING | {"userStatus": 2}, ConsentWord("asked")),
        (DECLINED | {"significantChangeStatus": "PENDING"}, ConsentWord("asked", MARCH)),
        (DECLINED | {"significantChangeStatus": 2}, ConsentWord("asked", MARCH)),
        # a question that waits is never outweighed by an approval beside it
        (PENDING | {"significantChangeStatus": "APPROVED"}, ConsentWord("asked")),
        (PENDING | {"significantChangeStatus": "DECLINED"}, ConsentWord("refused")),
        (PENDING | {"new": 1}, ConsentWord("asked")),
        # what says nothing
        ({"userStatus": "VERIFIED"}, None),
        ({"userStatus": "DECLARED", "ageLower": 18}, None),
        (DECLINED | {"significantChangeStatus": None}, None),
        ({}, None),
        # what Kinward does not know gives nothing, and takes nothing from a denial
        (APPROVED | {"approvalRevoked": True}, None),
        (APPROVED | {"ageRangeSource": "TIER_A"}, None),
        (APPROVED | {"ageSignalsStatus": "NOT_SHARED"}, None),
        (APPROVED | {"userStatus": "SUPERVISED"}, None),
        (APPROVED | {"significantChangeStatus": "GRANTED"}, None),
        (DECLINED | {"approvalRevoked": False}, ConsentWord("refused", MARCH)),
        (APPROVED | {"userStatus": "SUPERVISED_APPROVAL_DENIED"}, ConsentWord("refused", MARCH)),
        (DECLINED | {"userStatus": "SUPERVISED"}, ConsentWord("refused", MARCH)),
    ],
)
def test_each_word_of_google_play(answer: Any, expected: ConsentWord | None) -> None:
    assert consent_from_google(answer) == expected


values = st.none() | st.booleans() | st.integers(-3, 9) | st.text(max_size=8)
fields = st.sampled_from([*DECLINED, *SUPERVISED, "installId", "approvalRevoked", "x"])


@given(
    st.sampled_from([DENIED, DECLINED, PENDING, {}]), st.dictionaries(fields, values, max_size=4)
)
def test_nothing_that_is_said_beside_a_denial_gives_consent(
    answer: dict[str, Any], more: dict[str, Any]
) -> None:
    word = consent_from_google(more | answer)
    assert word is None or word.state != "given" or not answer


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
    if word is not None and word.state == "given":
        # It still has the one word that gives consent.
        assert changed.get("userStatus") in {"SUPERVISED", 1} or changed.get(
            "significantChangeStatus"
        ) in {"APPROVED", 1}
        assert not set(changed) - {*APPROVED, *SUPERVISED, "installId"}


# -- Apple's PermissionKit


@pytest.mark.parametrize(
    ("answer", "expected", "unread"),
    [
        ({"answer": "approval"}, "given", []),
        ({"answer": "denial"}, "refused", []),
        ({"result": "askToApprove", "didSend": True}, "asked", []),
        ({"result": "askToApprove", "didSend": False}, "asked", []),
        ({"result": "cancel"}, "asked", []),
        ({"result": "approveInPerson", "approved": True}, "given", []),
        ({"result": "approveInPerson", "approved": False}, "refused", []),
        ({"result": "approveInPerson", "approved": True, "answer": "approval"}, "given", []),
        # what contradicts itself, or is new to us, leaves the question open
        ({}, "asked", []),
        ({"result": "approveInPerson", "approved": True, "answer": "denial"}, "refused", []),
        ({"result": "askToApprove", "answer": "approval"}, "asked", []),
        ({"result": "approveInPerson"}, "asked", ["approved"]),
        ({"result": "approveInPerson", "approved": "yes"}, "asked", ["approved=yes"]),
        ({"result": "cancel", "approved": True}, "asked", ["approved=True"]),
        ({"approved": True}, "asked", ["approved without approveInPerson"]),
        ({"answer": "approval", "approved": True}, "asked", ["approved without approveInPerson"]),
        ({"answer": "approveForAnHour"}, "asked", ["answer=approveForAnHour"]),
        ({"answer": True}, "asked", ["answer=True"]),
        ({"answer": ["approval"]}, "asked", ["answer=…"]),
        ({"result": "approved"}, "asked", ["result=approved"]),
        ({"answer": "approval", "until": "2027-01-01"}, "asked", ["until"]),
        ({"answer": "denial", "until": "2027-01-01"}, "refused", ["until"]),
    ],
)
def test_each_answer_of_permission_kit(answer: Any, expected: str, unread: list[str]) -> None:
    notes: list[str] = []
    assert change_from_apple(answer, notes.append) == expected
    assert notes == unread


kit = st.sampled_from(["answer", "result", "approved", "didSend", "until"])
kit_values = st.sampled_from(
    ["approval", "denial", "askToApprove", "approveInPerson", "cancel", "", True, False, None, 1]
)


@given(st.dictionaries(kit, kit_values, max_size=5))
def test_only_a_plain_approval_of_permission_kit_gives_consent(answer: dict[str, Any]) -> None:
    notes: list[str] = []
    if change_from_apple(answer, notes.append) != "given":
        return
    assert not notes
    assert answer.get("answer") in {"approval", None}
    assert answer.get("result") in {"approveInPerson", None}
    assert answer.get("answer") or answer.get("approved") is True
