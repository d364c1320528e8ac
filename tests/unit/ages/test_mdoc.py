"""A proof of age from a wallet: what is accepted, and everything that is not."""

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.ages import cbor, mdoc, openid4vp
from kinward.ages.practice import DAY, Attestation, Issuer, token_of
from kinward.ages.refused import ProofRefused
from kinward.ages.trust import Issuers

NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
ISSUER: Final = Issuer(NOW)
OTHER: Final = Issuer(NOW)  # of the same name
TRUSTED: Final = Issuers((ISSUER.root,))
REQUEST: Final = openid4vp.request_of("nonce-1", "https://kinward.example/v1/age-proofs/wallet")
ADULT: Final = {"age_over_18": True}


def verify(
    body: bytes,
    *,
    request: openid4vp.WalletRequest = REQUEST,
    issuers: Issuers = TRUSTED,
    now: datetime = NOW,
    notes: list[str] | None = None,
) -> mdoc.Attested:
    return mdoc.verify(
        body,
        transcript=request.transcript,
        issuers=issuers,
        now=now,
        note=([] if notes is None else notes).append,
    )


def refused(body: bytes, **changes: Any) -> str:
    with pytest.raises(ProofRefused) as error:
        verify(body, **changes)
    return error.value.reason


def issued(changes: dict[str, Any] | None = None, **more: Any) -> Attestation:
    return ISSUER.issue(ADULT, NOW, changes, **more)


def validity(**changes: datetime) -> dict[str, Any]:
    moments = {"signed": NOW - DAY, "validFrom": NOW - DAY, "validUntil": NOW + 30 * DAY}
    return {"validityInfo": moments | changes}


def test_a_proof_of_a_listed_issuer_is_accepted() -> None:
    attested = verify(issued().present(REQUEST))
    assert attested.claims == ADULT
    assert (attested.anchor, attested.statuses) == (ISSUER.root, ())


def test_the_signer_itself_may_be_listed() -> None:
    assert verify(issued().present(REQUEST), issuers=Issuers((ISSUER.signer,))).claims == ADULT


@pytest.mark.parametrize("issuers", [Issuers(), Issuers((OTHER.root,)), Issuers((OTHER.signer,))])
def test_nobody_else_is_trusted_and_without_a_list_nobody(issuers: Issuers) -> None:
    assert refused(issued().present(REQUEST), issuers=issuers) == "issuer.untrusted"


def test_a_name_is_no_trust() -> None:
    """An attestation by another issuer that shows the certificate of a trusted one."""
    forged = OTHER.issue(ADULT, NOW)
    forged.signed["issuerAuth"][1] = issued().signed["issuerAuth"][1]
    assert refused(forged.present(REQUEST)) == "signature"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (validity(validUntil=NOW), "expired"),
        (validity(validUntil=NOW - DAY), "expired"),
        (validity(validFrom=NOW + timedelta(minutes=2)), "not_yet_valid"),
        (validity(signed=NOW + timedelta(minutes=2)), "not_yet_valid"),
        (validity(validUntil=NOW + 100 * DAY), "status.unknown"),  # nobody could take it back
        ({"docType": "org.iso.18013.5.1.mDL"}, "document.other"),
        ({"version": "2.0"}, "document.other"),
        ({"digestAlgorithm": "MD5"}, "document.other"),
        ({"valueDigests": {}}, "changed"),
        ({"deviceKeyInfo": {}}, "malformed"),
        (
            {"status": {"identifier_list": {"id": "1", "uri": "https://a.example"}}},
            "status.unknown",
        ),
        ({"status": {}}, "status.unknown"),
        ({"status": {"new_list": {"id": b"1", "uri": "https://a.example"}}}, "status.unknown"),
        ({"status": {"identifier_list": {"id": b"1", "uri": ""}}}, "malformed"),
        ({"status": {"identifier_list": {"id": b"", "uri": "x"}}}, "status.unknown"),
        ({"status": {"identifier_list": {"id": b"1" * 257, "uri": "x"}}}, "status.unknown"),
        ({"status": "valid"}, "status.unknown"),
        ({"status": {"status_list": {"idx": -1, "uri": "https://a.example"}}}, "malformed"),
        ({"validityInfo": {"signed": "yesterday"}}, "malformed"),
    ],
)
def test_what_the_issuer_says_is_held_to_the_profile(changes: dict[str, Any], reason: str) -> None:
    assert refused(issued(changes).present(REQUEST)) == reason


def test_each_list_of_the_issuer_counts() -> None:
    both = {
        "status_list": {"idx": 7, "uri": "https://a.example/1"},
        "identifier_list": {"id": b"seven", "uri": "https://a.example/2"},
    }
    notes: list[str] = []
    body = issued({"status": both}).present(REQUEST)
    read = mdoc.verify(
        body, transcript=REQUEST.transcript, issuers=TRUSTED, now=NOW, note=notes.append
    )
    assert read.statuses == (
        mdoc.StatusRef("https://a.example/1", 7),
        mdoc.StatusRef("https://a.example/2", identifier=b"seven"),
    )
    # The EU's own issuer has a text for an identifier, which is for the doctor.
    text = both | {"identifier_list": {"id": "7", "uri": "https://a.example/2"}, "new": {}}
    body = issued({"status": text}).present(REQUEST)
    read = mdoc.verify(
        body, transcript=REQUEST.transcript, issuers=TRUSTED, now=NOW, note=notes.append
    )
    assert read.statuses == (mdoc.StatusRef("https://a.example/1", 7),)
    assert notes == ["mso.status.new", "mso.status.identifier_list.id"]


def test_the_certificates_hold_on_the_day_of_signing_and_today() -> None:
    long_ago = validity(signed=NOW - 31 * DAY, validFrom=NOW - 31 * DAY)  # before the certificate
    assert refused(issued(long_ago).present(REQUEST)) == "issuer.untrusted"
    later = NOW + 366 * DAY
    lasting = ISSUER.issue(ADULT, later).present(REQUEST)
    for listed in (ISSUER.root, ISSUER.signer):
        assert refused(lasting, now=later, issuers=Issuers((listed,))) == "issuer.untrusted"


@pytest.mark.parametrize(
    "other",
    [
        openid4vp.request_of("nonce-2", REQUEST.response_uri),  # captured for another request
        openid4vp.request_of("nonce-1", "https://elsewhere.example/v1/age-proofs/wallet"),
        openid4vp.WalletRequest("redirect_uri:https://a.example", "nonce-1", REQUEST.response_uri),
    ],
)
def test_an_answer_for_another_request_or_verifier(other: openid4vp.WalletRequest) -> None:
    assert refused(issued().present(other)) == "request.other"


def test_an_attestation_without_the_wallet_that_holds_its_key() -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert refused(issued().present(REQUEST, key=stranger)) == "request.other"
    empty = cbor2.CBORTag(24, cbor.write({}))
    mac = {"deviceSigned": {"nameSpaces": empty, "deviceAuth": {"deviceMac": [b"", {}, None, b""]}}}
    assert refused(issued().present(REQUEST, mac)) == "request.other"
    assert refused(issued().present(REQUEST, {"deviceSigned": {}})) == "malformed"


def test_what_the_wallet_itself_claims_counts_for_nothing() -> None:
    own = cbor.write({mdoc.NAMESPACE: {"age_over_21": True}})
    signed = {"nameSpaces": cbor2.CBORTag(24, own), "deviceAuth": {}}
    assert refused(issued().present(REQUEST, {"deviceSigned": signed})) == "malformed"


def test_a_changed_item() -> None:
    changed = ISSUER.issue({"age_over_18": False}, NOW, items={"age_over_18": True})
    assert refused(changed.present(REQUEST)) == "changed"
    more = ISSUER.issue(
        {"age_over_16": True}, NOW, items={"age_over_16": True, "age_over_18": True}
    )
    assert refused(more.present(REQUEST)) == "changed"


def test_an_item_twice() -> None:
    attestation = issued()
    items = attestation.signed["nameSpaces"][mdoc.NAMESPACE]
    items.append(items[0])
    assert refused(attestation.present(REQUEST)) == "contradictory"


def test_another_document_beside_or_instead() -> None:
    response = cbor2.loads(issued().present(REQUEST))
    wrong: list[Any] = [[], response["documents"] * 2, None, "x"]
    for documents in wrong:
        assert refused(cbor.write(response | {"documents": documents})) == "malformed"
    assert refused(cbor.write(response | {"version": "9.0"})) == "document.other"
    assert refused(issued().present(REQUEST, {"docType": "eu.europa.ec.av.2"})) == "document.other"


def test_what_is_new_to_us_is_named() -> None:
    notes: list[str] = []
    spaces = {mdoc.NAMESPACE: {0: b"x" * 32}}
    body = issued({"extension": 1, "version": "2.0", "valueDigests": spaces}).present(REQUEST)
    with pytest.raises(ProofRefused):
        verify(body, notes=notes)
    assert sorted(notes) == ["mso.extension", "mso.version=2.0"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"\x9f\x01\xff",  # without an end
        b"\x81" * 20_000 + b"\x00",  # nested
        b"\x9a\xff\xff\xff\xff",  # four thousand million items, of which none is there
        b"\x5b" + b"\xff" * 8,  # bytes that are not there
        b"\xc2\x58\x20" + b"\xff" * 32,  # a big number
        b"\xd8\x1c\x81\xd8\x1d\x00",  # a list that holds itself
        b"\xc4\x82\x1a\x7f\xff\xff\xff\x01",  # a decimal with two thousand million digits
        b"\xa2\x61a\x01\x61a\x02",  # a key twice
        b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00",  # a float
        b"\x00\x00",  # goes on after its end
        b"\x98\xff" + b"\xf6" * 255 + b"\xf6",
        b"\x99\x27\x10" + b"\xf6" * 10_000,  # too many values
        b"\x5a\x00\x01\x00\x01" + b"x" * 65_537,  # too many bytes
        b"\x62\xff\xff",  # no UTF-8
        b"\xc0\x6anot a date",
    ],
)
def test_cbor_that_is_not_plain_is_refused_before_it_is_built(body: bytes) -> None:
    with pytest.raises(ProofRefused) as error:
        cbor.read(body)
    assert error.value.reason == "malformed"


def test_deep_cbor_inside_signed_bytes() -> None:
    attestation = issued()
    deep = cbor2.CBORTag(24, b"\x81" * 5000 + b"\x00")
    attestation.signed["nameSpaces"][mdoc.NAMESPACE].append(deep)
    assert refused(attestation.present(REQUEST)) == "malformed"


VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.binary(max_size=8)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_plain_cbor_is_read_as_it_was_written(value: Any) -> None:
    assert cbor.read(cbor.write(value)) == value


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with pytest.raises(ProofRefused):
        verify(body)


GOOD: Final = issued().present(REQUEST)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_flipped_bit_never_changes_what_is_proven() -> None:
    """Each bit of an answer in turn: nothing but a refusal is raised, also by a certificate.

    A bit that no signature covers may be without effect.
    """
    for place in range(len(GOOD)):
        for bit in range(8):
            body = bytearray(GOOD)
            body[place] ^= 1 << bit
            with contextlib.suppress(ProofRefused):
                assert verify(bytes(body)).claims == ADULT


@settings(max_examples=100, deadline=None)
@given(part=st.sampled_from(["docType", "issuerSigned", "deviceSigned"]), value=VALUES)
def test_whatever_stands_in_place_of_a_part_is_refused(part: str, value: Any) -> None:
    assert refused(issued().present(REQUEST, {part: value}))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each part of a decoded answer."""
    inner: dict[Any, Any] = {}
    if isinstance(value, dict | list):
        inner = value if isinstance(value, dict) else dict(enumerate(value))
    for name, part in inner.items():
        yield (*path, name)
        yield from places(part, (*path, name))


PLACES: Final = sorted(places(cbor2.loads(GOOD)), key=str)


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(PLACES), value=VALUES)
def test_nothing_in_place_of_any_part_loosens(path: tuple[Any, ...], value: Any) -> None:
    response = cbor2.loads(GOOD)
    part = response
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    with contextlib.suppress(ProofRefused):
        assert verify(cbor.write(response)).claims in (ADULT, {})  # what is left out proves nothing


OBJECT: Final = (
    *("version", "digestAlgorithm", "valueDigests", "deviceKeyInfo", "docType", "validityInfo"),
)


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from([*OBJECT, "status", "new"]),
    value=VALUES,
)
def test_nothing_that_an_issuer_signs_in_place_of_a_part_loosens(name: str, value: Any) -> None:
    try:
        attested = verify(issued({name: value}).present(REQUEST))
    except ProofRefused:
        return
    assert attested.claims == ADULT
    assert name in ("new", "status")
    assert name == "new" or value is None  # a status that cannot be read is never left out


def test_the_session_transcript_of_the_specification() -> None:
    """Appendix B.2.6.1 of OpenID4VP 1.0 has this example, with a key for an encrypted answer."""
    thumbprint = bytes.fromhex("4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047")
    nonce = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA"
    info = ["x509_san_dns:example.com", nonce, thumbprint, "https://example.com/response"]
    request = openid4vp.WalletRequest("x509_san_dns:example.com", nonce, info[3])  # type: ignore[arg-type]
    wanted = "048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac"
    assert hashlib.sha256(cbor.write(info)).hexdigest() == wanted
    plain = hashlib.sha256(cbor.write([*info[:2], None, info[3]])).digest()
    assert request.transcript == [None, None, ["OpenID4VPHandover", plain]]


def test_a_token_holds_one_presentation() -> None:
    assert openid4vp.read_token(token_of(GOOD)) == GOOD
    text = base64.urlsafe_b64encode(GOOD).decode()
    assert openid4vp.read_token(f'{{"proof_of_age": "{text}"}}') == GOOD  # as drafts had it
    for token in (
        "",
        "x",
        "[]",
        "{}",
        '{"other": ["AA"]}',
        '{"proof_of_age": ["AA"], "other": ["AA"]}',
        '{"proof_of_age": ["AA", "AA"]}',
        '{"proof_of_age": [1]}',
        '{"proof_of_age": ["!"]}',
        '{"proof_of_age": ["' + "A" * 200_000 + '"]}',
        "[" * 10_000,
    ):
        with pytest.raises(ProofRefused):
            openid4vp.read_token(token)
