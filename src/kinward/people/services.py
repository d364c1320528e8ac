"""Accounts: what the platform knows about one, and the standing that Kinward gives it."""

import hmac
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward import policy
from kinward.access import Actor
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.text import MAX_ID, is_id
from kinward.ground.watch import watch
from kinward.ledger.api import kinds, record
from kinward.people.ages import (
    TRUST_CHANGED,
    Outcome,
    outcome_of,
    put_age,
    record_change,
    record_move,
    record_refused,
)
from kinward.people.changes import hear_google
from kinward.people.days import local_day
from kinward.people.identifiers import IdentifierKind, earlier_identifier, normal_identifier
from kinward.people.locks import LockedAccount, lock_account
from kinward.people.models import Account, Identifier, Standing
from kinward.people.unread import note_unread
from kinward.policy import PROVEN_HERE, AgeRange, ConsentWord, is_place, is_unknown

MAX_IDENTIFIERS: Final = 20
MAX_IDENTIFIER: Final = 500
AGE_SIGNALS: Final = Actor.system("age-signals")


class AccountUnknown(KinwardError):
    """This account is not known. Send it first: `PUT /v1/accounts/{account_id}`."""

    code = "account.unknown"
    status = 404


class AgeSignal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer about age that the platform received instead of a range: exactly one of these.

    `apple`, `google_play` and `openid4vp` are the answers of those interfaces. A birth date is
    turned into a range here and is never stored.
    """

    apple: dict[str, Any] | None = None
    google_play: dict[str, Any] | None = None
    openid4vp: dict[str, Any] | None = None
    guardian: tuple[int, int] | None = None
    estimate: tuple[float, float] | None = None
    birth_date: date | None = None

    def __post_init__(self) -> None:
        names = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(names) != 1:
            raise ValueError(f"give exactly one of {', '.join(self.__struct_fields__)}")

    @property
    def consent(self) -> ConsentWord | None:
        """What the answer says about a guardian's consent, if it says anything."""
        return None if self.google_play is None else policy.consent_from_google(self.google_play)

    def range(self, today: date, note: Callable[[str, str], None]) -> AgeRange:
        """Return the age range that the answer amounts to.

        `note` takes the source, and each thing in its answer that the adapter does not know.
        """
        if self.apple is not None:
            return policy.from_apple(self.apple, partial(note, "apple"))
        if self.google_play is not None:
            return policy.from_google(self.google_play, partial(note, "google-play"))
        if self.openid4vp is not None:
            return policy.from_openid4vp(self.openid4vp, partial(note, "openid4vp"))
        if self.guardian is not None:
            return policy.from_guardian(*self.guardian)
        if self.estimate is not None:
            return policy.from_estimate(*self.estimate)
        return policy.from_birth_date(self.birth_date or today, today)


class IdentifierIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An identifier that two accounts of one person may share, such as a device."""

    kind: IdentifierKind
    value: str


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a platform knows about an account. Every field is optional; what is unknown protects.

    `identifiers` are added to those sent before, and kept only as keyed hashes.
    """

    age: AgeRange | None = None
    age_signal: AgeSignal | None = None
    jurisdiction: str = ""
    language: str = ""
    screen_name: str = ""
    identifiers: list[IdentifierIn] = []


class Put(NamedTuple):
    """An account, whether it is new, and the age that stands if a weaker one was sent in vain."""

    account: Account
    new: bool
    age_kept: AgeRange | None


@transaction.atomic
def put_account(*, platform_id: str, profile: Profile, actor: Actor = AGE_SIGNALS) -> Put:
    """Create an account or replace its profile.

    The standing is Kinward's own and stays as it is. So does a guardian's consent, unless the age
    signal says something new about it. A weaker word about an age takes the place of no stronger
    one, except by making the person younger. A change of age or place has an entry.
    """
    _check(platform_id, profile)
    digests = digests_of(profile.identifiers)
    watch().changed("account", platform_id)
    row, new = Account.objects.get_or_create(platform_id=platform_id)
    account = lock_account(row.pk)
    was, was_place = account.age, account.jurisdiction
    outcome = _outcome(account, profile)
    account.jurisdiction = profile.jurisdiction
    account.language, account.screen_name = profile.language, profile.screen_name
    if account.deleted_at is not None:
        account.deleted_at = None
        record(actor=actor, subject=f"account:{platform_id}", fact=kinds.AccountReturned())
        TRUST_CHANGED.announce(account_id=account.pk)
    names = ["jurisdiction", "language", "screen_name", "deleted_at", "changed_at"]
    account.save(update_fields=[*put_age(account, outcome), *names])
    Identifier.objects.bulk_create(
        [Identifier(account=account, kind=kind, digest=digest) for digest, kind in digests.items()],
        ignore_conflicts=True,
    )
    if not new:
        record_change(account=account, was=was, actor=actor)
        record_move(account=account, was=was_place, actor=actor)
    if outcome.refused is not None:
        record_refused(account=account, sent=outcome.refused, actor=actor)
    if profile.age_signal is not None and (word := profile.age_signal.consent) is not None:
        hear_google(account=account, word=word, actor=actor)
        account.refresh_from_db(fields=["consent_withdrawn", "change_consent"])
    return Put(account, new, None if outcome.refused is None else account.age)


def _check(platform_id: str, profile: Profile) -> None:
    if not is_id(platform_id):
        raise Invalid(f"An account id has 1 to {MAX_ID} printable characters.")
    for name, limit in (("jurisdiction", 10), ("language", 20), ("screen_name", 200)):
        if len(getattr(profile, name)) > limit:
            raise Invalid(f"{name} has at most {limit} characters.")
    if profile.jurisdiction and not is_place(profile.jurisdiction):
        raise Invalid("jurisdiction is an ISO 3166 code, such as DE or US-CA.")
    if profile.age is not None and profile.age_signal is not None:
        raise Invalid("Give age or age_signal, not both.")


def digests_of(identifiers: Sequence[IdentifierIn]) -> dict[bytes, str]:
    """Return the keyed hashes of identifiers, with the kind of each. Case-insensitive.

    An identifier that earlier versions hashed in another text has a second hash, of that text. So
    what they stored is still found.
    """
    if len(identifiers) > MAX_IDENTIFIERS:
        raise Invalid(f"An account has at most {MAX_IDENTIFIERS} identifiers in one call.")
    key = config().secret("identifier_key").encode() if identifiers else b""
    digests = dict[bytes, str]()
    for identifier in identifiers:
        earlier = earlier_identifier(identifier.value)
        if not earlier or len(earlier) > MAX_IDENTIFIER:
            raise Invalid(f"An identifier has 1 to {MAX_IDENTIFIER} characters.")
        value = normal_identifier(identifier.kind, identifier.value)
        if not value:
            raise Invalid("An identifier has characters that can be seen.")
        for text in (value, earlier):
            message = f"{identifier.kind}\0{text}".encode()
            digests[hmac.digest(key, message, "sha256")] = identifier.kind
    return digests


def related_accounts(account: Account, limit: int = 50) -> list[tuple[Account, list[str]]]:
    """Return the accounts that share identifiers with this one, with the kinds they share."""
    mine = Identifier.objects.filter(account=account).values("digest")
    shared = (
        Identifier.objects.filter(digest__in=mine)
        .exclude(account=account)
        .select_related("account")
        .order_by("account", "kind")
    )
    related: dict[int, tuple[Account, list[str]]] = {}
    for identifier in shared[: 20 * limit]:
        kinds = related.setdefault(identifier.account_id, (identifier.account, []))[1]
        if identifier.kind not in kinds:
            kinds.append(identifier.kind)
    return list(related.values())[:limit]


def shares_identifier(account: Account, others: QuerySet[Account]) -> bool:
    """Whether an account has an identifier of any kind that one of the others has."""
    theirs = Identifier.objects.filter(account__in=others).exclude(account=account)
    mine = Identifier.objects.filter(account=account)
    return mine.filter(digest__in=theirs.values("digest")).exists()


def _outcome(account: LockedAccount, profile: Profile) -> Outcome:
    """Return what a profile leaves of an account's age, on the account's own day."""
    today, age = local_day(account.time_zone), profile.age
    try:
        if profile.age_signal is not None:
            age = profile.age_signal.range(today, note_unread)
        sent = None if age is None else _own_word(age.on(today), account.age.on(today))
    except ValueError as error:
        raise Invalid(f"age_signal: {error}.") from error
    forgets = profile.age is not None and sent is not None and is_unknown(sent.lower, sent.upper)
    return outcome_of(account, sent, forgets=forgets)


def _own_word(sent: AgeRange, known: AgeRange) -> AgeRange | None:
    """Return an age as the platform's own word, whatever source it names.

    Only Kinward itself gives an age the source of a proof that it verified. None: it is the proof
    that stands, sent back.
    """
    if sent.source not in PROVEN_HERE:
        return sent
    if msgspec.structs.replace(sent, changes_on=None, leap_day=False) == known:
        return None
    return msgspec.structs.replace(sent, source="platform")


def get_account(platform_id: str) -> Account:
    """Return the account with this platform id. Raises `AccountUnknown`."""
    try:
        return Account.objects.get(platform_id=platform_id)
    except Account.DoesNotExist as error:
        raise account_unknown(platform_id) from error


def account_unknown(platform_id: str) -> AccountUnknown:
    """Return the error about an account that the platform has not told."""
    return AccountUnknown(f"No account {platform_id[:60]!r}.")


def find_accounts(platform_ids: Iterable[str]) -> dict[str, int]:
    """Return the keys, in the database, of the accounts that are known, by platform id."""
    known = Account.objects.filter(platform_id__in=set(platform_ids))
    return dict(known.values_list("platform_id", "pk"))


@transaction.atomic
def set_standing(*, account: LockedAccount, standing: Standing) -> None:
    """Give an account a standing. The ledger records the action that causes it, not this."""
    watch().changed("account", account.platform_id)
    account.standing = standing
    account.save(update_fields=["standing", "changed_at"])
    TRUST_CHANGED.announce(account_id=account.pk)


@transaction.atomic
def delete_account(*, platform_id: str, actor: Actor) -> datetime:
    """Note that the platform deleted an account; return when it first said so. Idempotent.

    Forgets the screen name. Cases, reports and the ledger keep what they need, so the row itself
    stays. From now on the account may do nothing, and nobody may reach it. Raises `AccountUnknown`.
    """
    account = lock_account(get_account(platform_id).pk)
    if account.deleted_at is not None:
        return account.deleted_at
    watch().changed("account", platform_id)
    now = timezone.now()
    account.deleted_at, account.screen_name = now, ""
    account.save(update_fields=["deleted_at", "screen_name", "changed_at"])
    record(actor=actor, subject=f"account:{platform_id}", fact=kinds.AccountDeleted())
    TRUST_CHANGED.announce(account_id=account.pk)
    return now


def set_zone(*, account: LockedAccount, zone: str) -> None:
    """Write the time zone (IANA) by which an account's days begin, in the caller's transaction."""
    account.time_zone = zone
    account.save(update_fields=["time_zone", "changed_at"])
    watch().changed("account", account.platform_id)
