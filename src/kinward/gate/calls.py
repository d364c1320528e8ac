"""One call of an endpoint, and the kinds of answers that an endpoint may give."""

from typing import Generic, TypeVar

import msgspec

from kinward.access import Actor
from kinward.access.api import ApiKey, KeyRefused

B = TypeVar("B")
A = TypeVar("A")


class Call(msgspec.Struct, Generic[B], frozen=True):
    """One call: its decoded body, its key, and its `Idempotency-Key` or an empty text."""

    body: B
    api_key: ApiKey | None = None
    idempotency_key: str = ""

    @property
    def key(self) -> ApiKey:
        """The key that the gate checked. Raises `KeyRefused` on an endpoint that asks for none."""
        if self.api_key is None:
            raise KeyRefused
        return self.api_key

    @property
    def actor(self) -> Actor:
        """The key, as the ledger names it."""
        return self.key.actor


class Created(msgspec.Struct, Generic[A], frozen=True):
    """A JSON answer with the status 201."""

    value: A


class Encoded(msgspec.Struct, Generic[A], frozen=True):
    """A JSON answer that is encoded already."""

    data: bytes


class Content(msgspec.Struct, frozen=True):
    """An answer that is not JSON of one of our types: bytes, and what they are."""

    data: bytes
    media_type: str
    cache_control: str = "no-store"
