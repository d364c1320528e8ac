"""Statements in the form of the EU's DSA Transparency Database. Pure.

Fields, enumerations and lengths are those of its API documentation (POST /api/v1/statements; Art.
24(5) of Regulation (EU) 2022/2065). No text says anything about a person.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec

from kinward.guidelines import DSA_CATEGORIES, DSA_KEYWORDS

BATCH: Final = 100
VISIBILITY: Final = (
    *("REMOVED", "DISABLED", "DEMOTED", "AGE_RESTRICTED", "INTERACTION_RESTRICTED", "LABELLED"),
)
CONTENT_TYPES: Final = (
    *("APP", "AUDIO", "IMAGE", "PRODUCT", "SYNTHETIC_MEDIA", "TEXT", "VIDEO", "OTHER"),
)
SOURCES: Final = (
    *("SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION"),
    "SOURCE_VOLUNTARY",
)
PUID: Final = re.compile(r"[a-zA-Z0-9_-]{1,500}")
LENGTHS: Final = {
    "decision_facts": 5000,
    "incompatible_content_ground": 500,
    "incompatible_content_explanation": 2000,
    "illegal_content_legal_ground": 500,
    "illegal_content_explanation": 2000,
    "decision_ground_reference_url": 500,
    "decision_visibility_other": 500,
    "content_type_other": 500,
    "category_specification_other": 500,
    "source_identity": 500,
}
FIRST, LAST, FIRST_APPLIED = date(2000, 1, 1), date(2038, 1, 1), date(2020, 1, 1)


class Decided(msgspec.Struct, frozen=True):
    """The field and value that stand for an effect, and the field for its last day, if any."""

    field: str
    value: str
    end_date: str = ""


# If two effects have the same field, the first one counts.
DECISIONS: Final = {
    "remove": Decided("decision_visibility", "DECISION_VISIBILITY_CONTENT_REMOVED"),
    "quarantine": Decided("decision_visibility", "DECISION_VISIBILITY_CONTENT_DISABLED"),
    "restrict": Decided(
        "decision_provision",
        "DECISION_PROVISION_PARTIAL_SUSPENSION",
        "end_date_service_restriction",
    ),
    "terminate": Decided("decision_account", "DECISION_ACCOUNT_TERMINATED"),
    "suspend": Decided(
        "decision_account", "DECISION_ACCOUNT_SUSPENDED", "end_date_account_restriction"
    ),
}


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a statement that goes to the database. `decisions` are the statement's own."""

    puid: str
    decisions: list[dict[str, Any]]
    clause: str
    title: str
    reported: bool
    automatic: bool
    content_date: date
    applied: date
    category: str = "OTHER_VIOLATION_TC"
    keywords: tuple[str, ...] = ()
    illegal: bool = False
    media: tuple[str, ...] = ()
    reference_url: str = ""


def form(stated: Stated) -> dict[str, Any]:
    """Return the fields of one statement, without those that do not apply."""
    effects = {decision["effect"]: decision for decision in stated.decisions}
    fields: dict[str, Any] = {
        "decision_facts": _facts(stated),
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "decision_ground_reference_url": stated.reference_url or None,
        "incompatible_content_ground": f"{stated.clause} {stated.title}",
        "incompatible_content_explanation": f"Against clause {stated.clause} of our guidelines.",
        "incompatible_content_illegal": "Yes" if stated.illegal else "No",
        "category": f"STATEMENT_CATEGORY_{stated.category}",
        "category_specification": [f"KEYWORD_{word}" for word in stated.keywords] or None,
        "content_type": [f"CONTENT_TYPE_{kind}" for kind in stated.media] or ["CONTENT_TYPE_OTHER"],
        "content_type_other": None if stated.media else "An account's conduct",
        "content_date": stated.content_date.isoformat(),
        "application_date": stated.applied.isoformat(),
        "source_type": "SOURCE_TYPE_OTHER_NOTIFICATION" if stated.reported else "SOURCE_VOLUNTARY",
        "automated_detection": "No" if stated.reported else "Yes",
        "automated_decision": _automated(stated),
        "puid": stated.puid,
        **_decisions(effects),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _decisions(effects: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields for the effects of a decision, and for their last days."""
    fields: dict[str, Any] = {}
    for effect, decided in DECISIONS.items():
        if effect not in effects:
            continue
        fields.setdefault(decided.field, decided.value)
        until = effects[effect].get("until")
        if decided.end_date and until:
            fields[decided.end_date] = until[:10]
    if visibility := fields.get("decision_visibility"):
        fields["decision_visibility"] = [visibility]
    return fields


def _automated(stated: Stated) -> str:
    if stated.automatic:
        return "AUTOMATED_DECISION_FULLY"
    return f"AUTOMATED_DECISION_{'NOT_AUTOMATED' if stated.reported else 'PARTIALLY'}"


def _facts(stated: Stated) -> str:
    source = "A user reported it" if stated.reported else "Automatic means found it"
    decided = "a rule decided" if stated.automatic else "a person decided"
    return f"{source}, and {decided} that it breaks clause {stated.clause}: {stated.title}."


def faults(fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what is wrong with a statement, by field, as the database answers it with 422."""
    wrong: dict[str, list[str]] = {}

    def fault(field: str, text: str, *, if_: bool = True) -> None:
        if if_:
            wrong.setdefault(field, []).append(text)

    required = (
        *("decision_facts", "decision_ground", "content_type", "category", "content_date"),
        *("application_date", "source_type", "automated_detection", "automated_decision", "puid"),
    )
    for field in required:
        fault(field, f"The {field} field is required.", if_=not fields.get(field))
    decisions = (
        "decision_visibility",
        "decision_monetary",
        "decision_provision",
        "decision_account",
    )
    fault(
        "decision_visibility", "One decision is required.", if_=not any(map(fields.get, decisions))
    )
    for field, limit in LENGTHS.items():
        fault(field, f"At most {limit} characters.", if_=len(str(fields.get(field, ""))) > limit)
    for field, allowed in _ALLOWED.items():
        sent = fields.get(field)
        for value in sent if isinstance(sent, list) else [sent] if sent else []:
            fault(field, f"The selected {field} is invalid.", if_=value not in allowed)
    ground = fields.get("decision_ground")
    for field in _GROUNDS.get(str(ground), ()):
        fault(field, f"Required for {ground}.", if_=not fields.get(field))
    fault(
        "puid", "The puid format is invalid.", if_=not PUID.fullmatch(str(fields.get("puid", "")))
    )
    for field, first in (("content_date", FIRST), ("application_date", FIRST_APPLIED)):
        fault(field, "Not a date in range.", if_=not _is_day(fields.get(field), first))
    other = "CONTENT_TYPE_OTHER" in (fields.get("content_type") or [])
    fault("content_type_other", "Required.", if_=other and not fields.get("content_type_other"))
    voluntary = fields.get("source_type") == "SOURCE_VOLUNTARY" and fields.get("source_identity")
    fault("source_identity", "Not with SOURCE_VOLUNTARY.", if_=bool(voluntary))
    return wrong


def _is_day(text: object, first: date) -> bool:
    try:
        return first <= date.fromisoformat(str(text)) <= LAST
    except ValueError:
        return False


_GROUNDS: Final = {
    "DECISION_GROUND_ILLEGAL_CONTENT": (
        "illegal_content_legal_ground",
        "illegal_content_explanation",
    ),
    "DECISION_GROUND_INCOMPATIBLE_CONTENT": (
        "incompatible_content_ground",
        "incompatible_content_explanation",
    ),
}
_ALLOWED: Final = {
    "decision_visibility": {
        *(f"DECISION_VISIBILITY_CONTENT_{name}" for name in VISIBILITY),
        "DECISION_VISIBILITY_OTHER",
    },
    "decision_monetary": {
        f"DECISION_MONETARY_{name}" for name in ("SUSPENSION", "TERMINATION", "OTHER")
    },
    "decision_provision": {
        f"DECISION_PROVISION_{how}_{what}"
        for how in ("PARTIAL", "TOTAL")
        for what in ("SUSPENSION", "TERMINATION")
    },
    "decision_account": {"DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"},
    "decision_ground": set(_GROUNDS),
    "incompatible_content_illegal": {"Yes", "No"},
    "category": {f"STATEMENT_CATEGORY_{name}" for name in DSA_CATEGORIES},
    "category_specification": {f"KEYWORD_{word}" for word in DSA_KEYWORDS},
    "content_type": {f"CONTENT_TYPE_{kind}" for kind in CONTENT_TYPES},
    "source_type": set(SOURCES),
    "automated_detection": {"Yes", "No"},
    "automated_decision": {
        f"AUTOMATED_DECISION_{name}" for name in ("FULLY", "PARTIALLY", "NOT_AUTOMATED")
    },
}
