"""A job whose worker died is given to another, within seconds."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from croniter import croniter
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from kinward.access.actor import Actor
from kinward.access.models import ApiKey
from kinward.enforcement.models import Action, Effect
from kinward.enforcement.services import issue_content_action
from kinward.evidence.models import Evidence
from kinward.findings import tasks
from kinward.findings.retro import MATCH_HELD
from kinward.gate.models import KeptAnswer
from kinward.ground.jobs import enqueue, enqueue_once
from kinward.matching.models import Bank
from kinward.people.models import Account
from tests.support.custody import end_term
from tests.support.factories import make_case
from tests.support.helpers import Receiver, due_jobs, quarantined, run_jobs

pytestmark = pytest.mark.django_db(transaction=True)


def statuses() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, status FROM procrastinate_jobs ORDER BY id")
        return [(str(name), str(status)) for name, status in cursor.fetchall()]


def test_the_job_of_a_dead_worker_is_done_by_the_next(account: Account, receiver: Receiver) -> None:
    with transaction.atomic():
        issue_content_action(
            case_id=make_case(account).id,
            account=account,
            effect=Effect.REMOVE,
            content_id="post-1",
            actor=Actor.system("test"),
        )
    with connection.cursor() as cursor:  # as a worker leaves it that was killed and forgotten
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
    assert statuses() == [("enforcement.deliver", "doing")]
    assert due_jobs() == []
    with suppress(AlreadyEnqueued):  # a worker that starts may do it by itself
        enqueue("jobs.rescue", timestamp=0)
    run_jobs()
    run_jobs()
    assert receiver.types == ["content.remove"]
    assert Action.objects.get().state == "delivered"


def test_a_dead_worker_s_job_gives_way_to_the_same_one_that_waits(
    account: Account, receiver: Receiver
) -> None:
    """Otherwise that one failure would keep every other job from being rescued."""
    enqueue_once(MATCH_HELD)
    with transaction.atomic():
        issue_content_action(
            case_id=make_case(account).id,
            account=account,
            effect=Effect.REMOVE,
            content_id="post-1",
            actor=Actor.system("test"),
        )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
    enqueue_once(MATCH_HELD)
    with suppress(AlreadyEnqueued):
        enqueue("jobs.rescue", timestamp=0)
    run_jobs()
    run_jobs()
    assert receiver.types == ["content.remove"]
    assert MATCH_HELD not in [name for name, status in statuses() if status in ("todo", "doing")]


def test_a_job_goes_with_its_transaction() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue("enforcement.deliver", action_id="x")
        raise ZeroDivisionError
    assert statuses() == []
    enqueue("enforcement.deliver", action_id="x")
    assert due_jobs() == ["enforcement.deliver"]


def test_inside_a_worker_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a worker that is killed leaves jobs without a cause, which fail for ever."""

    @transaction.atomic
    def enqueue_and_fail() -> list[str]:
        enqueue("enforcement.deliver", action_id="x")
        raise RuntimeError("It is rolled back.")

    monkeypatch.setattr(tasks, "retro_match", enqueue_and_fail)
    enqueue_once(MATCH_HELD)
    run_jobs()
    assert "enforcement.deliver" not in [name for name, _ in statuses()]


def test_the_daily_jobs_do_their_work(account: Account, bank: Bank) -> None:
    quarantined(account)
    yesterday, long_ago = timezone.now() - timedelta(days=1), timezone.now() - timedelta(days=8)
    end_term(Evidence.objects.get(), yesterday)
    key = ApiKey.objects.create(name="k", digest=b"x", scopes=[])
    KeptAnswer.objects.create(api_key=key, idempotency_key="old", fingerprint="")
    KeptAnswer.objects.update(created_at=long_ago)
    KeptAnswer.objects.create(api_key=key, idempotency_key="new", fingerprint="")
    enqueue("evidence.expire", timestamp=0)
    enqueue("gate.forget_answers", timestamp=0)
    run_jobs()
    assert Evidence.objects.get().destroyed_at is not None
    assert KeptAnswer.objects.get().idempotency_key == "new"


def test_rescue_comes_round_every_five_seconds() -> None:
    (cron,) = [
        task.cron
        for (name, _), task in app.periodic_registry.periodic_tasks.items()
        if name == "jobs.rescue"
    ]
    ticks = croniter(cron, datetime(2026, 1, 1, 12, 3, 1))
    first, second = ticks.get_next(datetime), ticks.get_next(datetime)
    assert second - first == timedelta(seconds=5)
    assert first.second % 5 == 0


def test_a_job_that_fails_gives_way_to_the_same_one_that_waits(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would be running for ever, and the one that waits for its lock wait for ever."""
    tries: list[str] = []

    def once_more_and_fail() -> list[str]:
        tries.append("a try")
        if len(tries) == 1:
            enqueue_once(MATCH_HELD)
            raise RuntimeError("The first try fails.")
        return []

    monkeypatch.setattr(tasks, "retro_match", once_more_and_fail)
    enqueue_once(MATCH_HELD)
    run_jobs()
    run_jobs()
    assert len(tries) >= 2
    assert (MATCH_HELD, "doing") not in statuses()


def test_what_comes_by_itself_waits_once() -> None:
    every = [each.task for each in app.periodic_registry.periodic_tasks.values()]
    assert len(every) > 10
    assert all(each.queueing_lock == each.name for each in every)
