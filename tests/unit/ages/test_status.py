"""Whether an issuer took an attestation back. Whoever cannot tell never says that all is well."""

import base64
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from kinward.ages import status
from kinward.ages.mdoc import StatusRef
from kinward.ages.practice import Issuer
from kinward.ages.refused import ProofRefused
from kinward.ages.trust import Issuers

NOW: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
URI: Final = "https://issuer.example/status/1"
ISSUER: Final = Issuer(NOW)
OTHER: Final = Issuer(NOW)
TRUSTED: Final = Issuers((ISSUER.root,))


def listed(values: dict[int, int] | None = None, **changes: Any) -> bytes:
    return ISSUER.status_list(URI, values or {}, NOW, **changes)


def refused(body: bytes, index: int = 7, uri: str = URI, now: datetime = NOW) -> str:
    with pytest.raises(ProofRefused) as error:
        status.check(body, StatusRef(uri, index), TRUSTED, now)
    return error.value.reason


def packed(bits: int, values: bytes) -> dict[str, Any]:
    lst = base64.urlsafe_b64encode(zlib.compress(values)).rstrip(b"=").decode()
    return {"status_list": {"bits": bits, "lst": lst}}


def test_what_is_not_on_the_list_of_the_revoked_is_valid() -> None:
    status.check(listed({6: 1, 8: 2}), StatusRef(URI, 7), TRUSTED, NOW)


@pytest.mark.parametrize(
    ("value", "reason"), [(1, "revoked"), (2, "revoked"), (3, "status.unknown")]
)
def test_what_is_revoked_or_suspended_or_something_new(value: int, reason: str) -> None:
    assert refused(listed({7: value})) == reason


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_each_width_counts_from_the_lowest_bit(bits: int) -> None:
    values = bytearray(16)
    values[9 * bits // 8] |= 1 << (9 * bits % 8)
    body = listed(**packed(bits, bytes(values)))
    assert refused(body, 9) == "revoked"
    status.check(body, StatusRef(URI, 8), TRUSTED, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "JWT"},
        {"sub": "https://issuer.example/status/2"},
        {"exp": int(NOW.timestamp())},
        {"iat": int(NOW.timestamp()) + 120},
        {"exp": None, "iat": int((NOW - timedelta(days=8)).timestamp())},
        {"iat": "now"},
        {"status_list": None},
        {"status_list": {"bits": 3, "lst": "AA"}},
        {"status_list": {"bits": 1, "lst": "AA"}},  # no zlib
        {"status_list": {"bits": [], "lst": "AA"}},
        packed(1, b""),
        packed(1, b"\0" * (status.MAX_LIST + 1)),  # a bomb
    ],
)
def test_a_list_that_says_nothing_certain(changes: dict[str, Any]) -> None:
    assert refused(listed(**changes)) == "status.unknown"


def in_cbor(values: dict[int, int] | None = None, **changes: Any) -> bytes:
    return ISSUER.status_cwt(URI, values or {}, NOW, **changes)


def test_a_list_in_cbor_says_the_same() -> None:
    status.check(in_cbor({6: 1, 8: 2}), StatusRef(URI, 7), TRUSTED, NOW)
    status.check(in_cbor()[1:], StatusRef(URI, 7), TRUSTED, NOW)  # without its tag
    assert refused(in_cbor({7: 1})) == "revoked"
    assert refused(in_cbor({7: 2})) == "revoked"
    assert refused(in_cbor({7: 3})) == "status.unknown"


@pytest.mark.parametrize(
    "body",
    [
        in_cbor(sub="https://issuer.example/status/2"),
        in_cbor(exp=int(NOW.timestamp())),
        in_cbor(iat=int(NOW.timestamp()) + 120),
        in_cbor(kind="application/cwt"),
        OTHER.status_cwt(URI, {}, NOW),
        in_cbor()[:-1] + b"\0",
        in_cbor()[:-1],
        b"\xd2",
        b"\x84",
        b"\xd2\x84\x43\xa1\x01\x26\xa0\xf6\x40",
    ],
)
def test_a_list_in_cbor_that_says_nothing_certain(body: bytes) -> None:
    assert refused(body) == "status.unknown"


def test_a_place_beyond_the_end() -> None:
    assert refused(listed(), index=10**9) == "status.unknown"


def test_a_list_of_somebody_else() -> None:
    body = OTHER.status_list(URI, {}, NOW)
    assert refused(body) == "status.unknown"
    head, claims, _ = body.split(b".")
    assert refused(b".".join((head, claims, listed().split(b".")[2]))) == "status.unknown"
    ours, _, signature = listed({7: 1}).split(b".")
    assert refused(b".".join((ours, claims, signature))) == "status.unknown"


@pytest.mark.parametrize("body", [b"", b"x", b"a.b.c", b"{}", b"\xff" * 100, b"." * 1000])
def test_what_is_no_list(body: bytes) -> None:
    assert refused(body) == "status.unknown"


# -- identifier lists

MINE: Final = bytes(range(32))
REF: Final = StatusRef(URI, identifier=MINE)


def identifiers(*taken_back: bytes, **changes: Any) -> bytes:
    return ISSUER.identifiers_cwt(URI, taken_back, NOW, **changes)


def why_not(body: bytes, now: datetime = NOW) -> str:
    with pytest.raises(ProofRefused) as error:
        status.check(body, REF, TRUSTED, now)
    return error.value.reason


def test_what_is_on_the_list_of_identifiers_was_taken_back() -> None:
    status.check(identifiers(), REF, TRUSTED, NOW)
    status.check(identifiers(b"other", MINE[:-1]), REF, TRUSTED, NOW)
    assert why_not(identifiers(b"other", MINE)) == "revoked"


def test_a_long_list_of_identifiers_is_read_to_its_end() -> None:
    many = [number.to_bytes(16) for number in range(20_000)]
    status.check(identifiers(*many), REF, TRUSTED, NOW)
    assert why_not(identifiers(*many, MINE)) == "revoked"


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "application/statuslist+cwt"},
        {"kind": "identifierlist+cwt"},
        {"sub": "https://issuer.example/identifiers/2"},
        {"sub": None},
        {"exp": None},
        {"exp": int(NOW.timestamp())},
        {"iat": None},
        {"iat": int(NOW.timestamp()) + 120},
        {"claims": {status.CWT_IDENTIFIERS: None}},
        {"claims": {status.CWT_IDENTIFIERS: {}}},
        {"claims": {status.CWT_IDENTIFIERS: {"identifiers": [MINE]}}},
        {"claims": {status.CWT_IDENTIFIERS: {"identifiers": {MINE.hex(): {}}}}},
        {"claims": {status.CWT_LIST: {"bits": 1, "lst": b""}}},  # one list, not both
    ],
)
def test_a_list_of_identifiers_that_is_not_clear_is_not_clear(changes: dict[str, Any]) -> None:
    assert why_not(identifiers(**changes)) == "status.unknown"


def test_a_list_of_identifiers_of_a_stranger_or_changed() -> None:
    assert why_not(OTHER.identifiers_cwt(URI, [], NOW)) == "status.unknown"
    body = bytearray(identifiers(b"other"))
    body[-1] ^= 1
    assert why_not(bytes(body)) == "status.unknown"
    for odd in (b"", b"\xd2", b"<html>", listed(), ISSUER.status_cwt(URI, {}, NOW)):
        assert why_not(odd) == "status.unknown"
    # And a list of one kind never stands in for the other.
    assert refused(identifiers()) == "status.unknown"
