"""Create, change, rotate, revoke and check API keys."""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import ApiKey
from kinward.access.permissions import Permission
from kinward.access.power_list import note_key
from kinward.access.purposes import PURPOSES, SCOPES, scopes_of
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.names import visible
from kinward.ground.watch import Whole, watch
from kinward.ledger.api import kinds, record

PREFIX: Final = "kw_"
MAX_SECRET: Final = 200  # characters; a longer one is not hashed
MAX_NAME: Final = 80
MAX_OWNER: Final = 150
YEAR: Final = 365  # days for which a new secret is valid, unless somebody chooses otherwise
MAX_DAYS: Final = 3650
MAX_OVERLAP: Final = timedelta(days=90)


class KeyRefused(KinwardError):
    """This call needs a valid API key: send `Authorization: Bearer kw_…`."""

    code = "key.refused"
    status = 401


class KeyExpired(KeyRefused):
    """This API key has expired."""

    code = "key.expired"


class ScopeMissing(KinwardError):
    """This API key may not do that."""

    code = "key.scope_missing"
    status = 403


class NameTaken(KinwardError):
    """That name is taken. Choose another one."""

    code = "name.taken"
    status = 409


def _digest(secret: str) -> bytes:
    # The secret has 256 random bits, so one plain SHA-256 is as good as a slow hash.
    return hashlib.sha256(secret.encode()).digest()


def told_of_secret(digest: bytes) -> str:
    """Return what the ledger keeps of a secret's digest, so that another secret is noticed."""
    return hashlib.sha256(b"kinward.key\0" + digest).hexdigest()[:32]


class KeyRotating(KinwardError):
    """The secret before this one is still valid. Wait until it is not, or end both at once."""

    code = "key.rotating"
    status = 409


class LiveKey(msgspec.Struct, frozen=True):
    """A key that one of its secrets opens, until a moment; None if it does not expire."""

    key: ApiKey
    until: datetime | None

    @property
    def expired(self) -> bool:
        return self.until is not None and self.until <= datetime.now(UTC)


@transaction.atomic
def create_key(
    *,
    name: str,
    purposes: Collection[str] = (),
    scopes: frozenset[str] = frozenset(),
    owner: str = "",
    days: int = YEAR,
    actor: Actor,
) -> str:
    """Create a key and return its secret, which is never shown again.

    It has the scopes of its purposes, and those that are named. `owner` is the person or the
    service that answers for it. Raises `NameTaken`, or `Invalid` for what does not exist.
    """
    actor.must(Permission.MANAGE_KEYS)
    _check_name("A name", name, MAX_NAME)
    given = _check_scopes(purposes, scopes)
    owner = owner or actor.name
    _check_name("An owner", owner, MAX_OWNER)
    expires_at, secret = _expiry(days), _new_secret()
    try:
        with transaction.atomic():
            ApiKey.objects.create(
                name=name,
                digest=_digest(secret),
                scopes=given,
                purposes=sorted(set(purposes)),
                owner=owner,
                expires_at=expires_at,
            )
    except IntegrityError as error:
        raise NameTaken(f"There is a key named {name!r}.") from error
    fact = kinds.KeyCreated(
        scopes=given,
        purposes=sorted(set(purposes)),
        owner=owner,
        expires=expires_at.isoformat(),
        secret=told_of_secret(_digest(secret)),
    )
    _record(name, fact, actor)
    return secret


@transaction.atomic
def change_key(
    *,
    name: str,
    purposes: Collection[str] | None = None,
    owner: str = "",
    days: int | None = None,
    actor: Actor,
) -> None:
    """Give a live key other purposes, with their scopes only, another owner, or another expiry.

    `days` count from now. Raises `NotFound`, or `Invalid` for what does not exist.
    """
    actor.must(Permission.MANAGE_KEYS)
    key = _lock_live(name)
    if purposes is not None:
        key.scopes, key.purposes = _check_scopes(purposes, frozenset()), sorted(set(purposes))
    if owner:
        _check_name("An owner", owner, MAX_OWNER)
        key.owner = owner
    if days is not None:
        key.expires_at = _expiry(days)
    key.save(update_fields=["scopes", "purposes", "owner", "expires_at"])
    fact = kinds.KeyChanged(
        scopes=key.scopes,
        purposes=key.purposes,
        owner=key.owner,
        expires=key.expires_at.isoformat() if key.expires_at else "",
    )
    _record(name, fact, actor)


@transaction.atomic
def rotate_key(*, name: str, overlap: timedelta, days: int = YEAR, actor: Actor) -> str:
    """Give a live key a new secret and return it. The one before is valid for the overlap too.

    An overlap never makes the earlier secret last longer than it would have. Without an overlap,
    every earlier secret ends at once. Raises `KeyRotating` while an overlap lasts, and `NotFound`.
    """
    actor.must(Permission.MANAGE_KEYS)
    if not timedelta() <= overlap <= MAX_OVERLAP:
        raise Invalid(f"Two secrets are valid together for 0 to {MAX_OVERLAP.days} days.")
    key, now, secret = _lock_live(name), timezone.now(), _new_secret()
    if overlap and key.previous_until is not None and key.previous_until > now:
        raise KeyRotating(f"It is valid until {key.previous_until:%Y-%m-%d %H:%M} UTC.")
    until = min(now + overlap, key.expires_at or now + overlap)
    key.previous_digest, key.previous_until = (key.digest, until) if until > now else (None, None)
    key.digest, key.expires_at = _digest(secret), _expiry(days)
    key.save(update_fields=["digest", "expires_at", "previous_digest", "previous_until"])
    told = until.isoformat() if key.previous_until else ""
    fact = kinds.KeyRotated(
        expires=key.expires_at.isoformat(),
        previous_until=told,
        secret=told_of_secret(key.digest),
    )
    _record(name, fact, actor)
    return secret


@transaction.atomic
def revoke_key(*, name: str, compromised: bool = False, actor: Actor) -> None:
    """Revoke a key at once, with every secret of it.

    `compromised` says that somebody else had it, which may turn out after it was revoked. Raises
    `NotFound` if there is no such key to revoke.
    """
    actor.must(Permission.MANAGE_KEYS)
    rows = ApiKey.objects.filter(name=name)
    rows = rows.filter(compromised=False) if compromised else rows.filter(revoked_at=None)
    key = rows.select_for_update().first()
    if key is None:
        raise NotFound(f"There is no live key named {name!r}.")
    key.revoked_at, key.compromised = key.revoked_at or timezone.now(), compromised
    key.save(update_fields=["revoked_at", "compromised"])
    _record(name, kinds.KeyRevoked(compromised=compromised), actor)


def _lock_live(name: str) -> ApiKey:
    key = ApiKey.objects.select_for_update().filter(name=name, revoked_at=None).first()
    if key is None:
        raise NotFound(f"There is no live key named {name!r}.")
    return key


def _check_name(what: str, name: str, most: int) -> None:
    if not 1 <= len(name) <= most or visible(name) != name:
        raise Invalid(f"{what} has 1 to {most} characters, each of which can be seen.")


def _check_scopes(purposes: Collection[str], scopes: frozenset[str]) -> list[str]:
    """Return the scopes of purposes and those that are named. Raises `Invalid`."""
    if others := set(purposes) - PURPOSES.keys():
        known = ", ".join(PURPOSES)
        raise Invalid(f"Unknown purpose {min(others)!r}. Purposes are: {known}.")
    if unknown := scopes - SCOPES:
        raise Invalid(f"Unknown scope {min(unknown)!r}. Scopes are: {', '.join(sorted(SCOPES))}.")
    return sorted(scopes | scopes_of(purposes))


def _expiry(days: int) -> datetime:
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"A key is valid for 1 to {MAX_DAYS:,} days.")
    return timezone.now() + timedelta(days=days)


def _new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _record(name: str, fact: kinds.Fact, actor: Actor) -> None:
    record(actor=actor, subject=f"key:{name}", fact=fact)
    note_key(name)
    watch().changed("keys", "")


def authenticate(authorization: str, scope: str) -> ApiKey:
    """Return the live key of an `Authorization` header.

    Raises `KeyRefused`, or `ScopeMissing` if the key lacks the scope.
    """
    digest = _presented(authorization)
    return _allowed(live_keys().get().get(digest), scope)


def authenticate_known(authorization: str, scope: str) -> ApiKey | None:
    """Authenticate without the database; None if only the database could tell.

    Raises `KeyRefused` or `ScopeMissing`, also without the database.
    """
    digest = _presented(authorization)
    known = live_keys().peek()
    return None if known is None else _allowed(known.get(digest), scope)


def last_known(authorization: str, scope: str) -> ApiKey | None:
    """Return a key that was live when the keys were last read, or None. Never reads the database.

    Raises `KeyRefused` if this is no key at all, or `ScopeMissing`.
    """
    key = live_keys().last.get(_presented(authorization))
    return None if key is None else _allowed(key, scope)


def was_live(authorization: str) -> bool:
    """Return whether a key was live when the keys were last read. Never reads the database."""
    try:
        live = live_keys().last.get(_presented(authorization))
    except KeyRefused:
        return False
    return live is not None and not live.expired


def _presented(authorization: str) -> bytes:
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(PREFIX) or len(secret) > MAX_SECRET:
        raise KeyRefused
    return _digest(secret.strip())


def _allowed(live: LiveKey | None, scope: str) -> ApiKey:
    if live is None:
        raise KeyRefused("The key is unknown or was revoked. `kinward key create` makes one.")
    if live.expired:
        raise KeyExpired("`kinward key rotate` makes a new secret.")
    if scope not in live.key.scopes:
        raise ScopeMissing(f"It needs the scope {scope!r} and has: {', '.join(live.key.scopes)}.")
    return live.key


@cache
def live_keys() -> Whole[bytes, LiveKey]:
    """Return this process's cache of all keys that are not revoked, by the digests of secrets.

    A secret that has expired is among them, and names itself.
    """

    def load() -> Mapping[bytes, LiveKey]:
        found: dict[bytes, LiveKey] = {}
        for key in ApiKey.objects.filter(revoked_at=None):
            found[bytes(key.digest)] = LiveKey(key, key.expires_at)
            if key.previous_digest is not None:
                found[bytes(key.previous_digest)] = LiveKey(key, key.previous_until)
        return found

    return Whole("keys", load)
