"""The grade of a guardian's power: how surely the platform knows that they are the guardian.

An age makes nobody a parent, and neither does a pairing. Somebody without a proof may limit and
suggest limits. To loosen a setting, to give minutes and to consent takes the proof that the pack
asks for. It is checked each time, like power itself.
"""

from datetime import datetime
from typing import Final

from django.db.models import Q
from django.utils import timezone

from kinward.experience.api import live, person_of
from kinward.families.errors import GuardianUnproven
from kinward.families.models import GuardianProof, Pairing
from kinward.families.pairing.power import rules_for
from kinward.people.api import Account
from kinward.policy import (
    PROOF_METHODS,
    PROVEN_HERE,
    WEEK,
    Weekly,
    bounds_in_general,
    proves,
    stronger_proof,
)

SURE_AGE: Final = "estimated"  # what an age that Kinward verified itself is worth, no more


def live_proof(
    guardian: Account, teen: Account, now: datetime | None = None
) -> GuardianProof | None:
    """Return the proof that one account is the guardian of another, unless it has expired."""
    unexpired = Q(expires_at=None) | Q(expires_at__gt=now or timezone.now())
    proofs = GuardianProof.objects.filter(unexpired, guardian=guardian, teen=teen, ended_at=None)
    return proofs.first()


def method_of(guardian: Account, teen: Account) -> str:
    """Return the strongest method that proves a guardian of a teen now; empty for none.

    An age that Kinward verified itself, such as from a wallet, makes a declaration as good as one
    with an estimated age. It says nothing of a teen, so it makes no parent of its own.
    """
    proof = live_proof(guardian, teen)
    if proof is None:
        return ""
    age = person_of(guardian).age
    here = age.source in PROVEN_HERE and rules_for(teen).guardian_age <= age.lower
    return stronger_proof(proof.method, SURE_AGE) if here else proof.method


def proof_needed(teen: Account, capability: str | None) -> str:
    """Return the least method with which a guardian loosens a capability of a teen.

    None stands for what is no capability, such as a filtered word.
    """
    pack = live().in_force().for_account(teen.platform_id)
    if pack is None:
        return PROOF_METHODS[-1]
    if capability is None:
        return pack.families.least_proof
    bounds = bounds_in_general(pack.ruling, capability, person_of(teen))
    return PROOF_METHODS[-1] if bounds is None else bounds.proof


def is_proven(pairing: Pairing, capability: str | None) -> bool:
    """Whether a pairing's guardian may loosen a capability of the teen now."""
    needed = proof_needed(pairing.teen, capability)
    return not needed or proves(method_of(pairing.guardian, pairing.teen), needed)


def refuse_unproven(pairing: Pairing, capability: str | None) -> None:
    """Raise `GuardianUnproven` unless a pairing's guardian may loosen a capability now."""
    if not is_proven(pairing, capability):
        raise GuardianUnproven


def loosens(teen: Account, capability: str, value: Weekly) -> bool:
    """Whether a value is looser, on any day, than what a teen has without any guardian."""
    pack = live().in_force().for_account(teen.platform_id)
    known = None if pack is None else pack.capabilities.get(capability)
    if pack is None or known is None:
        return True
    bounds = bounds_in_general(pack.ruling, capability, person_of(teen))
    if bounds is None:
        return True
    try:
        codes = {known.kind.code_on(value, weekday) for weekday in range(WEEK)}
    except ValueError:  # of an earlier pack, in which the capability was of another kind
        return True
    return any(known.kind.strictest(code, bounds.default) != code for code in codes)


def may_give(pairing: Pairing, capability: str, value: Weekly) -> bool:
    """Whether a guardian's value may hold: it loosens nothing, or the guardian is proven."""
    return not loosens(pairing.teen, capability, value) or is_proven(pairing, capability)


def refuse_loosening(pairing: Pairing, capability: str, value: Weekly) -> None:
    """Raise `GuardianUnproven` for a value that loosens, from a guardian who is not proven."""
    if not may_give(pairing, capability, value):
        raise GuardianUnproven
