"""Walls that are no filter: who the process is, what it inherited, and how much it may take."""

import ctypes
import os
import resource
import signal
import stat
import struct
import sys
import threading
from collections.abc import Mapping
from typing import Final

import msgspec

from kinward.media.cell.kernel import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_GET_NO_NEW_PRIVS,
    PR_GET_PDEATHSIG,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    architecture,
    prctl,
    syscall,
)
from kinward.media.cell.syscalls import CAPGET, CAPSET

# Users and groups that nobody has: systemd documents the numbers up to 2147483647 as unused. Each
# decoder has one of its own, its pid further on, so that none reaches another.
OWN_USERS: Final = 0x7000_0000
NOBODY: Final = 65534  # in a container that has no such users
CAPABILITIES: Final = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
OUTPUT: Final = 3  # the descriptor of the answers: the fourth, after the three that each has
THREADS_PER_CORE, MORE_THREADS = 8, 64
# Where the user of the service has other threads: how many may still be added to them, and a limit
# under that of the kernel for a machine that sets none.
OTHERS_THREADS, MOST_THREADS = 1024, 1 << 15

# What a decoder's environment may have. PYTHONPATH and LD_LIBRARY_PATH find the libraries.
KEPT: Final = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
GIVEN: Final = {
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",  # the stacks of threads would use up the memory limit
    "PYTHONDONTWRITEBYTECODE": "1",
}
SYSTEMS_OWN: Final = ("__CF_USER_TEXT_ENCODING", "LC_CTYPE")  # set by macOS and by Python


class Cell(msgspec.Struct, frozen=True):
    """What one decoder may take, and which walls it is to stand without.

    `parent`: the pid of the process that starts it. `memory`: bytes of address space. `seconds`: of
    processor time over its whole life.
    """

    parent: int
    memory: int
    seconds: int
    without: frozenset[str] = frozenset()


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a decoder that a process with this environment starts."""
    return {name: environ[name] for name in KEPT if name in environ} | GIVEN


def close_environment(cell: Cell) -> str:
    """Find that nothing was inherited but the white list."""
    more = set(os.environ) - {*KEPT, *GIVEN, *SYSTEMS_OWN}
    return f"it has also {', '.join(sorted(more))}" if more else ""


def close_pipes(cell: Cell) -> str:
    """Close every descriptor but the pipes: input, answers, and messages on standard error."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.closerange(OUTPUT + 1, min(limit, 1 << 20))
    for number in range(OUTPUT + 1):
        if not stat.S_ISFIFO(os.fstat(number).st_mode):
            return f"descriptor {number} is not a pipe"
    os.chdir("/")
    return ""


def close_user(cell: Cell) -> str:
    """Become a user that owns nothing, if this process is root."""
    if os.geteuid() != 0:
        return ""
    for number in (OWN_USERS + os.getpid(), NOBODY):
        try:
            os.setgroups([])
            os.setresgid(number, number, number)
            os.setresuid(number, number, number)
        except PermissionError:
            return "the service is root and lacks CAP_SETUID and CAP_SETGID; start it as a user"
        except OSError:  # a user namespace does not have this number
            continue
        break
    mine = {*os.getresuid(), *os.getresgid(), *os.getgroups()}
    return "" if len(mine) == 1 and 0 not in mine else "the service is root, and so is the decoder"


def close_privileges(cell: Cell) -> str:
    """Give up all capabilities, and the way to any that a program could give."""
    try:
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
        get, put = (pair[architecture() == "arm64"] for pair in (CAPGET, CAPSET))
        header = ctypes.create_string_buffer(struct.pack("=Ii", CAPABILITIES, 0))
        syscall(put, header, ctypes.create_string_buffer(bytes(24)))
        left = ctypes.create_string_buffer(24)
        syscall(get, header, left)
    except OSError as error:
        return f"the kernel refuses to take them ({error.strerror})"
    if any(left.raw) or prctl(PR_GET_NO_NEW_PRIVS) != 1:
        return "some are left"
    return ""


def close_lifetime(cell: Cell) -> str:
    """End with the parent, even when that is killed, and be out of reach of its terminal."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        told = ctypes.c_int()
        prctl(PR_GET_PDEATHSIG, ctypes.addressof(told))
    except OSError as error:
        return f"the kernel refuses ({error.strerror})"
    if os.getppid() != cell.parent:  # it died before we asked
        sys.exit(1)
    if told.value != signal.SIGKILL or os.getsid(0) != os.getpid():
        return "it is in a session of others"
    return ""


def close_parent(cell: Cell) -> str:
    """Find that the parent's environment and memory are shut. The parent shut them itself."""
    for name in ("environ", "mem"):
        try:
            with open(f"/proc/{cell.parent}/{name}", "rb"):
                return f"/proc/{cell.parent}/{name} can be opened"
        except OSError:
            continue
    return ""


def close_limits(cell: Cell) -> str:
    """Set what the kernel enforces: memory, processor time, no files, no core, few threads."""
    threads = THREADS_PER_CORE * (os.cpu_count() or 1) + MORE_THREADS
    wanted = {
        "AS": (cell.memory, cell.memory),
        "CPU": (cell.seconds, cell.seconds + 5),
        "CORE": (0, 0),
        "FSIZE": (0, 0),
        "NOFILE": (0, 0),  # no further descriptor: those that are open stay
        "MEMLOCK": (0, 0),
    }
    if sys.platform == "darwin":
        del wanted["AS"]  # it refuses this limit
    if os.geteuid() >= OWN_USERS:  # others' threads would count too
        wanted["NPROC"] = (threads, threads)
    for name, limits in wanted.items():
        number = getattr(resource, f"RLIMIT_{name}")
        try:
            resource.setrlimit(number, limits)
        except (ValueError, OSError) as error:
            return f"RLIMIT_{name} is refused ({error})"
        if resource.getrlimit(number) != limits:
            return f"RLIMIT_{name} is not kept"
    if sys.platform == "linux" and "NPROC" not in wanted:
        return _limit_shared_threads(threads)
    return ""


def _limit_shared_threads(threads: int) -> str:
    """Limit the threads of a user that has others, of which some may be out of our sight.

    The kernel counts all of that user's, also those in other containers. So the limit is what lets
    one more start, found by doubling, and room for the service to grow.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    most = hard if hard != resource.RLIM_INFINITY else MOST_THREADS
    limit = threads
    while limit < most:
        resource.setrlimit(resource.RLIMIT_NPROC, (limit, hard))
        if _starts_thread():
            break
        limit *= 2
    limit = min(limit + OTHERS_THREADS, most)
    try:
        resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
    except (ValueError, OSError) as error:
        return f"RLIMIT_NPROC is refused ({error})"
    return ""


def _starts_thread() -> bool:
    thread = threading.Thread(target=int)
    try:
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True
