"""Reading cases: the queue, and everything about one."""

from itertools import chain
from typing import Any

import msgspec
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import ngettext

from kinward.access.models import Staff
from kinward.cases.models import Case, Finding, Verdict
from kinward.cases.states import UNDECIDED, CaseState
from kinward.enforcement.queries import of_case as actions_of
from kinward.enforcement.queries import parked as parked_actions
from kinward.enforcement.queries import sanctions_of
from kinward.evidence.queries import of_case as evidence_of
from kinward.ledger.models import Entry
from kinward.ledger.queries import about
from kinward.matching.confidence import Confidence
from kinward.matching.kinds import kind_of
from kinward.redress.queries import of_case as statements_of
from kinward.reporting.queries import parked as parked_reports
from kinward.reporting.queries import reports_of_case


class Ground(msgspec.Struct, frozen=True):
    """One reason, in words for a reviewer."""

    text: str
    verified: bool


def queue() -> QuerySet[Case]:
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
    cases = queue().annotate(
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


def overdue() -> QuerySet[Case]:
    """Undecided cases that should have been decided by now."""
    return Case.objects.filter(state__in=UNDECIDED, due_at__lt=timezone.now())


def prior(case: Case) -> QuerySet[Case]:
    """The other cases of the same account, the latest first."""
    others = Case.objects.filter(account=case.account).exclude(pk=case.pk)
    return others.order_by("-opened_at")[:50]


def free_for(staff: Staff) -> QuerySet[Case]:
    """Undecided cases that nobody else holds and this person may decide, the first one first."""
    free = Q(leased_by=None) | Q(leased_until__lt=timezone.now()) | Q(leased_by=staff)
    decided = Verdict.objects.filter(case=OuterRef("pk"), given_by=staff)
    theirs = Q(state=CaseState.ESCALATED) & Exists(decided)
    undecided = Case.objects.filter(state__in=UNDECIDED)
    return undecided.filter(free).exclude(theirs).order_by("priority", "due_at", "id")


def recent() -> QuerySet[Case]:
    """The latest decided cases."""
    decided = Case.objects.exclude(state__in=UNDECIDED).select_related("account")
    return decided.order_by("-changed_at")[:20]


def parked() -> dict[str, int]:
    """How many actions and reports were given up and wait for a person."""
    return {"actions": parked_actions().count(), "reports": parked_reports().count()}


def grounds(case: Case) -> list[Ground]:
    """Why the case exists, in words, each reason once."""
    found: dict[str, Ground] = {}
    for finding in case.findings.select_related("check_made").order_by("created_at"):
        words = [_in_words(match) for match in finding.grounds]
        if finding.given_back and finding.check_made is not None:
            content = finding.check_made.content_id
            text = f"A person gave {content}, or a copy, back before: see the other cases."
            words.append(Ground(f"{text} The account was left as it stood.", verified=False))
        found |= {ground.text: ground for ground in words}
    return list(found.values())


def described(case: Case) -> dict[str, list[Ground]]:
    """What each file of a case matched, in words, by its content: told instead of shown."""
    found: dict[str, list[Ground]] = {}
    for finding in case.findings.select_related("check_made"):
        if finding.check_made is not None:
            words = [_in_words(match) for match in finding.grounds]
            found.setdefault(finding.check_made.content_id, []).extend(words)
    return found


def _in_words(match: dict[str, object]) -> Ground:
    if match["kind"] == "user report":
        said = f" They wrote: {match['text']}" if match["text"] else ""
        about = f" Content {match['content_id']}." if match["content_id"] else ""
        return Ground(f"A person reported: {match['title']}.{about}{said}", verified=False)
    bank = f"the {match['confidence']} bank “{match['bank']}”"
    text = kind_of(str(match["kind"])).in_words(bank, int(str(match["distance"])))
    if match.get("label"):
        text += f" The list calls it {match['label']}."
    return Ground(text, match["confidence"] == "verified")


def timeline(case: Case) -> QuerySet[Entry]:
    """Every ledger entry about a case and what is of it: evidence, actions, reports, appeal."""
    statements = list(statements_of(case.id))
    subjects = chain(
        [str(case)],
        (str(each) for each in evidence_of(case.id)),
        (str(each) for each in actions_of(case.id)),
        (str(report) for report in reports_of_case(case.id)),
        (str(each) for each in statements),
        (str(each.appeal) for each in statements if hasattr(each, "appeal")),
        (f"sanction:{pk}" for pk in sanctions_of(case.id)),
    )
    return about(*subjects)
