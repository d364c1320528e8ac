"""Where an operator lists the hosts to call, Kinward calls no other, whoever set its address."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from kinward.ground.calls_out import AddressRefused, NotSent, Reach
from kinward.ground.config import forget_config
from tests.support.strangers import HOSTILE, stranger
from tests.unit.ground.test_calls_out import call


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    forget_config()


@pytest.mark.parametrize("reach", Reach)
def test_where_hosts_are_listed_no_other_is_called(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sets the address of a partner or a webhook reaches nobody whom the list lacks."""
    looked_up: list[str] = []

    def look_up(host: str, *_: Any, **__: Any) -> Any:
        looked_up.append(host)
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("KINWARD_CALL_HOSTS", " app.example.org,Partner.example.org.")
    forget_config()
    for url in (
        "https://other.example/x",
        "https://sub.app.example.org/x",
        "https://app.example.org.other.example/x",
        "https://app.example.org@other.example/x",
        "https://198.51.100.7/x",
        "https://[2001:db8::7]/x",
    ):
        with pytest.raises(AddressRefused, match="KINWARD_CALL_HOSTS"):
            call(url, reach=reach)
    assert not looked_up, "not even a name leaves"
    for url in ("https://APP.example.org./x", "https://partner.example.org/x"):
        with pytest.raises(NotSent) as failed:
            call(url, reach=reach)
        assert not isinstance(failed.value, AddressRefused)
    assert len(looked_up) == 2


def test_this_machine_is_always_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINWARD_CALL_HOSTS", "app.example.org")
    forget_config()
    with stranger(HOSTILE["redirects"]) as server:
        assert call(server.url).redirects
