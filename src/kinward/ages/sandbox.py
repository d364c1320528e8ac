"""A test issuer with its wallet, and a provider of age keys, for practice.

Both are real: they sign, and check what such a service checks. Nobody trusts them before an
operator names them in a setting. A wallet here holds whatever age it is told.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from joserfc import jwk, jwt

from kinward.ages import oidc, openid4vp
from kinward.ages.encrypted import encrypt
from kinward.ages.mdoc import NAMESPACE
from kinward.ages.openid4vp import ENCRYPTED, from_base64url
from kinward.ages.practice import LIST_PLACES, Attestation, Issuer, token_of
from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach, basic_auth

MAX_BODY: Final = 256 * 1024
STATUS: Final = "/status/1"
TOKEN_SECONDS: Final = 300
LIMITS: Final = Limits(seconds=20.0, answer_bytes=1024 * 1024)


class Sandbox(ThreadingHTTPServer):
    """The server. `revoked` has the places in the status list, `codes` the unused codes."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], client_id: str, client_secret: str) -> None:
        super().__init__(address, _Handler)
        self.issuer = Issuer(datetime.now(UTC))
        self.client_id, self.client_secret = client_id, client_secret
        self.key = jwk.RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})
        self.guard = threading.Lock()
        self.places = 0
        self.states: dict[int, int] = {}  # of attestations, by their place in the list
        self.codes: dict[str, dict[str, str]] = {}

    @property
    def url(self) -> str:
        """The address, which is also the issuer of age keys."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    def attest(self, age: int, asked: list[str]) -> tuple[Attestation, int]:
        """Issue an attestation for a person of this age; return it and its place in the list."""
        with self.guard:
            place = self.places = (self.places + 1) % LIST_PLACES
        claims = {name: age >= int(name.rpartition("_")[2]) for name in asked}
        status = {"status_list": {"idx": place, "uri": self.url + STATUS}}
        return self.issuer.issue(claims, datetime.now(UTC), {"status": status}), place

    def id_token(self, sent: Mapping[str, str], age: int) -> str:
        """Return a signed ID token for a request of a person of this age."""
        wanted = msgspec.json.decode(sent["claims"], type=dict[str, list[int]])
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": self.url,
            "aud": self.client_id,
            "sub": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "nonce": sent["nonce"],
            "age_thresholds": {str(each): age >= each for each in wanted["age_thresholds"]},
        }
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


def serve(*, host: str, port: int, client_id: str, client_secret: str) -> Sandbox:
    """Make a server; `serve_forever` runs it."""
    return Sandbox((host, port), client_id, client_secret)


def write_issuers(sandbox: Sandbox, path: Path) -> None:
    """Write the test issuer's certificate, for `KINWARD_AGE_ISSUERS`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    today = datetime.now(UTC).date()
    path.write_bytes(f"# checked: {today}\n".encode() + sandbox.issuer.pem)


class Wrong(Exception):
    """A request that such a service refuses, and why."""


class _Handler(BaseHTTPRequestHandler):
    server: Sandbox
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._run(
            {
                STATUS: self._status,
                "/.well-known/openid-configuration": self._discovery,
                "/keys": lambda: self._json(
                    200, {"keys": [self.server.key.as_dict(private=False)]}
                ),
                "/authorize": self._authorize,
            }
        )

    def do_POST(self) -> None:
        self._run({"/present": self._present, "/revoke": self._revoke, "/token": self._token})

    def _run(self, actions: Mapping[str, Callable[[], None]]) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, MAX_BODY))
        self.form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        action = actions.get(urlsplit(self.path).path)
        try:
            if action is None:
                self._json(404, {"error": "not_found"})
            else:
                action()
        except (Wrong, KeyError, ValueError, msgspec.MsgspecError) as error:
            self._json(400, {"error": "invalid_request", "error_description": str(error)})

    # -- the wallet and its issuer

    def _present(self) -> None:
        """Present a proof for the request in an `av://` address, as a wallet does."""
        asked = dict(parse_qsl(urlsplit(self.form["request"]).query))
        mode = asked.get("response_mode")
        if asked.get("response_type") != "vp_token" or mode not in ("direct_post", ENCRYPTED):
            raise Wrong("This wallet answers vp_token by direct_post or direct_post.jwt.")
        if asked["client_id"] != f"redirect_uri:{asked['response_uri']}":
            raise Wrong("The verifier's id is not its address.")
        query = msgspec.json.decode(asked["dcql_query"])
        paths = [claim["path"] for claim in query["credentials"][0]["claims"]]
        names = [name for space, name in paths if space == NAMESPACE]
        attestation, place = self.server.attest(int(self.form["age"]), names)
        key = None
        if mode == ENCRYPTED:
            public = msgspec.json.decode(asked["client_metadata"])["jwks"]["keys"][0]
            key = jwk.ECKey.import_key(public)
        thumbprint = None if key is None else from_base64url(key.thumbprint())
        request = openid4vp.request_of(asked["nonce"], asked["response_uri"], thumbprint)
        sent = {"vp_token": token_of(attestation.present(request)), "state": asked["state"]}
        if mode == ENCRYPTED and self.form.get("clear") != "yes":
            answer = sent | {"vp_token": msgspec.json.decode(sent["vp_token"])}
            sent = {"response": encrypt(answer, public)}
        if self.form.get("revoked") == "yes":
            self.server.states[place] = 1
        self._json(200, {"place": place, "sent": sent} | self._post(request.response_uri, sent))

    def _post(self, url: str, sent: dict[str, str]) -> dict[str, Any]:
        if self.form.get("send") == "no":
            return {}
        try:
            with Caller(limits=LIMITS, reach=Reach.OURS) as caller:
                answer = caller.call("POST", url, data=sent)
        except CallFailed as error:
            raise Wrong(str(error)) from None
        return {"status": answer.status, "answer": answer.text}

    def _revoke(self) -> None:
        self.server.states[int(self.form["place"])] = int(self.form.get("state", "1"))
        self._json(200, {})

    def _status(self) -> None:
        sandbox = self.server
        with sandbox.guard:
            states = dict(sandbox.states)
        body = sandbox.issuer.status_list(sandbox.url + STATUS, states, datetime.now(UTC))
        self._send(200, body, "application/statuslist+jwt")

    # -- the provider of age keys

    def _discovery(self) -> None:
        url = self.server.url
        self._json(
            200,
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "jwks_uri": f"{url}/keys",
                "response_types_supported": ["id_token", "code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            },
        )

    def _authorize(self) -> None:
        """Answer as if a person of the age in the parameter `age` (20 without it) agreed."""
        sent = dict(parse_qsl(urlsplit(self.path).query))
        if sent["client_id"] != self.server.client_id or "openid" not in sent["scope"].split():
            raise Wrong("No such client, or no scope openid.")
        if len(sent["nonce"]) < 16 or len(sent["state"]) < 16:
            raise Wrong("A state and a nonce have at least 16 characters.")
        back = {"state": sent["state"]}
        if sent["response_type"] == "code":
            if sent["code_challenge_method"] != "S256" or not sent["code_challenge"]:
                raise Wrong("A code needs a challenge.")
            back["code"] = secrets.token_urlsafe(16)
            with self.server.guard:
                self.server.codes[back["code"]] = sent
        elif sent["response_type"] == "id_token":
            back["id_token"] = self.server.id_token(sent, int(sent.get("age", "20")))
        else:
            raise Wrong("Only code and id_token.")
        self._send(302, b"", "text/plain", f"{sent['redirect_uri']}?{urlencode(back)}")

    def _token(self) -> None:
        """Exchange a code, once, for whoever has the client's secret and the verifier."""
        sandbox = self.server
        wanted = basic_auth(sandbox.client_id, sandbox.client_secret)["authorization"]
        if self.headers.get("Authorization") != wanted:
            self._json(401, {"error": "invalid_client"})
            return
        with sandbox.guard:
            asked = sandbox.codes.pop(self.form["code"], None)
        if (
            asked is None
            or self.form["grant_type"] != "authorization_code"
            or asked["redirect_uri"] != self.form["redirect_uri"]
            or asked["code_challenge"] != oidc.challenge(self.form["code_verifier"])
        ):
            raise Wrong("No such code, or another verifier or address.")
        token = sandbox.id_token(asked, int(asked.get("age", "20")))
        fields = {"access_token": "none", "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        self._json(200, fields | {"id_token": token})

    # -- answers

    def _json(self, status: int, value: Mapping[str, Any]) -> None:
        self._send(status, msgspec.json.encode(value) + b"\n", "application/json")

    def _send(self, status: int, body: bytes, media_type: str, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""
