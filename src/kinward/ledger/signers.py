"""The key that signs the log's checkpoints: in a file of its own, or in a service.

A new kind is a class that fits `LogSigner`, named in the entry-point group `kinward.signers`. It is
neither in the database nor one of the keys of evidence: whoever has one of them has no other.

While the key changes there are two of them: the one that signs, and the next one. The next one is
in `KINWARD_LEDGER_SIGNER_NEXT`, or in a file beside that of the present one.
"""

import os
import secrets
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kinward.ground.config import Config, config, replace_secret
from kinward.ground.errors import Invalid, KinwardError, NotInstalled, SettingWrong
from kinward.ledger.notes import ED25519, BadNote, Verifier

log = structlog.get_logger(__name__)

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


class SigningKey(NamedTuple):
    """A key of the log: its public half, and what signs with the private one."""

    verifier: Verifier
    signer: LogSigner


class FileSigner:
    """An Ed25519 key (32 bytes in hex) in a file, or in the environment. `which`: the file."""

    def __init__(self, config: Config, which: str = "") -> None:
        path = which or config.ledger_key_file
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
    return _load(config().ledger_signer)


def next_signer() -> LogSigner | None:
    """Return what signs once the key has changed. None if there is no next key here."""
    if config().ledger_signer_next:
        return _load(config().ledger_signer_next)
    path = _next_path()
    return FileSigner(config(), str(path)) if path is not None and path.exists() else None


def _load(setting: str) -> LogSigner:
    name, _, which = setting.partition(":")
    for point in entry_points(group=GROUP, name=name):
        loaded: LogSigner = point.load()(config(), which)
        return loaded
    raise NotInstalled(f"No signer {name!r} is installed (entry points in {GROUP!r}).")


def log_verifier(origin: str) -> Verifier:
    """Return the public half, by which others verify the checkpoints of an origin."""
    return Verifier(origin, ED25519, log_signer().public)


def find_key(vkey: str) -> SigningKey | None:
    """Return the present or the next key, whichever has this verifier key. None if neither has it.

    Another process may have put the next one in the place of the present one: it is read again.
    """
    try:
        origin = Verifier.parse(vkey).name
    except BadNote:
        return None
    for _attempt in range(2):
        for read in (log_signer, next_signer):
            signer = read()
            if signer is not None:
                verifier = Verifier(origin, ED25519, signer.public)
                if verifier.vkey == vkey:
                    return SigningKey(verifier, signer)
        log_signer.cache_clear()
    return None


def new_key(origin: str) -> Verifier:
    """Make the next key beside the present one, and return its public half.

    With `KINWARD_LEDGER_SIGNER_NEXT` it is there already. Raises `Invalid` where no file is.
    """
    if not config().ledger_signer_next:
        path = _next_path()
        if path is None:
            raise Invalid(
                "The key is not in a file. Name the next one in KINWARD_LEDGER_SIGNER_NEXT."
            )
        replace_secret(path, secrets.token_hex(32))
        _give_to_owner(path)
    if (signer := next_signer()) is None:
        raise SettingWrong("The next key of the ledger cannot be read.")
    return Verifier(origin, ED25519, signer.public)


def adopt_next_key(vkey: str) -> None:
    """Put the next key in the place of the present one, if it has this verifier key. Idempotent.

    The key before is gone then. Where that fails, both stay there and the right one signs.
    """
    path = _next_path()
    if config().ledger_signer_next or path is None or not path.exists():
        return
    try:
        public = FileSigner(config(), str(path)).public
        if Verifier(Verifier.parse(vkey).name, ED25519, public).vkey == vkey:
            path.replace(path.with_suffix(""))
            log_signer.cache_clear()
    except (OSError, KinwardError, BadNote) as error:
        log.error("ledger.key_not_replaced", error=str(error))


def _next_path() -> Path | None:
    """Return where the next key is, or would be: beside the file of the present one."""
    chosen = config()
    name, _, which = chosen.ledger_signer.partition(":")
    if name != "file":
        return None
    path = which or chosen.ledger_key_file
    if not path and chosen.ledger_key:
        return None
    here = Path(path) if path else chosen.secret_path("ledger_key")
    return here.with_name(f"{here.name}.next")


def _give_to_owner(path: Path) -> None:
    """Under sudo, give the file to whoever owns that of the present key: the worker reads it."""
    present = path.with_suffix("")
    if os.geteuid() == 0 and present.exists():
        was = present.stat()
        os.chown(path, was.st_uid, was.st_gid)
