"""macOS: the system's sandbox, in its profile for pure computation. Not tried by our tests."""

import ctypes
import os
from typing import Final

NAMED: Final = 1  # SANDBOX_NAMED: the profile is one of the system's own
PURE_COMPUTATION: Final = b"pure-computation"  # kSBXProfilePureComputation: no system service


def close_sandbox() -> str:
    """Enter the sandbox, and try it. Returns "" if it stands, else the reason."""
    try:
        enter = ctypes.CDLL(None).sandbox_init
    except AttributeError:
        return "this system has no sandbox_init"
    message = ctypes.c_char_p()
    if enter(ctypes.c_char_p(PURE_COMPUTATION), ctypes.c_uint64(NAMED), ctypes.byref(message)):
        return (message.value or b"the system refuses it").decode(errors="replace")
    try:
        os.close(os.open("/etc/passwd", os.O_RDONLY))
    except OSError:
        return ""
    return "a file can still be opened"
