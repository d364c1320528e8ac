"""A limit refuses whoever is over it and nobody else, and says when it lets them in again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.entrance import Unavailable, retry_after
from kinward.gate.limits import (
    MAX_KNOWN,
    AddressLimit,
    KeyLimit,
    Limit,
    headers_of,
)
from kinward.ground.errors import Invalid, KinwardError
from kinward.media import Busy


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limit(quota: int = 10, window: int = 10) -> tuple[Limit, Clock]:
    clock = Clock()
    return Limit("key", KeyLimit, quota=quota, window=window, clock=clock), clock


def test_a_quota_can_be_used_at_once_and_is_refilled_evenly() -> None:
    ours, clock = limit()
    assert [ours.take("a").left for _ in range(10)] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    with pytest.raises(KeyLimit) as refused:
        ours.take("a")
    assert refused.value.retry_after == pytest.approx(1.0)
    assert ours.is_spent("a")
    assert ours.take("b").left == 9, "one caller's calls cost no other caller any"
    clock.now += 1.0
    assert ours.take("a").left == 0
    clock.now += 100.0
    assert ours.take("a").left == 9


def test_no_quota_is_no_limit_and_no_header() -> None:
    ours, _ = limit(quota=0)
    for _ in range(1000):
        standing = ours.take("a")
    assert not ours.is_spent("a")
    assert headers_of([(ours, standing)]) == []


def test_the_headers_are_those_of_the_draft() -> None:
    ours, _ = limit(quota=20)
    other = Limit("address", AddressLimit, quota=5, window=60, clock=lambda: 0.0)
    pairs = [(ours, ours.take("a")), (other, other.take("a"))]
    assert headers_of(pairs) == [
        (b"ratelimit-policy", b'"key";q=20;w=10, "address";q=5;w=60'),
        (b"ratelimit", b'"key";r=19;t=1, "address";r=4;t=12'),
    ]


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 50),
    st.integers(1, 60),
    st.lists(st.floats(0.0, 20.0), max_size=80),
)
def test_who_waits_as_long_as_told_is_let_in_and_nobody_gets_more(
    quota: int, window: int, pauses: list[float]
) -> None:
    ours, clock = limit(quota, window)
    admitted: list[float] = []
    for pause in pauses:
        clock.now += pause
        try:
            ours.take("a")
        except KinwardError as error:
            clock.now += (error.retry_after or 0.0) + 1e-6
            ours.take("a")
        admitted.append(clock.now)
    for start in admitted:
        within = sum(1 for at in admitted if start <= at < start + window)
        assert within <= 2 * quota


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 50), st.integers(1, 60), st.integers(1, 200))
def test_who_keeps_to_the_quota_is_never_refused(quota: int, window: int, calls: int) -> None:
    ours, clock = limit(quota, window)
    for _ in range(calls):
        ours.take("a")
        clock.now += window / quota


def test_strangers_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_KNOWN >= 10_000
    monkeypatch.setattr("kinward.gate.limits.MAX_KNOWN", 100)
    ours, clock = limit()
    for _ in range(10):
        ours.take("over its limit")
    for number in range(1000):
        ours.take(f"stranger {number}")
    assert len(ours._full_at) <= 100
    assert ours.is_spent("over its limit"), "whoever has used most is remembered longest"
    clock.now += 100
    for number in range(20):
        ours.take(f"another {number}")
    assert len(ours._full_at) <= 20, "whose quota is whole again is forgotten"


def test_the_header_retry_after_is_whole_seconds_and_only_where_waiting_helps() -> None:
    busy = Busy()
    busy.retry_after = 12.2
    assert retry_after(busy) == 13
    busy.retry_after = 0.0
    assert retry_after(busy) == 1
    assert retry_after(Unavailable()) == 2
    assert retry_after(Invalid()) is None
