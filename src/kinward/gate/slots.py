"""Slots of the gate: who works when, and who is told to come back, and when."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

from kinward.gate.limits import AccountLimit, KeyLimit
from kinward.ground.errors import KinwardError
from kinward.ground.turns import Delay, Lane, Payer, Turn, Turns
from kinward.media import FILMS, PICTURES, Busy

FETCHES: Final = "fetch"  # files that Kinward fetches, or unseals
CALLS: Final = "call"  # whatever only needs the database
CHECKS: Final = "check"  # calls that are answered together: they wait, and hold no thread
BATCHES: Final = "batch"  # many questions at once, which only compute
PARTS: Final = "parts"  # many things at once, each of which is written
MOST_CHECKS: Final = 512  # calls that wait for their group at a time
LEAST_SLOTS: Final = 4
FURTHEST: Final = 600.0  # seconds: nobody is told to wait longer
MAX_PROMISES: Final = 1000
LATE: Final = 2.0  # times our patience, after which an estimate was wrong


class Slots:
    """Places for work in threads, given by turns. For the event loop only.

    `patience`: seconds. Work that would wait longer is refused before it waits.
    """

    def __init__(self, most: int, lanes: tuple[Lane, ...], patience: float) -> None:
        self._turns, self._patience = Turns(most, lanes), patience
        self._clock = time.monotonic
        self._promised: dict[Payer, float] = {}  # when the last one who was refused comes back
        self._waiting: dict[Turn, asyncio.Future[None]] = {}

    @property
    def most(self) -> int:
        """How many places there are."""
        return self._turns.most

    def wait(self, payer: Payer) -> float:
        """Return the seconds that new work of a caller would wait, in its slowest lane."""
        return max(self._turns.delay(lane, payer, 0.0).seconds for lane in self._turns.lanes)

    async def take(self, lane: str, payer: Payer, price: float) -> Turn:
        """Wait for a place. Raises `AccountLimit`, `KeyLimit` or `Busy`."""
        delay = self._turns.delay(lane, payer, price)
        if delay.seconds > self._patience:
            raise self._refusal(delay, lane, payer, price)
        turn = Turn(lane, payer, price)
        self._turns.enter(turn)
        self._start()
        if turn.running:
            return turn
        waiting = self._waiting[turn] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(waiting, LATE * self._patience)
        except BaseException as error:
            self._give_up(turn)
            if isinstance(error, TimeoutError):
                late = self._turns.delay(lane, payer, price)
                raise self._refusal(late, lane, payer, price) from None
            raise
        finally:
            self._waiting.pop(turn, None)
        return turn

    def leave(self, turn: Turn) -> None:
        """Give a place back."""
        self._turns.leave(turn)
        self._start()

    @contextlib.asynccontextmanager
    async def taken(self, lane: str, payer: Payer, price: float) -> AsyncIterator[None]:
        """Hold a place for as long as this block lasts."""
        turn = await self.take(lane, payer, price)
        try:
            yield
        finally:
            self.leave(turn)

    def _give_up(self, turn: Turn) -> None:
        if turn.running:  # it got its place at the same moment
            self.leave(turn)
        else:
            self._turns.withdraw(turn)
            self._start()

    def _start(self) -> None:
        for turn in self._turns.start():
            waiting = self._waiting.get(turn)
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    def _refusal(self, delay: Delay, lane: str, payer: Payer, price: float) -> KinwardError:
        """Return the error that says whose work is too much, and when there is room again."""
        error: KinwardError = Busy()
        whose = Payer()
        if payer.account and delay.others < delay.seconds and delay.others <= self._patience:
            error, whose = AccountLimit(), payer
        elif delay.keys <= self._patience and delay.keys < (
            delay.others if payer.account else delay.seconds
        ):
            error, whose = KeyLimit(), Payer(payer.key)
        # After so long, the wait is no longer than our patience. A late estimate counts in full.
        over = delay.seconds - self._patience
        takes = self._turns.takes(lane, price, alone=bool(whose.account))
        error.retry_after = self._promise(whose, over if over > 0 else delay.seconds, takes)
        return error

    def _promise(self, whose: Payer, seconds: float, takes: float) -> float:
        """Return the seconds after which to come back, one refused caller after the other."""
        now = self._clock()
        if len(self._promised) > MAX_PROMISES:
            soon = {who: at for who, at in self._promised.items() if at > now}
            self._promised = soon if len(soon) < MAX_PROMISES else {}
        at = max(now + seconds, self._promised.get(whose, 0.0) + takes)
        self._promised[whose] = min(at, now + FURTHEST)
        return self._promised[whose] - now


def slots_for_files(uploads: int, decoders: int, patience: float) -> Slots:
    """Return the slots for files. Neither films nor fetched files ever have the last one.

    Films have one slot more than decoders, so that they wait here, where a wait is estimated.
    """
    most = max(LEAST_SLOTS, uploads)
    films, fetches = max(2, min(most // 2, decoders)), most // 4
    lanes = (
        Lane(PICTURES, most, max(1, most // 2)),
        Lane(FILMS, films, max(1, films // 2)),
        Lane(FETCHES, fetches, fetches),
    )
    return Slots(most, lanes, patience)


def slots_for_calls(calls: int, patience: float) -> Slots:
    """Return the slots for calls without files. One batch computes at a time, and one writes."""
    lanes = (Lane(CALLS, calls, max(1, calls // 2)), Lane(BATCHES, 1, 1), Lane(PARTS, 1, 1))
    return Slots(calls, lanes, patience)


def slots_for_checks(patience: float) -> Slots:
    """Return the slots for calls that are answered together."""
    return Slots(MOST_CHECKS, (Lane(CHECKS, MOST_CHECKS, MOST_CHECKS // 2),), patience)
