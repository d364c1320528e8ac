"""COSE_Sign1 (RFC 9052) with ES256, as the EU's profile asks of issuers and wallets."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from kinward.ages import cbor
from kinward.ages.refused import ProofRefused, malformed

ALGORITHM, CRITICAL, TYPE, X5CHAIN = 1, 2, 16, 33  # labels of headers
ES256: Final = -7
SIZE: Final = 32  # bytes of each half of a signature, and of a coordinate
KTY, CURVE, X, Y = 1, -1, -2, -3  # labels of a COSE_Key
EC2, P256 = 2, 1
MAX_CHAIN: Final = 3
# What a stranger's certificate can raise.
UNREADABLE: Final = (
    *(ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion),
    *(x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)


class Signed(msgspec.Struct, frozen=True):
    """A COSE_Sign1: its protected header as sent and as read, the other one, payload, signature."""

    head: bytes
    protected: Mapping[Any, Any]
    unprotected: Mapping[Any, Any]
    payload: bytes | None
    signature: bytes

    def chain(self) -> tuple[x509.Certificate, ...]:
        """Return the certificates of the header `x5chain`, the signer's first."""
        sent = self.unprotected.get(X5CHAIN, self.protected.get(X5CHAIN))
        return read_chain([sent] if isinstance(sent, bytes) else sent)

    def verify(self, key: ec.EllipticCurvePublicKey, detached: bytes | None = None) -> None:
        """Check the signature, over the payload or a detached one. Raises `ProofRefused`."""
        payload = self.payload if detached is None else detached
        if payload is None or (detached is not None and self.payload is not None):
            raise malformed("A signature is not over what it has to be over")
        if self.protected.get(ALGORITHM) != ES256:
            raise ProofRefused("signature", "It is not signed with ES256.")
        message = cbor.write(["Signature1", self.head, b"", payload])
        verify_es256(key, self.signature, message)


def read_signed(value: Any) -> Signed:
    """Read a COSE_Sign1 from decoded CBOR. Raises `ProofRefused`."""
    if not isinstance(value, list) or len(value) != 4:
        raise malformed("A signature is no COSE_Sign1")
    head, unprotected, payload, signature = value
    if not isinstance(head, bytes) or not isinstance(signature, bytes):
        raise malformed("A signature is no COSE_Sign1")
    protected = cbor.read(head) if head else {}
    if not isinstance(protected, dict) or not isinstance(unprotected, dict):
        raise malformed("The headers of a signature are no maps")
    if CRITICAL in protected or not isinstance(payload, bytes | None):
        raise malformed("A signature has critical headers, or no bytes as its payload")
    return Signed(head, protected, unprotected, payload, signature)


def verify_es256(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """Check an ECDSA signature on P-256, `r || s`. Raises `ProofRefused`."""
    if len(signature) != 2 * SIZE or not isinstance(key.curve, ec.SECP256R1):
        raise ProofRefused("signature", "It is not signed with ES256.")
    halves = (int.from_bytes(signature[:SIZE]), int.from_bytes(signature[SIZE:]))
    try:
        key.verify(encode_dss_signature(*halves), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise ProofRefused("signature") from None


def read_key(value: Any) -> ec.EllipticCurvePublicKey:
    """Read a COSE_Key on P-256. Raises `ProofRefused`."""
    if not isinstance(value, dict) or (value.get(KTY), value.get(CURVE)) != (EC2, P256):
        raise malformed("The wallet's key is not on P-256")
    x, y = value.get(X), value.get(Y)
    if not isinstance(x, bytes) or not isinstance(y, bytes) or {len(x), len(y)} != {SIZE}:
        raise malformed("The wallet's key is not on P-256")
    try:
        return ec.EllipticCurvePublicNumbers(
            int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()
        ).public_key()
    except ValueError:
        raise malformed("The wallet's key is not on P-256") from None


def read_chain(sent: Any) -> tuple[x509.Certificate, ...]:
    """Read certificates in DER, the signer's first. Raises `ProofRefused`."""
    if not isinstance(sent, Sequence) or not 1 <= len(sent) <= MAX_CHAIN:
        raise malformed(f"It has no chain of 1 to {MAX_CHAIN} certificates")
    if not all(isinstance(der, bytes) for der in sent):
        raise malformed("Its certificates are not in DER")
    try:
        chain = tuple(x509.load_der_x509_certificate(der) for der in sent)
        for certificate in chain:  # parts are parsed only when somebody asks for them
            _ = (certificate.public_key(), certificate.subject.rfc4514_string())
    except UNREADABLE:
        raise malformed("Its certificates cannot be read") from None
    return chain
