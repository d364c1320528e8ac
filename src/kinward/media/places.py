"""Places at the decoders, for threads that wait for their turn."""

import contextlib
import threading
from collections.abc import Iterable, Iterator

from kinward.ground.turns import Lane, Turn, Turns
from kinward.media.errors import Busy


class Places:
    """Turns for threads. Thread-safe."""

    def __init__(self, most: int, lanes: Iterable[Lane]) -> None:
        self._turns = Turns(most, lanes)
        self._changed = threading.Condition()

    @property
    def running(self) -> int:
        """How many places are taken."""
        with self._changed:
            return len(self._turns.running)

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        with self._changed:
            return self._turns.waiting

    @contextlib.contextmanager
    def taken(self, turn: Turn, patience: float) -> Iterator[None]:
        """Wait for a place, and give it back. Raises `Busy` after `patience` seconds."""
        with self._changed:
            self._turns.enter(turn)
            self._start()
            if not self._changed.wait_for(lambda: turn.running, patience):
                delay = self._turns.delay(turn.lane, turn.payer, 0.0)
                self._turns.withdraw(turn)
                busy = Busy()
                busy.retry_after = delay.seconds
                raise busy
        try:
            yield
        finally:
            with self._changed:
                self._turns.leave(turn)
                self._start()

    def move(self, turn: Turn, lane: str) -> bool:
        """Let a thread go on in another lane, if that has room."""
        with self._changed:
            moved = self._turns.move(turn, lane)
            self._start()
            return moved

    def _start(self) -> None:
        if self._turns.start():
            self._changed.notify_all()
