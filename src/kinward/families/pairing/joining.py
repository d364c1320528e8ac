"""Consent to the account itself, where the law asks a guardian for it.

A pairing alone is no consent. It takes the proof that the law's rule names, and the ledger keeps
the method with the consent. A quiet dispute holds no consent back, since whoever disputes a
guardian is not to lose the account by that. What is held is only that a guardian takes it back.
"""

from django.db import transaction

from kinward.access import Actor
from kinward.experience.api import live, person_of
from kinward.families.errors import SettingLocked
from kinward.families.models import Choice, Pairing
from kinward.families.pairing.power import is_held, require_power
from kinward.families.pairing.proof import is_proven, proof_needed, refuse_unproven
from kinward.families.settings.choices import write_choice
from kinward.families.settings.groups import JOIN
from kinward.people.api import Account, LockedAccount
from kinward.policy import bounds_in_general, proves


def asks_consent(teen: Account) -> bool:
    """Whether the rules ask a guardian to consent to a teen's account."""
    pack = live().in_force().for_account(teen.platform_id)
    if pack is None:
        return False
    bounds = bounds_in_general(pack.ruling, JOIN, person_of(teen))
    return bounds is not None and bounds.guardian_moves


def has_consented(pairing: Pairing) -> bool:
    """Whether a guardian consented to the teen's account, as they see it, with enough proof."""
    choices = Choice.objects.filter(pairing=pairing, capability=JOIN, ended_at=None)
    needed = proof_needed(pairing.teen, JOIN)
    latest = choices.order_by("held").last()
    return latest is not None and latest.value is not None and proves(latest.proof, needed)


def count_unproven_consents() -> int:
    """Count the accounts with a guardian's consent, and none that was given with a proof."""
    consents = Choice.objects.filter(
        capability=JOIN, ended_at=None, held=False, pairing__ended_at=None
    )
    proven = consents.exclude(proof="").values("pairing__teen")
    unproven = consents.exclude(pairing__teen__in=proven)
    return unproven.values("pairing__teen").distinct().count()


@transaction.atomic
def consent_to_account(
    *, guardian: Account, teen_id: str, consents: bool, actor: Actor | None = None
) -> Pairing:
    """Consent to a teen's account as a guardian, or take the consent back. Locks the teen.

    Raises as `require_power`, `SettingLocked` where the rules ask for none, and `GuardianUnproven`
    for consent without the proof that they ask for.
    """
    pairing, teen = require_power(guardian=guardian, teen_id=teen_id)
    if not asks_consent(teen):
        raise SettingLocked
    if consents:
        refuse_unproven(pairing, JOIN)
    value = "allow" if consents else None
    by = actor or guardian.actor
    write_choice(pairing, teen, JOIN, value, by, held=not consents and is_held(pairing))
    return pairing


def consent_by_pairing(pairing: Pairing, teen: LockedAccount) -> None:
    """Note the consent of a guardian who is proven already: the offer said what pairing means."""
    if asks_consent(teen) and is_proven(pairing, JOIN):
        actor = pairing.guardian.actor
        write_choice(pairing, teen, JOIN, "allow", actor, held=False)
