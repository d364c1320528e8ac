"""The end of a pairing: by either side, by a person who has looked, by itself.

Every verb locks the teen, and settles what is left of the guardians' choices.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import live, person_of
from kinward.families.errors import NotPaired
from kinward.families.models import Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import live_pairings, rules_for
from kinward.families.pairing.trusted_adult import call_trusted
from kinward.families.settings.settlement import settle_all
from kinward.ground.errors import Invalid
from kinward.ground.jobs import enqueue
from kinward.ledger.api import record
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.policy import FamilyRules

FINISH: Final = "families.finish_pairings"


@transaction.atomic
def end_pairing(*, account: Account, pairing_id: UUID) -> Pairing:
    """End a pairing, by either side. The teen's word takes effect after the pack's notice."""
    pairing, teen = _mine(account, pairing_id)
    now = timezone.now()
    if account.pk == pairing.guardian_id:
        _finish(pairing, teen, "guardian", now)
        return pairing
    rules = rules_for(pairing.teen)
    notice = timedelta(hours=rules.notice_hours)
    if not notice or rules.leaves_at_once(person_of(pairing.teen).age):
        _finish(pairing, teen, "teen", now)
        return pairing
    if pairing.ends_at is None:
        pairing.ends_at = now + notice
        pairing.save(update_fields=["ends_at"])
        record(
            actor=account.actor,
            kind="pairing.ending",
            subject=str(pairing),
            at=pairing.ends_at.isoformat(),
        )
        when = pairing.ends_at.isoformat()
        tell(pairing.guardian, "ending", other=name_in_notices(pairing.teen), when=when)
        enqueue(FINISH, at=pairing.ends_at, teen_id=pairing.teen_id)
    return pairing


@transaction.atomic
def stay_paired(*, account: Account, pairing_id: UUID) -> Pairing:
    """The teen takes the ending back while its notice runs."""
    pairing, _teen = _mine(account, pairing_id)
    if account.pk != pairing.teen_id or pairing.ends_at is None:
        raise NotPaired
    pairing.ends_at = None
    pairing.save(update_fields=["ends_at"])
    record(actor=account.actor, kind="pairing.stayed", subject=str(pairing))
    tell(pairing.guardian, "restored", other=name_in_notices(pairing.teen))
    return pairing


@transaction.atomic
def pause_disputed_pairing(*, teen: Account, pairing_id: UUID) -> Pairing:
    """A teen says that this is not their guardian: nothing moves until a person has looked.

    The caller brings it before a person, in the same transaction.
    """
    pairing, _teen = _mine(teen, pairing_id)
    if teen.pk != pairing.teen_id:
        raise NotPaired
    if pairing.disputed_at is None:
        pairing.disputed_at = timezone.now()
        pairing.save(update_fields=["disputed_at"])
        record(actor=teen.actor, kind="pairing.disputed", subject=str(pairing))
        tell(pairing.guardian, "paused", other=name_in_notices(teen))
        call_trusted(teen)
    return pairing


@transaction.atomic
def settle_pairing_dispute(*, pairing_id: UUID, ends: bool, actor: Actor) -> Pairing:
    """A person has looked: the pairing ends, or goes on as before."""
    found = Pairing.objects.select_related("guardian", "teen").filter(pk=pairing_id).first()
    if found is None:
        raise NotPaired
    teen = lock_account(found.teen_id)
    found.refresh_from_db()
    if found.disputed_at is None or found.ended_at is not None:
        raise Invalid("Nobody disputes this pairing any more.")
    if ends:
        _finish(found, teen, "not a guardian", timezone.now(), actor)
        return found
    found.disputed_at = None
    found.save(update_fields=["disputed_at"])
    record(actor=actor, kind="pairing.restored", subject=str(found))
    for person, other in ((found.guardian, found.teen), (found.teen, found.guardian)):
        tell(person, "restored", other=name_in_notices(other))
    return found


def _mine(account: Account, pairing_id: UUID) -> tuple[Pairing, LockedAccount]:
    """Return an account's live pairing, and the pairing's teen, locked."""
    found = (
        live_pairings()
        .select_related("guardian", "teen")
        .filter(Q(guardian=account) | Q(teen=account), pk=pairing_id)
        .first()
    )
    if found is None:
        raise NotPaired
    teen = lock_account(found.teen_id)
    found.refresh_from_db(fields=["ends_at", "ended_at", "disputed_at"])
    if found.ended_at is not None:
        raise NotPaired
    return found, teen


def _finish(
    pairing: Pairing, teen: LockedAccount, why: str, now: datetime, actor: Actor | None = None
) -> None:
    """End a pairing for good, and with it what its guardian chose."""
    pairing.ended_at, pairing.ended_why = now, why
    pairing.save(update_fields=["ended_at", "ended_why"])
    sides = {"guardian": pairing.guardian.platform_id, "teen": pairing.teen.platform_id}
    by = Actor.account(sides[why]) if why in sides else actor or Actor.system("families")
    record(actor=by, kind="pairing.ended", subject=str(pairing), why=why)
    settle_all(teen, actor=by)
    tell(pairing.guardian, "ended", other=name_in_notices(pairing.teen))
    tell(pairing.teen, "ended", other=name_in_notices(pairing.guardian))


def end_due_pairings(teen_id: int | None = None) -> int:
    """End every pairing whose notice is over, or one of whose two is no longer of an age for it.

    Without a teen, everybody's. A dispute stays until a person has looked; a guardian who is only
    not known surely enough any more has no power, and the pairing stays.
    """
    candidates = _may_be_over()
    if teen_id is not None:
        candidates = Pairing.objects.filter(ended_at=None, teen_id=teen_id)
    ended = 0
    for pk in list(candidates.values_list("pk", flat=True)):
        with transaction.atomic():
            found = Pairing.objects.select_related("guardian", "teen").get(pk=pk)
            teen = lock_account(found.teen_id)
            found.refresh_from_db()
            why = _why_over(found)
            if why:
                _finish(found, teen, why, timezone.now())
                ended += 1
    return ended


def _may_be_over() -> QuerySet[Pairing]:
    """The few of all pairings that are worth a look: by their time, or by somebody's age."""
    in_force = live().in_force()
    rules = [each.families for each in (in_force.pack, in_force.rest) if each is not None]
    grown = min((each.until for each in rules), default=FamilyRules().until)
    adult = max((each.guardian_age for each in rules), default=FamilyRules().guardian_age)
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
    if pairing.disputed_at is None and person_of(pairing.guardian).age.upper <= rules.guardian_age:
        return "not an adult"
    return ""
