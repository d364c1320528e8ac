"""Whoever answers slowly holds up no job that does not need the answer."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from procrastinate.contrib.django import app

from kinward.cli import roles
from kinward.findings.retro import MATCH_HELD
from kinward.ground.jobs import _put, enqueue
from kinward.ground.lanes import Lane

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 60  # seconds: much more than a job needs to begin


@contextmanager
def working(concurrency: int) -> Iterator[None]:
    """A worker as `kinward worker` runs it, in a thread."""
    connector = cast("Any", app.connector).get_worker_connector()
    over = threading.Event()

    async def until_over(opened: Any) -> None:
        work = asyncio.create_task(roles._work(opened, concurrency))
        ends = asyncio.create_task(asyncio.to_thread(over.wait))
        await asyncio.wait([work, ends], return_when=asyncio.FIRST_COMPLETED)
        over.set()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    with app.replace_connector(connector) as opened:
        thread = threading.Thread(target=lambda: asyncio.run(until_over(opened)))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(PATIENCE)
            assert not thread.is_alive()


# Jobs that wait for somebody's answer, and the arguments of each.
OUTSIDE: dict[str, dict[str, Any]] = {
    "enforcement.deliver": {"action_id": "1"},
    "evidence.delete_object": {"location": "x"},
    "evidence.store": {"timestamp": 1},
    "evidence.scrub": {"timestamp": 1},
    "verdicts.file_report": {"report_id": "1"},
    "verdicts.withdraw_report": {"report_id": "1"},
    "redress.send_statements": {"timestamp": 1},
    "exchanges.sync": {"name": "friends"},
    "exchanges.send_opinion": {"opinion_id": 1},
    "families.mail_digest": {"pairing_id": "1"},
    "families.mail_ask": {"ask_id": "1", "pairing_id": "1"},
    "access.tell_of_reset": {"reset_id": "1"},
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_an_answer_that_does_not_come_holds_up_no_other_job(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, begun, done = threading.Event(), threading.Event(), threading.Event()

    def hang(**_: object) -> None:
        begun.set()
        answers.wait(PATIENCE)

    monkeypatch.setattr(app.tasks[name], "func", hang)
    monkeypatch.setattr(app.tasks[MATCH_HELD], "func", lambda **_: done.set())
    for _ in range(12):
        _put(name, dict(OUTSIDE[name]), lock=None, queueing_lock=None)
    with working(2):
        try:
            assert begun.wait(PATIENCE)
            enqueue(MATCH_HELD)
            assert done.wait(PATIENCE / 3), "whoever does not answer has every place"
            assert not answers.is_set()
        finally:
            answers.set()


def test_every_lane_has_places_and_every_job_that_calls_out_is_in_one() -> None:
    own = {name: task for name, task in app.tasks.items() if task.queue != "builtin"}
    assert {task.queue for task in own.values()} == {lane.value for lane in Lane}
    assert {*roles.PLACES, Lane.OURS} == {*Lane}
    assert {name for name, task in own.items() if task.queue != Lane.OURS} == {*OUTSIDE}
