"""What a person of the staff does to a pairing: pause it, end it, hand a teen to another guardian.

Whether that person may, and whether another one agreed, is asked in the room above.
"""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.families.errors import NotPaired
from kinward.families.models import Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.disputes import end_between
from kinward.families.pairing.invitations import pair_accounts
from kinward.families.pairing.power import live_pairings
from kinward.families.pairing.proving import Told, prove_guardian
from kinward.families.settings.settlement import settle_all
from kinward.ground.errors import Invalid
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, lock_account, lock_accounts


@transaction.atomic
def pause_by_person(*, pairing_id: UUID, quiet: bool, actor: Actor) -> Pairing:
    """Take all power from a guardian until a person decides, as a teen's dispute does.

    Quietly, neither of the two notices. Otherwise both are told. A pairing that is disputed quietly
    can be paused for everybody to see, and never the other way round. Raises `NotPaired`.
    """
    pairing, teen = _lock(pairing_id)
    fresh = pairing.disputed_at is None
    if not fresh and (quiet or not pairing.quiet):
        return pairing
    pairing.disputed_at = pairing.disputed_at or timezone.now()
    pairing.quiet = quiet
    pairing.save(update_fields=["disputed_at", "quiet"])
    record(actor=actor, subject=str(pairing), fact=kinds.PairingPaused(quiet=quiet))
    settle_all(teen, actor=actor)
    if not quiet:
        for person, other in ((pairing.guardian, pairing.teen), (pairing.teen, pairing.guardian)):
            tell(person, "paused", other=name_in_notices(other))
    return pairing


@transaction.atomic
def end_by_person(*, pairing_id: UUID, actor: Actor) -> Pairing:
    """End a pairing with its proof, and tell both. The two pair again only by a person."""
    pairing, teen = _lock(pairing_id)
    end_between(pairing, teen, actor)
    pairing.refresh_from_db()
    return pairing


@transaction.atomic
def hand_over(*, pairing_id: UUID, to: Account, told: Told, actor: Actor) -> Pairing:
    """End a pairing, and pair its teen with another guardian, whom the papers prove.

    Returns the new pairing. Raises as the pairing of any two accounts does.
    """
    known = Pairing.objects.filter(pk=pairing_id).first()
    if known is None:
        raise NotPaired
    if to.pk in (known.guardian_id, known.teen_id):
        raise Invalid("Hand the teen over to somebody who is not in this pairing.")
    locked = lock_accounts(known.guardian_id, known.teen_id, to.pk)
    pairing, teen = _lock(pairing_id)
    end_between(pairing, teen, actor)
    prove_guardian(guardian=to, teen=teen, told=told, actor=actor)
    return pair_accounts(guardian=locked[to.pk], teen=teen)


def _lock(pairing_id: UUID) -> tuple[Pairing, LockedAccount]:
    """Return a live pairing and its teen, locked."""
    pairings = live_pairings().select_related("guardian", "teen").filter(pk=pairing_id)
    known = pairings.first()
    if known is None:
        raise NotPaired
    teen = lock_account(known.teen_id)
    pairing = pairings.first()  # read under the lock
    if pairing is None:
        raise NotPaired
    return pairing, teen
