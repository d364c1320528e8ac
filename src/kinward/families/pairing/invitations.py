"""Invitations: a code is created, read and accepted, if both sides may pair.

Accepting locks both accounts, always in the same order. Ages are taken as they are today.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kinward.experience.api import person_of
from kinward.families.errors import (
    AlreadyPaired,
    CodeRefused,
    FamilyFull,
    NeedsNoGuardian,
    NotAGuardian,
    PairingLoop,
    TooManyTries,
)
from kinward.families.models import Invitation, Pairing, Side, TrustedAdult, WrongCode
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.ending import end_due_pairings
from kinward.families.pairing.homes import home_of_new_pairing, homes_are_apart
from kinward.families.pairing.joining import consent_by_pairing
from kinward.families.pairing.power import live_pairings, rules_for
from kinward.families.pairing.proof import method_of
from kinward.families.pairing.review import under_review
from kinward.families.pairing.roles import end_excluded_trust, may_be_trusted
from kinward.families.pairing.trusted_adults import name_trusted_adult
from kinward.families.settings.settlement import packs_in_force
from kinward.ground.errors import Forbidden
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, lock_account, lock_accounts
from kinward.policy import FamilyRules

MAX_GUARDIANS: Final = 4
MAX_TEENS: Final = 10
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without 0, 1, I, L, O and U, which are misread
CODE_LENGTH: Final = 8
CODE_HOURS: Final = 24
MAX_INVITATIONS: Final = 10  # by one account in a day
MAX_WRONG: Final = 10  # wrong codes by one account in an hour


class Offer(msgspec.Struct, frozen=True):
    """The offer of a code: its maker, the side the maker takes, and the maker's family rules."""

    maker: Account
    side: Side
    rules: FamilyRules


def _code_digest(code: str) -> bytes:
    # Eight characters can be guessed offline, so the digest is keyed.
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, b"kinward.pairing:" + code.encode(), hashlib.sha256).digest()


def tidy_code(typed: str) -> str:
    """Return a typed code in the form in which it was created: upper case, no spaces or dashes."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())[:40]


@transaction.atomic
def create_invitation(*, maker: Account, side: Side) -> tuple[str, Invitation]:
    """Create a code for the other side and return it; the maker's earlier open code ends.

    Raises `TooManyTries` after ten codes in a day. Only a keyed digest of the code is stored.
    """
    maker = lock_account(maker.pk)
    _check_side(maker, side, rules_for(maker))
    now = timezone.now()
    invitations = Invitation.objects.filter(maker=maker)
    if invitations.filter(made_at__gt=now - timedelta(days=1)).count() >= MAX_INVITATIONS:
        raise TooManyTries(f"An account makes at most {MAX_INVITATIONS} codes a day.")
    invitations.filter(used_at=None, ended_at=None).update(ended_at=now)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    invitation = Invitation.objects.create(
        maker=maker,
        side=side,
        code_digest=_code_digest(code),
        expires_at=now + timedelta(hours=CODE_HOURS),
    )
    record(
        actor=maker.actor,
        subject=f"invitation:{invitation.id}",
        fact=kinds.InvitationMade(side=str(side)),
    )
    return code, invitation


def _check_side(account: Account, side: Side, rules: FamilyRules) -> None:
    """Refuse an account that cannot take a side: by age, by standing, or for taking the other."""
    if not account.is_active:
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


def read_invitation(*, account: Account, typed: str) -> Offer:
    """Return the offer of a code.

    Counts a wrong code. After too many in an hour, refuses right ones too.
    """
    invitation = _open_invitation(account, typed)
    maker = invitation.maker
    return Offer(maker=maker, side=Side(invitation.side), rules=rules_for(maker))


def refuse_guessing(account: Account) -> None:
    """Raise `TooManyTries` after ten wrong codes in an hour."""
    if wrong_codes(account, passcode=False) >= MAX_WRONG:
        raise TooManyTries


def wrong_codes(account: Account, *, passcode: bool) -> int:
    """Return how many codes, or pass-codes, were wrong in the last hour. Each kind locks itself."""
    lately = timezone.now() - timedelta(hours=1)
    return WrongCode.objects.filter(account=account, passcode=passcode, at__gt=lately).count()


def _open_invitation(account: Account, typed: str) -> Invitation:
    refuse_guessing(account)
    invitation = (
        Invitation.objects.select_related("maker")
        .filter(code_digest=_code_digest(tidy_code(typed)))
        .filter(used_at=None, ended_at=None, expires_at__gt=timezone.now())
        .exclude(maker=account)
        .first()
    )
    if invitation is None or not _may_read(account, invitation):
        # Committed before the error is raised: a surrounding transaction would undo the count.
        with transaction.atomic():
            WrongCode.objects.create(account=account)
            record(
                actor=account.actor,
                subject=f"account:{account.platform_id}",
                fact=kinds.InvitationRefused(),
            )
        raise CodeRefused
    return invitation


def _may_read(account: Account, invitation: Invitation) -> bool:
    """Whether an account may read a code: a guardian does not learn whom else a teen trusts."""
    return invitation.side != Side.TRUSTING or may_be_trusted(invitation.maker, account)


def accept_invitation(*, account: Account, typed: str) -> Pairing | TrustedAdult:
    """Accept the offer of a code, which works once. Return the pairing or the trusted adult.

    Locks both accounts.
    """
    invitation = _open_invitation(account, typed)
    with transaction.atomic():
        locked = lock_accounts(account.pk, invitation.maker_id)
        still_open = Invitation.objects.filter(pk=invitation.pk, used_at=None, ended_at=None)
        if not still_open.update(used_at=timezone.now()):
            raise CodeRefused
        maker, taker = locked[invitation.maker_id], locked[account.pk]
        if invitation.side == Side.TRUSTING:
            return name_trusted_adult(maker, taker)
        if invitation.side == Side.GUARDIAN:
            return pair_accounts(guardian=maker, teen=taker)
        if live_pairings().filter(teen=maker).count() >= MAX_GUARDIANS and homes_are_apart(maker):
            raise CodeRefused  # whoever comes last does not learn how many guardians there are
        return pair_accounts(guardian=taker, teen=maker)


def pair_accounts(*, guardian: LockedAccount, teen: LockedAccount) -> Pairing:
    """Pair two locked accounts, if both may, and tell them."""
    rules = rules_for(teen)
    _check_side(teen, Side.TEEN, rules)
    _check_side(guardian, Side.GUARDIAN, rules)
    end_due_pairings(teen.pk)
    pairings = Pairing.objects.filter(ended_at=None)
    if pairings.filter(guardian=guardian, teen=teen).exists():
        raise AlreadyPaired
    if pairings.filter(teen=teen).count() >= MAX_GUARDIANS:
        raise FamilyFull(f"A teen has at most {MAX_GUARDIANS} guardians.")
    if pairings.filter(guardian=guardian).count() >= MAX_TEENS:
        raise FamilyFull(f"A guardian has at most {MAX_TEENS} teens.")
    settled = {"settled_proof": method_of(guardian, teen), "settled_packs": packs_in_force()}
    review = under_review(guardian, teen)
    home = home_of_new_pairing(teen)
    pairing = Pairing.objects.create(guardian=guardian, teen=teen, **settled, **review, **home)
    record(
        actor=teen.actor,
        subject=str(pairing),
        fact=kinds.PairingStarted(guardian=guardian.platform_id, teen=teen.platform_id),
    )
    end_excluded_trust(teen)
    consent_by_pairing(pairing, teen)
    tell(guardian, "paired", other=name_in_notices(teen))
    tell(teen, "paired", other=name_in_notices(guardian))
    return pairing
