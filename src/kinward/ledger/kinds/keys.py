"""Keys of the API, and the secrets that Kinward signs with."""

from kinward.ledger.kinds.fact import Fact


class KeyCreated(Fact, frozen=True):
    """A key of the API was made. `secret`: a digest of its secret's digest."""

    kind = "key.created"
    scopes: list[str]
    purposes: list[str] = []
    owner: str = ""
    expires: str = ""
    secret: str = ""


class KeyChanged(Fact, frozen=True):
    """A key has other purposes, another owner or another expiry: all as they are now."""

    kind = "key.changed"
    scopes: list[str]
    purposes: list[str]
    owner: str
    expires: str


class KeyRotated(Fact, frozen=True):
    """A key has a new secret. The one before is valid until `previous_until`, or not at all."""

    kind = "key.rotated"
    expires: str
    previous_until: str
    secret: str = ""


class WebhookRotated(Fact, frozen=True):
    """Webhooks have a new secret. The one before signs until `previous_until`, or not at all."""

    kind = "webhook.rotated"
    previous_until: str


class KeyRevoked(Fact, frozen=True):
    """A key was revoked. `compromised`: somebody else had it."""

    kind = "key.revoked"
    compromised: bool = False
