"""Sealing bytes with age (age-encryption.org/v1). Pure.

Each object has a data key of its own: an X25519 identity made for it. The bytes are encrypted to
that identity; `keys` wraps the identity. To destroy the wrapped identity is to destroy the object.
"""

import pyrage
from pyrage.x25519 import Identity, Recipient

from kinward.ground.errors import KinwardError


class CannotUnseal(KinwardError):
    """This evidence cannot be opened with the key at hand. Ask `kinward doctor`."""

    code = "evidence.cannot_unseal"


def new_key() -> str:
    """A new identity, in age's own text form (`AGE-SECRET-KEY-1…`)."""
    return str(Identity.generate())


def public_half(key: str) -> str:
    """The recipient (`age1…`) of an identity; it names the key and can only seal."""
    try:
        return str(Identity.from_str(key).to_public())
    except pyrage.IdentityError as error:
        raise CannotUnseal("The evidence key is not an age identity.") from error


def encrypt(data: bytes, *recipients: str) -> bytes:
    """Bytes that only the identities of these recipients open."""
    return bytes(pyrage.encrypt(data, [Recipient.from_str(each) for each in recipients]))


def decrypt(ciphertext: bytes, *keys: str) -> bytes:
    """The bytes again; whatever was changed by so much as a bit does not open."""
    try:
        return bytes(pyrage.decrypt(ciphertext, [Identity.from_str(key) for key in keys]))
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise CannotUnseal("It was sealed for another key, or was changed.") from error


def seal(data: bytes) -> tuple[bytes, str]:
    """Seal bytes under a fresh data key: the ciphertext, and the data key to be wrapped."""
    data_key = new_key()
    return encrypt(data, public_half(data_key)), data_key
