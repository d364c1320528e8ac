"""Neither films nor one account nor uploads take all decoders from others. With real decoders."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from kinward.demo import pictures
from kinward.ground.turns import Payer, Turn
from kinward.media import Busy, Decoders, Hashed, View
from kinward.media.price import FILMS, LOOKS, PICTURES, PLAYS
from kinward.media.process import GIVES_WAY
from tests.support import videos

MIB = 1024 * 1024
PICTURE = pictures.encode(pictures.draw(3, (200, 150)))
FILM = videos.encode(range(20))  # of more views than a decoder keeps to itself
A, B, C = Payer("app", "a"), Payer("app", "b"), Payer("other", "c")
LONG = 60.0  # seconds after which a test gives up


@contextmanager
def pool(count: int, patience: float = LONG) -> Iterator[Decoders]:
    decoders = Decoders(
        count=count,
        seconds=60.0,
        video_seconds=60.0,
        max_pixels=20_000_000,
        memory=1536 * MIB,
        patience=patience,
    )
    try:
        yield decoders
    finally:
        decoders.close()


class Held:
    """Files that are being decoded, and stay so until they are let go."""

    def __init__(self, decoders: Decoders, threads: ThreadPoolExecutor) -> None:
        self._decoders, self._threads = decoders, threads
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.order: list[Payer] = []

    def hash(self, data: bytes, payer: Payer) -> "Future[Hashed]":
        def more(views: Sequence[View]) -> bool:
            self.order.append(payer)
            self.begun.release()
            self.go.wait(LONG)
            return False

        return self._threads.submit(self._decoders.hash, data, more, payer=payer)

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.begun.acquire(timeout=LONG)


def until(condition: Callable[[], bool]) -> None:
    ready = threading.Event()
    for _ in range(int(LONG * 100)):
        if condition():
            return
        ready.wait(0.01)
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize("count", [1, 2])
def test_while_films_are_decoded_a_picture_and_a_look_find_a_decoder(count: int) -> None:
    with pool(count) as decoders, ThreadPoolExecutor(16) as threads:
        held = Held(decoders, threads)
        films = [held.hash(FILM, payer) for payer in (A, B, C, A, B, C)]
        try:
            held.wait_for(1)
            until(lambda: decoders._uploads.waiting == 5)
            assert decoders.hash(PICTURE, payer=A).width == 200
            assert decoders.still(PICTURE, veiled=True).startswith(b"\xff\xd8")
            assert decoders.contents(FILM).entire
            assert decoders.play(FILM).data
            assert decoders.hash(FILM, look=True).entire
        finally:
            held.go.set()
        assert [film.result(LONG).kind for film in films] == ["video"] * 6


def test_one_accounts_films_leave_a_decoder_to_anothers() -> None:
    with pool(3) as decoders, ThreadPoolExecutor(16) as threads:
        held = Held(decoders, threads)
        films = [held.hash(FILM, A) for _ in range(6)]
        try:
            held.wait_for(1)
            until(lambda: decoders._uploads.waiting == 5)
            films.append(held.hash(FILM, B))
            held.wait_for(1)
            assert held.order == [A, B]
        finally:
            held.go.set()
        assert all(film.result(LONG) for film in films)


def test_accounts_take_turns() -> None:
    with pool(2) as decoders, ThreadPoolExecutor(16) as threads:
        held = Held(decoders, threads)
        first = held.hash(FILM, A)
        held.wait_for(1)
        later = [held.hash(FILM, A) for _ in range(4)]
        until(lambda: decoders._uploads.waiting == 4)
        other = held.hash(FILM, B)
        until(lambda: decoders._uploads.waiting == 5)
        held.go.set()
        assert all(film.result(LONG) for film in (first, other, *later))
        accounts = list(dict.fromkeys(held.order))
        assert accounts == [A, B]
        assert held.order.index(B) <= 2 * held.order.count(A) // 5, "before A's others"


def test_a_film_behind_a_picture_takes_its_turn_among_the_films() -> None:
    hidden = PICTURE + FILM
    with pool(2) as decoders, ThreadPoolExecutor(16) as threads:
        held = Held(decoders, threads)
        film = held.hash(FILM, A)
        held.wait_for(1)
        behind = [threads.submit(decoders.hash, hidden, payer=payer) for payer in (B, C)]
        try:
            until(lambda: decoders._uploads.waiting == 2)
            assert decoders._uploads.running == 1
            assert decoders.hash(PICTURE, payer=B).width == 200
        finally:
            held.go.set()
        assert film.result(LONG).kind == "video"
        for hashed in (one.result(LONG) for one in behind):
            assert hashed.entire
            assert {view.strand for view in hashed.views} >= {0, 64}


def test_who_waits_in_vain_is_told_when_to_come_back() -> None:
    with pool(2) as decoders:
        decoders._seconds = decoders._video_seconds = 0.05
        decoders._patience = 0.05
        taken = Turn(FILMS, A, 9.0)
        with decoders._uploads.taken(taken, LONG), pytest.raises(Busy) as busy:
            decoders.hash(FILM, payer=B)
        assert busy.value.retry_after is not None
        assert busy.value.retry_after > 5.0
        assert decoders._uploads.waiting == 0


def test_a_decoder_gives_way_to_whoever_answers_from_memory() -> None:
    with pool(1) as decoders:
        decoders.hash(PICTURE)
        decoder = decoders._idle[-1].process.pid
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, decoder) == min(19, ours + GIVES_WAY)


def test_each_lane_is_one_that_a_file_can_be_in() -> None:
    with pool(2) as decoders:
        assert set(decoders._uploads._turns.lanes) == {PICTURES, FILMS}
        assert set(decoders._console._turns.lanes) == {LOOKS, PLAYS}
