"""The key that signs the log's checkpoints: in a file of its own, or in a service.

A new kind is a class that fits `LogSigner`, named in the entry-point group `kinward.signers`. It is
neither in the database nor one of the keys of evidence: whoever has one of them has no other.
"""

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kinward.ground.config import Config, config
from kinward.ground.errors import KinwardError, NotInstalled, SettingWrong
from kinward.ledger.notes import ED25519, Verifier

GROUP: Final = "kinward.signers"


class SignerUnreachable(KinwardError):
    """The service with the ledger's key does not answer. Nothing is signed meanwhile."""

    code = "ledger.signer_away"
    status = 503


class LogSigner(Protocol):
    """A key that signs with Ed25519. `which` is the part of the setting after the colon."""

    def __init__(self, config: Config, which: str) -> None: ...

    @property
    def public(self) -> bytes:
        """The public key (32 bytes). Raises `SignerUnreachable`."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign bytes; return 64 bytes. Raises `SignerUnreachable`."""
        ...


class FileSigner:
    """An Ed25519 key (32 bytes in hex) in a file, or in the environment."""

    def __init__(self, config: Config, which: str = "") -> None:
        path = config.ledger_key_file
        try:
            text = Path(path).read_text() if path else config.secret("ledger_key")
        except OSError as error:
            raise SettingWrong(f"KINWARD_LEDGER_KEY_FILE: {error}.") from error
        try:
            self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip()))
        except ValueError as error:
            raise SettingWrong("The ledger's key is not an Ed25519 key: 64 hex digits.") from error

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


@cache
def log_signer() -> LogSigner:
    """Return what signs checkpoints. Raises `NotConfigured` without a key."""
    name, _, which = config().ledger_signer.partition(":")
    for point in entry_points(group=GROUP, name=name):
        loaded: LogSigner = point.load()(config(), which)
        return loaded
    raise NotInstalled(f"No signer {name!r} is installed (entry points in {GROUP!r}).")


def log_verifier(origin: str) -> Verifier:
    """Return the public half, by which others verify the checkpoints of an origin."""
    return Verifier(origin, ED25519, log_signer().public)
