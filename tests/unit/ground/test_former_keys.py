"""What a former secret key sealed and signed stays good, and it seals and signs nothing more."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kinward.ground import secrets
from kinward.ground.config import Config
from kinward.ground.secrets import CannotOpen, is_mac, mac, open_text, seal_text

Use = Callable[..., None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    def change(key: str, before: str = "") -> None:
        chosen = Config(secret_key=key, secret_keys_before=before)
        monkeypatch.setattr(secrets, "config", lambda: chosen)

    return change


def test_what_a_former_key_sealed_opens_while_it_is_named(use: Use) -> None:
    use("one")
    sealed, signed = seal_text("ä", "x"), mac("ä".encode(), "x")
    use("two")
    assert not is_mac(signed, "ä".encode(), "x")
    with pytest.raises(CannotOpen):
        open_text(sealed, "x")
    use("three", "two\none")
    assert open_text(sealed, "x") == "ä"
    assert is_mac(signed, "ä".encode(), "x")
    with pytest.raises(CannotOpen):
        open_text(sealed, "y")
    assert not is_mac(signed, "ä".encode(), "y")


def test_a_former_key_seals_and_signs_nothing(use: Use) -> None:
    use("two", "one")
    sealed, signed = seal_text("ä", "x"), mac(b"x", "x")
    use("one")
    assert not is_mac(signed, b"x", "x")
    with pytest.raises(CannotOpen):
        open_text(sealed, "x")


def test_the_keys_of_a_file_are_its_lines(tmp_path: Path) -> None:
    chosen = Config(data_dir=tmp_path)
    assert chosen.secrets_before("secret_keys_before") == []
    path = chosen.secret_path("secret_keys_before")
    path.parent.mkdir()
    path.write_text(" one \n\ntwo")
    assert chosen.secrets_before("secret_keys_before") == ["one", "two"]
