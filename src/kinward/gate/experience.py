"""An account's experience: all its decisions with their bounds, and changes of settings."""

from datetime import date
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from kinward.access import Actor
from kinward.experience.api import (
    Layer,
    decide_as_it_stands,
    holds,
    live,
    make_setting,
    person_of,
    today,
)
from kinward.families.api import (
    JOIN,
    choose_setting,
    consent_to_account,
    decide_as_shown,
    keywords_of,
    shown_values,
)
from kinward.gate.calls import Call
from kinward.gate.decide import DecisionOut
from kinward.ground.errors import Invalid
from kinward.people.api import Account, get_account
from kinward.policy import About, Request, Value, Weekly, bounds_in_general, bounds_of


class Movable(msgspec.Struct, frozen=True, rename={"self_": "self"}):
    """The bounds for guardian and self as `[most protective, loosest]`, or null."""

    default: Value | None
    guardian: tuple[Value, Value] | None
    self_: tuple[Value, Value] | None


class BoundedDecision(DecisionOut, frozen=True, kw_only=True):
    """A decision with its bounds."""

    bounds: Movable


class Experience(msgspec.Struct, frozen=True):
    """All decisions for one account. Without a pack in force there are none."""

    account_id: str
    pack: str | None
    decisions: dict[str, BoundedDecision]
    on: date | UnsetType = UNSET
    keywords: list[str] | UnsetType = UNSET


class SettingMade(DecisionOut, frozen=True, kw_only=True):
    """The new decision after a setting.

    `holds` says whether the value that was sent now holds on each day of the week. It is false
    where the rules or a more protective choice keep it from that.
    """

    holds: bool


class SettingIn(msgspec.Struct, forbid_unknown_fields=True):
    """A value that a person or their guardian chose. Null removes the setting."""

    layer: Literal["guardian", "self"]
    value: Weekly | None
    guardian_id: str = ""


def see_experience(call: Call[None], account_id: str) -> Experience:
    """Return all decisions for one account, with the bounds for guardian and self."""
    account = get_account(account_id)
    pack = live().in_force().for_account(account_id)
    if pack is None:
        return Experience(account_id, None, {})
    decisions = {}
    for name, decision in decide_as_it_stands(account, pack).items():
        movable = bounds_in_general(pack.ruling, name, person_of(account))
        bounds: dict[str, Any] = {"default": decision.value, "guardian": None, "self": None}
        if movable is not None:
            bounds = bounds_of(pack.capabilities[name].kind, movable)
        fields = decision.as_dict(account.language) | {"bounds": bounds}
        decisions[name] = msgspec.convert(fields, BoundedDecision)
    keywords = [keyword.word for keyword in keywords_of(account)]
    return Experience(account_id, pack.label, decisions, today(), keywords)


def put_setting(call: Call[SettingIn], account_id: str, capability: str) -> SettingMade:
    """Make or remove one setting; returns the new decision, and whether the value holds."""
    setting, account = call.body, get_account(account_id)
    if setting.layer == "guardian":
        if not setting.guardian_id:
            raise Invalid("A guardian's setting needs `guardian_id`.")
        reader = get_account(setting.guardian_id)
        _choose(reader, account_id, capability, setting.value, call.actor)
        # As the guardian's own page shows it, which may hold back what waits for a person.
        decision = decide_as_shown(account, capability, reader)
        shown = shown_values(account, reader)
    else:
        make_setting(
            account=account,
            layer=Layer.SELF,
            capability=capability,
            value=setting.value,
            actor=call.actor,
        )
        question = Request(capability=capability, actor=About(id=account_id))
        decision, shown = live().decide([question])[0], None
    value = setting.value
    in_force = value is None or holds(account, capability, value, shown)
    return msgspec.convert(decision.as_dict(account.language) | {"holds": in_force}, SettingMade)


def _choose(
    guardian: Account, teen_id: str, capability: str, value: Weekly | None, actor: Actor
) -> None:
    """Choose a value as a guardian. The one about the account itself is consent, and no setting."""
    if capability != JOIN:
        choose_setting(
            guardian=guardian, teen_id=teen_id, capability=capability, value=value, actor=actor
        )
        return
    if value not in ("allow", None):
        raise Invalid("Consent to an account is `allow`. Null takes it back.")
    consent_to_account(guardian=guardian, teen_id=teen_id, consents=value is not None, actor=actor)
