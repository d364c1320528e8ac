"""Queries about statements and appeals. They may be stale: services read under their locks."""

from datetime import datetime
from statistics import median
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from kinward.people.api import Account
from kinward.redress.models import Appeal, AppealState, Statement


def statements_of_case(case_id: UUID) -> QuerySet[Statement]:
    """Return a case's statements, oldest first."""
    return Statement.objects.filter(case_id=case_id).select_related("appeal").order_by("made_at")


def told_to(account: Account) -> QuerySet[Statement]:
    """Return the statements that an account holder was told, newest first."""
    return (
        Statement.objects.filter(account=account, told_at__isnull=False)
        .select_related("appeal")
        .order_by("-made_at")
    )


def waiting_appeals() -> QuerySet[Appeal]:
    """Return the appeals that wait for a person, in the order they are due."""
    return (
        Appeal.objects.filter(state=AppealState.WAITING)
        .select_related("statement__account")
        .order_by("due_at")
    )


def appeal_waits(case_id: UUID) -> bool:
    """Return whether an appeal against a verdict on a case waits."""
    return waiting_appeals().filter(statement__case_id=case_id).exists()


class Figures(msgspec.Struct, frozen=True):
    """The outcomes of the appeals of a period: counts, and the median days to an answer."""

    made: int
    waiting: int
    upheld: int
    overturned: int
    median_days: float | None


def appeal_figures(since: datetime) -> Figures:
    """Count the outcomes of the appeals made since a moment."""
    appeals = list(Appeal.objects.filter(made_at__gte=since).only("state", "made_at", "decided_at"))
    states = [appeal.state for appeal in appeals]
    days = [
        (appeal.decided_at - appeal.made_at).total_seconds() / 86_400
        for appeal in appeals
        if appeal.decided_at is not None
    ]
    return Figures(
        made=len(appeals),
        waiting=states.count(AppealState.WAITING),
        upheld=states.count(AppealState.UPHELD),
        overturned=states.count(AppealState.OVERTURNED),
        median_days=round(median(days), 2) if days else None,
    )
