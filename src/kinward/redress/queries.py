"""Reading statements and appeals."""

from datetime import datetime
from statistics import median
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from kinward.people.api import Account
from kinward.redress.models import Appeal, AppealState, Statement


def statements_of_case(case_id: UUID) -> QuerySet[Statement]:
    """A case's statements, the first one first."""
    return Statement.objects.filter(case_id=case_id).select_related("appeal").order_by("made_at")


def told_to(account: Account) -> QuerySet[Statement]:
    """What an account holder was told, the latest first."""
    return (
        Statement.objects.filter(account=account, told_at__isnull=False)
        .select_related("appeal")
        .order_by("-made_at")
    )


def waiting_appeals() -> QuerySet[Appeal]:
    """Appeals that wait for a person, those due first at the top."""
    return (
        Appeal.objects.filter(state=AppealState.WAITING)
        .select_related("statement__account")
        .order_by("due_at")
    )


def appeal_waits(case_id: UUID) -> bool:
    """Whether an appeal against a verdict on a case waits."""
    return waiting_appeals().filter(statement__case_id=case_id).exists()


class Figures(msgspec.Struct, frozen=True):
    """How appeals went in a time: counts, and the median days to an answer."""

    made: int
    waiting: int
    upheld: int
    overturned: int
    median_days: float | None


def appeal_figures(since: datetime) -> Figures:
    """How the appeals made since a moment went."""
    made = list(Appeal.objects.filter(made_at__gte=since).only("state", "made_at", "decided_at"))
    states = [each.state for each in made]
    took = [
        (each.decided_at - each.made_at).total_seconds() / 86_400
        for each in made
        if each.decided_at is not None
    ]
    return Figures(
        made=len(made),
        waiting=states.count(AppealState.WAITING),
        upheld=states.count(AppealState.UPHELD),
        overturned=states.count(AppealState.OVERTURNED),
        median_days=round(median(took), 2) if took else None,
    )
