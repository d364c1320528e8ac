"""Durable jobs: the one way work is put off, tried again, and picked up after a crash.

A job is enqueued in the transaction that makes it necessary, so it exists exactly when its cause
does. A worker that dies leaves its job marked as running; `rescue` gives it to another.
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

log = structlog.get_logger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# Seconds before each further try: quick at first, then hourly, for three days in all. Never longer
# than an hour: a job that a crash interrupted counts as tried, and must not wait for that.
DELAYS = (2, 5, 15, 60, 300, 900, 1800, *[3600] * 72)


OFTEN = 10  # attempts from which on each failure is a warning


class Patient(BaseRetryStrategy):
    """Try again after each of `DELAYS`, and for ever after at the last one."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if job.attempts >= OFTEN:
            about = {"job": job.id, "task": job.task_name, "attempts": job.attempts}
            log.warning(
                "job.fails_often", **about, error=f"{type(exception).__name__}: {exception}"
            )
        wait = timedelta(seconds=delay(job.attempts))
        return RetryDecision(retry_at=datetime.now(UTC) + wait)


def delay(attempts: int) -> float:
    """Seconds to wait after this many failed attempts (0 = none yet)."""
    return DELAYS[min(attempts, len(DELAYS) - 1)] * config().retry_scale


def task(
    name: str, *, lock: str | None = None, every: str = ""
) -> Callable[[Callable[P, R]], Task[P, R, P]]:
    """Declare a durable job; its function must be safe to run again from the start.

    Of all jobs with one `lock` only one runs at a time: long ones never take every worker's hands.
    `every` is when it comes by itself, as in cron (its `timestamp` says for when); while one of
    these waits, no other is added.
    """

    def declare(function: Callable[P, R]) -> Task[P, R, P]:
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            close_old_connections()
            try:
                return function(*args, **kwargs)
            finally:
                close_old_connections()

        waits_once = name if every else None
        made = app.task(name=name, retry=Patient(), lock=lock, queueing_lock=waits_once)(run)
        if every:
            app.periodic(cron=every)(cast("Any", made))
        return made

    return declare


def fail_often() -> dict[str, int]:
    """How many jobs of each name have failed `OFTEN` times or more, and are tried again."""
    query = "SELECT task_name, count(*) FROM procrastinate_jobs "
    query += "WHERE status = 'todo' AND attempts >= %s GROUP BY task_name ORDER BY task_name"
    with connection.cursor() as cursor:
        cursor.execute(query, [OFTEN])
        return dict(cursor.fetchall())


class Jobs(JobManager):
    """The queue. A job that is to be tried again gives way to the same one, if that waits already.

    Otherwise it would stay as running for ever, and keep its lock.
    """

    async def retry_job(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """Put a job back that failed, or whose worker died."""
        try:
            await super().retry_job(job, *args, **kwargs)
        except UniqueViolation:
            await self.finish_job(job, status=Status.FAILED, delete_job=True)


def prepare(opened: App) -> None:
    """Give procrastinate our queue, when Django has loaded everything."""
    opened.job_manager = Jobs(opened.connector)


@app.periodic(cron="* * * * * */5")  # the sixth field counts seconds
@app.task(name="jobs.rescue", queueing_lock="jobs.rescue", pass_context=True)
async def rescue(context: JobContext, timestamp: int) -> int:
    """Give the jobs of workers that have gone silent back to the queue."""
    silent = config().stalled_seconds
    manager = context.app.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=silent))
    for job in stalled:
        await manager.retry_job(job)
        log.warning("job.rescued", job=job.id, task=job.task_name)
    return len(stalled)


def enqueue(name: str, *, at: datetime | None = None, **arguments: str | int) -> None:
    """Put a job in the queue, for now or for a moment, in the transaction of the caller's database.

    The connection is Django's own even inside a worker, so the job exists if its cause does.
    """
    _put(name, arguments, schedule_at=at)


def enqueue_once(name: str, of: str = "", /, **arguments: str | int) -> None:
    """The same, unless such a job (`of` something) already waits."""
    # In a savepoint: the refusal of a second one must not end the caller's transaction.
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        _put(name, arguments, queueing_lock=f"{name}:{of}")


def _put(name: str, arguments: dict[str, Any], **options: Any) -> None:
    # By a queue of its own: a task's `configure` takes the app's, and inside a worker that has the
    # worker's connection, which knows nothing of the caller's transaction.
    declared = app.tasks[name]
    options = {"lock": declared.lock, "queueing_lock": declared.queueing_lock} | options
    queue = JobManager(DjangoConnector(alias="default"))
    configure_task(name=name, job_manager=queue, **options).defer(**arguments)
