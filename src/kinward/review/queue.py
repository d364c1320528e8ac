"""The queue: the cases that wait, in their order, and who may take them."""

from collections import Counter
from typing import Final, get_args
from uuid import UUID

import msgspec
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from kinward.access import Permission
from kinward.access.api import AgreementState, Staff, holders
from kinward.casebook.api import (
    FINDING_KINDS,
    UNDECIDED,
    Case,
    CaseState,
    Finding,
    PendingVerdict,
    Unreadable,
    Verdict,
    VerdictProposal,
    finding_kind,
)
from kinward.guidelines import Confidence

CONFIDENCES: Final = get_args(Confidence)  # in the order in which the queue tells them


def case_queue() -> QuerySet[Case]:
    """Return undecided cases by priority, then by due date."""
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
    """Return the first cases of the queue, each with what there is against the account."""
    cases = list(case_queue()[:limit])
    counts = _count_findings(cases)
    return [QueueRow(case, _findings_in_words(counts[case.pk])) for case in cases]


def _count_findings(cases: list[Case]) -> dict[UUID, Counter[tuple[str, str]]]:
    """Count the findings of each case by tally and confidence."""
    # A query of its own counts for the rows within the limit; a join would group the whole queue.
    counts: dict[UUID, Counter[tuple[str, str]]] = {case.pk: Counter() for case in cases}
    findings = Finding.objects.filter(case__in=counts).order_by()
    grouped = findings.values_list("case", "kind", "confidence").annotate(count=Count("*"))
    for case_id, name, confidence, count in grouped:
        counts[case_id][finding_kind(name).tally, confidence] += count
    return counts


def _findings_in_words(counts: Counter[tuple[str, str]]) -> str:
    kinds = [kind for kind in FINDING_KINDS.values() if kind.name == kind.tally]
    return ", ".join(
        kind.counted(confidence, count)
        for kind in (*kinds, Unreadable())
        for confidence in CONFIDENCES
        if (count := counts[kind.tally, confidence])
    )


def free_for(staff: Staff) -> Q:
    """Match cases that this person may lease. A lease of one who may not work holds nothing."""
    able = holders(Permission.WORK_ON_CASES)
    over = Q(leased_by=None) | Q(leased_until__lt=timezone.now()) | ~Q(leased_by__in=able)
    return over | Q(leased_by=staff)


def overdue_cases() -> QuerySet[Case]:
    """Return undecided cases that are past their due date."""
    return Case.objects.filter(state__in=UNDECIDED, due_at__lt=timezone.now())


def prior_cases(case: Case) -> QuerySet[Case]:
    """Return the other cases of the same account, newest first, at most 50."""
    others = Case.objects.filter(account=case.account).exclude(pk=case.pk)
    return others.order_by("-opened_at")[:50]


def cases_free_for(staff: Staff) -> QuerySet[Case]:
    """Return undecided cases that nobody else has and this person may decide, in queue order."""
    free = free_for(staff)
    decided = Verdict.objects.filter(case=OuterRef("pk"), given_by=staff)
    theirs = Q(state=CaseState.ESCALATED) & Exists(decided)
    given = PendingVerdict.objects.filter(case=OuterRef("pk"), ended_at=None)
    undecided = Case.objects.filter(state__in=UNDECIDED).filter(free).exclude(theirs)
    waiting = undecided.exclude(Exists(_proposed_by(staff))).exclude(Exists(given))
    return waiting.order_by("priority", "due_at", "id")


def _proposed_by(staff: Staff) -> QuerySet[VerdictProposal]:
    """Return a person's own verdicts on a case that wait for another person."""
    return VerdictProposal.objects.filter(
        case=OuterRef("pk"), asked_by=staff, state=AgreementState.ASKED, went_ahead_at=None
    )


def recent_cases() -> QuerySet[Case]:
    """Return the latest 20 decided cases, newest first."""
    decided = Case.objects.exclude(state__in=UNDECIDED).select_related("account")
    return decided.order_by("-changed_at")[:20]
