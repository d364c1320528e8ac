"""Compare the tables with the ledger, in bounded pieces, and keep what differs.

The room stands above `access`, since it compares any table that a room above it declares, and knows
none of them. The form of a declaration stands in `ledger`, so that `access` declares its own.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.ground.errors import KinwardError
from kinward.ground.locks import exclusive
from kinward.ledger.api import kinds, record, require_secret
from kinward.reconciliation.compare import snapshot
from kinward.reconciliation.gaps import Gap
from kinward.reconciliation.models import Difference, Run
from kinward.reconciliation.steps import Batch, Step, steps

log = structlog.get_logger(__name__)
Progress = Callable[[str, Run], None]

ACTOR: Final = Actor.system("reconciliation")
LOCK: Final = "reconciliation"
MOST: Final = 10_000  # differences that are kept; more are counted
OVERLAP: Final = timedelta(hours=1)  # by which a window begins before the last whole run


class AlreadyRunning(KinwardError):
    """Another process compares the tables with the ledger now. Wait until it is done."""

    code = "ledger.reconciling"
    status = 409


def reconcile(*, since: datetime | None = None, progress: Progress = lambda step, run: None) -> Run:
    """Compare all rows and entries, or those since a moment, and return the finished run.

    A whole run that was interrupted resumes where it stopped. Raises `AlreadyRunning`, and
    `OtherSecret`, since every entry would be a stranger's.
    """
    require_secret()
    with exclusive(LOCK) as mine:
        if not mine:
            raise AlreadyRunning
        run = _resumed(since)
        try:
            _go_on(run, progress)
        except Exception as error:
            Run.objects.filter(pk=run.pk).update(problem=f"{type(error).__name__}: {error}"[:500])
            raise
        return run


def last_whole_run() -> Run | None:
    """Return the newest run that compared everything."""
    return Run.objects.filter(since=None, finished_at__isnull=False).order_by("-pk").first()


def since_last_run() -> datetime | None:
    """Return from when on a window begins: a little before the last whole run; None without one."""
    last = last_whole_run()
    return None if last is None else last.began_at - OVERLAP


@transaction.atomic
def _resumed(since: datetime | None) -> Run:
    """Return the whole run that stopped, to go on, or else a run that begins.

    A window that stopped begins anew. Raises `AlreadyRunning` for a window while a whole run has
    stopped.
    """
    stopped = Run.objects.select_for_update().filter(finished_at=None).first()
    if stopped is None:
        return Run.objects.create(since=since)
    stopped.problem = ""
    if stopped.since is None and since is not None:
        raise AlreadyRunning("A whole comparison has stopped. Resume it with --all.")
    if stopped.since is not None:
        stopped.since, stopped.step, stopped.after = since, "", ""
        stopped.rows = stopped.entries = stopped.found = 0
        stopped.explained = {}
    stopped.save()
    return stopped


def _go_on(run: Run, progress: Progress) -> None:
    todo = steps()
    names = [step.name for step in todo]
    if run.step:  # a step of an earlier version is not there any more: begin anew
        todo = todo[names.index(run.step) :] if run.step in names else todo
    if run.step and run.step not in names:
        run.after = ""
    for step in todo:
        _take(step, run, progress)
    _finish(run)


def _take(step: Step, run: Run, progress: Progress) -> None:
    if run.step != step.name:
        run.step, run.after = step.name, ""
    while True:
        with snapshot():
            batch = step.batch(run.after, run.since)
        _keep(run, batch)
        progress(step.name, run)
        if not batch.after:
            return


@transaction.atomic
def _keep(run: Run, batch: Batch) -> None:
    """Keep what a batch found, and how far the run has come, in one transaction."""
    run.after = batch.after
    run.rows += batch.rows
    run.entries += batch.entries
    _note(run, batch.gaps)
    run.save()


def _note(run: Run, gaps: Sequence[Gap]) -> None:
    for gap in gaps:
        if gap.rule:
            run.explained[gap.rule] = run.explained.get(gap.rule, 0) + 1
            continue
        run.found += 1
        if run.found <= MOST:
            _keep_difference(run, gap)


def _keep_difference(run: Run, gap: Gap) -> None:
    """Keep a difference, with an entry if it is new."""
    counterpart, key, what, kind, detail = gap.named
    difference, new = Difference.objects.get_or_create(
        counterpart=counterpart,
        key=key[:420],
        what=what,
        kind=kind[:80],
        detail=detail[:300],
        ended_at=None,
        defaults={"subject": gap.subject[:300], "run": run},
    )
    if not new:
        Difference.objects.filter(pk=difference.pk).update(run=run)
        return
    log.error("ledger.differs", subject=gap.subject, what=what, kind=kind, detail=detail)
    fact = kinds.LedgerDiffers(what=what, about=counterpart, of_kind=kind)
    record(actor=ACTOR, subject=str(difference), fact=fact)


@transaction.atomic
def _finish(run: Run) -> None:
    """End a run. A whole one ends the differences that it did not find again."""
    if run.since is None:
        over = Difference.objects.select_for_update().filter(ended_at=None).exclude(run=run)
        for difference in over if run.found <= MOST else ():
            difference.ended_at = timezone.now()
            difference.save(update_fields=["ended_at"])
            record(actor=ACTOR, subject=str(difference), fact=kinds.LedgerAgrees())
    run.finished_at, run.problem = timezone.now(), ""
    run.save()
    fact = kinds.LedgerReconciled(
        everything=run.since is None,
        rows=run.rows,
        entries=run.entries,
        differences=run.found,
        explained=run.explained,
    )
    record(actor=ACTOR, subject=str(run), fact=fact)
