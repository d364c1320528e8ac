"""Create, revoke and check API keys."""

import hashlib
import secrets
from collections.abc import Mapping
from functools import cache
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import ApiKey
from kinward.access.permissions import Permission
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.watch import Whole, watch
from kinward.ledger.api import kinds, record

DEFAULT_SCOPES: Final = frozenset(
    {
        "accounts:write",
        "actions:pull",
        "appeals:write",
        "media:check",
        "policy:decide",
        "portal:open",
        "reports:write",
        "text:check",
    }
)
# Looking up hashes shows how close a hash is to which bank. That is for the tools of staff. And who
# may say that a guardian consents can open an account. So a key gets these scopes only by name.
SCOPES: Final = DEFAULT_SCOPES | {"consents:write", "hashes:look-up"}
PREFIX: Final = "kw_"
MAX_SECRET: Final = 200  # characters; a longer one is not hashed


class KeyRefused(KinwardError):
    """This call needs a valid API key: send `Authorization: Bearer kw_…`."""

    code = "key.refused"
    status = 401


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


@transaction.atomic
def create_key(*, name: str, scopes: frozenset[str], actor: Actor) -> str:
    """Create a key and return its secret, which is never shown again. Raises `NameTaken`."""
    actor.must(Permission.MANAGE_KEYS)
    if unknown := scopes - SCOPES:
        raise Invalid(f"Unknown scope {min(unknown)!r}. Scopes are: {', '.join(sorted(SCOPES))}.")
    secret = PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            ApiKey.objects.create(name=name, digest=_digest(secret), scopes=sorted(scopes))
    except IntegrityError as error:
        raise NameTaken(f"There is a key named {name!r}.") from error
    record(actor=actor, subject=f"key:{name}", fact=kinds.KeyCreated(scopes=sorted(scopes)))
    watch().changed("keys", "")
    return secret


@transaction.atomic
def revoke_key(*, name: str, actor: Actor) -> None:
    """Revoke a key at once. Raises `NotFound` if no live key has this name."""
    actor.must(Permission.MANAGE_KEYS)
    if not ApiKey.objects.filter(name=name, revoked_at=None).update(revoked_at=timezone.now()):
        raise NotFound(f"There is no live key named {name!r}.")
    record(actor=actor, subject=f"key:{name}", fact=kinds.KeyRevoked())
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
        return _presented(authorization) in live_keys().last
    except KeyRefused:
        return False


def _presented(authorization: str) -> bytes:
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(PREFIX) or len(secret) > MAX_SECRET:
        raise KeyRefused
    return _digest(secret.strip())


def _allowed(key: ApiKey | None, scope: str) -> ApiKey:
    if key is None:
        raise KeyRefused("The key is unknown or was revoked. `kinward key create` makes one.")
    if scope not in key.scopes:
        raise ScopeMissing(f"It needs the scope {scope!r} and has: {', '.join(key.scopes)}.")
    return key


@cache
def live_keys() -> Whole[bytes, ApiKey]:
    """Return this process's cache of all live keys by their digests."""

    def load() -> Mapping[bytes, ApiKey]:
        return {bytes(key.digest): key for key in ApiKey.objects.filter(revoked_at=None)}

    return Whole("keys", load)
