"""The explanation of a decision: its layers and rules, and why each did or did not decide."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from kinward.policy.ages import ASSURANCES
from kinward.policy.bounds import Bounds, applying, combine, settle
from kinward.policy.capabilities import RELATIONSHIPS
from kinward.policy.pack import Pack
from kinward.policy.question import Asked, Person, Question, read_question
from kinward.policy.rules import Rule
from kinward.policy.values import Value, ValueKind, Weekly


def explain_decision(
    pack: Pack,
    capability: str,
    actor: Person,
    *,
    target: Person | None = None,
    relationship: str | None = None,
    at: datetime | None = None,
    guardian: Weekly | None = None,
    self_: Weekly | None = None,
) -> dict[str, Any]:
    """Return the layers of a decision in order, as JSON values.

    The form is `{"layers": [{"layer", "value", "why", "rules": [{"id", "applies", "why", …}]}],
    "decided_by", "bounds"}`, or `{"unreadable": code}` for an unreadable question.
    """
    ruling = pack.ruling if at is None else pack.ruling_on(at.date())
    question = Question(
        actor=actor,
        target=target,
        relationship=relationship,
        weekday=None if at is None else at.weekday(),
        guardian=guardian,
        self_=self_,
    )
    sides = read_question(ruling, capability, question)
    if isinstance(sides, str):
        return {"unreadable": sides}
    asked = sides[0]
    kind = asked.capability.kind
    live = {(rule.id, rule.place): rule for rule in ruling.rules[capability]}
    rules = [rule for rule in pack.rules if rule.capability == capability]
    bounds = combine(kind, applying(ruling, asked))
    settled = settle(asked, bounds)
    by_law = kind.value(bounds.default)
    layers = [
        _ruled(
            "platform",
            kind,
            kind.value(bounds.by_platform),
            [r for r in rules if not r.place],
            live,
            asked,
        ),
        _ruled("jurisdiction", kind, by_law, [r for r in rules if r.place], live, asked),
        _moved(
            "guardian", guardian, kind.value(settled.after_guardian), _guardian_why(asked, bounds)
        ),
        _moved(
            "self",
            self_,
            kind.value(settled.value),
            f"inside {kind.value(bounds.self_floor)} to {kind.value(settled.self_cap)}",
        ),
    ]
    return {"layers": layers, "decided_by": settled.layer, "bounds": bounds_of(kind, bounds)}


def bounds_of(kind: ValueKind, bounds: Bounds) -> dict[str, Any]:
    """Return how far guardian and self may move a value: [most protective, loosest], or None."""
    guardian = [kind.value(bounds.guardian_floor), kind.value(bounds.guardian_cap)]
    own = [kind.value(bounds.self_floor), kind.value(bounds.self_cap)]
    return {
        "default": kind.value(bounds.default),
        "guardian": guardian if bounds.guardian_moves and guardian[0] != guardian[1] else None,
        "self": own if own[0] != own[1] else None,
    }


def _ruled(
    layer: str,
    kind: ValueKind,
    value: Value,
    rules: list[Rule],
    live: Mapping[tuple[str, str], Rule],
    asked: Asked,
) -> dict[str, Any]:
    rows = [_row(rule, live.get((rule.id, rule.place)), kind, asked) for rule in rules]
    count = sum(bool(row["applies"]) for row in rows)
    why = {0: "no rule applies", 1: "the one rule that applies"}.get(
        count, f"the strictest of the {count} rules that apply"
    )
    return {"layer": layer, "value": value, "why": why, "rules": rows}


def _row(rule: Rule, live: Rule | None, kind: ValueKind, asked: Asked) -> dict[str, Any]:
    """Return one rule with its values for this question, and why it applies or does not."""
    why_it_does_not = why_not(rule, asked, live is not None)
    why, counts = why_it_does_not or "its conditions could hold", rule
    if not why_it_does_not and live and live.general and asked.relationship is None:
        why, counts = "no relationship is named, so it limits the audience", live.general
    return {
        "id": rule.id,
        "jurisdiction": rule.place or None,
        "applies": not why_it_does_not,
        "why": why,
        "default": kind.value(counts.default),
        "bounds": [kind.value(counts.floor), kind.value(counts.cap)],
        "source": rule.source,
        "url": rule.url,
        "at": f"{rule.file}:{rule.line}",
    }


def _moved(layer: str, setting: Weekly | None, value: Value, how: str) -> dict[str, Any]:
    why = "no setting was made" if setting is None else f"asked for {setting!r}: {how}"
    return {"layer": layer, "value": value, "why": why, "rules": []}


def _guardian_why(asked: Asked, bounds: Bounds) -> str:
    if not bounds.guardian_moves:
        return "at this age no guardian decides"
    kind = asked.capability.kind
    return f"inside {kind.value(bounds.guardian_floor)} to {kind.value(bounds.guardian_cap)}"


def why_not(rule: Rule, asked: Asked, live: bool) -> str:
    """Say why a rule does not apply. Empty if it does."""
    if not live:
        when = rule.status if rule.status != "in force" else f"in force from {rule.starts} only"
        if rule.status == "pending" and rule.starts != date.min:
            when = f"pending, from {rule.starts}"
        return f"it is not in force on this day ({when})"
    if not (rule.lower < asked.upper and asked.lower < rule.upper):
        return f"it is for ages {rule.lower} to below {rule.upper}"
    if rule.place and rule.place not in asked.places:
        return f"it is the law of {rule.place}"
    if asked.assurance >= rule.assurance_below:
        return f"it is for ages known less surely than {ASSURANCES[rule.assurance_below]}"
    if asked.joined < rule.joined_from:
        return f"it is for accounts that joined on {rule.joined_from} or later"
    if not (rule.other_lower < asked.other_upper and asked.other_lower < rule.other_upper):
        return f"it is for others of {rule.other_lower} to below {rule.other_upper}"
    if asked.relationship is not None and asked.relationship not in rule.relationships:
        named = [name for name in RELATIONSHIPS if name in rule.relationships]
        return f"it is for {', '.join(named)}"
    return ""
