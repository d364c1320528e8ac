"""OpenID Connect for an AgeKey: the request, and what makes an ID token acceptable."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final, Literal
from urllib.parse import urlencode

import msgspec
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from kinward.ages.mdoc import LEEWAY
from kinward.ages.refused import ProofRefused, ProviderUnreachable, malformed

Flow = Literal["id_token", "code"]
# Each is of a key pair: a provider's public key can never pass for a shared secret.
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "Ed25519", "EdDSA")
KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
MAX_TOKEN: Final = 16 * 1024  # characters of an ID token
MAX_KEYS: Final = 50
MAX_AGE: Final = timedelta(hours=1)  # of an ID token: a request is open for minutes


class Client(msgspec.Struct, frozen=True):
    """What a provider knows this community by."""

    issuer: str
    client_id: str
    redirect_uri: str
    flow: Flow = "id_token"


class Provider(msgspec.Struct, frozen=True):
    """What discovery says about a provider. Other fields are ignored."""

    issuer: str
    authorization_endpoint: str
    jwks_uri: str
    token_endpoint: str = ""


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a code verifier (RFC 7636).

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def address(
    client: Client, endpoint: str, *, state: str, nonce: str, verifier: str, ages: Sequence[int]
) -> str:
    """Return the address at the provider to which the platform sends the person."""
    sent = {
        "scope": "openid",
        "response_type": client.flow,
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "state": state,
        "nonce": nonce,
        "claims": msgspec.json.encode({"age_thresholds": [*ages]}).decode(),
    }
    if client.flow == "code":
        sent |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    else:
        sent["response_mode"] = "query"  # the platform's server takes the token
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(sent)}"


def verify(
    token: str, *, client: Client, keys: Mapping[str, Any], nonce: str, now: datetime
) -> dict[str, Any]:
    """Verify an ID token by the provider's keys, and return its claims. Raises `ProofRefused`."""
    if len(token) > MAX_TOKEN:
        raise malformed(f"The ID token has more than {MAX_TOKEN:,} characters")
    try:
        decoded = jwt.decode(token, _key_set(keys), algorithms=[*ALGORITHMS])
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProofRefused("signature", f"The ID token: {str(error)[:100]}.") from None
    claims = dict(decoded.claims)
    _check_audience(claims, client)
    _check_time(claims, now)
    sent = claims.get("nonce")
    if not isinstance(sent, str) or sent != nonce:
        raise ProofRefused("request.other")
    return claims


def _key_set(keys: Mapping[str, Any]) -> jwk.KeySet:
    listed = keys.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ProviderUnreachable("Its keys are no list.")
    usable = [
        key
        for key in listed
        if isinstance(key, dict) and key.get("kty") in KEY_TYPES and key.get("use", "sig") == "sig"
    ]
    return jwk.KeySet.import_key_set({"keys": usable})


def _check_audience(claims: Mapping[str, Any], client: Client) -> None:
    audience = claims.get("aud")
    ours = audience in (client.client_id, [client.client_id])  # nobody else may be addressed
    if claims.get("iss") != client.issuer:
        raise ProofRefused("issuer.untrusted", "Another issuer made the ID token.")
    if not ours or claims.get("azp", client.client_id) != client.client_id:
        raise ProofRefused("request.other", "The ID token is for another client.")


def _check_time(claims: Mapping[str, Any], now: datetime) -> None:
    issued: Any = claims.get("iat")
    ends: Any = claims.get("exp")
    begins: Any = claims.get("nbf", 0)
    if not all(map(_is_moment, (issued, ends, begins))):
        raise malformed("The ID token does not say when it holds")
    seconds, leeway = now.timestamp(), LEEWAY.total_seconds()
    if max(issued, begins) > seconds + leeway:
        raise ProofRefused("not_yet_valid")
    if ends <= seconds or issued <= seconds - MAX_AGE.total_seconds():
        raise ProofRefused("expired")


def _is_moment(value: Any) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
