"""From what each guardian chose to the one setting that holds: the most protective of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import Layer, Setting, live, make_setting
from kinward.families.models import Ask, AskState, Choice, Keyword
from kinward.people.api import Account, LockedAccount
from kinward.policy import WEEK, Value, ValueKind, Weekly


def strictest(kind: ValueKind, choices: Iterable[Weekly]) -> Weekly | None:
    """The most protective of several values or weeks, day by day; None where there is none.

    >>> from kinward.policy.values import MINUTES
    >>> strictest(MINUTES, [60, (30, 90, 90, 90, 90, 90, 90)])
    (30, 60, 60, 60, 60, 60, 60)
    """
    found = [each if isinstance(each, tuple | list) else (each,) * WEEK for each in choices]
    if not found:
        return None
    days = []
    for day in zip(*found, strict=True):
        code = kind.code(day[0])
        for each in day[1:]:
            code = kind.strictest(code, kind.code(each))
        days.append(kind.value(code))
    return days[0] if len(set(days)) == 1 else cast("tuple[Value, ...]", tuple(days))


def choices_of(teen: Account, now: datetime | None = None) -> dict[str, list[Choice]]:
    """What the guardians of a teen have chosen, by capability.

    The choices of a disputed pairing count too: nothing moves while a person looks.
    """
    now = now or timezone.now()
    found: dict[str, list[Choice]] = {}
    made = Choice.objects.filter(
        Q(pairing__ends_at=None) | Q(pairing__ends_at__gt=now),
        pairing__teen=teen,
        pairing__ended_at=None,
        ended_at=None,
    )
    for choice in made.select_related("pairing__guardian").order_by("made_at"):
        found.setdefault(choice.capability, []).append(choice)
    return found


def settle(teen: LockedAccount, capability: str, *, actor: Actor) -> Weekly | None:
    """Set the permanent guardian setting to the strictest of the guardians' choices."""
    pack = live().in_force().for_account(teen.platform_id)
    known = None if pack is None else pack.capabilities.get(capability)
    chosen = choices_of(teen).get(capability, [])
    value = None if known is None else strictest(known.kind, [each.value for each in chosen])
    there = Setting.objects.filter(
        account=teen, layer=Layer.GUARDIAN, capability=capability, ended_at=None, until=None
    ).first()
    was = None if there is None else there.value
    if known is not None and (list(value) if isinstance(value, tuple) else value) != was:
        make_setting(
            account=teen, layer=Layer.GUARDIAN, capability=capability, value=value, actor=actor
        )
    return value


def settle_all(teen: LockedAccount, *, actor: Actor) -> None:
    """After a pairing has ended: its choices, keywords and grants end, the others' are settled."""
    now = timezone.now()
    ended = Choice.objects.filter(
        pairing__teen=teen, pairing__ended_at__isnull=False, ended_at=None
    )
    ended.update(ended_at=now, ended_why="pairing ended")
    words = Keyword.objects.filter(teen=teen, pairing__ended_at__isnull=False, ended_at=None)
    words.update(ended_at=now)
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
    lasting = Setting.objects.filter(
        account=teen, layer=Layer.GUARDIAN, ended_at=None, until=None
    ).values_list("capability", flat=True)
    for capability in sorted({*lasting, *choices_of(teen)}):
        settle(teen, capability, actor=actor)


def end_grant(ask: Ask, teen: LockedAccount, state: AskState, *, actor: Actor) -> None:
    """End what the guardians of a teen granted for a time."""
    if ask.minutes is None:
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
    """End what guardians chose for capabilities that are not theirs to move any more."""
    gone = Choice.objects.filter(
        pairing__teen=teen, capability__in=list(capabilities), ended_at=None
    )
    gone.update(ended_at=timezone.now(), ended_why=why)
    for ask in Ask.objects.filter(
        teen=teen, state=AskState.GRANTED, until__isnull=False, capability__in=list(capabilities)
    ):
        ask.state = AskState.ENDED
        ask.save(update_fields=["state"])
