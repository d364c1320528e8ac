"""Durable jobs: the one way to postpone work, retry it, and resume it after a crash.

A job is enqueued in the transaction that makes it necessary, so it exists if and only if its cause
does. A worker that dies leaves its job marked as running. `rescue` gives that job to another.
"""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar, cast

import structlog
from django.db import close_old_connections, connection, transaction
from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.tasks import Task, configure_task

from kinward.ground.config import config
from kinward.ground.lanes import Lane

log = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# Seconds before each retry: short at first, then hourly, for three days in all. Never longer than
# an hour, because a job interrupted by a crash counts as tried and must not wait for days.
DELAYS = (2, 5, 15, 60, 300, 900, 1800, *[3600] * 72)


OFTEN = 10  # from this many attempts on, each failure is a warning


class Patient(BaseRetryStrategy):
    """Retry after each of `DELAYS`, then for ever at the last of them."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if job.attempts >= OFTEN:
            fields = {"job": job.id, "task": job.task_name, "attempts": job.attempts}
            log.warning(
                "job.fails_often", **fields, error=f"{type(exception).__name__}: {exception}"
            )
        wait = timedelta(seconds=delay(job.attempts))
        return RetryDecision(retry_at=datetime.now(UTC) + wait)


def delay(attempts: int) -> float:
    """Return the seconds to wait after this many failed attempts (0 = none yet)."""
    return DELAYS[min(attempts, len(DELAYS) - 1)] * config().retry_scale


def task(
    name: str, *, lock: str | None = None, every: str = "", lane: Lane = Lane.OURS
) -> Callable[[Callable[P, R]], Task[P, R, P]]:
    """Declare a durable job. Its function must be safe to run again from the start.

    Only one of the jobs with the same `lock` runs at a time, so that long jobs cannot occupy every
    worker. `every` is a schedule in cron's notation, and the job's `timestamp` is its moment. While
    a scheduled job waits, no other of its name is added. `lane`: whose answer it waits for.
    """

    def declare(function: Callable[P, R]) -> Task[P, R, P]:
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            close_old_connections()
            try:
                return function(*args, **kwargs)
            finally:
                close_old_connections()

        waits_once = name if every else None
        declared = app.task(
            name=name, retry=Patient(), lock=lock, queueing_lock=waits_once, queue=lane.value
        )(run)
        if every:
            app.periodic(cron=every)(cast("Any", declared))
        return declared

    return declare


def fail_often() -> dict[str, int]:
    """Count the jobs of each name that have failed `OFTEN` times or more and will be retried."""
    query = "SELECT task_name, count(*) FROM procrastinate_jobs "
    query += "WHERE status = 'todo' AND attempts >= %s GROUP BY task_name ORDER BY task_name"
    with connection.cursor() as cursor:
        cursor.execute(query, [OFTEN])
        return dict(cursor.fetchall())


class Jobs(JobManager):
    """The queue. A job due for a retry gives way to an equal job that is waiting already.

    Otherwise it would stay marked as running for ever, and keep its lock.
    """

    async def retry_job(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """Put back a job that failed or whose worker died."""
        try:
            await super().retry_job(job, *args, **kwargs)
        except UniqueViolation:
            await self.finish_job(job, status=Status.FAILED, delete_job=True)


def prepare(opened: App) -> None:
    """Give procrastinate our queue, once Django has loaded every app."""
    opened.job_manager = Jobs(opened.connector)


@app.periodic(cron="* * * * * */5")  # the sixth field counts seconds
@app.task(name="jobs.rescue", queueing_lock="jobs.rescue", pass_context=True)
async def rescue(context: JobContext, timestamp: int) -> int:
    """Return the jobs of silent workers to the queue, and count them."""
    silent = config().stalled_seconds
    manager = context.app.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=silent))
    for job in stalled:
        await manager.retry_job(job)
        log.warning("job.rescued", job=job.id, task=job.task_name)
    return len(stalled)


def enqueue(name: str, *, at: datetime | None = None, **arguments: str | int) -> None:
    """Enqueue a job, to run now or `at` a moment, in the caller's transaction.

    The connection is Django's own even inside a worker, so the job exists if its cause does.
    """
    _put(name, arguments, schedule_at=at)


def enqueue_once(name: str, of: str = "", /, **arguments: str | int) -> None:
    """Enqueue a job to run now, unless one of this name (`of` the same thing) already waits."""
    # In a savepoint, because refusing a second job must not end the caller's transaction.
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        _put(name, arguments, queueing_lock=f"{name}:{of}")


def _put(name: str, arguments: dict[str, Any], **options: Any) -> None:
    # Through a queue of its own, because a task's `configure` takes the app's. Inside a worker the
    # app's queue has the worker's connection, which is outside the caller's transaction.
    declared = app.tasks[name]
    own = {"lock": declared.lock, "queueing_lock": declared.queueing_lock, "queue": declared.queue}
    queue = JobManager(DjangoConnector(alias="default"))
    configure_task(name=name, job_manager=queue, **(own | options)).defer(**arguments)
