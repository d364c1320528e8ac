"""Token Status List: whether the issuer took an attestation back."""

import base64
import binascii
import zlib
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from kinward.ages.cose import read_chain
from kinward.ages.mdoc import LEEWAY, StatusRef
from kinward.ages.openid4vp import from_base64url
from kinward.ages.refused import ProofRefused
from kinward.ages.trust import Issuers

MEDIA_TYPE: Final = "application/statuslist+jwt"
TYPE: Final = "statuslist+jwt"
MAX_TOKEN: Final = 4 * 1024 * 1024  # bytes of a list as it is sent
MAX_LIST: Final = 16 * 1024 * 1024  # bytes of a list once it is unpacked
MAX_AGE: Final = timedelta(days=7)  # of a list that does not say until when it holds
VALID, REVOKED, SUSPENDED = 0, 1, 2


class _Lists(jws.JWSRegistry):
    """The bounds of a list: its certificates are in the header, and it is long."""

    max_header_length = 16 * 1024
    max_payload_length = MAX_TOKEN


def check(body: bytes, ref: StatusRef, issuers: Issuers, now: datetime) -> None:
    """Raise `ProofRefused` unless a list, signed by one of the issuers, says that all is well."""
    claims = _verified(body, issuers, now)
    _check_time(claims, now)
    if claims.get("sub") != ref.uri:
        raise _unknown("The list is of another address")
    value = _value(claims.get("status_list"), ref.index)
    if value in (REVOKED, SUSPENDED):
        raise ProofRefused("revoked", "It is suspended." if value == SUSPENDED else "")
    if value != VALID:
        raise _unknown(f"The list says {value}, which Kinward does not know")


def _verified(body: bytes, issuers: Issuers, now: datetime) -> dict[str, Any]:
    """Return the claims of a list whose signer is vouched for."""

    def key_of(token: jwk.GuestProtocol) -> Any:
        header = token.headers()
        if header.get("typ") != TYPE:
            raise _unknown("It is no status list")
        try:
            key, _ = issuers.judge(read_chain(_certificates(header.get("x5c"))), now)
        except ProofRefused:
            raise _unknown("Nobody vouches for the one who signed the list") from None
        pem = key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return jwk.ECKey.import_key(pem)

    try:
        registry = _Lists(algorithms=["ES256"])
        return dict(jwt.decode(body.strip(), key_of, ["ES256"], registry).claims)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _unknown(f"The list is not signed as it has to be ({error})") from None


def _certificates(sent: Any) -> list[bytes]:
    if not isinstance(sent, list) or not all(isinstance(each, str) for each in sent):
        raise _unknown("The list has no certificates")
    try:
        return [base64.b64decode(each, validate=True) for each in sent]
    except binascii.Error:
        raise _unknown("The list has no certificates") from None


def _check_time(claims: dict[str, Any], now: datetime) -> None:
    issued, ends = claims.get("iat"), claims.get("exp")
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
    if bits not in (1, 2, 4, 8) or not isinstance(packed, str):
        raise _unknown("The list is packed in a way that Kinward does not know")
    reader = zlib.decompressobj()
    try:
        values = reader.decompress(from_base64url(packed), MAX_LIST)
    except zlib.error:
        raise _unknown("The list is damaged") from None
    place, rest = divmod(index * bits, 8)
    if not reader.eof or place >= len(values):
        raise _unknown("The list ends before the place of the proof")
    return values[place] >> rest & ((1 << bits) - 1)


def _unknown(what: str) -> ProofRefused:
    return ProofRefused("status.unknown", f"{what}.")
