"""What a guardian does during a quiet dispute: it looks done, and is held until a person decides.

A held choice, grant, word or pass-code is on the pages of that guardian and of the teen, where
somebody may look over the teen's shoulder. Decisions, screen time and the filter of words go by
what is in force. Another guardian's pages show what is in force.
"""

from collections.abc import Mapping
from typing import cast

from django.db.models import QuerySet, Value
from django.db.models.fields.json import JSONField
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import Layer, live, make_setting
from kinward.families.models import Ask, AskState, Choice, ExtraMinutes, Held, Keyword, Pairing
from kinward.families.settings.settlement import choices_of, settle, strictest
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount
from kinward.policy import Weekly


def is_held(pairing: Pairing) -> bool:
    """Whether what the pairing's guardian does now is held."""
    return pairing.quiet and pairing.disputed_at is not None


def sees_held(teen: Account, reader: Account) -> bool:
    """Whether a reader's pages show what is held, as if it were in force.

    Also after the guardian has ended the pairing: the dispute still waits for a person.
    """
    quiet = Pairing.objects.filter(teen=teen, quiet=True)
    return (quiet if reader.pk == teen.pk else quiet.filter(guardian=reader)).exists()


def shown_values(teen: Account, reader: Account) -> Mapping[str, Weekly] | None:
    """Return the guardians' values by capability as a reader's pages show them.

    None where the pages show what is in force.
    """
    pack = live().in_force().for_account(teen.platform_id)
    if pack is None or not sees_held(teen, reader):
        return None
    values: dict[str, Weekly] = {}
    for name, choices in choices_of(teen, held=True).items():
        known = pack.capabilities.get(name)
        if known is not None:
            value = strictest(known.kind, [choice.value for choice in choices])
            values[name] = cast("Weekly", value)
    for ask in _passing(teen):
        values[ask.capability] = weekly(ask.value)
    return values


def weekly(value: object) -> Weekly:
    """Return a stored value as one value or a week: JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value  # type: ignore[return-value]


def hold_choice(pairing: Pairing, capability: str, value: Weekly | None, actor: Actor) -> None:
    """Keep a guardian's choice as held, in place of an earlier held one; None takes it back."""
    earlier = Choice.objects.filter(pairing=pairing, capability=capability, ended_at=None)
    earlier.filter(held=True).update(ended_at=timezone.now(), ended_why="replaced")
    stored = Value(None, JSONField()) if value is None else value
    Choice.objects.create(pairing=pairing, capability=capability, value=stored, held=True)
    fact = kinds.ChoiceHeld(capability=capability, value=value)
    record(actor=actor, subject=str(pairing), fact=fact)


def release_held(pairing: Pairing, teen: LockedAccount, actor: Actor) -> None:
    """Let everything that is held of a pairing take effect, because a person let it go on."""
    _release_choices(pairing, teen, actor)
    _release_grants(pairing, teen, actor)
    Keyword.objects.filter(pairing=pairing, held=Held.ADDED).update(held=Held.NOTHING)
    if not Pairing.objects.filter(teen=teen, quiet=True).exclude(pk=pairing.pk).exists():
        removed = Keyword.objects.filter(teen=teen, held=Held.REMOVED, ended_at=None)
        removed.update(held=Held.NOTHING, ended_at=timezone.now())
        ExtraMinutes.objects.filter(account=teen, ask=None, held=True).update(held=False)


def drop_held(teen: LockedAccount) -> None:
    """Forget which words only look removed, after the last quiet dispute: they are in force."""
    if not Pairing.objects.filter(teen=teen, quiet=True).exists():
        Keyword.objects.filter(teen=teen, held=Held.REMOVED).update(held=Held.NOTHING)


def _release_choices(pairing: Pairing, teen: LockedAccount, actor: Actor) -> None:
    choices = Choice.objects.filter(pairing=pairing, ended_at=None)
    for choice in choices.filter(held=True).order_by("made_at"):
        earlier = choices.filter(capability=choice.capability, held=False)
        earlier.update(ended_at=timezone.now(), ended_why="replaced")
        if choice.value is None:
            choice.ended_at, choice.ended_why = timezone.now(), "replaced"
        choice.held = False
        choice.save(update_fields=["held", "ended_at", "ended_why"])
        settle(teen, choice.capability, actor=actor)


def _release_grants(pairing: Pairing, teen: LockedAccount, actor: Actor) -> None:
    granted = Ask.objects.filter(granted_by=pairing, held=True)
    ExtraMinutes.objects.filter(ask__in=granted).update(held=False)
    for ask in _passing(teen).filter(granted_by=pairing, held=True):
        make_setting(
            account=teen,
            layer=Layer.GUARDIAN,
            capability=ask.capability,
            value=weekly(ask.value),
            actor=actor,
            until=ask.until,
        )
    granted.update(held=False)


def _passing(teen: Account) -> QuerySet[Ask]:
    """Return a teen's temporary grants that have not ended, of values."""
    return Ask.objects.filter(
        teen=teen, state=AskState.GRANTED, minutes=None, until__gt=timezone.now()
    ).order_by("until")
