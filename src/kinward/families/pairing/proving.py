"""Proofs of guardians: the platform tells them, they expire, and it takes them back.

A weaker proof takes the place of no stronger one, unless whoever tells it names that one. Each
function locks the teen and settles at once what the proof changes.
"""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor
from kinward.families.errors import ProofWeaker
from kinward.families.models import Choice, GuardianProof, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import is_paused, live_pairings
from kinward.families.settings.groups import JOIN
from kinward.families.settings.settlement import settle_all
from kinward.ground.errors import Invalid
from kinward.ground.jobs import enqueue
from kinward.ground.text import is_id
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.policy import ProofMethod, proves

EXPIRE: Final = "families.expire_proofs"
MAX_EVIDENCE: Final = 100  # characters


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a platform tells of a guardian: the method, its day, and a reference to what it saw.

    `replaces` names the stronger proof that it takes the place of.
    """

    method: ProofMethod
    checked_on: date
    evidence: str
    expires_at: datetime | None = None
    replaces: UUID | None = None


@transaction.atomic
def prove_guardian(*, guardian: Account, teen: Account, told: Told, actor: Actor) -> GuardianProof:
    """Note how the platform knows that an account is a teen's guardian. Idempotent.

    Raises `ProofWeaker` where a stronger proof is known that `told` does not name.
    """
    _check(guardian, teen, told)
    locked = lock_account(teen.pk)
    known = GuardianProof.objects.filter(guardian=guardian, teen=teen, ended_at=None).first()
    if known is not None and known.expires_at is not None and known.expires_at <= timezone.now():
        _end(known, "expired", actor)
        known = None
    if known is not None:
        if _is_same(known, told):
            return known
        if not proves(told.method, known.method) and told.replaces != known.pk:
            raise ProofWeaker(f"It is {known.pk}, by {known.method}.")
        _end(known, "replaced", actor)
    proof = GuardianProof.objects.create(
        guardian=guardian,
        teen=teen,
        method=told.method,
        checked_on=told.checked_on,
        evidence=told.evidence,
        expires_at=told.expires_at,
        told_by=str(actor),
    )
    fact = kinds.GuardianProven(
        guardian=guardian.platform_id,
        method=told.method,
        checked_on=told.checked_on.isoformat(),
        evidence=told.evidence,
        expires_at=None if told.expires_at is None else told.expires_at.isoformat(),
    )
    record(actor=actor, subject=f"account:{teen.platform_id}", fact=fact)
    if told.expires_at is not None:
        enqueue(EXPIRE, at=told.expires_at, teen_id=teen.pk)
    settle_all(locked, actor=actor)
    _tell(guardian, locked, "proven")
    return proof


def _check(guardian: Account, teen: Account, told: Told) -> None:
    now = timezone.now()
    if guardian.pk == teen.pk:
        raise Invalid("Nobody is their own guardian.")
    if told.checked_on > now.date() + timedelta(days=1):  # somewhere it is tomorrow already
        raise Invalid("checked_on is the day on which you looked, so it is not in the future.")
    if not is_id(told.evidence) or len(told.evidence) > MAX_EVIDENCE:
        raise Invalid(f"evidence is your reference, of 1 to {MAX_EVIDENCE} printable characters.")
    if told.expires_at is not None and (told.expires_at.tzinfo is None or told.expires_at <= now):
        raise Invalid("expires_at is a moment ahead with a time zone, as in 2027-01-31T12:00:00Z.")


def _is_same(proof: GuardianProof, told: Told) -> bool:
    fields = ("method", "checked_on", "evidence", "expires_at")
    return all(getattr(proof, field) == getattr(told, field) for field in fields)


@transaction.atomic
def withdraw_proof(*, guardian: Account, teen: Account, actor: Actor) -> bool:
    """Take back the proof of a guardian, since it was wrong; return whether there was one.

    What the guardian consented to by it falls with it.
    """
    locked = lock_account(teen.pk)
    known = GuardianProof.objects.filter(guardian=guardian, teen=teen, ended_at=None).first()
    if known is None:
        return False
    _end(known, "withdrawn", actor)
    consents = Choice.objects.filter(pairing__guardian=guardian, pairing__teen=teen)
    consents = consents.filter(capability=JOIN, ended_at=None)
    consents.update(ended_at=timezone.now(), ended_why="proof withdrawn")
    settle_all(locked, actor=actor)
    _tell(guardian, locked, "unproven")
    return True


def expire_proofs(teen_id: int | None = None) -> int:
    """End the proofs whose time is over, of one teen or of everybody; return how many."""
    over = GuardianProof.objects.filter(ended_at=None, expires_at__lte=timezone.now())
    if teen_id is not None:
        over = over.filter(teen_id=teen_id)
    ended = 0
    for pk, teen_pk in list(over.values_list("pk", "teen_id")):
        with transaction.atomic():
            teen = lock_account(teen_pk)
            proof = over.select_related("guardian").filter(pk=pk).first()
            if proof is None:
                continue
            system = Actor.system("families")
            _end(proof, "expired", system)
            settle_all(teen, actor=system)
            _tell(proof.guardian, teen, "unproven")
            ended += 1
    return ended


def end_proof(pairing: Pairing, actor: Actor) -> None:
    """End the proof of a guardian who is none, as a person decided. The caller settles."""
    known = GuardianProof.objects.filter(guardian=pairing.guardian_id, teen=pairing.teen_id)
    for proof in known.filter(ended_at=None):
        _end(proof, "refuted", actor)


def end_proofs_of(account: Account, actor: Actor) -> None:
    """End the proofs of and about an account that is gone. Its pairings have ended."""
    about = Q(guardian=account) | Q(teen=account)
    for proof in GuardianProof.objects.filter(about, ended_at=None):
        _end(proof, "gone", actor)


def _end(proof: GuardianProof, why: str, actor: Actor) -> None:
    proof.ended_at, proof.ended_why = timezone.now(), why
    proof.save(update_fields=["ended_at", "ended_why"])
    fact = kinds.GuardianProofEnded(
        guardian=proof.guardian.platform_id, method=proof.method, why=why
    )
    record(actor=actor, subject=f"account:{proof.teen.platform_id}", fact=fact)


def _tell(guardian: Account, teen: LockedAccount, topic: str) -> None:
    """Tell a guardian and the teen that a proof came or went, if the two are paired."""
    pairing = live_pairings().filter(guardian=guardian, teen=teen).first()
    if pairing is not None and not is_paused(pairing):
        tell(guardian, topic, other=name_in_notices(teen))
        tell(teen, f"{topic}.theirs", other=name_in_notices(guardian))
