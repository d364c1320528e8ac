"""An App Store for practice: it signs as Apple does, with a chain of certificates of its own.

It has each app's downloads, one for each user, and sends the notification that a guardian withdrew
their consent. It says nothing when consent is given again: the real one lets the app start again.
"""

import base64
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, cast

import jwt
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach

BUNDLE: Final = "example.tidepool"
NUMBER: Final = 1
MAX_BODY: Final = 64 * 1024
YEARS: Final = timedelta(days=3650)
# What marks Apple's intermediate certificates, and the certificates that sign for the App Store.
INTERMEDIATE: Final = x509.ObjectIdentifier("1.2.840.113635.100.6.2.1")
LEAF: Final = x509.ObjectIdentifier("1.2.840.113635.100.6.11.1")


class Signer:
    """A chain of three certificates in a directory, made on first use, and what it signs."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.root = directory / "root.cer"
        kept = directory / "chain.pem"
        if not kept.exists():
            new = directory / "chain.new"
            new.touch(0o600)
            new.write_bytes(_make_chain(self.root))
            new.rename(kept)
        text = kept.read_bytes()
        self._key = cast("ec.EllipticCurvePrivateKey", load_pem_private_key(text, None))
        chain = x509.load_pem_x509_certificates(text)
        ders = [certificate.public_bytes(Encoding.DER) for certificate in chain]
        self._x5c = [base64.b64encode(der).decode() for der in ders]

    def sign(self, payload: dict[str, Any]) -> str:
        """Return a payload as a JWS, as the App Store signs it."""
        return jwt.encode(payload, self._key, "ES256", headers={"x5c": self._x5c})


def _make_chain(root_file: Path) -> bytes:
    """Make the certificates; return the key and the chain in PEM, the signing one first."""
    made: list[tuple[x509.Certificate, ec.EllipticCurvePrivateKey]] = []
    for depth, name in enumerate(("Practice root", "Practice intermediate", "Practice signer")):
        key = ec.generate_private_key(ec.SECP256R1())
        issuer, issuer_key = made[-1] if made else (None, key)
        made.append((_certificate(name, key, depth, issuer, issuer_key), key))
    root_file.write_bytes(made[0][0].public_bytes(Encoding.DER))
    key_text = made[-1][1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = [certificate.public_bytes(Encoding.PEM) for certificate, _ in reversed(made)]
    return b"".join([key_text, *chain])


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    depth: int,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now, is_authority = datetime.now(UTC), depth < 2
    issuer_public = issuer_key.public_key()
    usage = x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + YEARS)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False
        )
    )
    if depth:
        mark = x509.UnrecognizedExtension(INTERMEDIATE if depth == 1 else LEAF, b"\x05\x00")
        builder = builder.add_extension(mark, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def milliseconds() -> int:
    """Return now, as Apple writes moments."""
    return int(time.time() * 1000)


def download_of(user: str, bundle: str = BUNDLE) -> dict[str, Any]:
    """Return the payload of a user's download of the app. A user has one id for ever."""
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{bundle}/{user}").int % 10**18
    return {
        "receiptType": "Sandbox",
        "appAppleId": NUMBER,
        "bundleId": bundle,
        "applicationVersion": "1.0",
        "receiptCreationDate": milliseconds(),
        "originalApplicationVersion": "1.0",
        "appTransactionId": str(number),
        "originalPlatform": "iOS",
    }


def notification_of(download: str, kind: str = "RESCIND_CONSENT") -> dict[str, Any]:
    """Return the payload of a notification about a signed download."""
    return {
        "notificationType": kind,
        "notificationUUID": str(uuid.uuid4()),
        "version": "2.0",
        "signedDate": milliseconds(),
        "appData": {
            "bundleId": BUNDLE,
            "environment": "Sandbox",
            "signedAppTransactionInfo": download,
        },
    }


class Store(ThreadingHTTPServer):
    """The server. `consents` has what each user's guardian decided last."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], signer: Signer, receiver: str) -> None:
        super().__init__(address, _Handler)
        self.signer, self.receiver = signer, receiver
        self.consents: dict[str, bool] = {}
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        """The address of this store."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    def withdraw(self, user: str) -> int:
        """Send the notification that consent was withdrawn; return the receiver's status."""
        with self.guard:
            self.consents[user] = False
        download = self.signer.sign(download_of(user))
        signed = self.signer.sign(notification_of(download))
        caller = Caller(limits=Limits(seconds=20.0, answer_bytes=MAX_BODY), reach=Reach.OURS)
        body = msgspec.json.encode({"signedPayload": signed})
        headers = {"Content-Type": "application/json"}
        try:
            answer = caller.call("POST", self.receiver, headers=headers, content=body, cut=True)
        except CallFailed:
            return 0
        return answer.status


def serve(*, host: str, port: int, directory: Path, receiver: str) -> Store:
    """Make a server that notifies `receiver`; `serve_forever` runs it."""
    return Store((host, port), Signer(directory), receiver)


class _Handler(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, {"users": self.server.consents})
        else:
            self._answer(404, {"message": "Not found."})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        try:
            sent = msgspec.json.decode(self.rfile.read(min(length, MAX_BODY)), type=dict[str, str])
            user = sent["user"]
        except (msgspec.MsgspecError, KeyError):
            self._answer(422, {"message": 'Send {"user": "…"}.'})
            return
        if self.path == "/downloads":
            signed = self.server.signer.sign(download_of(user))
            self._answer(200, {"signed_app_transaction": signed})
        elif self.path == "/withdraw":
            self._answer(200, {"consent": False, "receiver": self.server.withdraw(user)})
        elif self.path == "/give":
            with self.server.guard:
                self.server.consents[user] = True
            self._answer(200, {"consent": True})
        else:
            self._answer(404, {"message": "Not found."})

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        body = msgspec.json.encode(value)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""
