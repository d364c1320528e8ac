"""A proof of age as ISO mdoc (ISO/IEC 18013-5), in the EU's age-verification profile, Annex A."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import cbor2
import msgspec
from cryptography import x509

from kinward.ages import cbor
from kinward.ages.cose import Signed, read_key, read_signed
from kinward.ages.refused import ProofRefused, malformed
from kinward.ages.trust import Issuers

Note = Callable[[str], None]  # takes a thing that is new to us, such as "mso.version=2.0"

DOCTYPE: Final = "eu.europa.ec.av.1"
NAMESPACE: Final = "eu.europa.ec.av.1"
VERSION: Final = "1.0"
STATUS_LIST, IDENTIFIER_LIST = "status_list", "identifier_list"
DIGESTS: Final = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
LEEWAY: Final = timedelta(seconds=60)  # by which an issuer's clock may be ahead of ours
# An attestation that nobody can take back ends soon. The profile's own last for about 90 days.
MAX_WITHOUT_STATUS: Final = timedelta(days=100)
MAX_ADDRESS: Final = 2000  # characters of a list's address
MAX_IDENTIFIER: Final = 256  # bytes
LEAST_RANDOM: Final = 16  # bytes of an item's salt
_RESPONSE: Final = frozenset({"version", "documents", "documentErrors", "status"})
_DOCUMENT: Final = frozenset({"docType", "issuerSigned", "deviceSigned", "errors"})
_OBJECT: Final = frozenset(
    {
        *("version", "digestAlgorithm", "valueDigests", "deviceKeyInfo"),
        *("docType", "validityInfo", "status"),
    }
)


class StatusRef(msgspec.Struct, frozen=True):
    """Where an issuer says whether it took an attestation back: a list, and the place in it.

    A Token Status List has a value at an index. An identifier list has the identifiers of what was
    taken back.
    """

    uri: str
    index: int = -1
    identifier: bytes = b""


class Attested(msgspec.Struct, frozen=True):
    """What a verified proof says, who vouches for its issuer, and where its status is."""

    claims: dict[str, Any]
    anchor: x509.Certificate
    statuses: tuple[StatusRef, ...]


def verify(
    body: bytes, *, transcript: Any, issuers: Issuers, now: datetime, note: Note
) -> Attested:
    """Verify a DeviceResponse all but for its status, and return what it says.

    `transcript` is the session transcript of the request. Raises `ProofRefused`.
    """
    document = _document(cbor.read(body), note)
    issuer_signed = _map(document.get("issuerSigned"), "issuerSigned")
    auth = read_signed(issuer_signed.get("issuerAuth"))
    chain = auth.chain()
    claimed = _security_object(auth)
    validity = _Validity.read(_map(claimed.get("validityInfo"), "validityInfo"))
    key, anchor = issuers.judge(chain, now, min(validity.signed, now))
    auth.verify(key)
    # From here on, the security object is the issuer's own word.
    _check_object(claimed, note)
    validity.check(now)
    statuses = _statuses(claimed.get("status"), validity, note)
    claims = _claims(_map(issuer_signed.get("nameSpaces"), "nameSpaces"), claimed, note)
    _check_device(_map(document.get("deviceSigned"), "deviceSigned"), claimed, transcript)
    return Attested(claims, anchor, statuses)


def _document(response: Any, note: Note) -> Mapping[str, Any]:
    """Return the one document of a response."""
    _name_unknown("response", _map(response, "response"), _RESPONSE, note)
    _check_version("response", response, note)
    documents = response.get("documents")
    if response.get("status") != 0 or not isinstance(documents, list) or len(documents) != 1:
        raise malformed("It is not the answer with one document")
    document = _map(documents[0], "document")
    _name_unknown("document", document, _DOCUMENT, note)
    _check_type(document, note)
    return document


def _security_object(auth: Signed) -> Mapping[str, Any]:
    """Return what the issuer signed, not yet verified."""
    if auth.payload is None:
        raise malformed("The issuer signed nothing")
    inner = cbor.encoded(cbor.read(auth.payload))
    return _map(cbor.read(inner), "security object")


def _check_object(claimed: Mapping[str, Any], note: Note) -> None:
    _name_unknown("mso", claimed, _OBJECT, note)
    _check_version("mso", claimed, note)
    _check_type(claimed, note)


class _Validity(msgspec.Struct, frozen=True):
    signed: datetime
    first: datetime
    last: datetime

    @classmethod
    def read(cls, info: Mapping[str, Any]) -> "_Validity":
        moments = [info.get(name) for name in ("signed", "validFrom", "validUntil")]
        if not all(isinstance(each, datetime) and each.tzinfo is not None for each in moments):
            raise malformed("Its validity is not three moments")
        return cls(*moments)  # type: ignore[arg-type]

    def check(self, now: datetime) -> None:
        if max(self.signed, self.first) > now + LEEWAY:
            raise ProofRefused("not_yet_valid")
        if self.last <= now:
            raise ProofRefused("expired")


def _statuses(sent: Any, validity: _Validity, note: Note) -> tuple[StatusRef, ...]:
    """Return where the status is: each list counts. Without one, an attestation has to end soon."""
    if sent is None:
        if validity.last - validity.signed > MAX_WITHOUT_STATUS:
            days = MAX_WITHOUT_STATUS.days
            raise ProofRefused("status.unknown", f"It has no status and is valid over {days} days.")
        return ()
    lists = sent if isinstance(sent, dict) else {}
    _name_unknown("mso.status", lists, frozenset({STATUS_LIST, IDENTIFIER_LIST}), note)
    found: list[StatusRef] = []
    if STATUS_LIST in lists:
        found.append(_in_status_list(lists[STATUS_LIST]))
    if IDENTIFIER_LIST in lists:
        listed = lists[IDENTIFIER_LIST]
        identifier = listed.get("id") if isinstance(listed, dict) else None
        if isinstance(identifier, bytes) and 1 <= len(identifier) <= MAX_IDENTIFIER:
            found.append(StatusRef(_address(listed), identifier=identifier))
        else:  # the EU's own issuer has a text here, beside a status list that says the same
            note("mso.status.identifier_list.id")
    if not found:
        raise ProofRefused("status.unknown", "Its status is in no list that Kinward reads.")
    return tuple(found)


def _in_status_list(sent: Any) -> StatusRef:
    listed = _map(sent, STATUS_LIST)
    index: Any = listed.get("idx")
    if not _is_number(index):
        raise malformed("The place of its status is no number")
    return StatusRef(_address(listed), index=index)


def _address(listed: Mapping[str, Any]) -> str:
    uri = listed.get("uri")
    if not isinstance(uri, str) or not 1 <= len(uri) <= MAX_ADDRESS:
        raise malformed("The place of its status is no address")
    return uri


def _claims(spaces: Mapping[str, Any], claimed: Mapping[str, Any], note: Note) -> dict[str, Any]:
    """Return the disclosed items, each held to its digest."""
    name = claimed.get("digestAlgorithm")
    algorithm = DIGESTS.get(name) if isinstance(name, str) else None
    if algorithm is None:
        note(f"mso.digestAlgorithm={name}")
        raise ProofRefused("document.other", "Its digests are of a kind that Kinward knows not.")
    all_digests = _map(claimed.get("valueDigests"), "valueDigests")
    claims: dict[str, Any] = {}
    for space, items in spaces.items():
        if not isinstance(items, list):
            raise malformed("Its items are no list")
        digests = _map(all_digests.get(space, {}), "digests")
        for item in items:
            name, value = _item(cbor.encoded(item), digests, algorithm)
            if space != NAMESPACE:
                note(f"namespace {space}")
            elif name in claims:
                raise ProofRefused("contradictory", f"It has {name[:40]} twice.")
            else:
                claims[name] = value
    return claims


def _item(body: bytes, digests: Mapping[Any, Any], algorithm: str) -> tuple[str, Any]:
    item = _map(cbor.read(body), "item")
    number, name, salt = item.get("digestID"), item.get("elementIdentifier"), item.get("random")
    if not _is_number(number) or not isinstance(name, str) or "elementValue" not in item:
        raise malformed("An item lacks its number, its name or its value")
    if not isinstance(salt, bytes) or len(salt) < LEAST_RANDOM:
        raise malformed("An item has no salt")
    wanted = digests.get(number)
    digest = hashlib.new(algorithm, cbor.wrap(body)).digest()
    if not isinstance(wanted, bytes) or not hmac.compare_digest(wanted, digest):
        raise ProofRefused("changed")
    return name, item["elementValue"]


def _check_device(signed: Mapping[str, Any], claimed: Mapping[str, Any], transcript: Any) -> None:
    """Check that the wallet which holds the attestation's key answers this very request."""
    key = read_key(_map(claimed.get("deviceKeyInfo"), "deviceKeyInfo").get("deviceKey"))
    spaces = cbor.encoded(signed.get("nameSpaces"))
    if cbor.read(spaces) != {}:
        raise malformed("The wallet itself claims something, which no issuer attested")
    auth = _map(signed.get("deviceAuth"), "deviceAuth").get("deviceSignature")
    if auth is None:
        raise ProofRefused("request.other", "The wallet did not sign its answer.")
    wanted = ["DeviceAuthentication", transcript, DOCTYPE, cbor2.CBORTag(cbor.ENCODED, spaces)]
    try:
        read_signed(auth).verify(key, detached=cbor.wrap(cbor.write(wanted)))
    except ProofRefused as error:
        if error.reason == "signature":
            raise ProofRefused("request.other") from None
        raise


def _check_version(where: str, part: Mapping[str, Any], note: Note) -> None:
    if part.get("version") != VERSION:
        note(f"{where}.version={part.get('version')}")
        raise ProofRefused("document.other")


def _check_type(part: Mapping[str, Any], note: Note) -> None:
    if part.get("docType") != DOCTYPE:
        note(f"docType={part.get('docType')}")
        raise ProofRefused("document.other", f"It is no {DOCTYPE}.")


def _name_unknown(where: str, part: Mapping[str, Any], known: frozenset[str], note: Note) -> None:
    for name in part.keys() - known:
        note(f"{where}.{name}")


def _map(value: Any, name: str) -> Mapping[Any, Any]:
    if not isinstance(value, dict):
        raise malformed(f"Its {name} is no map")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
