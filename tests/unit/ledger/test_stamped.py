"""Timestamps are read whatever somebody wrote into them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.ledger.stamped import SHA256_OID, TST_INFO_OID, stamp_info

DIGEST = bytes(range(32))


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    return bytes([tag, size] if size < 128 else [tag, 0x82, size >> 8, size & 255]) + body


def answer(*, oid: bytes = SHA256_OID, kind: bytes = TST_INFO_OID, status: bytes = b"\0") -> bytes:
    imprint = der(0x30, der(0x30, der(6, oid), der(5)), der(4, DIGEST))
    time = der(0x18, b"20261127051500.25Z")
    info = der(0x30, der(2, b"\1"), der(6, b"*"), imprint, der(2, b"\7"), time)
    content = der(0x30, der(6, kind), der(0xA0, der(4, info)))
    signed = der(0x30, der(2, b"\3"), der(0x31), content, der(0x31, bytes(200)))
    return der(0x30, der(0x30, der(2, status)), der(0x30, der(6, b"*"), der(0xA0, signed)))


def test_a_timestamp_has_a_hash_and_a_time() -> None:
    assert stamp_info(answer()) == (DIGEST, datetime(2026, 11, 27, 5, 15, tzinfo=UTC))


@pytest.mark.parametrize(
    "other", [answer(oid=b"*"), answer(kind=b"*"), answer(status=b"\2"), answer()[:-9], b""]
)
def test_what_is_no_timestamp_is_refused(other: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        stamp_info(other)


@given(st.integers(0, len(answer()) - 1), st.integers(0, 255), st.binary(max_size=40))
def test_no_bytes_end_otherwise(at: int, value: int, more: bytes) -> None:
    changed = bytearray(answer())
    changed[at] = value
    for data in (bytes(changed) + more, more + answer(), more):
        try:
            digest, _at = stamp_info(data)
        except (ValueError, IndexError):
            continue
        assert isinstance(digest, bytes)
