"""CBOR of strangers, within bounds: what is not plain is refused before anything is built from it.

A proof of age needs maps, lists, texts, bytes, whole numbers and three simple values. Of all tags
it needs dates, and bytes that are CBOR themselves. Any other tag makes a decoder do more work.
"""

from typing import Any, Final

import cbor2

from kinward.ages.refused import malformed

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 12
MAX_VALUES: Final = 4000
DATE_TIME: Final = 0
ENCODED: Final = 24
FULL_DATE: Final = 1004
TAGS: Final = frozenset({DATE_TIME, ENCODED, FULL_DATE})
SIMPLE: Final = frozenset({20, 21, 22})  # false, true, null
UNSIGNED, NEGATIVE, BYTES, TEXT, LIST, MAP, TAG, OTHER = range(8)


def read(body: bytes, most: int = MAX_BYTES, values: int = MAX_VALUES) -> Any:
    r"""Decode one CBOR value of at most so many bytes and values.

    Raises `ProofRefused` for anything that is not plain.

    >>> read(bytes.fromhex("a16161f5"))
    {'a': True}
    >>> read(b"\x81" * 1000 + b"\x00")
    Traceback (most recent call last):
    kinward.ages.refused.ProofRefused: ...
    """
    _check(body, most, values)
    try:
        return cbor2.loads(
            body, max_depth=MAX_DEPTH, allow_indefinite=False, allow_duplicate_keys=False
        )
    except (cbor2.CBORDecodeError, ValueError, TypeError, RecursionError) as error:
        raise malformed(f"Its CBOR cannot be read: {str(error)[:100]}") from None


def encoded(value: Any) -> bytes:
    """Return the bytes inside a value with the tag 24."""
    if not isinstance(value, cbor2.CBORTag) or value.tag != ENCODED:
        raise malformed("A part of it is not encoded CBOR")
    if not isinstance(value.value, bytes):
        raise malformed("A part of it is not encoded CBOR")
    return value.value


def wrap(body: bytes) -> bytes:
    """Return encoded CBOR with the tag 24, as signatures and digests take it."""
    return cbor2.dumps(cbor2.CBORTag(ENCODED, body))


def write(value: Any) -> bytes:
    """Encode a value in the one deterministic way."""
    return cbor2.dumps(value)


def _check(body: bytes, most: int, values: int) -> None:
    """Walk over the heads of all values. Linear, and nothing is built."""
    if len(body) > most:
        raise malformed(f"It has more than {most:,} bytes")
    place, count = 0, 0
    open_: list[int] = [1]  # how many values each open list or map still needs
    while open_:
        if open_[-1] == 0:
            open_.pop()
            continue
        open_[-1] -= 1
        count += 1
        major, number, place = _head(body, place)
        if count > values or len(open_) > MAX_DEPTH:
            raise malformed(f"It has more than {values:,} values or {MAX_DEPTH} levels")
        if major in (BYTES, TEXT):
            place += number
        elif major in (LIST, MAP):
            open_.append(number * (2 if major == MAP else 1))
        elif major == TAG and number in TAGS:
            open_.append(1)
        elif major == TAG or (major == OTHER and number not in SIMPLE):
            raise malformed("It has a kind of value that no proof of age needs")
    if place != len(body):
        raise malformed("Its CBOR is cut off, or goes on after its end")


def _head(body: bytes, place: int) -> tuple[int, int, int]:
    """Return the major type of the value at a place, its number, and the place after its head.

    If the head is cut off, the place after it is past the end of the body.
    """
    if place >= len(body):
        raise malformed("Its CBOR is cut off")
    major, short = body[place] >> 5, body[place] & 31
    if short < 24:
        return major, short, place + 1
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(short, 0)
    if not size or major == OTHER:  # no floats, nothing without an end
        raise malformed("Its CBOR has a value without an end, or a float")
    return major, int.from_bytes(body[place + 1 : place + 1 + size]), place + 1 + size
