"""Calls of one kind that are answered together, with one transaction for all that wait."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import structlog

from kinward.ground.errors import KinwardError

log = structlog.get_logger(__name__)

A = TypeVar("A")
B = TypeVar("B")

MOST: Final = 256  # calls in one group
AT_ONCE: Final = 2  # groups: one can compute while the other one is written

Answer = Callable[[Sequence[A]], Sequence[B | KinwardError | None]]


class Together(Generic[A, B]):
    """Answers calls in groups. For the event loop only.

    A call never waits for others to come: a group is whatever arrived while the groups before it
    were answered. `answer` runs in a thread, in which its transaction has committed when it
    returns. Its answers are in the order of the calls. An answer of None means that the call must
    be answered by itself. So must all calls of a group that fails as a whole, so that one of them
    cannot harm the others.
    """

    def __init__(
        self,
        answer: "Answer[A, B]",
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
    ) -> None:
        self._answer, self._in_thread = answer, in_thread
        self._waiting: deque[tuple[A, asyncio.Future[B | None]]] = deque()
        self._groups: set[asyncio.Task[None]] = set()

    async def ask(self, call: A) -> B | None:
        """Return the answer to a call, or None. Raises the error that is the answer."""
        future: asyncio.Future[B | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, future))
        self._start()
        return await future

    def _start(self) -> None:
        if not self._waiting or len(self._groups) >= AT_ONCE:
            return
        taken = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        group = [(call, future) for call, future in taken if not future.done()]
        task = asyncio.ensure_future(self._run(group))
        self._groups.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._groups.discard(task)
        self._start()

    async def _run(self, group: "list[tuple[A, asyncio.Future[B | None]]]") -> None:
        calls = [call for call, _ in group]
        answers: Sequence[B | KinwardError | None]
        try:
            answers = await self._in_thread(lambda: self._answer(calls)) if calls else ()
        except Exception as error:
            # Each then meets the same error by itself, or gets its answer.
            log.warning("gate.group_failed", calls=len(calls), error=str(error).split("\n")[0])
            answers = [None] * len(calls)
        for (_, future), answer in zip(group, answers, strict=True):
            if future.done():  # its caller has left
                continue
            if isinstance(answer, KinwardError):
                future.set_exception(answer)
            else:
                future.set_result(answer)
