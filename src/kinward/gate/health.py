"""Endpoints for load balancers and Prometheus."""

from typing import Final, Literal

import msgspec
from django.db import connection
from prometheus_client import Counter, Gauge, Histogram, generate_latest

from kinward.access.api import keys_in_need, unreviewed_glasses
from kinward.gate.calls import Call, Content
from kinward.ground.jobs import fail_often
from kinward.ledger.api import is_late, is_witnessed
from kinward.matching.api import open_floods
from kinward.people.api import open_waves
from kinward.review.api import open_alerts, overdue_cases, parked_counts

METRICS: Final = "text/plain; version=0.0.4"

ANSWERS = Counter("kinward_gate_answers", "Answers of the gate", ["endpoint", "answer"])
OVERDUE = Gauge("kinward_cases_overdue", "Cases that should have been decided by now")
FAILING = Gauge("kinward_jobs_failing", "Jobs that failed ten times or more and are tried again")
GLASSES = Gauge("kinward_glass_unreviewed", "Acts done alone at the command line, not reviewed yet")
FLOODS = Gauge("kinward_floods", "Hashes that hit many accounts at once and wait for a person")
ALERTS = Gauge("kinward_staff_alerts", "Alerts about the work of the staff that wait for a person")
KEYS = Gauge("kinward_keys_in_need", "API keys that expire soon, or whose owner left")
WAVES = Gauge("kinward_waves", "Keys that changed many ages at once and wait for a person")
LEDGER = Gauge("kinward_ledger_late", "1 if entries have waited a minute to be placed and signed")
HOLDERS = Gauge("kinward_ledger_unwitnessed", "1 if no holder outside cosigns the ledger in time")
PARKED = Gauge("kinward_parked", "Actions and reports that wait for a person", ["what"])
SECONDS = Histogram("kinward_gate_seconds", "Seconds to an answer", ["endpoint"])


class Health(msgspec.Struct, frozen=True):
    """The gate and its database answer."""

    status: Literal["ok"] = "ok"


def see_health(call: Call[None]) -> Health:
    """Answer if the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Health()


def see_metrics(call: Call[None]) -> Content:
    """Return the metrics of this process, and counts of waiting work from the database."""
    for what, count in parked_counts().items():
        PARKED.labels(what).set(count)
    OVERDUE.set(overdue_cases().count())
    FAILING.set(sum(fail_often().values()))
    GLASSES.set(unreviewed_glasses().count())
    KEYS.set(len({need.key for need in keys_in_need() if need.what != "purpose"}))
    WAVES.set(open_waves().count())
    LEDGER.set(bool(is_late()))
    HOLDERS.set(not is_witnessed())
    FLOODS.set(open_floods().count())
    ALERTS.set(open_alerts().count())
    return Content(generate_latest(), METRICS)
