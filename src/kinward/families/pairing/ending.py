"""The end of a pairing: by either side, or by itself.

Every function locks the teen and settles the choices of the remaining guardians.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import live, person_of
from kinward.families.errors import NotPaired, PairingPaused
from kinward.families.models import Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import is_paused, live_pairings, rules_for
from kinward.families.settings.cooling import COOLING
from kinward.families.settings.settlement import settle_all
from kinward.ground.jobs import enqueue
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.policy import FamilyRules

FINISH: Final = "families.finish_pairings"


@transaction.atomic
def end_pairing(*, account: Account, pairing_id: UUID) -> Pairing:
    """End a pairing as its guardian, at once, or as its teen, after the pack's notice period.

    The pack may also let a teen of a certain age leave at once. During a dispute the guardian
    cannot: raises `PairingPaused`. A quiet dispute looks like none, and outlasts the pairing.
    """
    pairing, teen = lock_own_pairing(account, pairing_id)
    now = timezone.now()
    if account.pk == pairing.guardian_id:
        if is_paused(pairing):
            raise PairingPaused
        finish_pairing(pairing, teen, "guardian", now)
        return pairing
    rules = rules_for(pairing.teen)
    notice = timedelta(hours=rules.notice_hours)
    if not notice or rules.leaves_at_once(person_of(pairing.teen).age):
        finish_pairing(pairing, teen, "teen", now)
        return pairing
    if pairing.ends_at is None:
        pairing.ends_at = now + notice
        pairing.save(update_fields=["ends_at"])
        record(
            actor=account.actor,
            subject=str(pairing),
            fact=kinds.PairingEnding(at=pairing.ends_at.isoformat()),
        )
        when = pairing.ends_at.isoformat()
        tell(pairing.guardian, "ending", other=name_in_notices(pairing.teen), when=when)
        enqueue(FINISH, at=pairing.ends_at, teen_id=pairing.teen_id)
    return pairing


@transaction.atomic
def stay_paired(*, account: Account, pairing_id: UUID) -> Pairing:
    """Cancel the end of a pairing as its teen, during the notice period."""
    pairing, _teen = lock_own_pairing(account, pairing_id)
    if account.pk != pairing.teen_id or pairing.ends_at is None:
        raise NotPaired
    pairing.ends_at, pairing.cools_until = None, timezone.now() + COOLING
    pairing.save(update_fields=["ends_at", "cools_until"])
    record(actor=account.actor, subject=str(pairing), fact=kinds.PairingStayed())
    tell(pairing.guardian, "restored", other=name_in_notices(pairing.teen))
    return pairing


def lock_own_pairing(account: Account, pairing_id: UUID) -> tuple[Pairing, LockedAccount]:
    """Return an account's live pairing, on either side of it, and its teen, locked.

    Raises the same `NotPaired` for other people's pairings and for one that does not exist.
    """
    pairing = (
        live_pairings()
        .select_related("guardian", "teen")
        .filter(Q(guardian=account) | Q(teen=account), pk=pairing_id)
        .first()
    )
    if pairing is None:
        raise NotPaired
    teen = lock_account(pairing.teen_id)
    cooling = ("cools_until", "cools_quietly_until")
    pairing.refresh_from_db(fields=["ends_at", "ended_at", "disputed_at", "quiet", *cooling])
    if pairing.ended_at is not None:
        raise NotPaired
    return pairing, teen


def finish_pairing(
    pairing: Pairing, teen: LockedAccount, why: str, now: datetime, actor: Actor | None = None
) -> None:
    """End a pairing for good, with what its guardian chose, and tell both sides.

    With the reason "guardian" or "teen" that person is the actor; otherwise `actor` or the system.
    """
    close_pairing(pairing, teen, why, now, actor)
    tell(pairing.guardian, "ended", other=name_in_notices(pairing.teen))
    tell(pairing.teen, "ended", other=name_in_notices(pairing.guardian))


def close_pairing(
    pairing: Pairing, teen: LockedAccount, why: str, now: datetime, actor: Actor | None = None
) -> None:
    """As `finish_pairing`, and leave it to the caller whom to tell."""
    pairing.ended_at, pairing.ended_why = now, why
    if pairing.ends_at is not None:
        pairing.cools_until = now + COOLING  # also if the two pair again
    pairing.save(update_fields=["ended_at", "ended_why", "cools_until"])
    sides = {"guardian": pairing.guardian.platform_id, "teen": pairing.teen.platform_id}
    by = Actor.account(sides[why]) if why in sides else actor or Actor.system("families")
    record(actor=by, subject=str(pairing), fact=kinds.PairingEnded(why=why))
    settle_all(teen, actor=by)


def end_due_pairings(teen_id: int | None = None) -> int:
    """End the pairings that are due, of one teen or of everybody; return how many.

    A pairing is due when its notice period is over, or when the teen is too old or the guardian
    too young for it. A dispute keeps a guardian's age from ending it: a reviewer has to settle the
    dispute. A guardian whose age is merely no longer certain loses power, but stays paired.
    """
    candidates = _end_candidates()
    if teen_id is not None:
        candidates = Pairing.objects.filter(ended_at=None, teen_id=teen_id)
    ended = 0
    for pk in list(candidates.values_list("pk", flat=True)):
        with transaction.atomic():
            pairing = Pairing.objects.select_related("guardian", "teen").get(pk=pk)
            teen = lock_account(pairing.teen_id)
            pairing.refresh_from_db()
            why = _why_over(pairing)
            if why:
                finish_pairing(pairing, teen, why, timezone.now())
                ended += 1
    return ended


def _end_candidates() -> QuerySet[Pairing]:
    """Return the few pairings that may be due, by their notice period or by somebody's age.

    A superset: `_why_over` decides by the teen's own rules.
    """
    in_force = live().in_force()
    rules = [pack.families for pack in (in_force.pack, in_force.rest) if pack is not None]
    grown = min((family.until for family in rules), default=FamilyRules().until)
    adult = max((family.guardian_age for family in rules), default=FamilyRules().guardian_age)
    return Pairing.objects.filter(
        Q(ends_at__lte=timezone.now())
        | Q(teen__age_lower__gte=grown)
        | Q(teen__age_changes_on__lte=in_force.day)
        | Q(guardian__age_upper__lte=adult),
        ended_at=None,
    )


def _why_over(pairing: Pairing) -> str:
    if pairing.ended_at is not None:
        return ""
    if pairing.ends_at is not None and pairing.ends_at <= timezone.now():
        return "teen"
    rules = rules_for(pairing.teen)
    if not rules.may_be_guarded(person_of(pairing.teen).age):
        return "grown up"
    if not is_paused(pairing) and person_of(pairing.guardian).age.upper <= rules.guardian_age:
        return "not an adult"
    return ""
