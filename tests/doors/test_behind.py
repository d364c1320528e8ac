"""Kinward itself behind nginx and Caddy: one name for all doors, and each caller's own address."""

import contextlib
import ssl
import time
from collections.abc import Iterator

import httpx
import pytest

from kinward.ground.config import Config
from tests.doors.proxies import NAME, SECONDS, Front, running
from tests.story.conftest import Demo

WRONG = 30  # sign-ins of one network within five minutes, as `kinward.access.attempts` has it
CSRF = "__Host-kinward-csrf"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("behind")
    for path in (directory, *directory.parents[:2]):
        path.chmod(0o755)
    started = Demo(
        directory,
        command="up",
        KINWARD_PUBLIC_URL=f"https://{NAME}",
        KINWARD_TRUSTED_PROXIES="127.0.0.1, ::1",
    )
    started.start()
    yield started
    assert started.stop() == 0


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def front(
    request: pytest.FixtureRequest, up: Demo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    ports = {"gate": up.port, "console": up.port + 3, "pages": up.port + 4}
    directory = tmp_path_factory.mktemp(request.param)
    with running(request.param, directory, ports) as started:
        yield started


def test_one_name_leads_to_every_door(front: Front) -> None:
    assert front.get("/healthz").json() == {"status": "ok"}
    assert front.get("/account/login/").is_success
    assert front.get("/safety/en").is_success
    assert front.get("/static/web/console.css").is_success
    assert front.get("/v1/accounts/a").status_code == 401
    assert front.get("/metrics").status_code == 404


def test_a_body_that_is_declared_too_large_is_refused_at_its_head(front: Front) -> None:
    # Caddy 2.6 passes an early answer on with the next bytes, or makes it a 502, or just hangs up.
    answers = {"nginx": (401, 413), "caddy": (0, 401, 413, 502)}[front.kind]
    for path in ("/v1/media", "/account/login/", "/family/report"):
        with front.connect("127.0.0.40") as opened:
            front.send_head(opened, f"POST {path}", Content_Length=10**10)
            sent, answer = send_until_answered(opened, most=2 * Config().max_body)
        assert answer in answers, path
        assert sent < 2 * Config().max_body, path


def send_until_answered(opened: ssl.SSLSocket, most: int) -> tuple[int, int]:
    """Send bytes until there is an answer, or the connection ends: how many, and the status."""
    sent, answer = 0, b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while sent < most and b"\r\n" not in answer:
            opened.settimeout(SECONDS)
            opened.sendall(bytes(65536))
            sent += 65536
            opened.settimeout(0.02)
            with contextlib.suppress(TimeoutError):
                piece = opened.recv(4096)
                answer += piece
                if not piece:
                    break
    return sent, int(answer.split()[1]) if answer else 0


def sign_in(front: Front, source: str, token: str, name: str, **headers: str) -> httpx.Response:
    """Try to sign in with a wrong word, as a browser at this address does.

    Waits where the proxy refuses: it has a limit of its own.
    """
    with httpx.Client(transport=front.transport(source), timeout=60) as http:
        for _ in range(60):
            answer = http.post(
                f"https://127.0.0.1:{front.port}/account/login/",
                data={"login": name, "password": "wrong", "csrfmiddlewaretoken": token},
                headers={
                    "Host": NAME,
                    "Referer": f"https://{NAME}/account/login/",
                    "Cookie": f"{CSRF}={token}",
                    **headers,
                },
                extensions={"sni_hostname": NAME},
            )
            if answer.status_code != 429 or "Too many attempts" in answer.text:
                return answer
            time.sleep(1)
    raise AssertionError("The proxy lets nobody sign in.")


def test_failed_sign_ins_count_for_the_caller_and_not_for_the_proxy(front: Front) -> None:
    network = {"nginx": 50, "caddy": 60}[front.kind]
    bad, good = f"127.0.0.{network}", f"127.0.0.{network + 1}"
    token = front.get("/account/login/", good).cookies[CSRF]
    for number in range(WRONG):
        # A caller that invents addresses remains one caller.
        claimed = {"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}"}
        assert sign_in(front, bad, token, f"{front.kind}-{number}", **claimed).status_code == 200
    refused = sign_in(front, bad, token, "another", **{"X-Forwarded-For": "192.0.2.99"})
    assert "Too many attempts" in refused.text
    assert "Too many attempts" not in sign_in(front, good, token, "another").text
