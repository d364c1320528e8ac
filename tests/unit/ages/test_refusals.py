"""Why a proof of age is refused, and what of it the doctor is told."""

from datetime import timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from kinward.ages import cbor, mdoc
from kinward.ages.refused import ProofRefused
from kinward.ages.services import _age
from kinward.ages.trust import Issuers
from kinward.policy import from_openid4vp
from tests.unit.ages.test_mdoc import ADULT, ISSUER, NOW, REQUEST, issued, validity, verify


def notes_of(body: bytes) -> list[str]:
    notes: list[str] = []
    with pytest.raises(ProofRefused):
        verify(body, notes=notes)
    return notes


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (issued({"docType": "org.iso.18013.5.1.mDL"}).present(REQUEST), "docType=org.iso.18013"),
        (issued().present(REQUEST, {"docType": "eu.europa.ec.av.2"}), "docType=eu.europa.ec.av.2"),
        (issued({"version": "2.0"}).present(REQUEST), "mso.version=2.0"),
        (issued({"digestAlgorithm": "MD5"}).present(REQUEST), "mso.digestAlgorithm=MD5"),
        (
            cbor.write(cbor.read(issued().present(REQUEST)) | {"version": "9.0"}),
            "response.version=9.0",
        ),
    ],
)
def test_a_document_of_another_kind_is_named_for_the_doctor(body: bytes, note: str) -> None:
    (told,) = notes_of(body)
    assert told.startswith(note)


@pytest.mark.parametrize("moment", ["signed", "validFrom"])
def test_an_issuers_clock_may_be_a_minute_ahead(moment: str) -> None:
    ahead = validity(**{moment: NOW + timedelta(seconds=60)})
    assert verify(issued(ahead).present(REQUEST)).claims == ADULT
    ahead = validity(**{moment: NOW + timedelta(seconds=61)})
    with pytest.raises(ProofRefused) as error:
        verify(issued(ahead).present(REQUEST))
    assert error.value.reason == "not_yet_valid"


@pytest.mark.parametrize(
    ("days", "fits"), [(mdoc.MAX_WITHOUT_STATUS.days, True), (100, True), (101, False)]
)
def test_what_nobody_can_take_back_ends_within_100_days(days: int, fits: bool) -> None:
    ends = {"signed": NOW, "validFrom": NOW, "validUntil": NOW + timedelta(days=days)}
    body = issued(validity(**ends)).present(REQUEST)
    if fits:
        assert verify(body).claims == ADULT
        return
    with pytest.raises(ProofRefused) as error:
        verify(body)
    assert error.value.reason == "status.unknown"


def certificate(key: ed25519.Ed25519PrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test issuer")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, None)
    )


def test_a_listed_signer_with_a_key_of_another_kind_is_refused() -> None:
    signer = certificate(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(ProofRefused, match="not on P-256") as error:
        Issuers((signer,)).judge((signer,), NOW)
    assert error.value.reason == "signature"
    key, anchor = Issuers((ISSUER.root,)).judge((ISSUER.signer,), NOW)
    assert isinstance(key.curve, ec.SECP256R1)
    assert anchor == ISSUER.root


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"age_over_18": True, "age_over_16": False}, "contradictory"),
        ({}, "unanswered"),
        ({"age_in_years": 20}, "unanswered"),
    ],
)
def test_claims_that_are_no_age(claims: dict[str, Any], reason: str) -> None:
    notes: list[str] = []
    with pytest.raises(ProofRefused) as error:
        _age(from_openid4vp, claims, notes.append)
    assert error.value.reason == reason


PLAIN: Final = (b"\xf4", b"\xf5", b"\xf6", b"\xc0\x74" + b"2026-11-26T12:00:00Z", b"\xd8\x18\x40")


@pytest.mark.parametrize("body", PLAIN)
def test_the_kinds_of_value_that_a_proof_needs(body: bytes) -> None:
    cbor.read(body)
    assert len(cbor.read(b"\x81" + body)) == 1


@pytest.mark.parametrize(
    "body", [b"\xe0", b"\xf3", b"\xf7", b"\xc1\x00", b"\xc2\x41\x01", b"\xd9\xd9\xf7\x00"]
)
def test_the_kinds_of_value_that_no_proof_needs(body: bytes) -> None:
    for sent in (body, b"\x81" + body, b"\xa1\x61a" + body):
        with pytest.raises(ProofRefused, match="a kind of value that no proof"):
            cbor.read(sent)
