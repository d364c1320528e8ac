"""Bodies: their bounds in size, time and slowness, and the memory that they may take."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from kinward.entrance import (
    Bounds,
    Budget,
    Disconnected,
    TooLarge,
    TooManyAtOnce,
    TooSlow,
    read_body,
)

WIDE = Bounds(size=1000, seconds=60.0, rate=10)


class Sender:
    """Sends chunks one by one, and then nothing more."""

    def __init__(self, *chunks: bytes, ends: bool = True, leaves: bool = False) -> None:
        self.chunks, self.ends, self.leaves, self.asked = list(chunks), ends, leaves, 0

    async def __call__(self) -> Any:
        self.asked += 1
        if self.chunks:
            chunk = self.chunks.pop(0)
            more = bool(self.chunks) or not self.ends
            return {"type": "http.request", "body": chunk, "more_body": more}
        if self.leaves:
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()


def read(sender: Sender, bounds: Bounds = WIDE, declared: str = "") -> bytes:
    body = bytearray()
    asyncio.run(read_body(sender, declared, bounds, body.extend))
    return bytes(body)


def test_a_body_within_its_bounds_is_passed_on_whole() -> None:
    assert read(Sender(b"a" * 400, b"b" * 600), declared="1000") == b"a" * 400 + b"b" * 600


@pytest.mark.parametrize("declared", ["1001", "10000000000", "-1", "1e3", "²", "9" * 400])
def test_a_body_that_declares_too_much_is_refused_before_a_byte_is_read(declared: str) -> None:
    sender = Sender(b"a")
    with pytest.raises(TooLarge):
        read(sender, declared=declared)
    assert sender.asked == 0


def test_a_body_that_declares_nothing_ends_at_the_bound() -> None:
    sender = Sender(*[b"a" * 100] * 20)
    with pytest.raises(TooLarge):
        read(sender)
    assert sender.asked == 11


def test_a_body_that_never_ends_is_ended_by_its_time() -> None:
    with pytest.raises(TooSlow, match=r"0\.05 seconds and 10 bytes a second"):
        read(Sender(b"a", ends=False), Bounds(1000, 0.05, 10))


def test_a_sender_earns_time_with_its_bytes_up_to_the_time_in_all() -> None:
    bounds = Bounds(size=10**9, seconds=60.0, rate=1024)
    assert bounds.patience(0) == 5.0
    assert bounds.patience(10 * 1024) == 15.0
    assert bounds.patience(10**8) == 60.0
    # A byte a second earns next to nothing: it is ended after about five seconds.
    assert bounds.patience(6) < 5.1


def test_slowness_is_ended_before_the_time_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinward.entrance.body.GRACE", 0.05)
    with pytest.raises(TooSlow):
        read(Sender(b"a", b"b", ends=False), Bounds(1000, 3600.0, 1024))


def test_a_sender_that_leaves_is_no_error_of_ours() -> None:
    with pytest.raises(Disconnected):
        read(Sender(b"a", ends=False, leaves=True))


def test_the_memory_for_bodies_has_a_bound_for_each_address_and_for_all() -> None:
    budget = Budget(total=100, each=60)
    with budget.share("a") as first, budget.share("a") as second, budget.share("b") as other:
        first(40)
        with pytest.raises(TooManyAtOnce):
            second(21)
        second(20)
        with pytest.raises(TooManyAtOnce):
            other(41)
        other(40)
    with budget.share("b") as again:
        again(60)


def test_what_a_failed_body_took_is_given_back() -> None:
    budget = Budget(total=100, each=100)

    def fail(take: Callable[[int], None]) -> None:
        take(100)
        raise TooSlow

    for _ in range(3):
        with pytest.raises(TooSlow), budget.share("a") as take:
            fail(take)
