"""The program of the filter, judged on both architectures by running it as the kernel would."""

import errno
import struct

import pytest

from kinward.media.cell.seccomp import (
    ALLOW,
    ARCHITECTURES,
    AUDIT,
    ERRNO,
    KILL,
    THREAD,
    X32,
    build_filter,
)
from kinward.media.cell.syscalls import ALLOWED, DEADLY, JUDGED, SECCOMP

PID = 4711
EPERM, ENOSYS = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
EACH = pytest.mark.parametrize("arch", ARCHITECTURES)
# open, openat, openat2, creat, unlinkat, renameat2, dup, pipe2, epoll_create1, chmod family, ioctl
OTHERS = {"x86-64": (2, 257, 437, 85, 263, 316, 32, 293, 291, 268, 16, 302), "arm64": (56, 437)}


def judge(arch: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """Run the program on struct seccomp_data, as BPF is run."""
    words = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("=iIQ6Q", number, AUDIT[arch] if audit is None else audit, 0, *words)
    program, at, loaded = build_filter(arch, PID), 0, 0
    while True:
        code, true, false, operand = program[at]
        at += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("=I", data, operand)
            case 0x06:
                return operand
            case 0x15:
                at += true if loaded == operand else false
            case 0x35:
                at += true if loaded >= operand else false
            case 0x45:
                at += true if loaded & operand else false
            case _:
                raise AssertionError(code)


def number(name: str, arch: str) -> int:
    found = (ALLOWED | JUDGED | DEADLY)[name][ARCHITECTURES.index(arch)]
    assert found is not None
    return found


@EACH
def test_what_decoding_needs_is_allowed_and_what_it_never_does_is_deadly(arch: str) -> None:
    at = ARCHITECTURES.index(arch)
    for table, verdict in ((ALLOWED, ALLOW), (DEADLY, KILL)):
        for name, numbers in table.items():
            if (found := numbers[at]) is not None:
                assert judge(arch, found) == verdict, name
    assert {judge(arch, other) for other in OTHERS[arch]} == {EPERM}
    assert judge(arch, SECCOMP[at]) == EPERM
    assert judge(arch, 9999) == EPERM


@EACH
def test_no_call_is_in_two_tables(arch: str) -> None:
    at = ARCHITECTURES.index(arch)
    numbers = [
        pair[at] for table in (ALLOWED, JUDGED, DEADLY) for pair in table.values() if pair[at]
    ]
    assert len(numbers) == len(set(numbers))
    assert len(build_filter(arch, PID)) < 4096  # the kernel's limit


@EACH
def test_threads_start_and_processes_do_not(arch: str) -> None:
    clone = number("clone", arch)
    assert [judge(arch, clone, flags) for flags in THREAD] == [ALLOW, ALLOW]
    # fork, vfork, a thread in a user namespace, a thread without the parent's memory
    for flags in (0x11, 0x4111, THREAD[0] | 0x10000000, THREAD[0] & ~0x100, 0):
        assert judge(arch, clone, flags) == KILL
    assert judge(arch, number("clone3", arch)) == ENOSYS


@EACH
def test_memory_is_never_made_executable(arch: str) -> None:
    for name in ("mmap", "mprotect"):
        for protection in range(8):
            verdict = judge(arch, number(name, arch), 0, 4096, protection)
            assert verdict == (EPERM if protection & 4 else ALLOW)


@EACH
def test_only_itself_is_signalled_and_only_names_are_set(arch: str) -> None:
    assert judge(arch, number("tgkill", arch), PID, PID, 6) == ALLOW
    assert judge(arch, number("tgkill", arch), PID + 1, PID, 6) == KILL
    prctl = number("prctl", arch)
    assert [judge(arch, prctl, option) for option in (15, 0x53564D41)] == [ALLOW, ALLOW]
    # PDEATHSIG, DUMPABLE, KEEPCAPS, SECCOMP, SECUREBITS, CAP_AMBIENT
    assert {judge(arch, prctl, option) for option in (1, 4, 8, 22, 28, 47)} == {EPERM}


def test_numbers_of_another_architecture_are_deadly() -> None:
    for arch, other in (("x86-64", AUDIT["arm64"]), ("arm64", AUDIT["x86-64"])):
        assert judge(arch, number("read", arch), audit=other) == KILL
    assert judge("x86-64", number("read", "x86-64"), audit=0x40000003) == KILL  # i386
    assert judge("x86-64", X32 | number("read", "x86-64")) == KILL
