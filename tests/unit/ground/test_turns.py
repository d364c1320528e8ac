"""Whoever sends little is served soon, whoever sends much gets an equal part; nobody starves."""

import heapq
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.ground.turns import Lane, Payer, Turn, Turns

PICTURES, FILMS = "picture", "film"
A, B, C = Payer("app", "a"), Payer("app", "b"), Payer("other", "c")


class World:
    """Turns on a virtual clock. Work takes what `takes` says, or its price."""

    def __init__(self, *, most: int = 3, films: int = 2, each: int = 1) -> None:
        self.now, self.ends = 0.0, list[tuple[float, int, Turn]]()
        lanes = (Lane(PICTURES, most, most), Lane(FILMS, films, each))
        self.turns = Turns(most, lanes, lambda: self.now)
        self.takes: dict[Turn, float] = {}
        self.begun: list[Turn] = []
        self.entered: dict[Turn, float] = {}
        self.served: Counter[Payer] = Counter()

    def send(self, payer: Payer, lane: str = FILMS, price: float = 1.0, takes: float = 0.0) -> Turn:
        turn = Turn(lane, payer, price)
        self.takes[turn], self.entered[turn] = takes or price, self.now
        self.turns.enter(turn)
        self.start()
        return turn

    def start(self) -> None:
        for turn in self.turns.start():
            assert turn.running
            self.begun.append(turn)
            heapq.heappush(self.ends, (self.now + self.takes[turn], len(self.begun), turn))
        running = Counter(turn.lane for turn in self.turns.running)
        assert len(self.turns.running) <= self.turns.most
        for name, lane in self.turns.lanes.items():
            assert running[name] <= lane.most
            each = Counter(turn.payer for turn in self.turns.running if turn.lane == name)
            assert all(count <= lane.most_each for payer, count in each.items() if payer.account)

    def end_one(self) -> Turn:
        self.now, _, turn = heapq.heappop(self.ends)
        self.served[turn.payer] += round(self.takes[turn] * 1000)
        self.turns.leave(turn)
        self.start()
        return turn

    def run(self) -> None:
        while self.ends:
            self.end_one()


def test_one_accounts_films_wait_behind_one_another_and_anothers_does_not() -> None:
    world = World(films=2, each=1)
    for _ in range(50):
        world.send(A, price=9.0)
    other = world.send(B, price=9.0)
    assert other.running
    assert len(world.turns.running) == 2
    world.run()
    assert len(world.begun) == 51


def test_films_never_take_the_place_of_a_picture() -> None:
    world = World(most=3, films=2, each=2)
    for payer in (A, B, C, Payer("third")):
        for _ in range(9):
            world.send(payer, price=60.0)
    assert world.send(A, PICTURES, 0.1).running


def test_a_key_with_many_accounts_takes_no_more_than_a_key_with_one() -> None:
    world = World(most=1, films=1)
    for number in range(30):
        world.send(Payer("app", f"account {number}"))
    for _ in range(30):
        world.send(C)
    for _ in range(20):
        world.end_one()
    assert 9_000 <= world.served[C] <= 11_000


def test_who_names_a_small_price_is_charged_what_it_took() -> None:
    world = World(most=1, films=1)
    for _ in range(50):
        world.send(A, price=0.01, takes=5.0)
        world.send(B, price=1.0)
    while world.now < 100:
        world.end_one()
    assert abs(world.served[A] - world.served[B]) <= 6_000


def test_a_pause_earns_no_credit() -> None:
    world = World(most=1, films=1)
    world.send(A)
    for _ in range(100):
        world.send(B)
    for _ in range(50):
        world.end_one()
    for _ in range(50):
        world.send(A)
    before = world.served[A]
    for _ in range(20):
        world.end_one()
    assert 9_000 <= world.served[A] - before <= 11_000


def test_a_place_that_is_given_back_is_given_on_and_what_is_withdrawn_never_runs() -> None:
    world = World(most=1, films=1)
    first, second, third = (world.send(A) for _ in range(3))
    world.turns.withdraw(second)
    world.run()
    assert world.begun == [first, third]
    assert world.turns.waiting == 0


def test_work_goes_on_in_another_lane_only_if_that_has_room() -> None:
    world = World(most=3, films=1)
    moved, stays = world.send(A, PICTURES), world.send(B, PICTURES)
    assert world.turns.move(moved, FILMS)
    assert not world.turns.move(stays, FILMS)
    assert (moved.lane, stays.lane) == (FILMS, PICTURES)
    assert not world.send(C, FILMS).running
    world.run()
    assert len(world.begun) == 3


def test_the_delay_says_whose_work_one_waits_for() -> None:
    world = World(most=2, films=2, each=1)
    assert world.turns.delay(FILMS, A, 9.0).seconds == 0.0
    for _ in range(5):
        world.send(A, price=9.0)
    own = world.turns.delay(FILMS, A, 9.0)
    assert own.seconds == pytest.approx(45.0)
    assert (own.others, own.keys) == (0.0, 0.0)
    assert world.turns.delay(FILMS, B, 9.0).seconds == 0.0
    for payer in (B, C, Payer("third")):
        world.send(payer, price=9.0)
    everybody = world.turns.delay(FILMS, Payer("fourth"), 9.0)
    assert everybody.seconds == everybody.keys > 0


def test_the_delay_learns_what_work_really_takes() -> None:
    world = World(most=1, films=1)
    for _ in range(60):
        world.send(A, price=1.0, takes=4.0)
    before = world.turns.delay(FILMS, A, 1.0).seconds
    for _ in range(50):
        world.end_one()
    left = len(world.ends) + world.turns.waiting
    assert before == pytest.approx(60.0)
    assert world.turns.delay(FILMS, A, 1.0).seconds > 3.0 * left


def test_no_more_accounts_are_remembered_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinward.ground.turns.MAX_RESTING", 10)
    world = World(most=1, films=1)
    for number in range(60):
        world.send(Payer("app", str(number)), price=0.001, takes=5.0)
    most = 0
    while world.ends:
        world.end_one()
        key = world.turns._root.sides.get(FILMS)
        most = max(most, len(key.sides["app"].sides) - world.turns.waiting if key else 0)
    assert len(world.begun) == 60
    assert most <= 12


PAYERS: Final = [Payer(key, account) for key in ("k", "l") for account in ("", "a", "b", "c")]
WORK: Final = st.tuples(
    st.sampled_from(PAYERS),
    st.sampled_from([PICTURES, FILMS]),
    st.floats(0.0, 20.0),  # price
    st.floats(0.01, 20.0),  # what it takes
    st.floats(0.0, 5.0),  # seconds since the work before it
)


@settings(max_examples=50, deadline=None)
@given(st.lists(WORK, max_size=40), st.integers(1, 4), st.integers(1, 3))
def test_all_that_enters_is_served_within_the_bounds(
    work: Sequence[tuple[Payer, str, float, float, float]], most: int, films: int
) -> None:
    world = World(most=most, films=min(films, most), each=1)
    for payer, lane, price, takes, pause in work:
        while world.ends and world.ends[0][0] <= world.now + pause:
            world.end_one()
        world.now += pause
        delay = world.turns.delay(lane, payer, price)
        assert delay.keys <= delay.others + 1e-6
        assert delay.others <= delay.seconds + 1e-6
        turn = world.send(payer, lane, price, takes)
        if delay.seconds == 0.0:
            assert turn.running or turn.lane == FILMS
    world.run()
    assert len(world.begun) == len(work)
    assert (world.turns.waiting, world.turns.running) == (0, [])
    assert not world.turns._root.sides, "whoever rests and owes nothing is forgotten"


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.1, 10.0), min_size=2, max_size=5),
    st.integers(1, 3),
    st.lists(st.floats(0.1, 10.0), min_size=1, max_size=5),
)
def test_accounts_that_always_wait_get_equal_parts(
    prices: list[float], most: int, takes: list[float]
) -> None:
    """Whatever size each one's work has, and whatever its price says."""
    world = World(most=most, films=most, each=most)
    payers = [Payer("app", str(number)) for number in range(len(prices))]
    longest = max(takes)
    for number, payer in enumerate(payers):
        for place in range(150):
            world.send(payer, FILMS, prices[number], takes[(number + place) % len(takes)])
    while world.now < 15 * longest:
        world.end_one()
    served = [world.served[payer] / 1000 for payer in payers]
    assert max(served) - min(served) <= 2 * (most + 1) * (longest + max(prices))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.floats(0.5, 10.0), st.integers(1, 3))
def test_who_sends_one_thing_waits_for_about_one_of_each_other(
    crowd: int, size: float, most: int
) -> None:
    world = World(most=most, films=most, each=most)
    for _ in range(30):
        for number in range(crowd):
            world.send(Payer("app", f"greedy {number}"), FILMS, size)
    for _ in range(crowd):
        world.end_one()
    modest = world.send(Payer("app", "modest"), FILMS, size)
    while not modest.running:
        world.end_one()
    assert world.now - world.entered[modest] <= (crowd / most + 2) * size + 1e-6
