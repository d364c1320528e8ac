"""ID tokens of age keys: each way in which one can be wrong, and what one that is right says."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jwt

from kinward.ages import oidc
from kinward.ages.refused import ProofRefused
from kinward.policy import AgeRange, from_agekey

NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECONDS: Final = int(NOW.timestamp())
CLIENT: Final = oidc.Client("https://keys.example", "client-1", "https://app.example/age")
RSA: Final = jwk.RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
OTHER: Final = jwk.RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
CURVE: Final = jwk.ECKey.generate_key("P-256", {"kid": "2"})
KEYS: Final = {"keys": [RSA.as_dict(private=False), CURVE.as_dict(private=False)]}


def claims(**changes: Any) -> dict[str, Any]:
    return {
        "iss": CLIENT.issuer,
        "aud": CLIENT.client_id,
        "sub": "pairwise",
        "iat": SECONDS,
        "exp": SECONDS + 300,
        "nonce": "nonce-1",
        "age_thresholds": {"13": True, "18": False},
    } | changes


def token(key: Any = RSA, alg: str = "RS256", kid: str = "1", **changes: Any) -> str:
    return jwt.encode({"alg": alg, "kid": kid}, claims(**changes), key, algorithms=[alg])


def verify(sent: str, keys: Any = KEYS) -> dict[str, Any]:
    return oidc.verify(sent, client=CLIENT, keys=keys, nonce="nonce-1", now=NOW)


def refused(sent: str, keys: Any = KEYS) -> str:
    with pytest.raises(ProofRefused) as error:
        verify(sent, keys)
    return error.value.reason


def test_a_token_of_the_provider_is_accepted() -> None:
    assert verify(token()) == claims()
    assert verify(token(CURVE, "ES256", "2", aud=[CLIENT.client_id]))["iss"] == CLIENT.issuer


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": "nonce-2"}, "request.other"),
        ({"nonce": None}, "request.other"),
        ({"aud": "client-2"}, "request.other"),
        ({"aud": [CLIENT.client_id, "client-2"]}, "request.other"),
        ({"azp": "client-2"}, "request.other"),
        ({"aud": None}, "request.other"),
        ({"iss": "https://other.example"}, "issuer.untrusted"),
        ({"iss": CLIENT.issuer + "/"}, "issuer.untrusted"),
        ({"exp": SECONDS}, "expired"),
        ({"iat": SECONDS - 3600}, "expired"),
        ({"exp": float("nan")}, "malformed"),
        ({"exp": float("inf")}, "malformed"),
        ({"iat": 10**400}, "not_yet_valid"),
        ({"exp": None}, "malformed"),
        ({"exp": True}, "malformed"),
        ({"iat": SECONDS + 120}, "not_yet_valid"),
        ({"nbf": SECONDS + 120}, "not_yet_valid"),
        ({"iat": "now"}, "malformed"),
    ],
)
def test_a_token_for_another_time_client_or_request(changes: dict[str, Any], reason: str) -> None:
    assert refused(token(**changes)) == reason


def test_another_issuers_key() -> None:
    assert refused(token(OTHER)) == "signature"
    head, _, signature = token().split(".")
    body = text_of(claims(age_thresholds={"18": True}))
    assert refused(f"{head}.{body}.{signature}") == "signature"


def text_of(part: dict[str, Any] | bytes) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_a_token_without_a_signature() -> None:
    for alg in ("none", "None", "NONE", ""):
        assert refused(f"{text_of({'alg': alg})}.{text_of(claims())}.") == "signature"


def test_a_public_key_passes_for_no_shared_secret() -> None:
    """HS256 with the provider's public key as the secret, in each form that is published."""
    published = RSA.as_dict(private=False)
    for secret in (
        RSA.as_pem(private=False),
        json.dumps(published).encode(),
        str(published["n"]).encode(),
    ):
        signed = f"{text_of({'alg': 'HS256', 'kid': '1'})}.{text_of(claims())}"
        mac = hmac.digest(secret, signed.encode(), "sha256")
        assert refused(f"{signed}.{text_of(mac)}") == "signature"
    listed = {"keys": [{"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "kid": "1"}]}
    shared = jwk.OctKey.import_key("secret-secret-secret")
    assert refused(token(shared, "HS256"), listed) == "signature"


@pytest.mark.parametrize("keys", [{}, {"keys": None}, {"keys": [{}] * 51}])
def test_keys_that_are_no_list(keys: dict[str, Any]) -> None:
    assert refused(token(), keys) == "provider.unreachable"


@pytest.mark.parametrize("keys", [{"keys": []}, {"keys": [{"kty": "RSA"}, 7, {"kty": "?"}]}])
def test_keys_of_which_none_is_usable(keys: dict[str, Any]) -> None:
    assert refused(token(), keys) == "signature"


def test_a_signature_of_another_kind_than_the_key() -> None:
    assert refused(token(kid="2")) == "signature"
    assert refused(token(CURVE, "ES256", "1")) == "signature"
    assert refused(token(kid="9")) == "signature"  # of no key that is published


JUNK: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(
    st.lists(
        JUNK
        | st.fixed_dictionaries(
            {"kty": st.sampled_from(["RSA", "EC", "OKP"]) | JUNK, "kid": st.just("1") | JUNK},
            optional=dict.fromkeys(("n", "e", "crv", "x", "y", "use", "alg", "d"), JUNK),
        ),
        max_size=3,
    )
)
def test_no_published_key_raises_anything_else(keys: list[Any]) -> None:
    assert refused(token(), {"keys": keys}) == "signature"


@given(JUNK, st.sampled_from([*claims(), "nbf", "azp"]))
def test_no_claim_in_place_of_a_good_one_is_worse_than_refused(value: Any, name: str) -> None:
    try:
        found = verify(token(**{name: value}))
    except ProofRefused:
        return
    free = {"sub", "age_thresholds", "exp", "nbf"}
    assert name in free or found[name] == claims().get(name, found[name])


@pytest.mark.parametrize("sent", ["", "x", "a.b.c", "a.b.c.d.e", "." * 50, "A" * 20_000])
def test_what_is_no_token(sent: str) -> None:
    assert refused(sent) in {"signature", "malformed"}


def test_the_address_asks_for_a_code_with_a_challenge_or_for_a_token() -> None:
    def asked(client: oidc.Client) -> dict[str, str]:
        url = oidc.address(
            client,
            "https://keys.example/use?a=1",
            state="s",
            nonce="n",
            verifier="v",
            ages=[18, 13],
        )
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    by_token = asked(CLIENT)
    assert by_token["response_type"] == "id_token"
    assert json.loads(by_token["claims"]) == {"age_thresholds": [18, 13]}
    assert "code_challenge" not in by_token
    by_code = asked(oidc.Client("https://keys.example", "c", "https://app.example", "code"))
    assert by_code["code_challenge"] == oidc.challenge("v")
    assert (by_code["code_challenge_method"], by_code["a"]) == ("S256", "1")


THRESHOLDS: Final = st.dictionaries(
    st.integers(1, 99).map(str) | st.text(max_size=4), st.booleans() | st.none() | st.integers()
)


@given(THRESHOLDS)
def test_no_threshold_makes_anybody_older_than_it_says(thresholds: dict[str, Any]) -> None:
    notes: list[str] = []
    try:
        age = from_agekey({"age_thresholds": thresholds, "new": 1}, notes.append)
    except ValueError:
        return
    reached = {name for name, holds in thresholds.items() if holds is True}
    assert age.lower in {0, *(int(name) for name in reached if name.isascii() and name.isdigit())}
    assert age.upper == AgeRange().upper  # a false threshold is no proof of being younger
    assert age.assurance in {"none", "estimated"}
    assert "new" in notes


@pytest.mark.parametrize("thresholds", [{"13": False, "18": True}, {"18": 1}, {"18": "true"}, [18]])
def test_thresholds_that_contradict_themselves(thresholds: Any) -> None:
    with pytest.raises(ValueError, match="age_thresholds"):
        from_agekey({"age_thresholds": thresholds})
