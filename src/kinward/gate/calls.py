"""A call of an endpoint, and the kinds of answers that an endpoint can return."""

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from kinward.access import Actor
from kinward.access.api import ApiKey, KeyRefused
from kinward.ground.turns import Payer

B = TypeVar("B")
A = TypeVar("A")


class Call(msgspec.Struct, Generic[B], frozen=True):
    """A call: its decoded body, its key, and two headers or an empty text for each.

    `spent`: the accounts in the body that are over their limit.
    """

    body: B
    api_key: ApiKey | None = None
    idempotency_key: str = ""
    if_match: str = ""
    spent: frozenset[str] = frozenset()

    @property
    def key(self) -> ApiKey:
        """The API key that the gate has checked. Raises `KeyRefused` if the endpoint needs none."""
        if self.api_key is None:
            raise KeyRefused
        return self.api_key

    def payer(self, account_id: str = "") -> Payer:
        """Return who is charged for decoding: this key, and an account."""
        return Payer(self.key.name, account_id)

    @property
    def actor(self) -> Actor:
        """The API key as an actor."""
        return self.key.actor


class Created(msgspec.Struct, Generic[A], frozen=True):
    """A JSON answer with the status 201."""

    value: A


class Encoded(msgspec.Struct, Generic[A], frozen=True):
    """A JSON answer that is already encoded."""

    data: bytes


class Headed(msgspec.Struct, Generic[A], frozen=True):
    """A JSON answer with further headers, which its route names."""

    value: A
    headers: Mapping[str, str] = {}


class Content(msgspec.Struct, frozen=True):
    """An answer of raw bytes with their media type."""

    data: bytes
    media_type: str
    cache_control: str = "no-store"
    status: int = 200
    headers: Mapping[str, str] = {}
