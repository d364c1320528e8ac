"""Turns: who is next when there is more work than there are places. Pure, with the caller's clock.

Work is queued in lanes, in a lane by key, and under a key by account. At each of the three levels
the next is whoever has had the least so far, counted in the price of the work (start-time fair
queueing). Whoever comes back after a pause begins level with the others, so that nobody saves up.
A price is an estimate in seconds. What the work really took is charged when it ends.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

LEAST: Final = 1000  # microseconds: nothing is free, so that nobody is served for ever
SECOND: Final = 1_000_000  # microseconds, in which everything is counted, so that sums are exact
RATIO: Final = (0.2, 50.0)  # bounds on what work takes, as a multiple of its price
LEARN: Final = 0.1  # weight of the newest ratio
MAX_RESTING: Final = 10_000  # accounts of a key, or keys, whose debt is remembered


class Lane(msgspec.Struct, frozen=True):
    """One kind of work. `most`: how much of it runs at a time. `most_each`: of it, of an account.

    An empty account has no limit of its own.
    """

    name: str
    most: int
    most_each: int


class Payer(msgspec.Struct, frozen=True):
    """Who is charged for work: a key and an account. Either may be empty."""

    key: str = ""
    account: str = ""


NOBODY: Final = Payer()


class Turn:
    """A piece of work that waits, or runs. `price`: its estimate in seconds."""

    __slots__ = ("began", "cost", "lane", "payer", "running")

    def __init__(self, lane: str, payer: Payer, price: float) -> None:
        self.lane, self.payer, self.cost = lane, payer, max(LEAST, round(price * SECOND))
        self.running, self.began = False, 0.0


class Delay(msgspec.Struct, frozen=True):
    """Seconds until work would begin. `others`: the same without this account's other work.

    `keys`: the same without all other work of this key.
    """

    seconds: float
    others: float
    keys: float


class _Side:
    """One of those who share: a lane, a key or an account, and what it has had so far."""

    __slots__ = ("floor", "had", "running", "sides", "waiting", "work")

    def __init__(self) -> None:
        self.had = 0  # as charged
        self.floor = 0  # what its sides had when one of them was last served
        self.sides: dict[str, _Side] = {}
        self.waiting: deque[Turn] = deque()  # of an account
        self.running = 0
        self.work = 0  # the cost of what waits below it

    @property
    def idle(self) -> bool:
        return not self.running and not self.work

    def side(self, name: str) -> "_Side":
        """Return a side, level with the others if it comes back."""
        side = self.sides.get(name)
        if side is None:
            side = self.sides[name] = _Side()
        if side.idle:
            side.had = max(side.had, self.floor)
        return side

    def tidy(self, name: str) -> None:
        """Forget a side that rests and owes nothing, and all of them once nobody is served."""
        if self.idle:
            self.sides.clear()
            self.floor = 0
            return
        side = self.sides.get(name)
        if side is not None and side.idle and side.had <= self.floor:
            del self.sides[name]
        if len(self.sides) > MAX_RESTING:
            oldest = next((name for name, side in self.sides.items() if side.idle), None)
            if oldest is not None:
                del self.sides[oldest]


NO_WORK: Final = _Side()  # stands for whoever has no work; never changed


class Turns:
    """Work in lanes that share `most` places. Not thread-safe: callers hold a lock."""

    def __init__(
        self, most: int, lanes: Iterable[Lane], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.most, self._clock = most, clock
        self.lanes = {lane.name: lane for lane in lanes}
        self._root = _Side()
        self._running: dict[Turn, None] = {}
        self._ratios = dict.fromkeys(self.lanes, 1.0)

    @property
    def running(self) -> Sequence[Turn]:
        """The work that has a place."""
        return [*self._running]

    @property
    def waiting(self) -> int:
        """How much work waits."""
        lanes = self._root.sides.values()
        accounts = (
            side for lane in lanes for key in lane.sides.values() for side in key.sides.values()
        )
        return sum(len(account.waiting) for account in accounts)

    def enter(self, turn: Turn) -> None:
        """Queue work."""
        path = self._path(turn)
        path[-1].waiting.append(turn)
        for side in (self._root, *path):
            side.work += turn.cost

    def start(self) -> list[Turn]:
        """Give places to those who are next, and return them."""
        started: list[Turn] = []
        while len(self._running) < self.most and (turn := self._next()) is not None:
            started.append(turn)
        return started

    def withdraw(self, turn: Turn) -> None:
        """Take back work that waits."""
        path = self._path(turn)
        path[-1].waiting.remove(turn)
        for side in (self._root, *path):
            side.work -= turn.cost
        self._tidy(turn)

    def leave(self, turn: Turn) -> None:
        """End work that ran, and charge what it took."""
        del self._running[turn]
        used = max(LEAST, round((self._clock() - turn.began) * SECOND))
        low, high = RATIO
        ratio = min(max(used / turn.cost, low), high)
        self._ratios[turn.lane] += LEARN * (ratio - self._ratios[turn.lane])
        self._root.running -= 1
        for side in self._path(turn):
            side.running -= 1
            side.had += used - turn.cost
        self._tidy(turn)

    def move(self, turn: Turn, lane: str) -> bool:
        """Let work that runs go on in another lane. Return whether that lane has room for it."""
        target = self._root.sides.get(lane, NO_WORK)
        account = target.sides.get(turn.payer.key, NO_WORK).sides.get(turn.payer.account, NO_WORK)
        room = self._has_room_each(lane, turn.payer.account, account)
        if not room or not self._has_room(lane, target):
            return False
        for side in self._path(turn):
            side.running -= 1
            side.had -= turn.cost
        self._tidy(turn)
        turn.lane = lane
        for side in self._path(turn):
            side.running += 1
            side.had += turn.cost
        return True

    def takes(self, lane: str, price: float, *, alone: bool = False) -> float:
        """Return the seconds for which work of this price keeps others of its lane waiting.

        `alone`: others of its account.
        """
        limits = self.lanes[lane]
        places = min(limits.most_each if alone else limits.most, self.most)
        return max(LEAST / SECOND, price) * self._ratios[lane] / places

    def delay(self, lane: str, payer: Payer, price: float) -> Delay:
        """Estimate how long new work would wait, from what waits and what runs."""
        key = self._root.sides.get(lane, NO_WORK).sides.get(payer.key, NO_WORK)
        account = key.sides.get(payer.account, NO_WORK)
        here = [turn for turn in self._running if turn.lane == lane]
        own = sum(self._rest(turn) for turn in here if turn.payer == payer)
        of_key = sum(self._rest(turn) for turn in here if turn.payer.key == payer.key)
        cost, mine = round(price * SECOND), account.work
        seconds = self._wait(lane, payer, self._in_key(key, account, mine, cost), cost)
        each = self.lanes[lane].most_each
        if payer.account and account.running + len(account.waiting) >= each:
            seconds = max(seconds, (mine * self._ratios[lane] / SECOND + own) / each)
        in_key = self._in_key(key, account, 0, cost)
        others = self._wait(lane, payer, in_key, cost, leaves=account.running, rest=own)
        keys = self._wait(lane, payer, 0, cost, leaves=key.running, rest=of_key)
        return Delay(seconds, others, keys)

    @staticmethod
    def _in_key(key: _Side, account: _Side, own: int, cost: int) -> int:
        """Return the cost of own work that waits, and of what other accounts get by then."""
        others = (other.work for other in key.sides.values() if other is not account)
        return own + sum(min(work, own + cost) for work in others)

    def _wait(
        self, lane: str, payer: Payer, ahead: int, cost: int, leaves: int = 0, rest: float = 0.0
    ) -> float:
        """Return the seconds behind so much work of a key, and behind what other keys get by then.

        Without `leaves` pieces of work that run, and the `rest` of these.
        """
        side = self._root.sides.get(lane, NO_WORK)
        others = (other.work for name, other in side.sides.items() if name != payer.key)
        ahead += sum(min(work, ahead + cost) for work in others)
        places = min(self.lanes[lane].most, self.most)
        free = min(places - side.running, self.most - len(self._running)) + leaves
        if free > 0:  # whatever waits nevertheless is held back by a bound of its own
            return 0.0
        full = len(self._running) >= self.most
        rests = (self._rest(turn) for turn in self._running if full or turn.lane == lane)
        running = sum(rests) - rest
        return max(0.0, ahead * self._ratios[lane] / SECOND + running) / places

    def _rest(self, turn: Turn) -> float:
        """Return the seconds that running work probably still takes.

        What takes longer than it should will probably take as long again.
        """
        whole = turn.cost * self._ratios[turn.lane] / SECOND
        spent = self._clock() - turn.began
        return whole - spent if spent < whole else max(LEAST / SECOND, spent)

    def _path(self, turn: Turn) -> tuple[_Side, _Side, _Side]:
        lane = self._root.side(turn.lane)
        key = lane.side(turn.payer.key)
        return lane, key, key.side(turn.payer.account)

    def _tidy(self, turn: Turn) -> None:
        lane = self._root.sides[turn.lane]
        key = lane.sides[turn.payer.key]
        key.tidy(turn.payer.account)
        lane.tidy(turn.payer.key)
        self._root.tidy(turn.lane)

    def _next(self) -> Turn | None:
        """Give a place to the first of the account, key and lane that have had the least."""
        for name, lane in _by_least(self._root):
            if not self._has_room(name, lane):
                continue
            for _, key in _by_least(lane):
                for account_name, account in _by_least(key):
                    if self._has_room_each(name, account_name, account):
                        return self._serve(lane, key, account)
        return None

    def _serve(self, lane: _Side, key: _Side, account: _Side) -> Turn:
        turn = account.waiting.popleft()
        for above, side in ((self._root, lane), (lane, key), (key, account)):
            above.floor = max(above.floor, side.had)
        for side in (self._root, lane, key, account):
            side.work -= turn.cost
            side.running += 1
            side.had += turn.cost
        self._running[turn] = None
        turn.running, turn.began = True, self._clock()
        return turn

    def _has_room(self, name: str, lane: _Side) -> bool:
        return lane.running < self.lanes[name].most

    def _has_room_each(self, lane: str, name: str, account: _Side) -> bool:
        return not name or account.running < self.lanes[lane].most_each


def _by_least(side: _Side) -> list[tuple[str, _Side]]:
    """Return the sides that wait, those who have had the least first."""
    waiting = ((name, below) for name, below in side.sides.items() if below.work)
    return sorted(waiting, key=lambda named: named[1].had)
