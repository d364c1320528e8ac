"""What app stores answer about a guardian's consent for a significant change of the app. Pure.

Consent is asked, given or refused. Only an explicit approval, with nothing in the answer that
Kinward does not know, may give it. A refusal counts whatever stands beside it.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, Literal

import msgspec

from kinward.policy.ages import day_of
from kinward.policy.signals import APPROVAL_DAYS, google_words, name_unknown, shown

ChangeState = Literal["asked", "given", "refused"]
Note = Callable[[str], None]


class ConsentWord(msgspec.Struct, frozen=True):
    """A guardian's consent for a change, and the newest approval that the answer names.

    `odd_day`: the answer names a day that cannot be read.
    """

    state: ChangeState
    approved_on: date | None = None
    odd_day: bool = False


# -- Google Play -----------------------------------------------------------------------------------


def consent_from_google(answer: Mapping[str, Any]) -> ConsentWord | None:
    """Return what an answer of Play Age Signals says about consent, or None.

    Until 0.0.3 it is `userStatus`, since 0.0.4 `significantChangeStatus`. If an answer contradicts
    itself, the strictest word counts. Source: developer.android.com, Play Age Signals, 0.0.4 of
    July 2026.

    >>> consent_from_google({"userStatus": "SUPERVISED_APPROVAL_DENIED"})
    ConsentWord(state='refused', approved_on=None, odd_day=False)
    >>> consent_from_google({"userStatus": "SUPERVISED_APPROVAL_PENDING"})
    ConsentWord(state='asked', approved_on=None, odd_day=False)
    """
    words = google_words(answer)
    old, new = words.get("userStatus", ""), words.get("significantChangeStatus", "")
    days = [answer.get(name) for name in APPROVAL_DAYS]
    told = next(filter(None, map(day_of, days)), None)
    odd = any(day is not None and day_of(day) is None for day in days)
    if old == "SUPERVISED_APPROVAL_DENIED" or new == "DECLINED":
        return ConsentWord("refused", told, odd)
    if old == "SUPERVISED_APPROVAL_PENDING" or new == "PENDING":
        return ConsentWord("asked", told, odd)
    if not words.get("readable"):
        return None
    approved = new == "APPROVED" and words.get("ageRangeSource") == "TIER_B"
    shared = words.get("ageSignalsStatus", "") in {"", "SHARED"}
    if old == "SUPERVISED" or (approved and shared):
        return ConsentWord("given", told)
    return None


# -- Apple -----------------------------------------------------------------------------------------

_ANSWERS: Final[dict[str, ChangeState]] = {"approval": "given", "denial": "refused"}
_RESULTS: Final = frozenset({"askToApprove", "approveInPerson", "cancel"})
_FIELDS: Final = frozenset({"answer", "result", "approved", "didSend"})


def change_from_apple(answer: Mapping[str, Any], note: Note) -> ChangeState:
    """Read what Apple's PermissionKit answered to a question about a significant app update.

    `answer` is the answer of the guardian's choice: approval or denial. `result` is what asking
    came to: `askToApprove`, `cancel`, or `approveInPerson` with `approved`. Whatever is no plain
    approval leaves the question open. Source: developer.apple.com, PermissionKit, as of iOS 27.

    >>> change_from_apple({"answer": "approval"}, print)
    'given'
    >>> change_from_apple({"answer": "approveForAnHour"}, print)
    answer=approveForAnHour
    'asked'
    """
    notes: list[str] = []
    name_unknown(answer, _FIELDS, notes.append)
    said: set[ChangeState] = set()
    if (choice := answer.get("answer")) is not None:
        said.add(_known(choice, "answer", _ANSWERS, notes) or "asked")
    if (result := answer.get("result")) is not None:
        said.add(_result(result, answer.get("approved"), notes))
    elif answer.get("approved") is not None:
        notes.append("approved without approveInPerson")
    for words in notes:
        note(words)
    if "refused" in said:
        return "refused"
    return "given" if said == {"given"} and not notes else "asked"


def _result(result: Any, approved: Any, notes: list[str]) -> ChangeState:
    kind = _known(result, "result", {name: name for name in _RESULTS}, notes)
    if kind == "approveInPerson" and isinstance(approved, bool):
        return "given" if approved else "refused"
    if kind == "approveInPerson" or approved is not None:
        notes.append(shown("approved", approved))
    return "asked"


def _known(value: Any, name: str, words: Mapping[str, Any], notes: list[str]) -> Any:
    if isinstance(value, str) and value in words:
        return words[value]
    notes.append(shown(name, value))
    return None
