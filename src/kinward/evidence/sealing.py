"""Sealing bytes with age (age-encryption.org/v1). Pure.

Each object has a data key of its own, which is a fresh X25519 identity. The bytes are encrypted to
that identity, and `keys` wraps it. Destroying the wrapped identity destroys the object.
"""

import pyrage
from pyrage.x25519 import Identity, Recipient

from kinward.ground.errors import KinwardError


class CannotUnseal(KinwardError):
    """This evidence cannot be opened with the configured keys. Run `kinward doctor`."""

    code = "evidence.cannot_unseal"


def new_key() -> str:
    """Generate an identity, in age's text form (`AGE-SECRET-KEY-1…`)."""
    return str(Identity.generate())


def public_half(key: str) -> str:
    """Return the recipient (`age1…`) of an identity. It names the key and can only seal."""
    try:
        return str(Identity.from_str(key).to_public())
    except pyrage.IdentityError as error:
        raise CannotUnseal("The evidence key is not an age identity.") from error


def encrypt(data: bytes, *recipients: str) -> bytes:
    """Encrypt bytes so that only the identities of these recipients open them."""
    return bytes(pyrage.encrypt(data, [Recipient.from_str(recipient) for recipient in recipients]))


def decrypt(ciphertext: bytes, *keys: str) -> bytes:
    """Decrypt bytes. Raises `CannotUnseal` for a wrong key, or if a single bit was changed."""
    try:
        return bytes(pyrage.decrypt(ciphertext, [Identity.from_str(key) for key in keys]))
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise CannotUnseal("It was sealed for another key, or was changed.") from error


def seal(data: bytes) -> tuple[bytes, str]:
    """Seal bytes under a fresh data key; return the ciphertext, and the data key to wrap."""
    data_key = new_key()
    return encrypt(data, public_half(data_key)), data_key
