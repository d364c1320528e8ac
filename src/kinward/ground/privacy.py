"""What a process keeps from other processes of the same user: its memory and its environment."""

import ctypes
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4


def close_memory() -> None:
    """Shut `/proc/<pid>/environ` and `mem` of this process to all but root. No core is written.

    Linux only; elsewhere it does nothing. Forked processes inherit it, new programs do not.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
