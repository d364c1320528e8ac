"""Settlement: the guardians' choices become one setting, the most protective of them.

A temporary grant becomes a temporary setting, bounded by every choice that its guardian did not
give up for it. Both are computed again whenever a choice, a grant or a pairing changes.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import Layer, Setting, live, make_setting
from kinward.families.models import Ask, AskState, Choice, Keyword
from kinward.families.settings.grant_order import grant_of, standing_against, yeses_of
from kinward.people.api import Account, LockedAccount
from kinward.policy import WEEK, Value, ValueKind, Weekly


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


def choices_of(
    teen: Account, now: datetime | None = None, *, held: bool = False
) -> dict[str, list[Choice]]:
    """Return the choices of a teen's guardians by capability, oldest first.

    The choices of a disputed pairing count too, because a dispute itself must loosen nothing. With
    `held`, the choices are those that are shown: a held one takes the place of the one in force.
    """
    now = now or timezone.now()
    by_capability: dict[str, list[Choice]] = {}
    choices = Choice.objects.filter(
        Q(pairing__ends_at=None) | Q(pairing__ends_at__gt=now),
        pairing__teen=teen,
        pairing__ended_at=None,
        ended_at=None,
    )
    if not held:
        choices = choices.filter(held=False)
    latest = {}
    for choice in choices.select_related("pairing__guardian").order_by("held", "made_at"):
        latest[choice.pairing_id, choice.capability] = choice
    for choice in sorted(latest.values(), key=lambda choice: choice.made_at):
        if choice.value is not None:  # held, and taken back
            by_capability.setdefault(choice.capability, []).append(choice)
    return by_capability


def settle(teen: LockedAccount, capability: str, *, actor: Actor) -> Weekly | None:
    """Set the permanent guardian setting to the strictest of the guardians' choices.

    Settles a temporary grant as well. Returns the permanent value, None where no guardian chose.
    """
    pack = live().in_force().for_account(teen.platform_id)
    known = None if pack is None else pack.capabilities.get(capability)
    choices = choices_of(teen).get(capability, [])
    value = None if known is None else strictest(known.kind, [choice.value for choice in choices])
    setting = Setting.objects.filter(
        account=teen, layer=Layer.GUARDIAN, capability=capability, ended_at=None, until=None
    ).first()
    if known is not None and _stored(value) != (None if setting is None else setting.value):
        make_setting(
            account=teen, layer=Layer.GUARDIAN, capability=capability, value=value, actor=actor
        )
    if known is not None:
        _settle_grant(teen, capability, known.kind, choices, actor)
    return value


def _stored(value: Weekly | None) -> object:
    """Return a value as it is read back: JSON has no tuples, so a stored week is a list."""
    return list(value) if isinstance(value, tuple) else value


def _settle_grant(
    teen: LockedAccount, capability: str, kind: ValueKind, choices: list[Choice], actor: Actor
) -> None:
    """Set the temporary setting to what was granted, within the choices of who did not agree."""
    ask = grant_of(teen, capability)
    if ask is None or ask.value is None:
        return
    binding = standing_against(choices, yeses_of(ask))
    value = strictest(kind, [ask.value, *(choice.value for choice in binding)])
    setting = Setting.objects.filter(
        account=teen, layer=Layer.GUARDIAN, capability=capability, ended_at=None, until=ask.until
    ).first()
    if _stored(value) != (None if setting is None else setting.value):
        make_setting(
            account=teen,
            layer=Layer.GUARDIAN,
            capability=capability,
            value=value,
            actor=actor,
            until=ask.until,
        )


def settle_all(teen: LockedAccount, *, actor: Actor) -> None:
    """End everything that came from ended pairings, and settle the remaining guardians' choices.

    Ends the choices, keywords, temporary grants and open proposals of a teen's ended pairings.
    """
    now = timezone.now()
    choices = Choice.objects.filter(
        pairing__teen=teen, pairing__ended_at__isnull=False, ended_at=None
    )
    choices.update(ended_at=now, ended_why="pairing ended")
    keywords = Keyword.objects.filter(teen=teen, pairing__ended_at__isnull=False, ended_at=None)
    keywords.update(ended_at=now)
    for ask in Ask.objects.filter(
        teen=teen,
        state=AskState.GRANTED,
        until__isnull=False,
        granted_by__ended_at__isnull=False,
    ):
        end_grant(ask, teen, AskState.ENDED, actor=actor)
    Ask.objects.filter(
        teen=teen,
        state__in=(AskState.OPEN, AskState.TALK),
        proposed_by__ended_at__isnull=False,
    ).update(state=AskState.LAPSED)
    permanent = Setting.objects.filter(
        account=teen, layer=Layer.GUARDIAN, ended_at=None, until=None
    ).values_list("capability", flat=True)
    granted = Ask.objects.filter(
        teen=teen, state=AskState.GRANTED, until__gt=now, minutes=None, held=False
    ).values_list("capability", flat=True)
    for capability in sorted({*permanent, *granted, *choices_of(teen)}):
        settle(teen, capability, actor=actor)


def end_grant(ask: Ask, teen: LockedAccount, state: AskState, *, actor: Actor) -> None:
    """End a temporary grant with its setting, and give the ask a state.

    A grant of extra minutes has no setting to end, and a held one never had any.
    """
    if ask.minutes is None and not ask.held:
        make_setting(
            account=teen,
            layer=Layer.GUARDIAN,
            capability=ask.capability,
            value=None,
            actor=actor,
            until=timezone.now(),
        )
    ask.state = state
    ask.save(update_fields=["state"])


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
