"""Settings come from the environment, and a wrong one is named."""

import stat
from pathlib import Path
from typing import ClassVar

import pytest

from kinward.ground.config import Config, Section, read_config, read_section, write_secret
from kinward.ground.errors import NotConfigured


def test_values_are_read_by_their_kind() -> None:
    config = read_config(
        {"KINWARD_PORT": "9", "KINWARD_DECODE_SECONDS": "1.5", "KINWARD_WEBHOOK_ALLOW_HTTP": "true"}
    )
    assert (config.port, config.decode_seconds, config.webhook_allow_http) == (9, 1.5, True)


def test_a_wrong_value_is_named() -> None:
    with pytest.raises(NotConfigured, match="KINWARD_PORT is 'many'"):
        read_config({"KINWARD_PORT": "many"})


def test_a_missing_secret_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="KINWARD_WEBHOOK_SECRET nor readable at"):
        Config(data_dir=tmp_path).secret("webhook_secret")


def test_a_secret_is_its_owners_alone_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "webhook_secret"
    write_secret(path, "first")
    write_secret(path, "second")
    assert Config(data_dir=tmp_path).secret("webhook_secret") == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_cookies_are_secure_behind_tls() -> None:
    assert Config(public_url="https://safety.example/").secure
    assert not Config().secure


class Harbour(Section, frozen=True, kw_only=True):
    """The settings of a plug-in."""

    prefix: ClassVar[str] = "harbour"

    chart: Path
    depth: float = 2.5


def test_a_plug_in_has_a_section_of_its_own() -> None:
    assert Harbour.variables() == ["KINWARD_HARBOUR_CHART", "KINWARD_HARBOUR_DEPTH"]
    given = {"KINWARD_HARBOUR_CHART": "/a/b", "KINWARD_HARBOUR_DEPTH": "7", "KINWARD_DEPTH": "9"}
    assert read_section(Harbour, given) == Harbour(chart=Path("/a/b"), depth=7.0)
    with pytest.raises(NotConfigured, match="Set KINWARD_HARBOUR_CHART"):
        read_section(Harbour, {})
    with pytest.raises(NotConfigured, match="KINWARD_HARBOUR_DEPTH is 'deep'"):
        read_section(Harbour, given | {"KINWARD_HARBOUR_DEPTH": "deep"})
