"""Short secrets at rest, such as those of one-time codes and partners, sealed with the secret key.

A former secret key seals and signs nothing more. What it sealed and signed stays good. Without a
lasting secret key nothing is sealed, and `NotConfigured` is raised.
"""

import base64
import hashlib
import hmac
import html
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

from cryptography.fernet import Fernet, InvalidToken

from kinward.ground.config import config
from kinward.ground.errors import KinwardError

MASK: Final = "…"
LONG: Final = 8  # characters of a secret that is masked wherever it stands, also inside a word
SHORT: Final = 4  # characters of one that is masked where it is a word of its own
# Where no word goes on: a percent-encoded character ends one, too.
_BEGINS: Final = r"(?:(?<!\w)|(?<=%[0-9A-Fa-f]{2}))"
_ENDS: Final = r"(?!\w)"
# Around a shorter one, which may be any word of a sentence: the marks around values.
_BEFORE_VALUE: Final = r"(?:(?<=[=:/@&\"'])|(?<=%3[ADad])|(?<=%2[26Ff]))"


class CannotOpen(KinwardError):
    """A secret was sealed under another secret key. Set it again, or restore the old key."""

    code = "secret.cannot_open"


def seal_text(text: str, purpose: str) -> str:
    """Seal a text for one purpose."""
    return _fernet(_keys(purpose)[0]).encrypt(text.encode()).decode()


def open_text(sealed: str, purpose: str) -> str:
    """Open a sealed text. Raises `CannotOpen` for another key or purpose."""
    for key in _keys(purpose):
        try:
            return _fernet(key).decrypt(sealed.encode()).decode()
        except InvalidToken:
            continue
    raise CannotOpen(f"It was for {purpose}.")


def mac(data: bytes, purpose: str) -> bytes:
    """Return the HMAC-SHA256 (32 bytes) of data for one purpose."""
    return hmac.digest(mac_keys(purpose)[0], data, "sha256")


def is_mac(told: bytes, data: bytes, purpose: str) -> bool:
    """Return whether that is the `mac` of data, by the secret key or a former one."""
    return is_digest(told, data, mac_keys(purpose))


def is_digest(told: bytes, data: bytes, keys: Iterable[bytes]) -> bool:
    """Return whether that is the HMAC-SHA256 of data by one of these keys."""
    return any(hmac.compare_digest(hmac.digest(key, data, "sha256"), told) for key in keys)


def mac_keys(purpose: str) -> list[bytes]:
    """Return the keys of `is_mac` for one purpose. The first is that of `mac`."""
    return _keys(f"mac.{purpose}")


def _fernet(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key))


def _keys(purpose: str) -> list[bytes]:
    chosen = config()
    secrets = [chosen.secret("secret_key"), *chosen.secrets_before("secret_keys_before")]
    return [hashlib.sha256(f"kinward.{purpose}:{one}".encode()).digest() for one in secrets]


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets, however an address, JSON or HTML writes them.

    A short secret is masked where it stands for itself and not inside another word. What is shorter
    than four characters is masked only as a value, as in `key=abc`: it keeps no secret.
    """
    forms = {form for secret in secrets for form in _forms(secret) if form}
    for form in sorted(forms, key=len, reverse=True):  # one secret may be a part of another
        text = re.sub(_pattern(form), MASK, text, flags=re.IGNORECASE if "%" in form else 0)
    return text


def _forms(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
    }


def _pattern(form: str) -> str:
    literal = re.escape(form)
    if len(form) >= LONG:
        return literal
    if len(form) >= SHORT:
        return _BEGINS + literal + _ENDS
    return _BEFORE_VALUE + literal + _ENDS
