"""Status lists and identifier lists: whether the issuer took an attestation back."""

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from kinward.ages import cbor, cose
from kinward.ages.cose import read_chain, read_signed
from kinward.ages.mdoc import LEEWAY, StatusRef
from kinward.ages.openid4vp import from_base64url
from kinward.ages.refused import ProofRefused
from kinward.ages.trust import Issuers

MEDIA_TYPES: Final = ("application/statuslist+jwt", "application/statuslist+cwt")
IDENTIFIERS: Final = "application/identifierlist+cwt"
TYPE: Final = "statuslist+jwt"
MAX_TOKEN: Final = 4 * 1024 * 1024  # bytes of a list as it is sent
MAX_LIST: Final = 16 * 1024 * 1024  # bytes of a list once it is unpacked
MAX_IDENTIFIERS: Final = 1_000_000  # values of a list of identifiers
MAX_AGE: Final = timedelta(days=7)  # of a list that does not say until when it holds
VALID, REVOKED, SUSPENDED = 0, 1, 2
CWT_SUB, CWT_EXP, CWT_IAT, CWT_LIST = 2, 4, 6, 65533  # names of claims in CBOR
CWT_IDENTIFIERS: Final = 65530  # ISO/IEC 18013-5, second edition, 12.3.6.4
SIGN1_TAG, SIGN1_HEAD = b"\xd2", b"\x84"  # how a COSE_Sign1 begins


class _Lists(jws.JWSRegistry):
    """The bounds of a list: its certificates are in the header, and it is long."""

    max_header_length = 16 * 1024
    max_payload_length = MAX_TOKEN


class _Listed(msgspec.Struct, frozen=True):
    """A list whose signer is vouched for: where it is, of when, until when, and its values."""

    uri: Any
    issued: Any
    ends: Any
    values: Any


def check(body: bytes, ref: StatusRef, issuers: Issuers, now: datetime) -> None:
    """Raise `ProofRefused` unless a list, signed by one of the issuers, says that all is well.

    A status list is signed JSON or signed CBOR. An identifier list is signed CBOR.
    """
    if ref.identifier:
        _check_identifiers(body, ref, issuers, now)
        return
    is_cbor = body[:1] in (SIGN1_TAG, SIGN1_HEAD)
    listed = (_from_cwt if is_cbor else _from_jwt)(body, issuers, now)
    _check_time(listed, now)
    if listed.uri != ref.uri:
        raise _unknown("The list is of another address")
    value = _value(listed.values, ref.index)
    if value in (REVOKED, SUSPENDED):
        raise ProofRefused("revoked", "It is suspended." if value == SUSPENDED else "")
    if value != VALID:
        raise _unknown(f"The list says {value}, which Kinward does not know")


def _from_jwt(body: bytes, issuers: Issuers, now: datetime) -> _Listed:
    def key_of(token: jwk.GuestProtocol) -> Any:
        header = token.headers()
        if header.get("typ") != TYPE:
            raise _unknown("It is no status list")
        key = _key_of(_certificates(header.get("x5c")), issuers, now)
        pem = key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return jwk.ECKey.import_key(pem)

    try:
        registry = _Lists(algorithms=["ES256"])
        claims = jwt.decode(body.strip(), key_of, ["ES256"], registry).claims
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _unknown(f"The list is not signed as it has to be ({error})") from None
    values = claims.get("status_list")
    if isinstance(values, dict) and isinstance(packed := values.get("lst"), str):
        values = {**values, "lst": from_base64url(packed)}
    return _Listed(claims.get("sub"), claims.get("iat"), claims.get("exp"), values)


def _from_cwt(body: bytes, issuers: Issuers, now: datetime) -> _Listed:
    claims = _claims(body, MEDIA_TYPES[1], cbor.MAX_VALUES, issuers, now)
    return _listed(claims, claims.get(CWT_LIST))


def _check_identifiers(body: bytes, ref: StatusRef, issuers: Issuers, now: datetime) -> None:
    """Raise `ProofRefused` unless an identifier list leaves out the identifier."""
    claims = _claims(body, IDENTIFIERS, MAX_IDENTIFIERS, issuers, now)
    listed = _listed(claims, claims.get(CWT_IDENTIFIERS))
    if listed.ends is None:
        raise _unknown("The list does not say until when it holds")
    _check_time(listed, now)
    if listed.uri != ref.uri:
        raise _unknown("The list is of another address")
    values = listed.values.get("identifiers") if isinstance(listed.values, dict) else None
    if not isinstance(values, dict) or CWT_LIST in claims:
        raise _unknown("It is no list of identifiers")
    if not all(isinstance(identifier, bytes) for identifier in values):
        raise _unknown("It has an identifier that is not some bytes")
    if ref.identifier in values:
        raise ProofRefused("revoked")


def _listed(claims: Mapping[Any, Any], values: Any) -> _Listed:
    return _Listed(claims.get(CWT_SUB), claims.get(CWT_IAT), claims.get(CWT_EXP), values)


def _claims(
    body: bytes, kind: str, values: int, issuers: Issuers, now: datetime
) -> Mapping[Any, Any]:
    """Return what a signed list in CBOR says, if somebody vouches for its signer."""
    try:
        signed = read_signed(cbor.read(body.removeprefix(SIGN1_TAG), MAX_TOKEN))
        if signed.protected.get(cose.TYPE) != kind:
            raise _unknown("It is no list of that kind")
        signed.verify(_key_of(signed.chain(), issuers, now))
        claims = cbor.read(signed.payload or b"", MAX_TOKEN, values)
    except ProofRefused as error:
        raise _unknown(f"The list is not signed as it has to be ({error.detail})") from None
    if not isinstance(claims, dict):
        raise _unknown("It is no list")
    return claims


def _key_of(
    chain: Sequence[x509.Certificate], issuers: Issuers, now: datetime
) -> ec.EllipticCurvePublicKey:
    try:
        return issuers.judge(chain, now)[0]
    except ProofRefused:
        raise _unknown("Nobody vouches for the one who signed the list") from None


def _certificates(sent: Any) -> tuple[x509.Certificate, ...]:
    if not isinstance(sent, list) or not all(isinstance(each, str) for each in sent):
        raise _unknown("The list has no certificates")
    try:
        return read_chain([base64.b64decode(each, validate=True) for each in sent])
    except (binascii.Error, ProofRefused):
        raise _unknown("The list has no certificates") from None


def _check_time(listed: _Listed, now: datetime) -> None:
    issued, ends = listed.issued, listed.ends
    if not isinstance(issued, int) or not isinstance(ends, int | None):
        raise _unknown("The list does not say of when it is")
    seconds = now.timestamp()
    last = issued + MAX_AGE.total_seconds() if ends is None else ends
    if issued > seconds + LEEWAY.total_seconds() or last <= seconds:
        raise _unknown("The list is out of date")


def _value(sent: Any, index: int) -> int:
    """Return the value at a place of a packed list."""
    bits: int = sent.get("bits", 0) if isinstance(sent, dict) else 0
    packed = sent.get("lst") if isinstance(sent, dict) else None
    if bits not in (1, 2, 4, 8) or not isinstance(packed, bytes):
        raise _unknown("The list is packed in a way that Kinward does not know")
    reader = zlib.decompressobj()
    try:
        values = reader.decompress(packed, MAX_LIST)
    except zlib.error:
        raise _unknown("The list is damaged") from None
    place, rest = divmod(index * bits, 8)
    if not reader.eof or place >= len(values):
        raise _unknown("The list ends before the place of the proof")
    return values[place] >> rest & ((1 << bits) - 1)


def _unknown(what: str) -> ProofRefused:
    return ProofRefused("status.unknown", f"{what}.")
