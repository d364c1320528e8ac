"""Slots are given by turns, and who would wait too long is told whose work it is, and when."""

import asyncio
import contextlib
from itertools import pairwise
from typing import Any

import pytest

from kinward.gate.limits import AccountLimit, KeyLimit
from kinward.gate.slots import CALLS, FETCHES, Slots, slots_for_calls, slots_for_files
from kinward.ground.turns import Lane, Payer, Turn
from kinward.media import FILMS, PICTURES, Busy

A, B, C = Payer("app", "a"), Payer("app", "b"), Payer("other", "c")


class Crowd:
    """Callers of some slots. Each holds its slot until it is let go."""

    def __init__(self, slots: Slots) -> None:
        self.slots, self.turns = slots, list[Turn]()
        self.tasks: list[asyncio.Task[None]] = []
        self.go = asyncio.Event()

    async def send(self, payer: Payer, lane: str, price: float) -> "asyncio.Task[None]":
        async def run() -> None:
            async with self.slots.taken(lane, payer, price):
                self.turns.append(Turn(lane, payer, price))
                await self.go.wait()

        task = asyncio.create_task(run())
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task

    def running(self, payer: Payer) -> int:
        return sum(turn.payer == payer for turn in self.turns)

    async def end(self) -> None:
        self.go.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def run(test: Any) -> None:
    asyncio.run(asyncio.wait_for(test, 60))


def test_fifty_films_of_an_account_keep_neither_a_picture_nor_another_film_waiting() -> None:
    async def test() -> None:
        crowd = Crowd(slots_for_files(8, 2, 1e6))
        for _ in range(50):
            await crowd.send(A, FILMS, 9.0)
        assert crowd.running(A) == 1
        await crowd.send(B, FILMS, 9.0)
        await crowd.send(B, PICTURES, 0.1)
        await crowd.send(C, PICTURES, 0.1)
        assert (crowd.running(B), crowd.running(C)) == (2, 1)
        await crowd.end()
        assert len(crowd.turns) == 53

    run(test())


@pytest.mark.parametrize("uploads", [1, 2, 4, 8, 32])
def test_films_and_fetched_files_leave_a_slot_for_pictures(uploads: int) -> None:
    async def test() -> None:
        crowd = Crowd(slots_for_files(uploads, 2, 1e6))
        for number in range(40):
            await crowd.send(Payer(f"key {number}", "x"), FILMS, 9.0)
            await crowd.send(Payer(f"key {number}"), FETCHES, 9.0)
        await crowd.send(B, PICTURES, 0.1)
        assert crowd.running(B) == 1
        await crowd.end()

    run(test())


def test_who_would_wait_too_long_for_its_own_work_is_over_its_share() -> None:
    async def test() -> None:
        crowd = Crowd(slots_for_files(8, 2, patience=30.0))
        films = [await crowd.send(A, FILMS, 9.0) for _ in range(50)]
        refused = [task.exception() for task in films if task.done()]
        assert {type(error) for error in refused} == {AccountLimit}
        assert 0 < len(refused) < 48
        waits = [error.retry_after for error in refused if isinstance(error, AccountLimit)]
        told = [seconds for seconds in waits if seconds is not None]
        assert len(told) == len(refused)
        steps = [later - sooner for sooner, later in pairwise(told)]
        assert all(8.5 < step < 9.5 for step in steps), "one after the other, as the films take"
        modest = await crowd.send(B, FILMS, 9.0)
        assert not modest.done()
        assert crowd.running(B) == 1
        await crowd.end()

    run(test())


def test_a_key_over_its_share_is_told_so_and_when_all_wait_everybody_is_busy() -> None:
    async def test() -> None:
        lanes = (Lane(FILMS, 1, 1),)
        crowd = Crowd(Slots(1, lanes, patience=30.0))
        tasks = [await crowd.send(Payer("app"), FILMS, 9.0) for _ in range(6)]
        errors = [task.exception() for task in tasks if task.done()]
        assert {type(error) for error in errors} == {KeyLimit}
        for number in range(8):
            await crowd.send(Payer(f"key {number}", "x"), FILMS, 9.0)
        late = await crowd.send(Payer("late", "y"), FILMS, 9.0)
        assert isinstance(error := late.exception(), Busy)
        assert error.retry_after is not None
        assert error.retry_after > 0
        await crowd.end()

    run(test())


def test_whoever_gives_up_gives_its_turn_back() -> None:
    async def test() -> None:
        crowd = Crowd(slots_for_calls(1, 1e6))
        await crowd.send(A, CALLS, 0.1)
        waiting = await crowd.send(B, CALLS, 0.1)
        last = await crowd.send(C, CALLS, 0.1)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        crowd.go.set()
        await last
        assert [turn.payer for turn in crowd.turns] == [A, C]
        assert crowd.slots._turns.running == []
        assert crowd.slots._turns.waiting == 0

    run(test())


def test_an_estimate_that_was_wrong_ends_in_an_error_too() -> None:
    async def test() -> None:
        crowd = Crowd(Slots(1, (Lane(CALLS, 1, 1),), patience=0.05))
        await crowd.send(A, CALLS, 0.001)
        with pytest.raises(Busy) as refused:
            await (await crowd.send(C, CALLS, 0.001))
        assert refused.value.retry_after is not None
        assert refused.value.retry_after >= 0.05, "by what it has taken so far"
        await crowd.end()

    run(test())
