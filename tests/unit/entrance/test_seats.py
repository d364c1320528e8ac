"""Seats: a crowd from one address leaves the others theirs."""

import asyncio

import pytest

from kinward.entrance import Seats, TooManyAtOnce
from kinward.entrance.seats import IN_LINE


def test_a_crowd_from_one_address_leaves_seats_for_another() -> None:
    async def scenario() -> list[str]:
        seats, leave, worked = Seats(total=4, each=2, seconds=60), asyncio.Event(), []

        async def request(address: str) -> None:
            async with seats.seat(address):
                worked.append(address)
                await leave.wait()

        crowd = [asyncio.create_task(request("crowd")) for _ in range(50)]
        await asyncio.sleep(0)
        other = asyncio.create_task(request("other"))
        for _ in range(5):
            await asyncio.sleep(0)
        seen = list(worked)
        leave.set()
        await asyncio.gather(*crowd, other)
        assert len(worked) == 51
        return seen

    assert asyncio.run(scenario()) == ["crowd", "crowd", "other"]


def test_who_waits_too_long_is_told_so_and_takes_no_seat_from_others() -> None:
    async def scenario() -> None:
        seats = Seats(total=1, each=1, seconds=0.01)
        async with seats.seat("a"):
            for address in ("a", "b"):
                with pytest.raises(TooManyAtOnce):
                    async with seats.seat(address):
                        pass
        async with seats.seat("b"):
            pass

    asyncio.run(scenario())


def test_the_line_of_one_address_has_an_end() -> None:
    async def scenario() -> None:
        seats = Seats(total=1, each=1, seconds=60)

        async def wait() -> None:
            async with seats.seat("a"):
                await asyncio.Event().wait()

        line = [asyncio.create_task(wait()) for _ in range(1 + IN_LINE)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyAtOnce, match="are waiting"):
            async with seats.seat("a"):
                pass
        for task in line:
            task.cancel()
        await asyncio.gather(*line, return_exceptions=True)
        async with seats.seat("a"):
            pass

    asyncio.run(scenario())
