"""The queue: which cases wait, in which order, and for whom."""

from typing import Any

import msgspec
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import ngettext

from kinward.access.api import Staff
from kinward.casebook.api import UNDECIDED, Case, CaseState, Finding, Verdict
from kinward.matching.api import Confidence


def case_queue() -> QuerySet[Case]:
    """Undecided cases by their priority, and among equals by when they are due."""
    return (
        Case.objects.filter(state__in=UNDECIDED)
        .select_related("account", "leased_by")
        .order_by("priority", "due_at", "id")
    )


class QueueRow(msgspec.Struct, frozen=True):
    """One case of the queue, and its findings counted by kind, in words for a reviewer."""

    case: Case
    findings: str


def queue_rows(limit: int) -> list[QueueRow]:
    """The first cases of the queue, each with what there is against the account."""
    cases = case_queue().annotate(
        verified=_count_findings(confidence=Confidence.VERIFIED),
        unverified=_count_findings(confidence=Confidence.UNVERIFIED),
        reports=_count_findings(user_report__isnull=False),
    )
    return [
        QueueRow(case, _findings_in_words(case.verified, case.unverified, case.reports))
        for case in cases[:limit]
    ]


def _count_findings(**kind: Any) -> Coalesce:
    # A subquery runs for the rows within the limit; a join would group the whole queue.
    findings = Finding.objects.filter(case=OuterRef("pk"), **kind).order_by().values("case")
    return Coalesce(Subquery(findings.annotate(count=Count("*")).values("count")), 0)


def _findings_in_words(verified: int, unverified: int, reports: int) -> str:
    counted = (
        (verified, ngettext("%d verified match", "%d verified matches", verified)),
        (unverified, ngettext("%d unverified match", "%d unverified matches", unverified)),
        (reports, ngettext("%d user report", "%d user reports", reports)),
    )
    return ", ".join(words % count for count, words in counted if count)


def overdue_cases() -> QuerySet[Case]:
    """Undecided cases that should have been decided by now."""
    return Case.objects.filter(state__in=UNDECIDED, due_at__lt=timezone.now())


def prior_cases(case: Case) -> QuerySet[Case]:
    """The other cases of the same account, the latest first."""
    others = Case.objects.filter(account=case.account).exclude(pk=case.pk)
    return others.order_by("-opened_at")[:50]


def cases_free_for(staff: Staff) -> QuerySet[Case]:
    """Undecided cases that nobody else holds and this person may decide, the first one first."""
    free = Q(leased_by=None) | Q(leased_until__lt=timezone.now()) | Q(leased_by=staff)
    decided = Verdict.objects.filter(case=OuterRef("pk"), given_by=staff)
    theirs = Q(state=CaseState.ESCALATED) & Exists(decided)
    undecided = Case.objects.filter(state__in=UNDECIDED)
    return undecided.filter(free).exclude(theirs).order_by("priority", "due_at", "id")


def recent_cases() -> QuerySet[Case]:
    """The latest decided cases."""
    decided = Case.objects.exclude(state__in=UNDECIDED).select_related("account")
    return decided.order_by("-changed_at")[:20]
