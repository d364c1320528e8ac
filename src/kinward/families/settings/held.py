"""What a guardian does during a quiet dispute: it looks done, and is held until a person decides.

A held choice, grant, word or pass-code is on the pages of that guardian and of the teen, where
somebody may look over the teen's shoulder. Decisions, screen time and the filter of words go by
what is in force. Another guardian's pages show what is in force.
"""

from typing import cast

from django.db.models import Q, QuerySet, Value
from django.db.models.fields.json import JSONField
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import live
from kinward.families.models import (
    OPEN_ASKS,
    Ask,
    AskState,
    Choice,
    ExtraMinutes,
    Held,
    Keyword,
    Pairing,
)
from kinward.families.pairing.homes import pairings_seen_by
from kinward.families.pairing.proof import method_of
from kinward.families.settings.settlement import (
    Weight,
    combined,
    end_grant,
    live_choices,
    settle,
    within_choices,
)
from kinward.families.settings.shown import ShownValues
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount
from kinward.policy import Weekly


def sees_held(teen: Account, reader: Account) -> bool:
    """Whether a reader's pages show what is held, as if it were in force.

    Also after the guardian has ended the pairing: the dispute still waits for a person.
    """
    quiet = Pairing.objects.filter(teen=teen, quiet=True)
    return (quiet if reader.pk == teen.pk else quiet.filter(guardian=reader)).exists()


def shown_values(teen: Account, reader: Account) -> ShownValues | None:
    """Return what guardians want as a reader's pages show it; None for what is in force.

    Where homes are apart, a guardian is shown nothing that follows from another one.
    """
    pack = live().in_force().for_account(teen.platform_id)
    held, only = sees_held(teen, reader), pairings_seen_by(teen, reader)
    if pack is None or (not held and only is None):
        return None
    choices: dict[str, list[tuple[Choice, Weight]]] = {}
    for choice, weight in live_choices(teen, held=held, only=only):
        choices.setdefault(choice.capability, []).append((choice, weight))
    values: dict[str, Weekly] = {}
    asleep: dict[str, Weekly] = {}
    for name, about in choices.items():
        if name in pack.capabilities:
            awake, sleeping = combined(pack.capabilities[name].kind, name, about)
            if awake is not None:
                values[name] = awake
            if sleeping is not None:
                asleep[name] = sleeping
    passing = _passing(teen).filter(looks="") if held else _passing(teen).filter(held=False)
    if only is not None:
        passing = passing.filter(granted_by__in=only)
    for ask in passing.prefetch_related("answers__pairing"):
        if ask.capability in pack.capabilities:
            kind, about = pack.capabilities[ask.capability].kind, choices.get(ask.capability, [])
            values[ask.capability] = cast("Weekly", within_choices(kind, ask, about, held=held))
    return ShownValues(values, asleep, held, only)


def weekly(value: object) -> Weekly:
    """Return a stored value as one value or a week: JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value  # type: ignore[return-value]


def hold_choice(pairing: Pairing, capability: str, value: Weekly | None, actor: Actor) -> None:
    """Keep a guardian's choice as held, in place of an earlier held one; None takes it back."""
    earlier = Choice.objects.filter(pairing=pairing, capability=capability, ended_at=None)
    earlier.filter(held=True).update(ended_at=timezone.now(), ended_why="replaced")
    stored = Value(None, JSONField()) if value is None else value
    proof = method_of(pairing.guardian, pairing.teen)
    Choice.objects.create(
        pairing=pairing, capability=capability, value=stored, held=True, proof=proof
    )
    fact = kinds.ChoiceHeld(capability=capability, value=value, proof=proof)
    record(actor=actor, subject=str(pairing), fact=fact)


def release_held(pairing: Pairing, teen: LockedAccount, actor: Actor) -> None:
    """Let everything that is held of a pairing take effect, because a person let it go on."""
    _release_choices(pairing, teen, actor)
    _release_grants(pairing, teen, actor)
    Keyword.objects.filter(pairing=pairing, held=Held.ADDED).update(held=Held.NOTHING)
    ExtraMinutes.objects.filter(pairing=pairing, held=True).update(held=False)
    if not Pairing.objects.filter(teen=teen, quiet=True).exclude(pk=pairing.pk).exists():
        removed = Keyword.objects.filter(teen=teen, held=Held.REMOVED, ended_at=None)
        removed.update(held=Held.NOTHING, ended_at=timezone.now())
        ExtraMinutes.objects.filter(account=teen, held=True).update(held=False)


def drop_held(teen: LockedAccount) -> None:
    """Forget what only looks otherwise, after the last quiet dispute: show what is in force."""
    if Pairing.objects.filter(teen=teen, quiet=True).exists():
        return
    Keyword.objects.filter(teen=teen, held=Held.REMOVED).update(held=Held.NOTHING)
    choices = Choice.objects.filter(pairing__teen=teen, pairing__disputed_at=None, held=True)
    choices.filter(ended_at=None).update(ended_at=timezone.now(), ended_why="not agreed")
    asks = Ask.objects.filter(teen=teen).exclude(granted_by__disputed_at__isnull=False)
    ExtraMinutes.objects.filter(ask__in=asks.filter(held=True)).delete()
    granted = asks.filter(held=True, state=AskState.GRANTED)
    granted.update(state=AskState.OPEN, held=False, until=None)  # or lapsed, as a job finds
    asks.exclude(looks="").update(looks="")


def _release_choices(pairing: Pairing, teen: LockedAccount, actor: Actor) -> None:
    choices = Choice.objects.filter(pairing__teen=teen, ended_at=None)
    # Also those of other guardians, whose grant waited for this one.
    released = choices.filter(Q(pairing=pairing) | Q(pairing__quiet=False), held=True)
    for choice in released.exclude(pairing__in=_disputed_besides(pairing)).order_by("made_at"):
        earlier = choices.filter(pairing_id=choice.pairing_id, capability=choice.capability)
        earlier.filter(held=False).update(ended_at=timezone.now(), ended_why="replaced")
        if choice.value is None:
            choice.ended_at, choice.ended_why = timezone.now(), "replaced"
        choice.held = False
        choice.save(update_fields=["held", "ended_at", "ended_why"])
        settle(teen, choice.capability, actor=actor)


def _release_grants(pairing: Pairing, teen: LockedAccount, actor: Actor) -> None:
    others = _disputed_besides(pairing)
    asks = Ask.objects.select_related("teen").filter(teen=teen).exclude(granted_by__in=others)
    ExtraMinutes.objects.filter(ask__in=asks.filter(held=True)).update(held=False)
    for ask in asks.exclude(looks=""):
        if ask.looks in (AskState.REFUSED, AskState.ENDED) and not others.exists():
            _release_end(ask, teen, AskState(ask.looks), actor)
    waiting = list(_passing(teen).filter(held=True).exclude(granted_by__in=others))
    asks.filter(held=True).update(held=False)
    for ask in waiting:
        settle(teen, ask.capability, actor=actor)


def _release_end(ask: Ask, teen: LockedAccount, state: AskState, actor: Actor) -> None:
    """Let an ask become what it looks: refused, or a grant that another one replaced."""
    if ask.state == AskState.GRANTED:
        end_grant(ask, teen, state, actor=actor)
        ExtraMinutes.objects.filter(ask=ask).delete()
    elif ask.state in OPEN_ASKS:
        ask.state = state
    ask.looks = ""
    ask.save(update_fields=["state", "looks"])


def _disputed_besides(pairing: Pairing) -> QuerySet[Pairing]:
    """Return the other disputed pairings of a pairing's teen."""
    disputed = Pairing.objects.filter(teen=pairing.teen_id, disputed_at__isnull=False)
    return disputed.exclude(pk=pairing.pk)


def _passing(teen: Account) -> QuerySet[Ask]:
    """Return a teen's temporary grants that have not ended, of values."""
    return Ask.objects.filter(
        teen=teen, state=AskState.GRANTED, minutes=None, until__gt=timezone.now()
    ).order_by("until")
