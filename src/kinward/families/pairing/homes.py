"""Homes that are apart: guardians of one teen who see nothing of each other.

The teen says so for all pairings, and a guardian for their own. It takes one word to be apart, and
the words of the teen and of that guardian to end it: so nobody is shown to another guardian whom
they left unseen without their own yes. What a guardian can see follows from `pairings_seen_by`.
"""

from typing import Literal
from uuid import UUID

from django.db import transaction

from kinward.access import Actor
from kinward.families.errors import NotPaired
from kinward.families.models import Home, Pairing
from kinward.families.pairing.power import live_pairings
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, lock_account

HomeWord = Literal["apart", "together"]


def are_apart(one: Pairing, other: Pairing) -> bool:
    """Whether the guardians of two pairings with one teen see nothing of each other."""
    return one.pk != other.pk and (one.apart or other.apart)


def homes_are_apart(teen: Account) -> bool:
    """Whether a live pairing of a teen is apart from the others."""
    return live_pairings().filter(teen=teen, apart=True).exists()


def pairings_seen_by(teen: Account, reader: Account) -> frozenset[UUID] | None:
    """Return the pairings of a teen of which a reader sees anything; None for all of them.

    The teen sees all. A guardian whose home is apart sees their own pairing, and any other guardian
    sees those that are not apart.
    """
    if reader.pk == teen.pk:
        return None
    pairings = list(live_pairings().filter(teen=teen))
    if not any(pairing.apart for pairing in pairings):
        return None
    own = next((pairing for pairing in pairings if pairing.guardian_id == reader.pk), None)
    if own is None:
        return frozenset()
    return frozenset(pairing.pk for pairing in pairings if not are_apart(own, pairing))


@transaction.atomic
def say_homes(*, account: Account, word: HomeWord, pairing_id: UUID | None = None) -> None:
    """Say whether homes are apart: as the teen about all of them, as a guardian about one's own.

    `apart` holds at once, for a guardian in the pairing `pairing_id`. `together` holds for a
    pairing once its teen and its guardian have both said it since. Nobody is told. Locks the teen.
    Raises `NotPaired` without such a pairing.
    """
    pairings = live_pairings()
    if pairing_id is None:
        pairings = pairings.filter(teen=account)
    else:
        pairings = pairings.filter(pk=pairing_id, guardian=account)
    first = pairings.first()
    if first is None:
        raise NotPaired
    lock_account(first.teen_id)
    for pairing in pairings.select_related("guardian", "teen"):  # read under the lock
        _say(pairing, word, account.actor, by_teen=pairing_id is None)


def _say(pairing: Pairing, word: HomeWord, actor: Actor, *, by_teen: bool) -> None:
    said = Home(word)
    if by_teen:
        pairing.teen_said = said
    else:
        pairing.guardian_said = said
    if said == Home.APART:
        pairing.apart = True
    elif pairing.teen_said == pairing.guardian_said == Home.TOGETHER:
        pairing.apart = False
    pairing.save(update_fields=["apart", "teen_said", "guardian_said"])
    fact = kinds.PairingHomes(state=word, apart=pairing.apart)
    record(actor=actor, subject=str(pairing), fact=fact)


def home_of_new_pairing(teen: Account) -> dict[str, object]:
    """Return the fields with which a new pairing begins: apart if its teen said so of another."""
    if not live_pairings().filter(teen=teen, apart=True, teen_said=Home.APART).exists():
        return {}
    return {"apart": True, "teen_said": Home.APART}
