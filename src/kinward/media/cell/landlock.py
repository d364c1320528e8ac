"""No file system and no network, by Landlock: the process gives up every right and keeps none."""

import ctypes
import errno
import os
import struct
from typing import Final

from kinward.media.cell.kernel import syscall
from kinward.media.cell.syscalls import LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF

VERSION: Final = 1  # the flag that asks for the version of the interface
# Rights on files that each version of the interface knows: execute, write, read, list, remove,
# make; then also move, truncate, and control devices.
FILES: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
NETWORK_SINCE: Final = 4
NETWORK: Final = 0b11  # to bind and to connect TCP
SCOPES_SINCE: Final = 6
SCOPES: Final = 0b11  # no abstract Unix sockets, and no signals, of processes outside


def close_landlock() -> str:
    """Give up all rights on files and the network, and try. Returns "" or why it does not stand.

    Landlock holds for the thread that asks and for those it starts, so there must be no other.
    """
    try:
        version = syscall(LANDLOCK_CREATE_RULESET, 0, 0, VERSION)
    except OSError as error:
        known = {
            errno.ENOSYS: "the kernel does not have it: Linux 5.13 or newer does",
            errno.EOPNOTSUPP: "it is switched off: add it to `lsm=` of the kernel's command line",
            errno.EPERM: "the container's seccomp profile forbids it",
        }
        return known.get(error.errno or 0, error.strerror or "the kernel refuses it")
    try:
        rules = syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(_rights(version)), _size(version), 0)
        try:
            syscall(LANDLOCK_RESTRICT_SELF, rules, 0)
        finally:
            os.close(rules)
    except OSError as error:
        return f"the kernel refuses it ({error.strerror})"
    return _tried()


def _rights(version: int) -> ctypes.Array[ctypes.c_char]:
    """Return struct landlock_ruleset_attr: what is given up, as this version knows it."""
    files = FILES[max(known for known in FILES if known <= version)]
    network = NETWORK if version >= NETWORK_SINCE else 0
    scopes = SCOPES if version >= SCOPES_SINCE else 0
    return ctypes.create_string_buffer(struct.pack("=QQQ", files, network, scopes))


def _size(version: int) -> int:
    """Return the bytes of that struct which this version knows."""
    return 8 * (1 + (version >= NETWORK_SINCE) + (version >= SCOPES_SINCE))


def _tried() -> str:
    try:
        os.close(os.open("/", os.O_RDONLY))
    except OSError as error:
        if error.errno != errno.EACCES:
            return f"it is not asked ({error.strerror})"
    else:
        return "a directory can still be opened"
    return ""
