"""What Google Play's answers say about a guardian's consent. Pure.

A denied or declined approval withdraws consent. Only an explicit approval, with nothing in the
answer that Kinward does not know, may give it.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from kinward.policy.signals import google_words

MAX_DAY: Final = 10  # characters: 2026-01-31


class ConsentWord(msgspec.Struct, frozen=True):
    """Whether consent was withdrawn or given, and the newest approval that the answer names."""

    withdrawn: bool
    approved_on: date | None = None


def consent_from_google(answer: Mapping[str, Any]) -> ConsentWord | None:
    """Return what an answer of Play Age Signals says about consent, or None.

    Until 0.0.3 it is `userStatus`, since 0.0.4 `significantChangeStatus`. If an answer contradicts
    itself, a withdrawal counts and consent does not. Source: developer.android.com, Play Age
    Signals, 0.0.4 of July 2026.

    >>> consent_from_google({"userStatus": "SUPERVISED_APPROVAL_DENIED"})
    ConsentWord(withdrawn=True, approved_on=None)
    >>> consent_from_google({"userStatus": "SUPERVISED_APPROVAL_PENDING"}) is None
    True
    """
    words = google_words(answer)
    old, new = words.get("userStatus", ""), words.get("significantChangeStatus", "")
    told = _day(answer.get("significantChangeApprovalDate"))
    told = told or _day(answer.get("mostRecentApprovalDate"))
    if old == "SUPERVISED_APPROVAL_DENIED" or new == "DECLINED":
        return ConsentWord(True, told)
    if not words.get("readable"):
        return None
    approved = new == "APPROVED" and words.get("ageRangeSource") == "TIER_B"
    shared = words.get("ageSignalsStatus", "") in {"", "SHARED"}
    if old == "SUPERVISED" or (approved and shared):
        return ConsentWord(False, told)
    return None


def _day(value: object) -> date | None:
    """Return a day in ISO 8601 or in milliseconds since 1970; None for anything else."""
    try:
        if isinstance(value, str):
            return date.fromisoformat(value[:MAX_DAY])
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None
