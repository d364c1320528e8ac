"""Supervises a few processes: starts them, waits until they are ready, restarts and stops them."""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Final, TypeVar
from urllib.parse import urlsplit

import click
import msgspec

from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach
from kinward.ground.errors import KinwardError
from kinward.ground.priority import step_back

R = TypeVar("R")

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
PROBE: Final = Limits(seconds=2.0, answer_bytes=64 * 1024)  # of the question whether it is ready
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 2.0
STEADY_SECONDS: Final = 10.0  # a process that ran this long is not in a crash loop
PR_SET_PDEATHSIG: Final = 1


class NotReady(KinwardError):
    """A process did not start."""

    code = "process.not_ready"
    status = 503


class Role(msgspec.Struct, frozen=True):
    """A process to keep running. `ready_url`, if any, answers once the process is ready.

    `port_setting` is the variable with its port. `nice`: how far it steps back for others.
    """

    name: str
    command: list[str]
    environment: dict[str, str] = {}
    ready_url: str = ""
    port_setting: str = "KINWARD_PORT"
    nice: int = 0


class _Kept(msgspec.Struct):
    role: Role
    process: subprocess.Popen[bytes]
    started_at: float
    pause: float = FIRST_PAUSE
    restart_at: float | None = None


class Supervisor:
    """Runs roles until it gets a signal. Each has its own process group and its own log."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._kept: list[_Kept] = []
        self._stopping = False
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, *roles: Role) -> None:
        """Start roles without waiting for them. Raises `NotReady` if a port is taken."""
        for role in roles:
            if role.ready_url and _is_taken(role.ready_url):
                raise NotReady(
                    f"{role.name}: the port of {role.ready_url} is in use. Set {role.port_setting}."
                )
        self._kept += [_Kept(role, self._spawn(role), time.monotonic()) for role in roles]

    def wait(self) -> None:
        """Wait until every role with a `ready_url` answers there. Raises `NotReady`."""
        for kept in self._kept:
            if kept.role.ready_url:
                step(kept.role.name, partial(self._wait_until_ready, kept))

    def run(self) -> None:
        """Restart roles that end, until SIGINT or SIGTERM. The caller then calls `stop`."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop_soon)
        while not self._stopping:
            for kept in self._kept:
                self._watch(kept)
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop every role in reverse order, with SIGTERM and after a while with SIGKILL."""
        for kept in reversed(self._kept):
            _signal(kept.process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for kept in reversed(self._kept):
            with contextlib.suppress(subprocess.TimeoutExpired):
                kept.process.wait(max(0.1, deadline - time.monotonic()))
            _signal(kept.process, signal.SIGKILL)
            kept.process.wait()
        self._kept = []

    def _stop_soon(self, number: int, frame: object) -> None:
        self._stopping = True

    def _spawn(self, role: Role) -> subprocess.Popen[bytes]:
        with (self._logs / f"{role.name}.log").open("ab") as log:
            return subprocess.Popen(
                role.command,
                env=os.environ | role.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Safe, because this process has no other threads.
                preexec_fn=partial(_prepare, role.nice),  # noqa: PLW1509
            )

    def _watch(self, kept: _Kept) -> None:
        if kept.process.poll() is None:
            return
        now = time.monotonic()
        if kept.restart_at is None:
            _signal(kept.process, signal.SIGKILL)  # children that it left behind
            click.secho(f"  {kept.role.name} ended. Restarting it.", fg="yellow", err=True)
            if now - kept.started_at > STEADY_SECONDS:
                kept.pause = FIRST_PAUSE
            kept.restart_at = now + kept.pause
            kept.pause = min(kept.pause * 2, LONGEST_PAUSE)
        elif now >= kept.restart_at:
            kept.process, kept.restart_at = self._spawn(kept.role), None
            kept.started_at = now

    def _wait_until_ready(self, kept: _Kept) -> None:
        deadline = time.monotonic() + READY_SECONDS
        caller = Caller(limits=PROBE, reach=Reach.OURS, open_text=True)
        while time.monotonic() < deadline:
            if kept.process.poll() is not None:
                break
            with contextlib.suppress(CallFailed):
                if caller.call("GET", kept.role.ready_url, cut=True).status < 500:
                    return
            time.sleep(0.1)
        log = self._logs / f"{kept.role.name}.log"
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        raise NotReady(f"{kept.role.name}: see {log}. Its last lines are:\n{tail}")


def _is_taken(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname or "127.0.0.1", parts.port or 80)) == 0


def claim(directory: Path) -> IO[str]:
    """Lock a data directory until this process ends. Raises `NotReady` if it is locked already."""
    directory.mkdir(parents=True, exist_ok=True)
    lock = (directory / "running.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise NotReady(f"Kinward is already running in {directory}. Stop it first.") from None
    return lock


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _prepare(nice: int) -> None:
    """Step back for others, and have Linux send SIGTERM when the supervisor dies, even killed."""
    step_back(nice)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def step(text: str, work: Callable[[], R]) -> R:
    """Do one step of longer work: print its name first, and afterwards the seconds it took."""
    click.echo(f"  {text} … ", nl=False, err=True)
    began = time.monotonic()
    result = work()
    click.secho(f"{time.monotonic() - began:.1f} s", fg="green", err=True)
    return result
