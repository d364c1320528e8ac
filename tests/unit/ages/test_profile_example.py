"""The example that the EU publishes with its profile (Annex A, A.10), signed by a real issuer."""

from datetime import UTC, datetime
from typing import Any, Final

import cbor2
import pytest
from cryptography import x509

from kinward.ages import cbor, mdoc, openid4vp
from kinward.ages.refused import ProofRefused
from kinward.ages.trust import Issuers

SIGNER: Final = bytes.fromhex(
    "308202BD30820263A00302010202147076C1D015EABC3FD67B3FD7AA78A6CFE3CD2F85300A06082A8648CE3D040302"
    "30693126302406035504030C1D41676520566572696669636174696F6E204973737565722043412030313132303006"
    "0355040A0C2941676520566572696669636174696F6E205265666572656E636520496D706C656D656E746174696F6E"
    "310B3009060355040613024555301E170D3235303730313130353731315A170D3236303932343130353731305A3065"
    "3122302006035504030C1941676520566572696669636174696F6E204453202D2030303131323030060355040A0C29"
    "41676520566572696669636174696F6E205265666572656E636520496D706C656D656E746174696F6E310B30090603"
    "550406130245553059301306072A8648CE3D020106082A8648CE3D030107034200046789E96E797E2E04F7F3CBB54A"
    "12410412410DB000FB6D63DC977D8B5D35A4F93B71F297D9D308BA2E955E8563AFA0604833AAE10ECB1AAEFBE4159B"
    "5B8B9057A381EC3081E9301F0603551D23041830168014CB7095804C991EDC6D0B7CFEEBE041CA22542ED830160603"
    "551D250101FF040C300A06082B8102020000010230440603551D1F043D303B3039A037A035863368747470733A2F2F"
    "6973737565722E616765766572696669636174696F6E2E6465762F706B692F45555F43415F30312E63726C301D0603"
    "551D0E04160414FF1BBA97B2CA7EF5AEA3301486F1FBC98B4598FA300E0603551D0F0101FF04040302078030390603"
    "551D12043230300603551D1204293027822568747470733A2F2F636F6D6D697373696F6E2E6575726F70612E65752F"
    "696E6465785F656E300A06082A8648CE3D040302034800304502204AAF5B867E6F1202E0F4924DE8B689319471F9CE"
    "6B3B9CB7355FA68A014E2637022100DDB326B3C089DF558F5732EAAA5E87C0D5D5140624602F3598AFDABF180DB66A"
)
SIGNATURE: Final = bytes.fromhex(
    "5931DA1B0ADD466A78708873FEE0E6504BE7FE79609A88874E9F17A693CB5F12"
    "3A5DA9D33438B3C6527369DA6D071A3F23D357811A9A75DBA5A0B932A29E72B3"
)
BY_THE_WALLET: Final = bytes.fromhex(
    "117259AB19D451229E4C40948ED5517FD1F4C3D8984825E7DE86ED37CAB4AC7F"
    "F10855281F21256611AE769B109B4F0C92E9F4E740182E6C6519216A0AA715A4"
)
LISTS: Final = (
    "https://issuer.eudiw.dev/{}/AV/eu.europa.ec.av.1/3f560b19-f432-4f8d-bda8-a29c2bfacf52"
)
ITEM: Final = {
    "random": bytes.fromhex("10A62906DC911999D321A80129332814837B29377910C9366BB4619E1F17034B"),
    "digestID": 0,
    "elementValue": True,
    "elementIdentifier": "age_over_18",
}
OBJECT: Final = {
    "status": {
        "status_list": {"idx": 450, "uri": LISTS.format("token_status_list")},
        "identifier_list": {"id": "450", "uri": LISTS.format("identifier_list")},
    },
    "docType": "eu.europa.ec.av.1",
    "version": "1.0",
    "validityInfo": {
        "signed": cbor2.CBORTag(0, "2025-10-20T16:02:52Z"),
        "validFrom": cbor2.CBORTag(0, "2025-10-20T16:02:52Z"),
        "validUntil": cbor2.CBORTag(0, "2026-01-18T00:00:00Z"),
    },
    "valueDigests": {
        "eu.europa.ec.av.1": {
            0: bytes.fromhex("C22B017A42FCAFB134154F2D1322E376782C64E74543B698ADDC0ADC3E0F75D7")
        }
    },
    "deviceKeyInfo": {
        "deviceKey": {
            1: 2,
            -1: 1,
            -2: bytes.fromhex("799175CC6CE08CDD34BFE6D3F909D5C8E5E30DD251B59B57B33D7448E9E61838"),
            -3: bytes.fromhex("53FE63B0B795E3CA0723FA1DF04B229B73D5859C63E73AFBCE9EB957BD0A3F36"),
        }
    },
    "digestAlgorithm": "SHA-256",
}
HEAD: Final = bytes.fromhex("a10126")


def answered(item: dict[str, Any]) -> bytes:
    signed = [HEAD, {33: SIGNER}, cbor.wrap(cbor.write(OBJECT)), SIGNATURE]
    items = {"eu.europa.ec.av.1": [cbor2.CBORTag(24, cbor.write(item))]}
    device = {
        "nameSpaces": cbor2.CBORTag(24, cbor.write({})),
        "deviceAuth": {"deviceSignature": [HEAD, {}, None, BY_THE_WALLET]},
    }
    document = {
        "docType": "eu.europa.ec.av.1",
        "issuerSigned": {"nameSpaces": items, "issuerAuth": signed},
        "deviceSigned": device,
    }
    return cbor.write({"version": "1.0", "documents": [document], "status": 0})


def reason(body: bytes, now: datetime, notes: list[str] | None = None) -> str:
    signer = x509.load_der_x509_certificate(SIGNER)
    request = openid4vp.request_of("another request", "https://kinward.example/answer")
    with pytest.raises(ProofRefused) as error:
        mdoc.verify(
            body,
            transcript=request.transcript,
            issuers=Issuers((signer,)),
            now=now,
            note=(notes if notes is not None else list[str]()).append,
        )
    return error.value.reason


def test_the_published_example_is_good_in_all_but_that_it_answers_another_request() -> None:
    """The wallet's signature is checked last, and this one is over a transcript of its own."""
    notes: list[str] = []
    assert reason(answered(ITEM), datetime(2025, 11, 1, tzinfo=UTC), notes) == "request.other"
    assert notes == ["mso.status.identifier_list.id"]  # a text, where the standard has bytes
    assert reason(answered(ITEM), datetime(2026, 1, 18, tzinfo=UTC)) == "expired"
    changed = ITEM | {"elementIdentifier": "age_over_21"}
    assert reason(answered(changed), datetime(2025, 11, 1, tzinfo=UTC)) == "changed"
