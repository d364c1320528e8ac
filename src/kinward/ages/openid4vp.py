"""OpenID for Verifiable Presentations 1.0, as the EU's age-verification profile uses it."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from kinward.ages import cbor
from kinward.ages.cose import ES256
from kinward.ages.encrypted import CIPHERS
from kinward.ages.mdoc import DOCTYPE, NAMESPACE
from kinward.ages.refused import malformed
from kinward.ground.calls_out import AnswerUnreadable, read_json

CREDENTIAL: Final = "proof_of_age"
SCHEME: Final = "av://"
ENCRYPTED: Final = "direct_post.jwt"
MAX_TOKEN: Final = 4 * cbor.MAX_BYTES // 3 + 1000  # characters of a `vp_token`


class WalletRequest(msgspec.Struct, frozen=True):
    """What binds an answer: the verifier's id, a number used once, and where the answer goes.

    `key` is the thumbprint of the key to which the answer is encrypted, if it is.
    """

    client_id: str
    nonce: str
    response_uri: str
    key: bytes | None = None

    @property
    def transcript(self) -> list[Any]:
        """The session transcript, which the wallet's signature covers (appendix B.2.6.1).

        The third of the four is the key of an encrypted answer, if it is encrypted.
        """
        info = cbor.write([self.client_id, self.nonce, self.key, self.response_uri])
        return [None, None, ["OpenID4VPHandover", hashlib.sha256(info).digest()]]


def request_of(nonce: str, response_uri: str, key: bytes | None = None) -> WalletRequest:
    """Return a request whose verifier is known by its address, as the profile asks."""
    return WalletRequest(f"redirect_uri:{response_uri}", nonce, response_uri, key)


def parameters(
    request: WalletRequest, state: str, ages: Sequence[int], public: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the parameters of an authorization request.

    `public` is the key to which the wallet encrypts its answer. The profile does without.
    """
    encrypted = {
        "response_mode": ENCRYPTED,
        "client_metadata": {
            "jwks": {"keys": [public]},
            "encrypted_response_enc_values_supported": [*CIPHERS],
            "vp_formats_supported": {
                "mso_mdoc": {"issuerauth_alg_values": [ES256], "deviceauth_alg_values": [ES256]}
            },
        },
    }
    return {
        "response_type": "vp_token",
        "response_mode": "direct_post",
        "client_id": request.client_id,
        "response_uri": request.response_uri,
        "nonce": request.nonce,
        "state": state,
        "dcql_query": query(ages),
    } | ({} if public is None else encrypted)


def address(asked: dict[str, Any]) -> str:
    """Return the address that opens a wallet, for a link or a QR code."""
    sent = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in asked.items()
    }
    return f"{SCHEME}?{urlencode(sent)}"


def query(ages: Sequence[int]) -> dict[str, Any]:
    """Return the DCQL query for `age_over_NN`: all of several ages, or else one of them.

    >>> query([18])["credentials"][0]["claims"]
    [{'path': ['eu.europa.ec.av.1', 'age_over_18']}]
    >>> query([18, 16])["credentials"][0]["claim_sets"]
    [['over_18', 'over_16'], ['over_18'], ['over_16']]
    """
    credential: dict[str, Any] = {
        "id": CREDENTIAL,
        "format": "mso_mdoc",
        "meta": {"doctype_value": DOCTYPE},
        "claims": [{"path": [NAMESPACE, f"age_over_{age:02}"]} for age in ages],
    }
    if len(ages) > 1:
        ids = [f"over_{age:02}" for age in ages]
        for name, claim in zip(ids, credential["claims"], strict=True):
            claim["id"] = name
        credential["claim_sets"] = [ids, *([name] for name in ids)]
    return {"credentials": [credential]}


def read_token(token: str) -> bytes:
    """Return the DeviceResponse in a `vp_token`. Raises `ProofRefused`.

    The token is an object with a list for each credential. Drafts had a text in place of the list.
    """
    if len(token) > MAX_TOKEN:
        raise malformed(f"Its vp_token has more than {MAX_TOKEN:,} characters")
    try:
        sent = read_json(token.encode())
    except (AnswerUnreadable, UnicodeEncodeError):
        raise malformed("Its vp_token is not JSON") from None
    return presentation(sent)


def presentation(sent: Any) -> bytes:
    """Return the DeviceResponse in a decoded `vp_token`. Raises `ProofRefused`."""
    if not isinstance(sent, dict) or sent.keys() != {CREDENTIAL}:
        raise malformed(f"Its vp_token has not just {CREDENTIAL}")
    text = sent[CREDENTIAL]
    if isinstance(text, list) and len(text) == 1:
        text = text[0]
    if not isinstance(text, str):
        raise malformed("Its vp_token has not just one presentation")
    return from_base64url(text)


def from_base64url(text: str) -> bytes:
    """Decode base64url without padding. Raises `ProofRefused`."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise malformed("A part of it is not base64url") from None
