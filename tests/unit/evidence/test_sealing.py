"""What is sealed opens with the key, unchanged, and not otherwise."""

from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.evidence.keys import FileKeys
from kinward.evidence.keys_aws import AwsKms
from kinward.evidence.sealing import CannotUnseal, decrypt, encrypt, new_key, public_half, seal
from kinward.ground.config import Config
from kinward.ground.errors import NotConfigured

KEY = new_key()
SOME = uuid4()


def keys(*lines: str) -> FileKeys:
    return FileKeys(msgspec.structs.replace(Config(), evidence_key="\n".join(lines)))


@given(st.binary(max_size=5000))
def test_sealed_bytes_come_back(data: bytes) -> None:
    ciphertext, data_key = seal(data)
    assert decrypt(ciphertext, data_key) == data


def test_the_ciphertext_tells_nothing_and_each_object_has_its_own_key() -> None:
    data = b"neutral marker " * 50
    (one, key), (two, other) = seal(data), seal(data)
    assert b"neutral marker" not in one + two
    assert key != other
    assert one != two
    with pytest.raises(CannotUnseal):
        decrypt(one, other)


def test_a_data_key_is_wrapped_by_the_first_key_and_opened_by_any() -> None:
    older = keys(KEY)
    wrapped = older.wrap("a data key", SOME)
    assert b"a data key" not in wrapped
    both = keys("# made today", new_key(), KEY)
    assert both.current != older.current
    assert both.unwrap(wrapped, older.current, SOME) == "a data key"
    with pytest.raises(CannotUnseal, match="sealed for age1"):
        keys(new_key()).unwrap(wrapped, older.current, SOME)


@pytest.mark.parametrize("at", [0, 40, -1])
def test_a_changed_bit_does_not_open(at: int) -> None:
    ciphertext, data_key = seal(b"evidence")
    changed = bytearray(ciphertext)
    changed[at] ^= 1
    with pytest.raises(CannotUnseal):
        decrypt(bytes(changed), data_key)


def test_a_package_opens_for_each_recipient_and_nobody_else() -> None:
    police, court = new_key(), new_key()
    sealed = encrypt(b"package", public_half(police), public_half(court))
    assert decrypt(sealed, police) == decrypt(sealed, court) == b"package"
    with pytest.raises(CannotUnseal):
        decrypt(sealed, KEY)


def test_a_text_that_is_no_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotUnseal, match="not an age identity"):
        public_half("hunter2")
    with pytest.raises(NotConfigured, match="no key"):
        keys("# nothing here")
    missing = msgspec.structs.replace(Config(), evidence_key_file=str(tmp_path / "gone"))
    with pytest.raises(NotConfigured, match="KINWARD_EVIDENCE_KEY_FILE"):
        FileKeys(missing)


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:9"])
def test_keys_in_aws_are_asked_for_at_aws_unless_another_address_is_named(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "neutral")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    config = msgspec.structs.replace(Config(), aws_endpoint=address)
    client = AwsKms(config, "alias/kinward")._client
    assert client.meta.endpoint_url == (address or "https://kms.eu-west-1.amazonaws.com")
