"""A time limit on a decoder, which can be extended once."""

import threading
import time
from collections.abc import Callable


class Overdue:
    """Calls `stop` after so many seconds, unless it is cancelled. `late`: whether it did."""

    def __init__(self, stop: Callable[[], None], seconds: float) -> None:
        self.seconds, self.late, self._extended = seconds, False, False
        self._call, self._began = stop, time.monotonic()
        self._timer = self._start(seconds)

    def _start(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._stop)
        timer.start()
        return timer

    def _stop(self) -> None:
        self.late = True
        self._call()

    def extend(self, seconds: float) -> None:
        """Set the limit to `seconds` from the beginning, unless that was done before."""
        if self._extended or seconds <= self.seconds:
            return
        self._timer.cancel()
        self._extended, self.seconds = True, seconds
        self._timer = self._start(max(0.0, self._began + seconds - time.monotonic()))

    def cancel(self) -> None:
        """End the limit."""
        self._timer.cancel()
