"""How far a process steps back for others on its machine."""

import contextlib
import errno
import os
import time
from pathlib import Path
from typing import Final

LEAST: Final = 19
TRIES: Final = 6
PAUSE: Final = 0.05  # seconds. Linux takes one such change in 0.1 seconds from an ordinary user.


def step_back(steps: int, process: int = 0) -> None:
    """Make a process `steps` steps nicer than the caller is. `process`: 0 is the caller.

    With autogrouping, Linux shares processors between sessions first, and niceness counts only
    within a session. So a process that leads a session takes the whole session back. See
    sched(7), "The autogroup feature". Where the system refuses, the process stays as it is.
    """
    niceness = min(LEAST, os.nice(0) + steps)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process, niceness)
        if os.getsid(process) == (process or os.getpid()):
            _set_group(Path(f"/proc/{process or 'self'}/autogroup"), niceness)


def _set_group(group: Path, niceness: int) -> None:
    for _ in range(TRIES):
        try:
            with group.open("r+") as file:  # never created
                file.write(f"{niceness}\n")
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            time.sleep(PAUSE)
        else:
            return
