"""All bodies share one budget of bytes, and whoever holds most of it makes room."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import pytest

from kinward.entrance import TooSlow
from kinward.gate.bodies import SLOW, Bodies, Body
from kinward.gate.limits import AccountLimit, KeyLimit
from kinward.ground.errors import KinwardError
from kinward.ground.turns import Payer
from kinward.media import Busy


class Room:
    """A budget of 100 bytes, and bodies that wait until they are released."""

    def __init__(self) -> None:
        self.now = 0.0
        self.bodies = Bodies(100, lambda payer: 7.0, lambda: self.now)
        self.release = asyncio.Event()
        self.outcomes: dict[str, KinwardError | None] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def send(
        self, name: str, size: int, *, key: str = "app", account: str | None = None
    ) -> Body:
        """Begin a body; with an account it is complete, and waits for its slot."""
        begun = asyncio.get_running_loop().create_future()

        async def run() -> None:
            try:
                with self.bodies.body(key) as body:
                    async with body.waiting():
                        try:
                            body.grow(size)
                        finally:
                            begun.set_result(body)
                        if account is not None:
                            body.arrived(Payer(key, account))
                        await self.release.wait()
                self.outcomes[name] = None
            except KinwardError as error:
                self.outcomes[name] = error

        self.tasks.append(asyncio.create_task(run()))
        body: Body = await begun
        await asyncio.sleep(0)
        return body

    async def end(self) -> None:
        self.release.set()
        await asyncio.gather(*self.tasks)
        assert self.bodies.used == 0


def in_room(test: Any) -> Room:
    async def run() -> Room:
        room = Room()
        work: Coroutine[Any, Any, None] = test(room)
        await work
        await room.end()
        return room

    return asyncio.run(asyncio.wait_for(run(), 60))


def test_what_arrived_counts_and_is_given_back() -> None:
    async def test(room: Room) -> None:
        for number in range(4):
            await room.send(f"{number}", 25)
        assert room.bodies.used == 100

    assert set(in_room(test).outcomes.values()) == {None}


def test_a_body_that_arrives_slowly_makes_room() -> None:
    async def test(room: Room) -> None:
        for number in range(10):
            await room.send(f"slow {number}", 10)
            room.now += 0.01
        room.now += SLOW
        await room.send("picture", 15, account="b")

    outcomes = in_room(test).outcomes
    assert outcomes["picture"] is None
    slow = [error for name, error in outcomes.items() if name != "picture" and error]
    assert [type(error) for error in slow] == [TooSlow, TooSlow]
    assert isinstance(outcomes["slow 0"], TooSlow), "whoever has taken longest"
    assert slow[0].retry_after == 7.0


def test_the_account_with_most_makes_room_for_another() -> None:
    async def test(room: Room) -> None:
        await room.send("c", 10, account="c")
        for number in range(3):
            await room.send(f"a {number}", 30, account="a")
            room.now += 0.01
        await room.send("b", 20, account="b")

    outcomes = in_room(test).outcomes
    assert (outcomes["b"], outcomes["c"], outcomes["a 0"], outcomes["a 1"]) == (None,) * 4
    assert isinstance(outcomes["a 2"], AccountLimit), "its newest"


def test_a_larger_account_does_not_push_out_a_smaller_one() -> None:
    async def test(room: Room) -> None:
        for name in ("b", "c", "d", "e"):
            await room.send(name, 20, account=name)
        await room.send("a", 50, account="a")

    outcomes = in_room(test).outcomes
    assert isinstance(outcomes.pop("a"), Busy)
    assert set(outcomes.values()) == {None}


def test_the_key_with_most_makes_room_for_another_key() -> None:
    async def test(room: Room) -> None:
        for number in range(9):
            await room.send(f"{number}", 10, key="greedy", account=f"account {number}")
        await room.send("b", 10, key="modest", account="b")
        await room.send("c", 10, key="modest", account="b")
        await room.send("more", 30, key="greedy", account="z")

    outcomes = in_room(test).outcomes
    assert (outcomes["b"], outcomes["c"]) == (None, None)
    assert isinstance(outcomes["more"], KeyLimit)
    assert sum(isinstance(error, AccountLimit) for error in outcomes.values()) == 1


def test_what_made_room_grows_no_more_and_ends_with_its_error() -> None:
    """Its task may have been on its way already when it was asked for its place."""

    async def run() -> None:
        bodies = Bodies(100, lambda payer: 7.0, lambda: 0.0)
        with pytest.raises(TooSlow), bodies.body("app") as body:
            async with body.waiting():
                body.grow(60)
                body.evict()
                with pytest.raises(TooSlow):
                    body.grow(40)
        assert bodies.used == 0

    asyncio.run(run())


def test_what_is_worked_on_is_never_taken_away() -> None:
    async def run() -> None:
        room = Room()
        with room.bodies.body("app") as working:
            async with working.waiting():
                working.grow(90)
                working.arrived(Payer("app", "a"))
            with room.bodies.body("app") as other, contextlib.suppress(TimeoutError):
                async with other.waiting():
                    with pytest.raises(Busy) as refused:
                        other.grow(20)
            assert refused.value.retry_after == 7.0
            assert room.bodies.used == 90

    asyncio.run(run())
