"""Checks of what Kinward runs on: database, worker, jobs, search and clock."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from kinward.cli.counts import counted
from kinward.cli.doctor.result import PROBE, Result, fault, fine, warn
from kinward.ground.calls_out import Caller, CallFailed, Reach
from kinward.ground.config import section

MAX_SKEW: Final = 30.0
STALE_SECONDS: Final = 60.0


def check_database() -> Result:
    """Is PostgreSQL 14 or newer reachable?"""
    from kinward.cli import postgres
    from kinward.cli.main import open_tables

    embedded = postgres.is_embedded()
    open_tables(before_replay=True)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        row = cursor.fetchone()
    version = int(row[0]) // 10000 if row else 0
    if version < 14:
        return fault(f"PostgreSQL {version} is too old. Use 14 or newer.")
    if embedded:
        return warn(f"PostgreSQL {version} is the embedded one. Use your own in production.")
    return fine(f"PostgreSQL {version} answers.")


def check_migrations() -> Result:
    """Is every table at this version?"""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        missing = counted(len(plan), "migration is missing.", "migrations are missing.")
        return fault(f"{missing} Run `kinward migrate`.")
    return fine("Every table is at this version.")


def check_worker() -> Result:
    """Has a worker sent a heartbeat recently?"""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers"
        )
        row = cursor.fetchone()
    if row is None or row[0] is None:
        return fault("No worker is running. Start one with `kinward up` or `kinward worker`.")
    if row[0] > STALE_SECONDS:
        return fault(f"The last heartbeat of a worker is {row[0]:.0f} s old. See its log.")
    return fine("A worker is alive.")


def check_jobs() -> Result:
    """Does a job keep failing?"""
    from kinward.ground.jobs import OFTEN, fail_often

    failing = fail_often()
    if not failing:
        return fine("No job keeps failing.")
    names = ", ".join(f"{name} ({count})" for name, count in failing.items())
    return warn(
        f"These jobs failed {OFTEN} times or more and are being retried: {names}. The worker's log "
        "says why (`job.fails_often`)."
    )


def check_index() -> Result:
    """Is the search compiled?"""
    from kinward.matching import warm, was_kept

    seconds = warm()
    if was_kept():
        return fine("The search is compiled.")
    return warn(
        f"The search was not compiled during installation. Compiling took {seconds:.0f} s, and "
        "each start takes as long until the result can be cached. Run `python -m "
        "kinward.matching.hamming` as a user who may write there, or set NUMBA_CACHE_DIR."
    )


def check_clock() -> Result:
    """Does the clock agree with the database's and the authority's?"""
    from django.db import connection

    from kinward.reporting.api import CyberTiplineSettings

    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        row = cursor.fetchone()
    assert row is not None
    skews = {"the database": abs((datetime.now(UTC) - row[0]).total_seconds())}
    address = section(CyberTiplineSettings).url
    if address:
        try:
            with Caller(limits=PROBE, reach=Reach.STRANGERS, base=address) as caller:
                date = caller.call("GET", address, cut=True).headers["date"]
            skews["the authority"] = abs(
                (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
            )
        except (CallFailed, KeyError, ValueError):
            pass  # `check_authority` reports an authority that is unreachable
    for peer, skew in skews.items():
        if skew > MAX_SKEW:
            return fault(
                f"The clock differs from {peer}'s by {skew:.0f} s. Synchronise it with NTP."
            )
    return fine(f"The clock agrees with {' and '.join(skews)}.")


def check_reconciliation() -> Result:
    """Do the tables and the ledger agree, and did somebody compare them within two days?"""
    from kinward.reconciliation.api import comparison

    state = comparison()
    told = []
    if state.differences:
        told.append(
            f"{state.differences:,} rows and entries differ, and nothing explains it. "
            "See /operations, or run `kinward ledger reconcile`."
        )
    if state.hidden:
        told.append(
            f"The ledger names {state.hidden:,} differences that the table has lost. Somebody "
            "deleted them past Kinward. Run `kinward ledger reconcile --all`."
        )
    if state.problem:
        told.append(f"The comparison of the tables with the ledger stopped: {state.problem}.")
    if state.late:
        told.append(
            "Nobody has compared the tables with the ledger for two days. Run `kinward worker`, or "
            "`kinward ledger reconcile --all`."
        )
    if told:
        return fault(" ".join(told))
    if state.finished_at is None:
        return warn("The tables have not been compared with the ledger yet. A job does it daily.")
    return fine(f"The tables and the ledger agreed on {state.finished_at:%Y-%m-%d %H:%M} UTC.")
