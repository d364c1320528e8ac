"""Encrypted answers of wallets (`direct_post.jwt`): a key for each request, and what it opens."""

import base64
from typing import Any, Final

import msgspec
from joserfc import jwe, jwk
from joserfc.errors import JoseError
from joserfc.jwk import KeyParameters

from kinward.ages.refused import ProofRefused, malformed
from kinward.ground.calls_out import AnswerUnreadable, read_json

ALGORITHM: Final = "ECDH-ES"
CIPHERS: Final = ("A128GCM", "A256GCM")
MAX_ANSWER: Final = 180 * 1024  # characters of an encrypted answer
MAX_NAME: Final = 64  # characters of a key's id


class _Answers(jwe.JWERegistry):
    """The bound of an answer. Nothing compressed is opened: no such algorithm is allowed."""

    max_ciphertext_length = MAX_ANSWER


class AnswerKey:
    """The key pair of one request, by which only Kinward can read the answer."""

    def __init__(self, private: str) -> None:
        self._key = jwk.ECKey.import_key(
            msgspec.json.decode(private, type=dict[str, str | list[str]])
        )

    @classmethod
    def new(cls, name: str) -> "AnswerKey":
        """Make the key pair of the request of this name."""
        options: KeyParameters = {"use": "enc", "alg": ALGORITHM, "kid": name}
        made = jwk.ECKey.generate_key("P-256", options, private=True)
        return cls(msgspec.json.encode(made.as_dict(private=True)).decode())

    @property
    def private(self) -> str:
        """The whole key, to be kept sealed."""
        return msgspec.json.encode(self._key.as_dict(private=True)).decode()

    @property
    def public(self) -> dict[str, Any]:
        """The public key as a JWK, for the request."""
        return dict(self._key.as_dict(private=False))

    @property
    def thumbprint(self) -> bytes:
        """The SHA-256 thumbprint (RFC 7638), which the wallet's signature covers."""
        text = self._key.thumbprint()
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def open(self, response: str) -> dict[str, Any]:
        """Decrypt an answer. Raises `ProofRefused`."""
        allowed = [ALGORITHM, *CIPHERS]
        try:
            registry = _Answers(algorithms=allowed)
            opened = jwe.decrypt_compact(response, self._key, allowed, registry).plaintext
            answer = read_json(opened or b"")
        except (JoseError, AnswerUnreadable, ValueError, TypeError, KeyError, RecursionError):
            raise malformed("Its encrypted answer cannot be opened") from None
        if not isinstance(answer, dict):
            raise malformed("Its encrypted answer is no object")
        return answer


def name_in(response: str) -> str:
    """Return the id of the key to which an answer is encrypted. Raises `ProofRefused`."""
    if len(response) > MAX_ANSWER:
        raise malformed(f"Its encrypted answer has more than {MAX_ANSWER:,} characters")
    head = response.partition(".")[0]
    try:
        header = read_json(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        name = header.get("kid") if isinstance(header, dict) else None
    except (AnswerUnreadable, ValueError):
        raise malformed("Its encrypted answer has no header") from None
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise malformed("Its encrypted answer names no key")
    return name


def encrypt(answer: dict[str, Any], public: dict[str, Any], cipher: str = CIPHERS[0]) -> str:
    """Encrypt an answer as a wallet does, for practice."""
    header = {"alg": ALGORITHM, "enc": cipher, "kid": public.get("kid")}
    key = jwk.ECKey.import_key(public)
    return jwe.encrypt_compact(header, msgspec.json.encode(answer), key, [ALGORITHM, *CIPHERS])


def read_answer(key: AnswerKey, response: str, state: str) -> Any:
    """Return the `vp_token` of an encrypted answer; None if the person declined."""
    answer = key.open(response)
    if answer.get("state", state) != state:
        raise ProofRefused("request.other")
    return answer.get("vp_token")
