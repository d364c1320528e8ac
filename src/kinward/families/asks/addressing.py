"""Whose ask it is: where homes are apart, each guardian sees only what is addressed to them."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from kinward.families.models import Answer, Ask, Pairing
from kinward.families.pairing.homes import homes_are_apart
from kinward.ground.errors import Invalid


def asks_between(pairing: Pairing) -> QuerySet[Ask]:
    """Return what a teen and a guardian asked and suggested, as that guardian sees it.

    Where homes are apart, it is what is addressed to that guardian, what that guardian suggested,
    and what that guardian answered while the homes were together. Otherwise it is all but what was
    addressed to another guardian.
    """
    asks = Ask.objects.filter(teen=pairing.teen_id)
    if not homes_are_apart(pairing.teen):
        return asks.filter(Q(only_for=None) | Q(only_for=pairing.pk))
    answered = Exists(Answer.objects.filter(ask=OuterRef("pk"), pairing=pairing.pk))
    own = Q(only_for=pairing.pk) | Q(proposed_by=pairing.pk)
    return asks.filter(own | (Q(only_for=None, proposed_by=None) & answered))


def sees_ask(pairing: Pairing, ask: Ask) -> bool:
    """Whether a pairing's guardian sees an ask."""
    return asks_between(pairing).filter(pk=ask.pk).exists()


def addressees(pairings: Sequence[Pairing], to: UUID | None, *, apart: bool) -> list[Pairing]:
    """Return to which of a teen's pairings an ask goes: all of them, or one if homes are `apart`.

    Raises `Invalid` where it has to name one of several and does not.
    """
    if not apart:
        return list(pairings)
    chosen = [pairing for pairing in pairings if to in (None, pairing.pk)]
    if len(chosen) != 1:
        raise Invalid("Say which of your guardians you ask.")
    return chosen
