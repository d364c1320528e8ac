"""Short secrets at rest, such as those of one-time codes and partners, sealed with the secret key.

Without a lasting secret key nothing is sealed, and `NotConfigured` is raised.
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
    """Seal a text for one purpose."""
    return _fernet(purpose).encrypt(text.encode()).decode()


def open_text(sealed: str, purpose: str) -> str:
    """Open a sealed text. Raises `CannotOpen` for another key or purpose."""
    try:
        return _fernet(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen(f"It was for {purpose}.") from error


def _fernet(purpose: str) -> Fernet:
    key = hashlib.sha256(f"kinward.{purpose}:{config().secret('secret_key')}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
