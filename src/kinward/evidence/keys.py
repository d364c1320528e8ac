"""The keys that wrap data keys: in a file for the first run, or in a key management service.

A new kind is a class that fits `Keys`, named in the entry-point group `kinward.keys`.
`KINWARD_EVIDENCE_KEYS` names the keys that wrap. A wrapped key names the keys that unwrap it, so
the setting can change at any time.
"""

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from kinward.evidence.sealing import CannotUnseal, decrypt, encrypt, public_half
from kinward.ground.config import Config, config
from kinward.ground.errors import KinwardError, NotInstalled, SettingWrong

GROUP: Final = "kinward.keys"


class KeysUnreachable(KinwardError):
    """The key management service does not answer. Nothing can be sealed or opened meanwhile."""

    code = "evidence.keys_away"
    status = 503


class Keys(Protocol):
    """Keys that wrap and unwrap. `which` is the part of the setting after the colon."""

    def __init__(self, config: Config, which: str) -> None: ...

    @property
    def current(self) -> str:
        """The id of the key that wraps now. It starts with the entry point's name, or `age1`."""
        ...

    def wrap(self, data_key: str, evidence_id: UUID) -> bytes:
        """Wrap a data key for one piece of evidence. Raises `KeysUnreachable`."""
        ...

    def unwrap(self, wrapped: bytes, key_id: str, evidence_id: UUID) -> str:
        """Unwrap a data key. Raises `KeysUnreachable`, or `CannotUnseal` for another's key."""
        ...


class FileKeys:
    """age identities in a file: the first one wraps, and each one unwraps."""

    def __init__(self, config: Config, which: str = "") -> None:
        path = config.evidence_key_file
        try:
            text = Path(path).read_text() if path else config.secret("evidence_key")
        except OSError as error:
            raise SettingWrong(f"KINWARD_EVIDENCE_KEY_FILE: {error}.") from error
        lines = (line.strip() for line in text.splitlines())
        self._keys = [line for line in lines if line and not line.startswith("#")]
        if not self._keys:
            raise SettingWrong("There is no key in the evidence key file.")
        self._recipients = {public_half(key): key for key in self._keys}

    @property
    def current(self) -> str:
        return next(iter(self._recipients))

    def wrap(self, data_key: str, evidence_id: UUID) -> bytes:
        return encrypt(data_key.encode(), self.current)

    def unwrap(self, wrapped: bytes, key_id: str, evidence_id: UUID) -> str:
        key = self._recipients.get(key_id)
        if key is None:
            raise CannotUnseal(f"It was sealed for {key_id}, whose key is not in the file.")
        return decrypt(wrapped, key).decode()


@cache
def keys() -> Keys:
    """Return the keys that wrap now."""
    name, _, which = config().evidence_keys.partition(":")
    return _load(name, which)


@cache
def keys_of(key_id: str) -> Keys:
    """Return the keys that unwrap what the key with this id wrapped."""
    if key_id.startswith("age1"):
        return _load("file", "")
    name, _, which = key_id.partition(":")
    return _load(name, which)


def _load(name: str, which: str) -> Keys:
    for point in entry_points(group=GROUP, name=name):
        loaded: Keys = point.load()(config(), which)
        return loaded
    raise NotInstalled(f"No keys {name!r} are installed (entry points in {GROUP!r}).")
