"""Calls that are answered in groups: none waits for others to come, and none harms another."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from kinward.gate.together import AT_ONCE, MOST, Together
from kinward.ground.errors import Invalid, KinwardError


class Answerer:
    """Answers each call with itself, doubled, once it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, calls: Sequence[int]) -> Sequence[int | KinwardError | None]:
        self.groups.append(list(calls))
        assert self.go.wait(60)
        if 13 in calls:
            raise ValueError("one of them broke the statement of all")
        answers = {7: None, 9: Invalid("nine")}
        return [answers.get(call, call * 2) for call in calls]


async def in_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(work)


Test = Callable[[Answerer, "Together[int, int]"], Awaitable[None]]


def run(test: Test) -> Answerer:
    answerer = Answerer()

    async def all_of_it() -> None:
        await asyncio.wait_for(test(answerer, Together(answerer, in_thread)), 60)

    asyncio.run(all_of_it())
    return answerer


async def begun(answerer: Answerer, groups: int) -> None:
    while len(answerer.groups) < groups:
        await asyncio.sleep(0.001)


def test_a_call_alone_is_a_group_of_its_own_and_waits_for_nobody() -> None:
    async def test(answerer: Answerer, together: "Together[int, int]") -> None:
        assert await together.ask(1) == 2
        assert await together.ask(2) == 4

    assert run(test).groups == [[1], [2]]


def test_what_arrives_while_groups_are_answered_is_one_group_within_the_bound() -> None:
    async def test(answerer: Answerer, together: "Together[int, int]") -> None:
        answerer.go.clear()
        first = [asyncio.ensure_future(together.ask(100 + n)) for n in range(AT_ONCE)]
        await begun(answerer, AT_ONCE)
        rest = [asyncio.ensure_future(together.ask(1000 + n)) for n in range(MOST + 5)]
        await asyncio.sleep(0.05)
        assert len(answerer.groups) == AT_ONCE, "no more groups at a time"
        answerer.go.set()
        assert await asyncio.gather(*first) == [200 + 2 * n for n in range(AT_ONCE)]
        assert await asyncio.gather(*rest) == [2000 + 2 * n for n in range(MOST + 5)]

    sizes = [len(group) for group in run(test).groups]
    assert sizes == [1] * AT_ONCE + [MOST, 5]


def test_an_error_is_the_answer_of_one_call_and_none_is_handed_back() -> None:
    async def test(answerer: Answerer, together: "Together[int, int]") -> None:
        answerer.go.clear()
        before = [asyncio.ensure_future(together.ask(n)) for n in range(AT_ONCE)]
        await begun(answerer, AT_ONCE)
        asked = [asyncio.ensure_future(together.ask(n)) for n in (7, 8, 9)]
        await asyncio.sleep(0)
        answerer.go.set()
        got = await asyncio.gather(*asked, return_exceptions=True)
        assert got[:2] == [None, 16]
        assert isinstance(got[2], Invalid)
        await asyncio.gather(*before)

    assert [7, 8, 9] in run(test).groups


def test_a_group_that_fails_as_a_whole_hands_each_call_back() -> None:
    async def test(answerer: Answerer, together: "Together[int, int]") -> None:
        answerer.go.clear()
        before = [asyncio.ensure_future(together.ask(n)) for n in range(AT_ONCE)]
        await begun(answerer, AT_ONCE)
        asked = [asyncio.ensure_future(together.ask(n)) for n in (12, 13, 14)]
        await asyncio.sleep(0)
        answerer.go.set()
        assert await asyncio.gather(*asked) == [None, None, None]
        await asyncio.gather(*before)
        assert await together.ask(12) == 24, "the next group is answered"

    run(test)


def test_a_caller_that_leaves_takes_nothing_from_the_others() -> None:
    async def test(answerer: Answerer, together: "Together[int, int]") -> None:
        answerer.go.clear()
        before = [asyncio.ensure_future(together.ask(n)) for n in range(AT_ONCE)]
        await begun(answerer, AT_ONCE)
        before[0].cancel()
        waiting = [asyncio.ensure_future(together.ask(n)) for n in (20, 21)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        answerer.go.set()
        assert await waiting[1] == 42
        assert await before[1] == 2
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]

    assert run(test).groups[-1] == [21], "who left before it began is not asked for"
