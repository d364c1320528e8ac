"""Pairing: inviting, accepting, ending, and what happens when somebody is not who they seem.

Every verb locks the accounts concerned, in one order, and looks at ages as they are on this day. A
pairing gives power only while it is live, undisputed, and both are of an age for it.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kinward.errors import Forbidden, Invalid
from kinward.experience.live import live, person_of
from kinward.families.errors import (
    AlreadyPaired,
    CodeRefused,
    FamilyFull,
    NeedsNoGuardian,
    NotAGuardian,
    NotPaired,
    PairingLoop,
    PairingPaused,
    TooManyTries,
)
from kinward.families.models import (
    Choice,
    Invitation,
    Pairing,
    Side,
    TrustedAdult,
    WrongCode,
)
from kinward.families.settling import settle, settle_all
from kinward.families.tell import called, tell
from kinward.jobs import enqueue
from kinward.ledger.services import record
from kinward.people.models import Account, Standing
from kinward.people.services import lock_account, lock_accounts
from kinward.policy.families import FamilyRules
from kinward.policy.question import Question, read_question
from kinward.policy.settling import applying, combine

MAX_GUARDIANS: Final = 4
MAX_TEENS: Final = 10
MAX_TRUSTED: Final = 3
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that looks like something else
CODE_LENGTH: Final = 8
CODE_HOURS: Final = 24
MAX_INVITATIONS: Final = 10  # that one account makes in a day
MAX_WRONG: Final = 10  # codes that one account tries in vain in an hour
JOIN: Final = "account.join"
FINISH: Final = "families.finish_pairings"


class Offer(msgspec.Struct, frozen=True):
    """What a code offers to who typed it in: who made it, and what each would be."""

    maker: Account
    side: Side
    rules: FamilyRules


def rules_for(teen: Account) -> FamilyRules:
    """What the pack in force for a teen says of families; without a usable pack, the strictest."""
    pack = live().in_force().for_account(teen.platform_id)
    return FamilyRules(guardian_assurance="verified") if pack is None else pack.families


def live_pairings(now: datetime | None = None) -> QuerySet[Pairing]:
    """The pairings that have not ended; a disputed one is among them."""
    now = now or timezone.now()
    return Pairing.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), ended_at=None)


def _code_digest(code: str) -> bytes:
    # Eight characters can be guessed offline, so the digest is keyed.
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, b"kinward.pairing:" + code.encode(), hashlib.sha256).digest()


def tidy_code(typed: str) -> str:
    """A code as it was typed, in the form it was made: no spaces or dashes, upper case."""
    return "".join(each for each in typed.upper() if each.isalnum())[:40]


@transaction.atomic
def invite(*, maker: Account, side: Side) -> tuple[str, Invitation]:
    """Make a code for the other side; an earlier one of the same maker stops working."""
    maker = lock_account(maker.pk)
    _check_may(maker, side, rules_for(maker))
    now = timezone.now()
    made = Invitation.objects.filter(maker=maker)
    if made.filter(made_at__gt=now - timedelta(days=1)).count() >= MAX_INVITATIONS:
        raise TooManyTries(f"An account makes at most {MAX_INVITATIONS} codes a day.")
    made.filter(used_at=None, ended_at=None).update(ended_at=now)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    invitation = Invitation.objects.create(
        maker=maker,
        side=side,
        code_digest=_code_digest(code),
        expires_at=now + timedelta(hours=CODE_HOURS),
    )
    record(
        actor=f"account:{maker.platform_id}",
        kind="invitation.made",
        subject=f"invitation:{invitation.id}",
        side=str(side),
    )
    return code, invitation


def _check_may(account: Account, side: Side, rules: FamilyRules) -> None:
    """Refuse whoever cannot be on a side, by age, standing, or for being on the other one."""
    if account.standing != Standing.ACTIVE:
        raise Forbidden("This account is suspended or ended.")
    age = person_of(account).age
    if side == Side.GUARDIAN:
        if not rules.may_guard(age):
            raise NotAGuardian
        if live_pairings().filter(teen=account).exists():
            raise PairingLoop
        return
    if not rules.may_be_guarded(age):
        raise NeedsNoGuardian
    if live_pairings().filter(guardian=account).exists():
        raise PairingLoop


def read_code(*, account: Account, typed: str) -> Offer:
    """What a code offers. A wrong one is counted, and too many are refused, right ones too."""
    return _offer(_open_invitation(account, typed))


def _offer(invitation: Invitation) -> Offer:
    maker = invitation.maker
    return Offer(maker=maker, side=Side(invitation.side), rules=rules_for(maker))


def _open_invitation(account: Account, typed: str) -> Invitation:
    now = timezone.now()
    lately = WrongCode.objects.filter(account=account, at__gt=now - timedelta(hours=1))
    if lately.count() >= MAX_WRONG:
        raise TooManyTries
    found = (
        Invitation.objects.select_related("maker")
        .filter(code_digest=_code_digest(tidy_code(typed)))
        .filter(used_at=None, ended_at=None, expires_at__gt=now)
        .exclude(maker=account)
        .first()
    )
    if found is None:
        with transaction.atomic():
            WrongCode.objects.create(account=account)
            record(
                actor=f"account:{account.platform_id}",
                kind="invitation.refused",
                subject=f"account:{account.platform_id}",
            )
        raise CodeRefused
    return found


def accept(*, account: Account, typed: str) -> Pairing | TrustedAdult:
    """Accept what a code offers. The code works once."""
    invitation = _open_invitation(account, typed)
    with transaction.atomic():
        lock_accounts(account.pk, invitation.maker_id)
        taken = Invitation.objects.filter(pk=invitation.pk, used_at=None, ended_at=None)
        if not taken.update(used_at=timezone.now()):
            raise CodeRefused
        maker, taker = (Account.objects.get(pk=pk) for pk in (invitation.maker_id, account.pk))
        if invitation.side == Side.TRUSTING:
            return _trust(maker, taker)
        if invitation.side == Side.GUARDIAN:
            return _pair(guardian=maker, teen=taker)
        return _pair(guardian=taker, teen=maker)


def _pair(*, guardian: Account, teen: Account) -> Pairing:
    rules = rules_for(teen)
    _check_may(teen, Side.TEEN, rules)
    _check_may(guardian, Side.GUARDIAN, rules)
    finish_due(teen.pk)
    there = Pairing.objects.filter(ended_at=None)
    if there.filter(guardian=guardian, teen=teen).exists():
        raise AlreadyPaired
    if there.filter(teen=teen).count() >= MAX_GUARDIANS:
        raise FamilyFull(f"A teen has at most {MAX_GUARDIANS} guardians.")
    if there.filter(guardian=guardian).count() >= MAX_TEENS:
        raise FamilyFull(f"A guardian has at most {MAX_TEENS} teens.")
    pairing = Pairing.objects.create(guardian=guardian, teen=teen)
    record(
        actor=f"account:{teen.platform_id}",
        kind="pairing.started",
        subject=str(pairing),
        guardian=guardian.platform_id,
        teen=teen.platform_id,
    )
    _consent(pairing)
    tell(guardian, "paired", other=called(teen))
    tell(teen, "paired", other=called(guardian))
    return pairing


def _consent(pairing: Pairing) -> None:
    """Where the law lets a guardian open the account itself, pairing is their yes to it."""
    pack = live().in_force().for_account(pairing.teen.platform_id)
    if pack is None:
        return
    question = Question(actor=person_of(pairing.teen))
    read = read_question(pack.ruling, JOIN, question)
    if isinstance(read, str):
        return
    asked = read[0]
    if combine(asked.capability.kind, applying(pack.ruling, asked)).guardian_moves:
        Choice.objects.create(pairing=pairing, capability=JOIN, value="allow")
        settle(pairing.teen, JOIN, actor=f"account:{pairing.guardian.platform_id}")


def _trust(teen: Account, adult: Account) -> TrustedAdult:
    rules = rules_for(teen)
    if not rules.may_guard(person_of(adult).age) or adult.standing != Standing.ACTIVE:
        raise NotAGuardian
    named = TrustedAdult.objects.filter(teen=teen, ended_at=None)
    if named.filter(adult=adult).exists():
        raise AlreadyPaired
    if named.count() >= MAX_TRUSTED:
        raise FamilyFull(f"A teen names at most {MAX_TRUSTED} trusted adults.")
    trusted = TrustedAdult.objects.create(teen=teen, adult=adult)
    record(
        actor=f"account:{teen.platform_id}",
        kind="trusted.named",
        subject=f"account:{teen.platform_id}",
        adult=adult.platform_id,
    )
    tell(adult, "named", other=called(teen))
    return trusted


def empowered(*, guardian: Account, teen_id: str) -> Pairing:
    """The pairing by which a guardian may act for a teen now, the teen's account locked.

    Raises the same `NotPaired` for a teen who is somebody else's and for one who does not exist.
    """
    found = (
        live_pairings().filter(guardian=guardian, teen__platform_id=teen_id).values("teen_id")
    ).first()
    if found is None:
        raise NotPaired
    teen = lock_account(found["teen_id"])
    pairing = (
        live_pairings()
        .select_related("guardian", "teen")
        .filter(guardian=guardian, teen=teen)
        .first()
    )
    if pairing is None:
        raise NotPaired
    check_power(pairing)
    return pairing


def check_power(pairing: Pairing) -> None:
    """Raise unless a live pairing gives power now: undisputed, both of an age for it."""
    rules = rules_for(pairing.teen)
    if pairing.disputed_at is not None:
        raise PairingPaused
    if pairing.guardian.standing != Standing.ACTIVE:
        raise NotPaired
    if not rules.may_guard(person_of(pairing.guardian).age):
        raise NotAGuardian
    if not rules.may_be_guarded(person_of(pairing.teen).age):
        raise NeedsNoGuardian


def has_power(pairing: Pairing) -> bool:
    """Whether the guardian of a live pairing may act and see."""
    try:
        check_power(pairing)
    except (NeedsNoGuardian, NotAGuardian, NotPaired, PairingPaused):
        return False
    return True


@transaction.atomic
def end(*, account: Account, pairing_id: UUID) -> Pairing:
    """End a pairing, by either side. The teen's word takes effect after the pack's notice."""
    pairing = _mine(account, pairing_id)
    now = timezone.now()
    if account.pk == pairing.guardian_id:
        _finish(pairing, "guardian", now)
        return pairing
    rules = rules_for(pairing.teen)
    notice = timedelta(hours=rules.notice_hours)
    if not notice or rules.leaves_at_once(person_of(pairing.teen).age):
        _finish(pairing, "teen", now)
        return pairing
    if pairing.ends_at is None:
        pairing.ends_at = now + notice
        pairing.save(update_fields=["ends_at"])
        record(
            actor=f"account:{account.platform_id}",
            kind="pairing.ending",
            subject=str(pairing),
            at=pairing.ends_at.isoformat(),
        )
        when = pairing.ends_at.isoformat()
        tell(pairing.guardian, "ending", other=called(pairing.teen), when=when)
        enqueue(FINISH, at=pairing.ends_at, teen_id=pairing.teen_id)
    return pairing


@transaction.atomic
def stay(*, account: Account, pairing_id: UUID) -> Pairing:
    """The teen takes the ending back while its notice runs."""
    pairing = _mine(account, pairing_id)
    if account.pk != pairing.teen_id or pairing.ends_at is None:
        raise NotPaired
    pairing.ends_at = None
    pairing.save(update_fields=["ends_at"])
    record(actor=f"account:{account.platform_id}", kind="pairing.stayed", subject=str(pairing))
    tell(pairing.guardian, "restored", other=called(pairing.teen))
    return pairing


@transaction.atomic
def dispute(*, teen: Account, pairing_id: UUID) -> Pairing:
    """A teen says that this is not their guardian: nothing moves until a person has looked.

    The caller brings it before a person, in the same transaction.
    """
    pairing = _mine(teen, pairing_id)
    if teen.pk != pairing.teen_id:
        raise NotPaired
    if pairing.disputed_at is None:
        pairing.disputed_at = timezone.now()
        pairing.save(update_fields=["disputed_at"])
        record(actor=f"account:{teen.platform_id}", kind="pairing.disputed", subject=str(pairing))
        tell(pairing.guardian, "paused", other=called(teen))
        call_trusted(teen)
    return pairing


@transaction.atomic
def settle_dispute(*, pairing_id: UUID, ends: bool, actor: str) -> Pairing:
    """A person has looked: the pairing ends, or goes on as before."""
    found = Pairing.objects.select_related("guardian", "teen").filter(pk=pairing_id).first()
    if found is None:
        raise NotPaired
    lock_account(found.teen_id)
    found.refresh_from_db()
    if found.disputed_at is None or found.ended_at is not None:
        raise Invalid("Nobody disputes this pairing any more.")
    if ends:
        _finish(found, "not a guardian", timezone.now(), actor)
        return found
    found.disputed_at = None
    found.save(update_fields=["disputed_at"])
    record(actor=actor, kind="pairing.restored", subject=str(found))
    for person, other in ((found.guardian, found.teen), (found.teen, found.guardian)):
        tell(person, "restored", other=called(other))
    return found


def _mine(account: Account, pairing_id: UUID) -> Pairing:
    """A live pairing of an account's, the teen's account locked."""
    found = (
        live_pairings()
        .select_related("guardian", "teen")
        .filter(Q(guardian=account) | Q(teen=account), pk=pairing_id)
        .first()
    )
    if found is None:
        raise NotPaired
    lock_account(found.teen_id)
    found.refresh_from_db(fields=["ends_at", "ended_at", "disputed_at"])
    if found.ended_at is not None:
        raise NotPaired
    return found


def _finish(pairing: Pairing, why: str, now: datetime, actor: str = "") -> None:
    """End a pairing for good; what its guardian chose ends with it. The teen is locked."""
    pairing.ended_at, pairing.ended_why = now, why
    pairing.save(update_fields=["ended_at", "ended_why"])
    sides = {"guardian": pairing.guardian.platform_id, "teen": pairing.teen.platform_id}
    by = f"account:{sides[why]}" if why in sides else actor or "system:families"
    record(actor=by, kind="pairing.ended", subject=str(pairing), why=why)
    settle_all(pairing.teen, actor=by)
    tell(pairing.guardian, "ended", other=called(pairing.teen))
    tell(pairing.teen, "ended", other=called(pairing.guardian))


def finish_due(teen_id: int | None = None) -> int:
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
            lock_account(found.teen_id)
            found.refresh_from_db()
            why = _why_over(found)
            if why:
                _finish(found, why, timezone.now())
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


def call_trusted(teen: Account) -> int:
    """Tell a teen's trusted adults that the teen would like to hear from them."""
    named = TrustedAdult.objects.select_related("adult").filter(teen=teen, ended_at=None)
    for trusted in named:
        tell(trusted.adult, "called", other=called(teen))
        trusted.called_at = timezone.now()
        trusted.save(update_fields=["called_at"])
    return len(named)


def call_trusted_now(teen: Account) -> int:
    """The teen asks their trusted adults to get in touch; an adult hears it once an hour."""
    with transaction.atomic():
        lock_account(teen.pk)
        lately = timezone.now() - timedelta(hours=1)
        if TrustedAdult.objects.filter(teen=teen, called_at__gt=lately, ended_at=None).exists():
            return 0
        called_ones = call_trusted(teen)
        if called_ones:
            who = f"account:{teen.platform_id}"
            record(actor=who, kind="trusted.called", subject=who)
        return called_ones


def untrust(*, teen: Account, trusted_id: int) -> None:
    """Take back that an adult is trusted."""
    named = TrustedAdult.objects.filter(pk=trusted_id, teen=teen, ended_at=None)
    with transaction.atomic():
        if named.update(ended_at=timezone.now()):
            who = f"account:{teen.platform_id}"
            record(actor=who, kind="trusted.ended", subject=who)
