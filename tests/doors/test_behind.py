"""Kinward itself behind nginx and Caddy: one name for all doors, and each caller's own address."""

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from tests.doors.proxies import NAME, Front, running, status
from tests.story.conftest import Demo

WRONG = 10  # failed sign-ins of one address within a minute


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
    for path in ("/v1/media", "/account/login/", "/family/report"):
        with front.connect("127.0.0.40") as opened:
            front.send_head(opened, f"POST {path}", Content_Length=10**10)
            with contextlib.suppress(OSError):  # Caddy 2.6 passes an answer on with the next bytes
                for _ in range(32):
                    opened.sendall(bytes(65536))
            assert status(opened) in (401, 413), path


def sign_in(front: Front, source: str, name: str, **headers: str) -> httpx.Response:
    """Try to sign in with a wrong word, as a browser at this address does."""
    login = front.get("/account/login/", source)
    token = login.cookies["csrftoken"]
    transport = front.transport(source)
    with httpx.Client(transport=transport, timeout=60) as http:
        return http.post(
            f"https://127.0.0.1:{front.port}/account/login/",
            data={"login": name, "password": "wrong", "csrfmiddlewaretoken": token},
            headers={
                "Host": NAME,
                "Referer": f"https://{NAME}/account/login/",
                "Cookie": f"csrftoken={token}",
                **headers,
            },
            extensions={"sni_hostname": NAME},
        )


def test_failed_sign_ins_count_for_the_caller_and_not_for_the_proxy(front: Front) -> None:
    network = {"nginx": 50, "caddy": 60}[front.kind]
    bad, good = f"127.0.0.{network}", f"127.0.0.{network + 1}"
    for number in range(WRONG):
        # A caller that invents addresses remains one caller.
        claimed = {"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}"}
        assert sign_in(front, bad, f"{front.kind}-{number}", **claimed).status_code == 200
    refused = sign_in(front, bad, "another", **{"X-Forwarded-For": "192.0.2.99"})
    assert "Too many failed" in refused.text
    assert "Too many failed" not in sign_in(front, good, "another").text
