"""Sealing bytes with age (age-encryption.org/v1). Pure.

Each object has a data key of its own: an X25519 identity made for it. The bytes are encrypted to
that identity, and the identity is encrypted to the key-encryption key. Sealing needs only the
public half of the latter; to destroy the wrapped identity is to destroy the object.
"""

import msgspec
import pyrage
from pyrage.x25519 import Identity, Recipient

from kinward.errors import KinwardError


class CannotUnseal(KinwardError):
    """This evidence cannot be opened with the key at hand. Ask `kinward doctor`."""

    code = "evidence.cannot_unseal"


class Sealed(msgspec.Struct, frozen=True):
    """An object at rest: its age ciphertext, its wrapped data key, and the key that wraps it."""

    ciphertext: bytes
    wrapped_key: bytes
    key_id: str


def new_key() -> str:
    """A new key-encryption key, in age's own text form (`AGE-SECRET-KEY-1…`)."""
    return str(Identity.generate())


def public_half(key: str) -> str:
    """The recipient (`age1…`) of a key-encryption key; it names the key and can only seal."""
    try:
        return str(Identity.from_str(key).to_public())
    except pyrage.IdentityError as error:
        raise CannotUnseal("The evidence key is not an age identity.") from error


def seal(data: bytes, recipient: str) -> Sealed:
    """Seal bytes under a fresh data key, wrapped for the recipient."""
    data_key = Identity.generate()
    return Sealed(
        ciphertext=pyrage.encrypt(data, [data_key.to_public()]),
        wrapped_key=pyrage.encrypt(str(data_key).encode(), [Recipient.from_str(recipient)]),
        key_id=recipient,
    )


def unseal(sealed: Sealed, key: str) -> bytes:
    """The bytes again; whatever was changed by so much as a bit does not open."""
    try:
        data_key = pyrage.decrypt(sealed.wrapped_key, [Identity.from_str(key)]).decode()
        return bytes(pyrage.decrypt(sealed.ciphertext, [Identity.from_str(data_key)]))
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise CannotUnseal(f"It was sealed for {sealed.key_id}.") from error
