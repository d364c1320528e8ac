"""A test issuer of proofs of age and a wallet that presents them, for the sandbox and the tests.

They speak the real protocol with keys of their own. Nobody trusts such an issuer until an operator
lists it.
"""

import base64
import hashlib
import secrets
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import cbor2
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from joserfc import jwk, jwt

from kinward.ages import cbor, cose, mdoc, openid4vp, status

DAY: Final = timedelta(days=1)
LIST_BITS: Final = 2
LIST_PLACES: Final = 4096


class Attestation(msgspec.Struct, frozen=True):
    """An attestation in a wallet, with the wallet's key for it."""

    signed: dict[str, Any]
    key: ec.EllipticCurvePrivateKey

    def present(
        self,
        request: openid4vp.WalletRequest,
        changes: Mapping[str, Any] | None = None,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> bytes:
        """Return a DeviceResponse for a request. `changes` and `key` are for what is wrong."""
        spaces = cbor.write({})
        wanted = [
            *("DeviceAuthentication", request.transcript, mdoc.DOCTYPE),
            cbor2.CBORTag(cbor.ENCODED, spaces),
        ]
        payload = cbor.wrap(cbor.write(wanted))
        head, signature = _sign(key or self.key, payload)
        device = {
            "nameSpaces": cbor2.CBORTag(cbor.ENCODED, spaces),
            "deviceAuth": {"deviceSignature": [head, {}, None, signature]},
        }
        document = {"docType": mdoc.DOCTYPE, "issuerSigned": self.signed, "deviceSigned": device}
        document |= changes or {}
        return cbor.write({"version": "1.0", "documents": [document], "status": 0})


def token_of(response: bytes) -> str:
    """Return a DeviceResponse as a `vp_token`."""
    return msgspec.json.encode({openid4vp.CREDENTIAL: [_base64url(response)]}).decode()


class Issuer:
    """An issuer: an authority, and a signer below it."""

    def __init__(self, now: datetime, name: str = "Kinward test issuer") -> None:
        self._root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = _certify(name, self._root_key, name, self._root_key, now, authority=True)
        self.signer = _certify(f"{name} 1", self._key, name, self._root_key, now, authority=False)

    @property
    def pem(self) -> bytes:
        """The authority's certificate, for `KINWARD_AGE_ISSUERS`."""
        return self.root.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        claims: Mapping[str, Any],
        now: datetime,
        changes: Mapping[str, Any] | None = None,
        *,
        items: Mapping[str, Any] | None = None,
    ) -> Attestation:
        """Issue an attestation of these claims.

        `changes` are to the security object, and `items` replace what was digested.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        encoded = [_item(place, name, value) for place, (name, value) in enumerate(claims.items())]
        digests = {
            place: hashlib.sha256(cbor.wrap(item)).digest() for place, item in enumerate(encoded)
        }
        claimed = {
            "version": "1.0",
            "digestAlgorithm": "SHA-256",
            "valueDigests": {mdoc.NAMESPACE: digests},
            "deviceKeyInfo": {"deviceKey": _cose_key(key)},
            "docType": mdoc.DOCTYPE,
            "validityInfo": {
                "signed": now - DAY,
                "validFrom": now - DAY,
                "validUntil": now + 30 * DAY,
            },
        } | dict(changes or {})
        payload = cbor.wrap(cbor.write(claimed))
        head, signature = _sign(self._key, payload)
        chain = {cose.X5CHAIN: self.signer.public_bytes(serialization.Encoding.DER)}
        if items is not None:
            named = enumerate(items.items())
            encoded = [_item(place, name, value) for place, (name, value) in named]
        shown = [cbor2.CBORTag(cbor.ENCODED, item) for item in encoded]
        signed = {
            "nameSpaces": {mdoc.NAMESPACE: shown},
            "issuerAuth": [head, chain, payload, signature],
        }
        return Attestation(signed, key)

    def status_list(
        self,
        uri: str,
        values: Mapping[int, int],
        now: datetime,
        *,
        kind: str = status.TYPE,
        **changes: Any,
    ) -> bytes:
        """Return a list of the states of all attestations, as signed JSON.

        `kind` and `changes` are for what is wrong.
        """
        seconds = int(now.timestamp())
        packed = _packed(values)
        claims = {
            "sub": uri,
            "iat": seconds,
            "exp": seconds + 3600,
            "status_list": {"bits": LIST_BITS, "lst": _base64url(packed)},
        } | changes
        der = self.signer.public_bytes(serialization.Encoding.DER)
        header = {"alg": "ES256", "typ": kind, "x5c": [base64.b64encode(der).decode()]}
        key = jwk.ECKey.import_key(
            self._key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return jwt.encode(header, claims, key).encode()

    def status_cwt(
        self, uri: str, values: Mapping[int, int], now: datetime, *, kind: str = "", **changes: Any
    ) -> bytes:
        """Return the same list as signed CBOR. `kind` is for what is no list."""
        seconds = int(now.timestamp())
        claims = {
            status.CWT_SUB: changes.get("sub", uri),
            status.CWT_IAT: changes.get("iat", seconds),
            status.CWT_EXP: changes.get("exp", seconds + 3600),
            status.CWT_LIST: {"bits": LIST_BITS, "lst": _packed(values)},
        }
        payload = cbor.write(claims)
        head, signature = _sign(self._key, payload, {cose.TYPE: kind or status.MEDIA_TYPES[1]})
        chain = {cose.X5CHAIN: self.signer.public_bytes(serialization.Encoding.DER)}
        return cbor.write(cbor2.CBORTag(18, [head, chain, payload, signature]))

    def identifiers_cwt(
        self,
        uri: str,
        taken_back: Sequence[bytes],
        now: datetime,
        *,
        kind: str = "",
        **changes: Any,
    ) -> bytes:
        """Return a list of the identifiers that were taken back, as signed CBOR.

        `kind` and `changes` are for what is wrong.
        """
        seconds = int(now.timestamp())
        claims: dict[int, Any] = {
            status.CWT_SUB: changes.get("sub", uri),
            status.CWT_IAT: changes.get("iat", seconds),
            status.CWT_EXP: changes.get("exp", seconds + 3600),
            status.CWT_IDENTIFIERS: {"identifiers": {each: {} for each in taken_back}},
        } | changes.get("claims", {})
        payload = cbor.write({name: value for name, value in claims.items() if value is not None})
        head, signature = _sign(
            self._key,
            payload,
            {
                cose.TYPE: kind or status.IDENTIFIERS,
                cose.X5CHAIN: self.signer.public_bytes(serialization.Encoding.DER),
            },
        )
        return cbor.write(cbor2.CBORTag(18, [head, {}, payload, signature]))


def _packed(values: Mapping[int, int]) -> bytes:
    packed = bytearray(LIST_PLACES * LIST_BITS // 8)
    for index, value in values.items():
        place, rest = divmod(index * LIST_BITS, 8)
        packed[place] |= value << rest
    return zlib.compress(bytes(packed))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _item(place: int, name: str, value: Any) -> bytes:
    return cbor.write(
        {
            "digestID": place,
            "random": secrets.token_bytes(32),
            "elementIdentifier": name,
            "elementValue": value,
        }
    )


def _cose_key(key: ec.EllipticCurvePrivateKey) -> dict[int, Any]:
    numbers = key.public_key().public_numbers()
    return {
        cose.KTY: cose.EC2,
        cose.CURVE: cose.P256,
        cose.X: numbers.x.to_bytes(cose.SIZE),
        cose.Y: numbers.y.to_bytes(cose.SIZE),
    }


def _sign(
    key: ec.EllipticCurvePrivateKey, payload: bytes, more: Mapping[int, Any] | None = None
) -> tuple[bytes, bytes]:
    """Return the protected header and the signature of a COSE_Sign1 over a payload."""
    head = cbor.write({cose.ALGORITHM: cose.ES256, **(more or {})})
    message = cbor.write(["Signature1", head, b"", payload])
    halves = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return head, b"".join(half.to_bytes(cose.SIZE) for half in halves)


def _certify(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: str,
    by_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    authority: bool,
) -> x509.Certificate:
    subject, issuer = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, by)
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(now + 365 * DAY)
        .add_extension(x509.BasicConstraints(authority, 0 if authority else None), critical=True)
        .sign(by_key, hashes.SHA256())
    )
