"""What the supervisor starts: a process for each port, with the bounds of the server."""

import resource
from collections.abc import Iterator

import pytest

from kinward.cli.roles import OTHER_FILES, connections, serve_command
from kinward.cli.up import own_roles
from kinward.ground.config import config, forget_config


@pytest.fixture(autouse=True)
def _settings_are_read_again() -> Iterator[None]:
    forget_config()
    yield
    forget_config()


def test_each_door_has_a_process_and_a_port_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINWARD_PORT", "9000")
    roles = {role.name: role for role in own_roles()}
    assert list(roles) == ["gate", "console", "pages", "worker"]
    ports = {"gate": 9000, "console": 9003, "pages": 9004}
    for door, port in ports.items():
        command = roles[door].command
        assert f"--port={port}" in command
        assert command[-1] == f"kinward.project.asgi:{door}"
    # A decision comes before a page, and staff come before strangers.
    assert roles["gate"].nice < roles["console"].nice < roles["pages"].nice


def test_doors_that_share_a_port_share_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINWARD_CONSOLE_PORT", "8700")
    monkeypatch.setenv("KINWARD_PAGES_PORT", "8700")
    web, worker = own_roles()
    assert (web.name, worker.name) == ("gate-console-pages", "worker")
    assert web.command[-1] == "kinward.project.asgi:application"
    assert web.nice == 0


def test_a_server_accepts_no_more_than_it_may_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < connections() <= config().connections
    for most, accepted in ((4096, 4096 - OTHER_FILES), (100, 1)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, most=most: (1024, most))
        assert connections() == accepted
    limit = (1024, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: limit)
    assert connections() == config().connections
    assert f"--backpressure={connections()}" in serve_command(["gate"], 8700)


def test_an_idle_connection_ends_within_what_the_server_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KINWARD_IDLE_SECONDS", "3600")
    assert "--http1-header-read-timeout=60000" in serve_command(["gate"], 8700)
