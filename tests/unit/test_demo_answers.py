"""The demo sends an answer in one tap, and only a 200 to its POST counts.

It follows redirects, because Kinward without a proxy redirects from `KINWARD_PORT` to its pages.
"""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

LINK = "http://127.0.0.1:8700/family/answer/token"
PAGES = "http://127.0.0.1:8704/family/answer/token"

# A module with the demo's own settings, which `mypy` does not know here.
safety: Any = importlib.import_module("kinward.demo.safety")

Kinward = Callable[[Callable[[httpx.Request], httpx.Response]], list[str]]


@pytest.fixture
def kinward(monkeypatch: pytest.MonkeyPatch) -> Kinward:
    """Let a function be Kinward; returns the requests that it gets, as they come."""

    def install(answer: Callable[[httpx.Request], httpx.Response]) -> list[str]:
        requests: list[str] = []

        def handle(request: httpx.Request) -> httpx.Response:
            requests.append(f"{request.method} {request.url}")
            return answer(request)

        client = partial(httpx.Client, transport=httpx.MockTransport(handle))
        monkeypatch.setattr(httpx, "Client", client)
        return requests

    return install


def redirecting(status: int) -> Callable[[httpx.Request], httpx.Response]:
    """Kinward, whose answer at `LINK` is a redirect to `PAGES`."""

    def answer(request: httpx.Request) -> httpx.Response:
        if str(request.url) == LINK:
            return httpx.Response(status, headers={"location": PAGES})
        return httpx.Response(200, text="Yes, or only the page with the button")

    return answer


def test_the_post_itself_goes_to_the_port_of_the_pages(kinward: Kinward) -> None:
    requests = kinward(redirecting(307))
    safety.answer_ask(LINK)
    assert requests == [f"POST {LINK}", f"POST {PAGES}"]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_makes_a_get_of_it_is_no_answer(kinward: Kinward, status: int) -> None:
    kinward(redirecting(status))
    with pytest.raises(safety.NotNow):
        safety.answer_ask(LINK)


def test_a_redirect_to_itself_is_no_answer(kinward: Kinward) -> None:
    kinward(lambda _: httpx.Response(307, headers={"location": LINK}))
    with pytest.raises(safety.NotNow):
        safety.answer_ask(LINK)


@pytest.mark.parametrize("status", [204, 304, 404, 408, 413, 421, 429, 431, 500, 503])
def test_what_says_nothing_of_the_ask_is_tried_again(kinward: Kinward, status: int) -> None:
    kinward(lambda _: httpx.Response(status))
    with pytest.raises(safety.NotNow):
        safety.answer_ask(LINK)


@pytest.mark.parametrize("status", [403, 409])
def test_a_used_link_and_an_ask_that_is_over_are_refused(kinward: Kinward, status: int) -> None:
    kinward(lambda _: httpx.Response(status))
    with pytest.raises(safety.Refused):
        safety.answer_ask(LINK)


def test_a_kinward_that_is_away_is_tried_again(kinward: Kinward) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    kinward(away)
    with pytest.raises(safety.NotNow):
        safety.answer_ask(LINK)
