"""Code that has taken a decoder over reaches nothing: it is run, as a decoder runs, and tries."""

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import pytest

from kinward.media.cell import WALLS
from tests.support.breakout import SECRET

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")

ORDINARY = 61234  # a user that no system has
ROOT = os.geteuid() == 0
# As root we try both; whoever runs the tests as an ordinary user is one.
USERS = ("root", "ordinary") if ROOT else ("ordinary",)

FILL = "pieces = []\nwhile len(pieces) < 4096: pieces.append(mmap.mmap(-1, 1 << 20, flags={}))"
# Small stacks: the limit on memory would stop large ones.
BOMB = (
    "threading.stack_size(32768)\n"
    "end, threads = threading.Event(), []\n"
    "try:\n"
    "    while len(threads) < 4000:\n"
    "        threads.append(threading.Thread(target=end.wait))\n"
    "        threads[-1].start()\n"
    "except RuntimeError: raise OSError(f'after {len(threads)}')\n"
    "finally:\n"
    "    end.set()\n"
    "    for thread in threads[:-1]: thread.join()\n"
)
ATTEMPTS = {
    "read a secret": "got = open(SECRETS + '/evidence_key').read()",
    "list the secrets": "got = os.listdir(SECRETS)",
    "look whether a secret is there": "got = os.stat(SECRETS + '/evidence_key')",
    "read the parent's environment": "got = open(f'/proc/{PARENT}/environ').read()",
    "read the parent's memory": "got = open(f'/proc/{PARENT}/mem', 'rb')",
    "read the parent's files": "got = os.listdir(f'/proc/{PARENT}/fd')",
    "read the list of users": "got = open('/etc/passwd').read()",
    "read a library": "got = open(LIBRARY).read()",
    "read a device": "got = open('/dev/urandom', 'rb').read(1)",
    "list a directory": "got = os.listdir('/')",
    "list processes": "got = os.listdir('/proc')",
    "write a new file": "got = open(OPEN + '/new', 'w').write('x')",
    "write a file": "got = open(OPEN + '/victim', 'a').write('x')",
    "truncate a file": "os.truncate(OPEN + '/victim', 0)",
    "remove a file": "os.remove(OPEN + '/victim')",
    "rename a file": "os.rename(OPEN + '/victim', OPEN + '/gone')",
    "link a file": "os.symlink('/etc/passwd', OPEN + '/link')",
    "make a directory": "os.mkdir(OPEN + '/new')",
    "change a file's mode": "os.chmod(OPEN + '/victim', 0o777)",
    "change the directory": "os.chdir(OPEN)",
    "connect by TCP": "socket.create_connection(('127.0.0.1', PORT))",
    "send by UDP": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
    "connect by a Unix socket": "socket.socket(socket.AF_UNIX).connect(OPEN + '/socket')",
    "connect by an abstract socket": "socket.socket(socket.AF_UNIX).connect(ABSTRACT)",
    "make a pair of sockets": "socket.socketpair()",
    "fork": "got = os.fork()\nif not got: os._exit(0)",
    "run a program": "os.execv('/bin/true', ['true'])",
    "run a program beside it": "got = subprocess.run(['/bin/true'])",
    "trace the parent": "check(libc.ptrace(16, PARENT, 0, 0))",
    "read the parent by a call": "check(libc.syscall(310, PARENT, 0, 0, 0, 0, 0))",
    "hold on to the parent": "check(libc.syscall(434, PARENT, 0))",
    "signal the parent": "os.kill(PARENT, signal.SIGCONT)",
    "signal a thread of the parent": "check(libc.syscall(234, PARENT, PARENT, signal.SIGCONT))",
    "signal all processes": "os.kill(-1, signal.SIGCONT)",
    "become root": "os.setresuid(0, 0, 0)",
    "become root of a world of its own": "check(libc.unshare(0x10000000))",
    "change the root": "os.chroot('/')",
    "mount": "check(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))",
    "use io_uring": "check(libc.syscall(425, 1, 0))",
    "use bpf": "check(libc.syscall(321, 0, 0, 0))",
    "make a file in memory": "os.memfd_create('x')",
    "share memory": "check(libc.shmget(0, 4096, 0o1777))",
    "read keys of the kernel": "check(libc.syscall(250, 0, -3, 0))",
    "make memory executable": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "copy a descriptor": "got = os.dup(0)",
    "make a pipe": "got = os.pipe()",
    "raise its limits": "check(libc.setrlimit(7, bytes([64] + [0] * 7) * 2))",
    "be dumped": "check(libc.prctl(4, 1, 0, 0, 0))",
    "gain privileges again": "check(libc.prctl(38, 0, 0, 0, 0))",
    "outlive the parent": "check(libc.prctl(1, 0, 0, 0, 0))",
    "fork in another way": "got = check(libc.syscall(58))\nif not got: os._exit(0)",
    "clone itself": "got = check(libc.syscall(56, 17, 0, 0, 0, 0))\nif not got: os._exit(0)",
    "clone itself in the newest way": "check(libc.syscall(435, bytes(88), 88))",
    "run a descriptor": "check(libc.syscall(322, 0, b'', None, None, 0x1000))",
    "handle page faults": "check(libc.syscall(323, 0))",
    "count events": "check(libc.syscall(298, bytes(128), PARENT, -1, -1, 0))",
    "add a key": "check(libc.syscall(248, b'user', b'x', b'x', 1, -3))",
    "take a descriptor of the parent": "check(libc.syscall(438, 0, 1, 0))",
    "write the parent's memory": "check(libc.syscall(311, PARENT, 0, 0, 0, 0, 0))",
    "raise the parent's limits": "check(libc.syscall(302, PARENT, 7, None, bytes(16)))",
    "join another world": "check(libc.syscall(308, 0, 0))",
    "open beside a descriptor": "got = os.open('../etc/passwd', os.O_RDONLY, dir_fd=0)",
    "open a descriptor again": "got = open('/proc/self/fd/0', 'rb')",
    "open by a handle": "check(libc.syscall(304, 0, bytes(16), 0))",
    "receive signals by a descriptor": "check(libc.syscall(289, -1, bytes(8), 8, 0))",
    "open a queue": "check(libc.syscall(240, b'/x', 0o102, 0o600, None))",
    "make secret memory": "check(libc.syscall(447, 0))",
    "make old memory executable": (
        "block = mmap.mmap(-1, 4096)\n"
        "place = ctypes.addressof(ctypes.c_char.from_buffer(block))\n"
        "check(libc.mprotect(ctypes.c_void_p(place), 4096, 7))"
    ),
    "make memory executable by a key": "check(libc.syscall(329, 0, 4096, 7, 0))",
    "make memory executable by habit": "check(libc.syscall(135, 0x0400000))",
    "call by short pointers": "check(libc.syscall(0x40000000 | 39))",
    "change its segments": "check(libc.syscall(154, 1, bytes(16), 16))",
    "reach ports of the machine": "check(libc.syscall(172, 3))",
    "move bytes between pipes": "check(libc.syscall(275, 0, None, 3, None, 1, 0))",
    "ask a device": "got = fcntl.ioctl(3, 0x541B, bytes(4))",
    "enlarge a pipe": "got = fcntl.fcntl(3, 1031, 1 << 20)",
    "watch files": "check(libc.syscall(294, 0))",
    "wait for many": "check(libc.syscall(291, 0))",
    "be more urgent": "os.nice(-5)",
    "choose its processor": "os.sched_setaffinity(0, {0})",
    "set the clock": "check(libc.syscall(227, 0, bytes(16)))",
    "begin without a terminal": "os.setsid()",
    "ask for its number as i386 does": "got = i386(20, 0, 0)",
    "fork as i386 does": "got = i386(2, 0, 0)\nif not got: os._exit(0)",
    "make a socket as i386 does": "got = i386(102, 1, 0)",
    "take more memory than it may": "mmap.mmap(-1, 2 << 30)",
    "take its memory piece by piece": FILL.format("mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS"),
    "share its memory piece by piece": FILL.format("mmap.MAP_SHARED | mmap.MAP_ANONYMOUS"),
    "keep memory from being swapped": "check(libc.mlockall(3))",
    "make a file in shared memory": "got = os.open('/dev/shm/x', os.O_CREAT | os.O_RDWR)",
    "start threads without end": BOMB,
    "be under no filter": "check(libc.syscall(317, 1, 0, bytes(16)))",
}
# These numbers are of x86-64. arm64 is held by the program of the filter, in `test_seccomp.py`.
X86_64_ONLY = tuple(
    name for name, code in ATTEMPTS.items() if "libc.syscall" in code or "i386(" in code
)

# The wall, who runs it, walls taken away beside, and what only this wall stops then.
ALONE = [
    ("seccomp", "root", [], "fork"),
    ("seccomp", "ordinary", [], "fork"),
    ("landlock", "root", ["seccomp", "limits"], "read the list of users"),
    ("landlock", "ordinary", ["seccomp", "limits"], "read a secret"),
    ("landlock", "ordinary", ["seccomp", "limits"], "connect by TCP"),
    ("limits", "root", ["seccomp", "landlock"], "read the list of users"),
    ("limits", "ordinary", ["seccomp", "landlock"], "read a secret"),
    ("user", "root", ["seccomp", "landlock", "limits"], "read a secret"),
    ("privileges", "root", ["seccomp", "landlock", "limits", "user", "parent"], "change the root"),
    ("parent", "ordinary", ["seccomp", "landlock", "limits"], "read the parent's environment"),
]


def command(user: str, *program: str) -> list[str]:
    """The command line of a program as this user."""
    python = [sys.executable, *program]
    if user == "root" or not ROOT:
        return python
    ids = [f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"]
    if not readable_by_all():  # as where Python is in root's home; the decoder drops it
        ids += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return ["setpriv", *ids, *python]


def readable_by_all() -> bool:
    places = (sys.executable, sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), __file__)
    resolved = {place for path in places for place in Path(path).resolve().parents}
    return all(place.stat().st_mode & stat.S_IXOTH for place in resolved)


def run(user: str, *wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Run attempts in decoders of a parent that is this user; returns the outcomes of each."""
    done = subprocess.run(
        command(user, "-m", "tests.support.breakout"),
        input="".join(json.dumps(line) + "\n" for line in wanted),
        env={**os.environ, "KINWARD_EVIDENCE_KEY": SECRET},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("user", USERS)
def test_code_in_a_decoder_reaches_nothing(user: str) -> None:
    native = os.uname().machine == "x86_64"
    attempts = {name: code for name, code in ATTEMPTS.items() if native or name not in X86_64_ONLY}
    (found,) = run(user, {"without": [], "attempts": attempts})
    assert found["walls"] == {"standing": list(WALLS), "missing": {}}
    outcomes = found["outcomes"]
    assert set(outcomes) == set(attempts)
    got_through = {
        name: outcome
        for name, outcome in outcomes.items()
        if outcome["outcome"] not in ("refused", "killed") or not outcome["untouched"]
    }
    assert got_through == {}
    deaths = {name: one["got"] for name, one in outcomes.items() if one["outcome"] == "killed"}
    # A kernel may have no calls of i386 at all.
    missing = {str(-signal.SIGSEGV)} if native else set()
    for name, status in deaths.items():
        assert status in {str(-signal.SIGSYS), *(missing if "i386" in name else ())}, name
    assert not any(SECRET in outcome["got"] for outcome in outcomes.values())


@pytest.mark.parametrize("user", USERS)
def test_code_in_a_decoder_has_nothing_by_inheritance(user: str) -> None:
    seen = {
        "environment": "got = sorted(os.environ)",
        "descriptors": (
            "import errno\n"
            "got = {}\n"
            "for number in range(256):\n"
            "    try: got[number] = os.lseek(number, 0, 1)\n"
            "    except OSError as error:\n"
            "        if error.errno != errno.EBADF: got[number] = errno.errorcode[error.errno]\n"
        ),
        "user": "got = (os.getuid(), os.getgid())",
        "threads": "thread = threading.Thread(target=int)\nthread.start()\ngot = thread.join()",
    }
    (found,) = run(user, {"without": [], "attempts": seen})
    got = {name: outcome["got"] for name, outcome in found["outcomes"].items()}
    assert {outcome["outcome"] for outcome in found["outcomes"].values()} == {"done"}
    assert "KINWARD" not in got["environment"]
    assert got["descriptors"] == str(dict.fromkeys(range(4), "ESPIPE"))  # pipes
    number, group = json.loads(got["user"].replace("(", "[").replace(")", "]"))
    assert number == group != 0
    assert (number > 0x7000_0000) == (user == "root")


@pytest.mark.parametrize(("wall", "user", "beside", "attempt"), ALONE)
def test_each_wall_stops_something_that_no_other_does(
    wall: str, user: str, beside: list[str], attempt: str
) -> None:
    if user not in USERS:
        user = "ordinary"
        if wall in ("user", "privileges"):
            return  # an ordinary user has neither to lose
    wanted = {"attempts": {attempt: ATTEMPTS[attempt]}, "last": wall == "parent"}
    # A parent of its own for each, since it shuts its memory once and for all.
    (held,) = run(user, {**wanted, "without": beside})
    (open_,) = run(user, {**wanted, "without": [*beside, wall]})
    assert held["outcomes"][attempt]["outcome"] in ("refused", "killed")
    assert open_["outcomes"][attempt]["outcome"] == "done", open_
    assert wall in held["walls"]["standing"]
    assert wall not in open_["walls"]["standing"]


@pytest.mark.parametrize("user", USERS)
def test_a_busy_decoder_ends_with_its_parent(user: str) -> None:
    program = (
        "import sys, threading\n"
        "from tests.support.breakout import Parent, ask, start\n"
        "decoder = start(sys.argv[1:])\n"
        "threading.Timer(1, lambda: print(decoder.process.pid, flush=True)).start()\n"
        "ask(decoder, 'while True: pass', Parent())\n"
    )
    for without in ([], ["lifetime"]):
        parent = subprocess.Popen(
            command(user, "-c", program, *without), stdout=subprocess.PIPE, text=True
        )
        assert parent.stdout is not None
        number = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 10
        while runs(number) and not without and time.monotonic() < deadline:
            time.sleep(0.05)
        assert runs(number) == bool(without)
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def runs(number: int) -> bool:
    """Whether a process is there and not only its exit status."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_inherited_descriptor_or_variable_is_closed_or_noticed(tmp_path: Path) -> None:
    secret = os.open(tmp_path, os.O_RDONLY)
    program = (
        "import os, sys\n"
        "from kinward.media.cell.process import Cell, close_environment, close_pipes\n"
        "cell = Cell(0, 0, 0)\n"
        "out = os.dup(1)\n"
        "assert 'SECRET_OF_OURS' in close_environment(cell)\n"
        "fault = close_pipes(cell)\n"
        "try: os.fstat(int(sys.argv[1]))\n"
        "except OSError: os.write(1, fault.encode() or b'closed')\n"
    )
    os.dup2(secret, 99)
    done = subprocess.run(
        [sys.executable, "-c", program, "99"],
        env={**os.environ, "SECRET_OF_OURS": "x"},
        input=b"",
        capture_output=True,
        pass_fds=(99,),
        check=True,
    )
    os.close(secret)
    os.close(99)
    assert done.stdout == b"closed", done


def test_setpriv_is_here_if_the_tests_run_as_root() -> None:
    assert not ROOT or shutil.which("setpriv"), "Install util-linux: the tests try both users."
