"""Who was refused, in the log: a line for each, and beyond a bound only their number."""

import threading
import time
from typing import Final

import structlog

from kinward.ground.names import visible

log = structlog.get_logger(__name__)

MINUTE: Final = 60.0
LINES: Final = 60  # in a minute, of one process
MAX_TEXT: Final = 200  # characters


class RefusalLog:
    """Writes at most some lines a minute, and then how many it left out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began, self._lines = 0.0, 0

    def write(self, *, code: str, who: str, where: str) -> None:
        """Log a refusal: the error's code, an actor or a network, and an endpoint or a path."""
        now = time.monotonic()
        with self._lock:
            left_out = 0
            if now - self._began >= MINUTE:
                left_out = max(0, self._lines - LINES)
                self._began, self._lines = now, 0
            self._lines += 1
            written = self._lines <= LINES
        if left_out:
            log.warning("access.refused_more", count=left_out)
        if written:
            who, where = visible(who[:MAX_TEXT]), visible(where[:MAX_TEXT])
            log.warning("access.refused", code=code, who=who, where=where)


_refusals: Final = RefusalLog()


def log_refusal(*, code: str, who: str, where: str) -> None:
    """Log a refusal of this process. Never names a secret: `where` is no address with a query."""
    _refusals.write(code=code, who=who, where=where)
