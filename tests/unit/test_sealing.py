"""What is sealed opens with the key, unchanged, and not otherwise."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.evidence.sealing import CannotUnseal, new_key, public_half, seal, unseal

KEY = new_key()


@given(st.binary(max_size=5000))
def test_sealed_bytes_come_back(data: bytes) -> None:
    assert unseal(seal(data, public_half(KEY)), KEY) == data


def test_the_ciphertext_tells_nothing_and_each_object_has_its_own_key() -> None:
    data = b"neutral marker " * 50
    one, two = seal(data, public_half(KEY)), seal(data, public_half(KEY))
    assert b"neutral marker" not in one.ciphertext + one.wrapped_key
    assert one.wrapped_key != two.wrapped_key
    assert one.ciphertext != two.ciphertext


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(CannotUnseal, match="sealed for age1"):
        unseal(seal(b"x", public_half(KEY)), new_key())


@pytest.mark.parametrize("part", ["ciphertext", "wrapped_key"])
def test_a_changed_bit_does_not_open(part: str) -> None:
    sealed = seal(b"evidence", public_half(KEY))
    changed = bytearray(getattr(sealed, part))
    changed[-1] ^= 1
    with pytest.raises(CannotUnseal):
        unseal(msgspec.structs.replace(sealed, **{part: bytes(changed)}), KEY)


def test_a_text_that_is_no_key_is_named() -> None:
    with pytest.raises(CannotUnseal, match="not an age identity"):
        public_half("hunter2")
