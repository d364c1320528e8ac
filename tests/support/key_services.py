"""Vault's transit engine and Cloud KMS on loopback: their interfaces, over real AES-256-GCM.

Written from the services' public references, since neither can be installed beside the tests.
"""

import json
import os
from base64 import b64decode, b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VAULT_TOKEN, BEARER = "s.neutral", "ya29.neutral"
GCP_KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/kinward"


class KeyServices(ThreadingHTTPServer):
    """Both services, with one key each. `tokens` counts how often a bearer token was fetched."""

    def __init__(self) -> None:
        self.cipher, self.tokens = AESGCM(AESGCM.generate_key(256)), 0
        self.nonsense: bytes | None = None  # what it answers instead
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def encrypt(self, plaintext: str, bound: str) -> bytes:
        nonce = os.urandom(12)
        return nonce + self.cipher.encrypt(nonce, b64decode(plaintext), b64decode(bound))

    def decrypt(self, sealed: bytes, bound: str) -> str:
        return b64encode(self.cipher.decrypt(sealed[:12], sealed[12:], b64decode(bound))).decode()


class _Handler(BaseHTTPRequestHandler):
    server: KeyServices

    def do_GET(self) -> None:
        path = "/computeMetadata/v1/instance/service-accounts/default/token"
        if self.path != path or self.headers["Metadata-Flavor"] != "Google":
            self._answer(403, {})
            return
        self.server.tokens += 1
        self._answer(200, {"access_token": BEARER, "expires_in": 3600, "token_type": "Bearer"})

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            if self.path in ("/v1/transit/encrypt/kinward", "/v1/transit/decrypt/kinward"):
                self._vault(sent)
            elif self.path in (f"/v1/{GCP_KEY}:encrypt", f"/v1/{GCP_KEY}:decrypt"):
                self._gcp(sent)
            else:
                self._answer(404, {"errors": ["no such key"]})
        except (InvalidTag, ValueError):
            self._answer(400, {"errors": ["cipher: message authentication failed"]})

    def _vault(self, sent: dict[str, str]) -> None:
        if self.headers["X-Vault-Token"] != VAULT_TOKEN:
            self._answer(403, {"errors": ["permission denied"]})
        elif "plaintext" in sent:
            sealed = self.server.encrypt(sent["plaintext"], sent["associated_data"])
            text = f"vault:v1:{b64encode(sealed).decode()}"
            self._answer(200, {"data": {"ciphertext": text, "key_version": 1}})
        else:
            sealed = b64decode(sent["ciphertext"].removeprefix("vault:v1:"))
            plain = self.server.decrypt(sealed, sent["associated_data"])
            self._answer(200, {"data": {"plaintext": plain}})

    def _gcp(self, sent: dict[str, str]) -> None:
        bound = sent["additionalAuthenticatedData"]
        if self.headers["Authorization"] != f"Bearer {BEARER}":
            self._answer(401, {})
        elif "plaintext" in sent:
            sealed = b64encode(self.server.encrypt(sent["plaintext"], bound)).decode()
            self._answer(200, {"name": f"{GCP_KEY}/cryptoKeyVersions/1", "ciphertext": sealed})
        else:
            plain = self.server.decrypt(b64decode(sent["ciphertext"]), bound)
            self._answer(200, {"plaintext": plain})

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode() if self.server.nonsense is None else self.server.nonsense
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...
