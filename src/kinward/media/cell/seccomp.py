"""The filter of system calls: what decoding needs, and nothing else (seccomp, BPF).

It allows no call that opens a file or a socket, starts a process, or reaches another process, and
no memory that can be executed and was not when it closed. It also ends calls of another
architecture, which have other numbers.
"""

import ctypes
import errno
import os
import struct
import threading
from collections.abc import Iterator
from typing import Final

from kinward.media.cell.kernel import architecture, syscall
from kinward.media.cell.syscalls import ALLOWED, DEADLY, JUDGED, SECCOMP, Numbers

ARCHITECTURES: Final = ("x86-64", "arm64")
AUDIT: Final = {"x86-64": 0xC000003E, "arm64": 0xC00000B7}  # AUDIT_ARCH_X86_64, _AARCH64
X32: Final = 0x40000000  # x86-64: the numbers of the ABI with short pointers begin here
NUMBER, ARCH, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

PROT_EXEC: Final = 4
# The flags with which the C libraries start a thread: glibc's, and musl's, which has one more.
THREAD: Final = (0x003D0F00, 0x007D0F00)
# prctl: the name of a thread, and the name of a piece of memory.
NAMES: Final = (15, 0x53564D41)

SET_MODE_FILTER, TSYNC = 1, 1

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def build_filter(arch: str, own_pid: int) -> list[Instruction]:
    """Return the program for an architecture (`x86-64`, `arm64`) and the process with this pid."""
    program: list[Instruction] = [
        (LOAD, 0, 0, ARCH),
        (EQUAL, 1, 0, AUDIT[arch]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, KILL),
    ]
    for _, number in _numbers(ALLOWED, arch):
        program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    for name, number in _numbers(JUDGED, arch):
        rule = _rule(name, own_pid)
        program += [(EQUAL, 0, len(rule), number), *rule]
    for _, number in _numbers(DEADLY, arch):
        program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, KILL)]
    return [*program, (RETURN, 0, 0, ERRNO | errno.EPERM)]


def close_seccomp() -> str:
    """Put the filter on all threads, and try it. Returns "" if it stands, else the reason."""
    arch = architecture()
    if not arch:
        return f"there is no filter for {os.uname().machine}"
    code = b"".join(struct.pack("=HBBI", *line) for line in build_filter(arch, os.getpid()))
    lines = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a length, and a pointer at the next multiple of 8.
    program = ctypes.create_string_buffer(
        struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(lines))
    )
    number = SECCOMP[ARCHITECTURES.index(arch)]
    try:
        stray = syscall(number, SET_MODE_FILTER, TSYNC, ctypes.byref(program))
    except OSError as error:
        return f"the kernel refuses a filter ({error.strerror})"
    if stray:
        return "a thread has a filter of its own"
    return _tried()


def _tried() -> str:
    try:
        os.open("/", os.O_RDONLY)
        return "the filter lets a directory be opened"
    except OSError as error:
        if error.errno != errno.EPERM:
            return f"the filter is not asked ({error.strerror})"
    thread = threading.Thread(target=int)
    try:
        thread.start()
    except RuntimeError:
        return "the filter lets no thread start, which libraries need"
    thread.join()
    return ""


def _rule(name: str, own_pid: int) -> list[Instruction]:
    """Return what judges a call by its arguments. It returns in every case."""
    deny = (RETURN, 0, 0, ERRNO | errno.EPERM)
    kill = (RETURN, 0, 0, KILL)
    allow = (RETURN, 0, 0, ALLOW)
    match name:
        case "mmap" | "mprotect":
            return [_load(2), (ANY_BIT, 1, 0, PROT_EXEC), allow, deny]
        case "clone":
            return [_load(0), (EQUAL, 2, 0, THREAD[0]), (EQUAL, 1, 0, THREAD[1]), kill, allow]
        case "prctl":
            return [_load(0), (EQUAL, 2, 0, NAMES[0]), (EQUAL, 1, 0, NAMES[1]), deny, allow]
        case "tgkill":  # abort(3) of the C library; not for others
            return [_load(0), (EQUAL, 1, 0, own_pid), kill, allow]
        case _:  # clone3: its flags are in memory, which a filter cannot read; clone stands in
            return [(RETURN, 0, 0, ERRNO | errno.ENOSYS)]


def _load(argument: int) -> Instruction:
    """Load the lower half of an argument. The kernel ignores the upper half of all of these."""
    return (LOAD, 0, 0, ARGUMENTS + 8 * argument)


def _numbers(table: Numbers, arch: str) -> Iterator[tuple[str, int]]:
    for name, numbers in table.items():
        number = numbers[ARCHITECTURES.index(arch)]
        if number is not None:
            yield name, number
