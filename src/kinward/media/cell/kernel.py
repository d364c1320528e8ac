"""Calls of the Linux kernel for which Python has no function."""

import ctypes
import os
import platform
from functools import cache
from typing import Any, Final

PR_SET_PDEATHSIG: Final = 1
PR_GET_PDEATHSIG: Final = 2
PR_SET_NO_NEW_PRIVS: Final = 38
PR_GET_NO_NEW_PRIVS: Final = 39
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_CLEAR_ALL: Final = 4


def architecture() -> str:
    """Return `x86-64` or `arm64`; empty for any other."""
    names = {"x86_64": "x86-64", "amd64": "x86-64", "aarch64": "arm64", "arm64": "arm64"}
    return names.get(platform.machine().lower(), "") if ctypes.sizeof(ctypes.c_void_p) == 8 else ""


def prctl(option: int, *arguments: int) -> int:
    """Change or ask an attribute of this process. Raises `OSError`."""
    words = [ctypes.c_ulong(word) for word in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc().prctl(ctypes.c_int(option), *words))


def syscall(number: int, *arguments: Any) -> int:
    """Make a system call. Each argument is an integer or a ctypes pointer. Raises `OSError`."""
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return _checked(_libc().syscall(ctypes.c_long(number), *words))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc
