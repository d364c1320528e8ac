"""Settlement: the guardians' choices become one setting, the most protective of them.

A temporary grant becomes a temporary setting, bounded by every choice that its guardian did not
give up for it. Both are computed again whenever a choice, a grant, a power, a proof or a pairing
changes.
"""

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import Enum
from typing import cast
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import Layer, Setting, live, make_setting
from kinward.families.models import Ask, AskState, Choice, Keyword, Pairing
from kinward.families.pairing.power import has_power, in_power
from kinward.families.pairing.proof import may_give, method_of, proof_needed
from kinward.families.settings.grant_order import grant_of, standing_against, yeses_of
from kinward.families.settings.groups import JOIN, SETTING_GROUPS
from kinward.people.api import Account, LockedAccount
from kinward.policy import HOURS, MINUTES, WEEK, Value, ValueKind, Weekly, proves


def strictest(kind: ValueKind, choices: Iterable[Weekly]) -> Weekly | None:
    """Return the most protective of several values or weeks, day by day; None for no choices.

    A value stands for seven equal days, and seven equal days become a value.

    >>> from kinward.policy.values import MINUTES
    >>> strictest(MINUTES, [60, (30, 90, 90, 90, 90, 90, 90)])
    (30, 60, 60, 60, 60, 60, 60)
    """
    weeks = [choice if isinstance(choice, tuple | list) else (choice,) * WEEK for choice in choices]
    if not weeks:
        return None
    days = []
    for values in zip(*weeks, strict=True):
        code = kind.code(values[0])
        for value in values[1:]:
            code = kind.strictest(code, kind.code(value))
        days.append(kind.value(code))
    return days[0] if len(set(days)) == 1 else cast("tuple[Value, ...]", tuple(days))


class Weight(Enum):
    """How a choice counts: in full, only where it tightens, or as that of somebody without power.

    A choice only tightens if it is looser than the default and its guardian is not proven for it.
    """

    FULL = "full"
    TIGHTENS = "tightens"
    SLEEPS = "sleeps"


def choices_of(
    teen: Account, *, held: bool = False, only: Collection[UUID] | None = None
) -> dict[str, list[Choice]]:
    """Return the choices of a teen's guardians in power by capability, oldest first.

    With `held`, the choices are those that are shown: a held one takes the place of the one in
    force. `only`: of which pairings, if not of all.
    """
    by_capability: dict[str, list[Choice]] = {}
    for choice, weight in live_choices(teen, held=held, only=only):
        if weight != Weight.SLEEPS:
            by_capability.setdefault(choice.capability, []).append(choice)
    return by_capability


def live_choices(
    teen: Account, *, held: bool = False, only: Collection[UUID] | None = None
) -> list[tuple[Choice, Weight]]:
    """Return the choices of live pairings, oldest first, and how each counts; or as shown.

    `only`: of which pairings, if not of all.
    """
    choices = Choice.objects.filter(
        Q(pairing__ends_at=None) | Q(pairing__ends_at__gt=timezone.now()),
        pairing__teen=teen,
        pairing__ended_at=None,
        ended_at=None,
    ).select_related("pairing__guardian", "pairing__teen")
    if not held:
        choices = choices.filter(held=False)
    if only is not None:
        choices = choices.filter(pairing__in=only)
    latest = {}
    for choice in choices.order_by("held", "made_at"):
        latest[choice.pairing_id, choice.capability] = choice
    return [
        (choice, _weight(choice, held=held))
        for choice in sorted(latest.values(), key=lambda choice: choice.made_at)
        if choice.value is not None  # held, and taken back
    ]


def _weight(choice: Choice, *, held: bool) -> Weight:
    """Return how a choice counts now.

    Consent to the account itself is no setting. It stays while the pairing lives, by the proof with
    which it was given. Otherwise whoever disputes a guardian would lose the account by that.
    """
    pairing, capability = choice.pairing, choice.capability
    if capability == JOIN:
        proven = proves(choice.proof, proof_needed(pairing.teen, JOIN))
        return Weight.FULL if proven else Weight.TIGHTENS
    if not in_power(pairing, held=held):
        return Weight.SLEEPS
    return Weight.FULL if may_give(pairing, capability, choice.value) else Weight.TIGHTENS


def is_about_time(capability: str, kind: ValueKind) -> bool:
    """Whether a setting limits time. One that does not is about being seen or reached."""
    return kind in (HOURS, MINUTES) or capability in SETTING_GROUPS["time"]


def settle(teen: LockedAccount, capability: str, *, actor: Actor) -> Weekly | None:
    """Set the permanent guardian setting to the strictest choice of the guardians in power.

    The choices of a guardian without power sleep: one about time falls back to the default, any
    other can only tighten. So does what a guardian loosened without the proof for it. Settles a
    temporary grant as well. Returns the value in power, None where nobody in power chose.
    """
    return _settle(teen, capability, live_choices(teen), actor)


def _settle(
    teen: LockedAccount, capability: str, choices: list[tuple[Choice, Weight]], actor: Actor
) -> Weekly | None:
    pack = live().in_force().for_account(teen.platform_id)
    known = None if pack is None else pack.capabilities.get(capability)
    if known is None:
        return None
    about = [(choice, weight) for choice, weight in choices if choice.capability == capability]
    value, asleep = combined(known.kind, capability, about)
    _settle_layer(teen, Layer.GUARDIAN, capability, value, actor)
    _settle_layer(teen, Layer.ASLEEP, capability, asleep, actor)
    ask = grant_of(teen, capability)
    if ask is not None and ask.value is not None:
        granted = within_choices(known.kind, ask, about)
        _settle_layer(teen, Layer.GUARDIAN, capability, granted, actor, until=ask.until)
    return value


def combined(
    kind: ValueKind, capability: str, about: Iterable[tuple[Choice, Weight]]
) -> tuple[Weekly | None, Weekly | None]:
    """Return the strictest choice that counts in full, and the strictest of those that tighten.

    `about`: the choices about a capability, and how each counts. A choice that sleeps tightens too,
    unless it is about time.
    """
    awake, asleep = [], []
    for choice, weight in about:
        if weight == Weight.FULL:
            awake.append(choice.value)
        elif weight == Weight.TIGHTENS or not is_about_time(capability, kind):
            asleep.append(choice.value)
    return strictest(kind, awake), strictest(kind, asleep)


def within_choices(
    kind: ValueKind, ask: Ask, about: Iterable[tuple[Choice, Weight]], *, held: bool = False
) -> Weekly | None:
    """Return what was granted, within the choices that count of those who did not agree."""
    awake = [choice for choice, weight in about if weight != Weight.SLEEPS]
    binding = standing_against(awake, yeses_of(ask, held=held))
    return strictest(kind, [cast("Weekly", ask.value), *(choice.value for choice in binding)])


def _settle_layer(
    teen: LockedAccount,
    layer: Layer,
    capability: str,
    value: Weekly | None,
    actor: Actor,
    until: datetime | None = None,
) -> None:
    """Replace the setting of a layer, permanent or until a moment, if it differs."""
    settings = Setting.objects.filter(account=teen, layer=layer, capability=capability)
    setting = settings.filter(ended_at=None, until=until).first()
    if _stored(value) != (None if setting is None else setting.value):
        make_setting(
            account=teen,
            layer=layer,
            capability=capability,
            value=value,
            actor=actor,
            until=until,
        )


def _stored(value: Weekly | None) -> object:
    """Return a value as it is read back: JSON has no tuples, so a stored week is a list."""
    return list(value) if isinstance(value, tuple) else value


def settle_all(teen: LockedAccount, *, actor: Actor) -> None:
    """End everything that came from ended pairings, and settle the remaining guardians' choices.

    Ends the choices, keywords and open proposals of a teen's ended pairings, and the temporary
    grants of those that give no power.
    """
    now = timezone.now()
    _mark_settled(teen, now)
    choices = Choice.objects.filter(
        pairing__teen=teen, pairing__ended_at__isnull=False, ended_at=None
    )
    choices.update(ended_at=now, ended_why="pairing ended")
    keywords = Keyword.objects.filter(teen=teen, pairing__ended_at__isnull=False, ended_at=None)
    keywords.update(ended_at=now)
    grants = Ask.objects.filter(teen=teen, state=AskState.GRANTED, until__isnull=False)
    for ask in grants.select_related("granted_by__guardian", "granted_by__teen"):
        giver = ask.granted_by
        proven = giver is not None and may_give(giver, ask.capability, cast("Weekly", ask.value))
        if giver is not None and proven and in_power(giver):
            continue
        if giver is not None and proven and in_power(giver, held=True):
            _hold_grant(ask, teen, actor)
        else:
            end_grant(ask, teen, AskState.ENDED, actor=actor)
    Ask.objects.filter(
        teen=teen,
        state__in=(AskState.OPEN, AskState.TALK),
        proposed_by__ended_at__isnull=False,
    ).update(state=AskState.LAPSED)
    permanent = Setting.objects.filter(
        account=teen, layer__in=(Layer.GUARDIAN, Layer.ASLEEP), ended_at=None, until=None
    ).values_list("capability", flat=True)
    granted = Ask.objects.filter(
        teen=teen, state=AskState.GRANTED, until__gt=now, minutes=None, held=False
    ).values_list("capability", flat=True)
    choices_now = live_choices(teen)
    chosen = {choice.capability for choice, _ in choices_now}
    for capability in sorted({*permanent, *granted, *chosen}):
        _settle(teen, capability, choices_now, actor)


def _mark_settled(teen: LockedAccount, now: datetime) -> None:
    """Note by which powers, proofs and packs the live pairings are settled, for the sweep."""
    pairings = Pairing.objects.filter(teen=teen, ended_at=None).select_related("guardian", "teen")
    packs = packs_in_force()
    for pairing in pairings:
        asleep = not has_power(pairing)
        if asleep != (pairing.asleep_since is not None):
            pairing.asleep_since = now if asleep else None
        pairing.settled_proof = method_of(pairing.guardian, pairing.teen)
        pairing.settled_packs = packs
        pairing.save(update_fields=["asleep_since", "settled_proof", "settled_packs"])


def packs_in_force() -> str:
    """Return a short name for the packs in force, their share and the laws of the day."""
    in_force = live().in_force()
    packs = [
        "" if pack is None else f"{pack.digest} {pack.ruling.until}"
        for pack in (in_force.pack, in_force.rest)
    ]
    text = f"{packs} {in_force.share} {in_force.staged}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _hold_grant(ask: Ask, teen: LockedAccount, actor: Actor) -> None:
    """Take a grant of a quietly disputed guardian out of force. It goes on looking granted."""
    if ask.held:
        return
    ask.held = True
    ask.save(update_fields=["held"])
    if ask.minutes is None:
        _end_passing(teen, ask.capability, actor)


def _end_passing(teen: LockedAccount, capability: str, actor: Actor) -> None:
    make_setting(
        account=teen,
        layer=Layer.GUARDIAN,
        capability=capability,
        value=None,
        actor=actor,
        until=timezone.now(),
    )


def end_grant(ask: Ask, teen: LockedAccount, state: AskState, *, actor: Actor) -> None:
    """End a temporary grant with its setting, and give the ask a state.

    A grant of extra minutes has no setting to end, and a held one never had any.
    """
    if ask.minutes is None and not ask.held:
        _end_passing(teen, ask.capability, actor)
    ask.state = state
    ask.save(update_fields=["state"])
    if ask.only_for_id is not None and grant_of(teen, ask.capability) is not None:
        settle(teen, ask.capability, actor=actor)  # that of another home goes on


def end_choices(teen: LockedAccount, capabilities: Iterable[str], why: str) -> None:
    """End guardians' choices and temporary grants for capabilities they can no longer move."""
    choices = Choice.objects.filter(
        pairing__teen=teen, capability__in=list(capabilities), ended_at=None
    )
    choices.update(ended_at=timezone.now(), ended_why=why)
    for ask in Ask.objects.filter(
        teen=teen, state=AskState.GRANTED, until__isnull=False, capability__in=list(capabilities)
    ):
        ask.state = AskState.ENDED
        ask.save(update_fields=["state"])
