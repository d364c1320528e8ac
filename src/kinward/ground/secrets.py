"""Short secrets at rest, such as one-time codes' and partners': encrypted under the secret key.

Without a secret key that lasts nothing is sealed: `NotConfigured` says so.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken

from kinward.ground.config import config
from kinward.ground.errors import KinwardError


class CannotOpen(KinwardError):
    """A secret was sealed under another secret key. Set it again, or bring the old key back."""

    code = "secret.cannot_open"


def seal_text(text: str, purpose: str) -> str:
    """A text, sealed for one purpose."""
    return _fernet(purpose).encrypt(text.encode()).decode()


def open_text(sealed: str, purpose: str) -> str:
    """The text again."""
    try:
        return _fernet(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen(f"It was for {purpose}.") from error


def _fernet(purpose: str) -> Fernet:
    key = hashlib.sha256(f"kinward.{purpose}:{config().secret('secret_key')}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
