"""A process steps back as a whole session, where Linux groups by sessions."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinward.ground.priority import step_back

AUTOGROUPING = Path("/proc/sys/kernel/sched_autogroup_enabled")


@pytest.fixture
def leader() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a session of its own and waits for the end of its input."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    yield process
    process.communicate()


def test_its_niceness_and_that_of_its_session_grow(leader: subprocess.Popen[bytes]) -> None:
    before = os.nice(0)
    step_back(3, leader.pid)
    expected = min(19, before + 3)
    assert os.getpriority(os.PRIO_PROCESS, leader.pid) == expected
    if AUTOGROUPING.exists():
        group = Path(f"/proc/{leader.pid}/autogroup").read_text()
        assert group.split()[-1] == str(expected)


def test_several_step_back_at_once(leader: subprocess.Popen[bytes]) -> None:
    for _ in range(3):
        step_back(4, leader.pid)
    assert os.getpriority(os.PRIO_PROCESS, leader.pid) == min(19, os.nice(0) + 4)


def test_who_leads_no_session_takes_nobody_along() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    own = Path("/proc/self/autogroup")
    before = own.read_text() if own.exists() else ""
    step_back(2, process.pid)
    assert not own.exists() or own.read_text() == before
    process.communicate()


def test_a_process_that_is_gone_is_no_error(leader: subprocess.Popen[bytes]) -> None:
    leader.communicate()
    step_back(1, leader.pid)
