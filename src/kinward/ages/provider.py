"""The provider of AgeKeys over the network: discovery, its keys, and the exchange of a code."""

from typing import Any, Final

import msgspec

from kinward.ages.oidc import Client, Provider
from kinward.ages.refused import ProofRefused, ProviderUnreachable
from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach, basic_auth
from kinward.ground.config import config, require_safe
from kinward.ground.errors import NotConfigured

LIMITS: Final = Limits(seconds=5.0, answer_bytes=256 * 1024)
DISCOVERY: Final = "/.well-known/openid-configuration"


def client() -> Client:
    """Return what the provider knows us by. Raises `NotConfigured`."""
    chosen = config()
    needed = {
        "KINWARD_AGEKEY_ISSUER": chosen.agekey_issuer,
        "KINWARD_AGEKEY_CLIENT_ID": chosen.agekey_client_id,
        "KINWARD_AGEKEY_REDIRECT_URL": chosen.agekey_redirect_url,
    }
    if missing := [name for name, value in needed.items() if not value]:
        raise NotConfigured(f"Age keys need {', '.join(missing)}.")
    if chosen.agekey_flow == "code" and not chosen.agekey_client_secret:
        raise NotConfigured("The flow `code` needs KINWARD_AGEKEY_CLIENT_SECRET.")
    require_safe("KINWARD_AGEKEY_ISSUER", chosen.agekey_issuer)
    return Client(
        chosen.agekey_issuer,
        chosen.agekey_client_id,
        chosen.agekey_redirect_url,
        chosen.agekey_flow,
    )


def discover(ours: Client) -> Provider:
    """Ask the provider where its parts are. Raises `ProviderUnreachable`."""
    try:
        found = msgspec.convert(_get(ours.issuer, ours.issuer.rstrip("/") + DISCOVERY), Provider)
    except msgspec.ValidationError as error:
        raise _unreachable(f"Its discovery cannot be read: {error}") from None
    if found.issuer != ours.issuer:
        raise _unreachable(f"It calls itself {found.issuer[:80]!r}")
    return found


def keys_of(found: Provider) -> dict[str, Any]:
    """Fetch the provider's keys. Raises `ProviderUnreachable`."""
    keys = _get(found.issuer, found.jwks_uri)
    if not isinstance(keys, dict):
        raise _unreachable("Its keys cannot be read")
    return keys


def exchange(found: Provider, ours: Client, *, code: str, verifier: str, secret: str) -> str:
    """Exchange a code for an ID token. Raises `ProofRefused`."""
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": ours.redirect_uri,
        "code_verifier": verifier,
    }
    if not found.token_endpoint:
        raise _unreachable("It has no token endpoint")
    try:
        with _caller(ours.issuer) as caller:
            answer = caller.call(
                "POST", found.token_endpoint, data=sent, headers=basic_auth(ours.client_id, secret)
            )
        token = answer.json().get("id_token") if answer.status == 200 else None
    except (CallFailed, AttributeError) as error:
        raise _unreachable(str(error)) from None
    if not isinstance(token, str):
        raise ProofRefused("declined", f"The provider gave no ID token: status {answer.status}.")
    return token


def _get(issuer: str, url: str) -> Any:
    try:
        with _caller(issuer) as caller:
            answer = caller.call("GET", url)
        if answer.status != 200:
            raise _unreachable(f"It answered {answer.status}")
        return answer.json()
    except CallFailed as error:
        raise _unreachable(str(error)) from None


def _caller(issuer: str) -> Caller:
    # The operator named the issuer; what its discovery names has to be on the same open internet.
    return Caller(limits=LIMITS, reach=Reach.STRANGERS, base=issuer)


def _unreachable(what: str) -> ProviderUnreachable:
    return ProviderUnreachable(f"{what}.")
