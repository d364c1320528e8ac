"""Who may read the metrics: programs on this machine, and keys that were made for it."""

import asyncio
from typing import Any

import httpx
import pytest

from kinward.access.actor import Actor
from kinward.access.services import create_key
from kinward.gate.app import Gate
from kinward.gate.http import PASSED_ON

pytestmark = pytest.mark.django_db(transaction=True)
ELSEWHERE = "192.0.2.1"


@pytest.fixture
def keys() -> dict[str, str]:
    purposes = {"app": ["gate"], "prometheus": ["metrics"]}
    return {
        name: create_key(name=name, purposes=chosen, actor=Actor.operator("test"))
        for name, chosen in purposes.items()
    }


def ask(path: str, peer: str, key: str = "", **headers: str) -> httpx.Response:
    """Ask a gate as a caller at this address."""

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(Gate(), client=(peer, 5000))
        own: dict[str, Any] = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://gate") as http:
            return await http.get(path, headers=own | headers)

    return asyncio.run(run())


def test_strangers_read_no_metrics_and_no_details(keys: dict[str, str]) -> None:
    refused = ask("/metrics", ELSEWHERE)
    assert (refused.status_code, refused.json()["code"]) == (401, "key.refused")
    assert ask("/metrics", ELSEWHERE, keys["app"]).json()["code"] == "key.scope_missing"
    assert "kinward_parked" in ask("/metrics", ELSEWHERE, keys["prometheus"]).text
    assert ask("/healthz", ELSEWHERE).json() == {"status": "ok"}, "which says nothing else"


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "127.9.9.9"])
def test_a_program_on_this_machine_needs_no_key(peer: str) -> None:
    assert "kinward_parked" in ask("/metrics", peer).text


@pytest.mark.parametrize("header", sorted(PASSED_ON))
def test_a_proxy_on_this_machine_is_not_its_caller(header: str, configure: Any) -> None:
    configure(trusted_proxies="127.0.0.1")
    for value in ("127.0.0.1", "192.0.2.1", ""):
        assert ask("/metrics", "127.0.0.1", **{header: value}).status_code == 401


def test_whoever_guesses_keys_is_limited(configure: Any) -> None:
    configure(refused_per_minute=1)

    async def run() -> list[int]:
        transport = httpx.ASGITransport(Gate(), client=(ELSEWHERE, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://gate") as http:
            own = {"Authorization": "Bearer kw_guess"}
            return [(await http.get("/metrics", headers=own)).status_code for _ in range(3)]

    assert asyncio.run(run()) == [401, 429, 429]
