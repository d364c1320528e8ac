"""The queue and the case page."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from kinward.access.permissions import Permission
from kinward.cases import queries, services
from kinward.cases.contacts import contacts
from kinward.cases.disputes import disputes
from kinward.cases.drafting import ReportDetails, vocabulary_for
from kinward.cases.exposure import exposure_of
from kinward.cases.models import Case
from kinward.cases.services import (
    DECISIONS,
    Decision,
    VerdictForm,
    get_case,
    require_lease,
)
from kinward.cases.states import UNDECIDED
from kinward.cases.viewing import viewing_of
from kinward.cases.where import KINDS, Where
from kinward.enforcement.queries import of_case as actions_of
from kinward.enforcement.sanctions import stands
from kinward.enforcement.strikes import strikes_of
from kinward.errors import Invalid, KinwardError
from kinward.evidence.queries import of_case as evidence_of
from kinward.evidence.queries import viewed_entirely
from kinward.fields import whole_number
from kinward.guidelines.queries import in_force
from kinward.people.services import related_accounts
from kinward.redress.queries import of_case as statements_of
from kinward.redress.queries import waiting
from kinward.redress.services import keep_silent
from kinward.reporting.queries import reports_of_case
from kinward.reporting.vocabulary import PlaceKind
from kinward.web.guards import StaffRequest, needs


@require_GET
@needs(
    Permission.WORK_ON_CASES,
    Permission.READ_LEDGER,
    Permission.REPLAY,
    Permission.CHANGE_POLICY,
    Permission.RELEASE_RECORDS,
)
def home(request: StaffRequest) -> HttpResponse:
    """Where a role's work begins."""
    if request.user.may(Permission.WORK_ON_CASES) or request.user.may(Permission.READ_LEDGER):
        return redirect("queue")
    if request.user.may(Permission.REPLAY):
        return redirect("operations")
    return redirect("policy" if request.user.may(Permission.CHANGE_POLICY) else "releases")


@require_GET
@needs(Permission.WORK_ON_CASES, Permission.READ_LEDGER)
def queue(request: StaffRequest) -> HttpResponse:
    """What waits for a decision, and what was decided last."""
    context = {
        "queue": queries.queue()[:100],
        "recent": queries.recent(),
        "overdue": queries.overdue().count(),
        "now": timezone.now(),
    }
    return render(request, "web/queue.html", context)


@require_POST
@needs(Permission.WORK_ON_CASES)
def take_next(request: StaffRequest) -> HttpResponse:
    """Take the first case that is free."""
    case = services.take_next(staff=request.user)
    if case is None:
        messages.info(request, "Nothing waits for you. Breathe.")
        return redirect("queue")
    return redirect("case", case.id)


@require_GET
@needs(Permission.WORK_ON_CASES, Permission.READ_LEDGER)
def case(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Everything about one case."""
    return case_page(request, get_case(case_id))


def case_page(
    request: StaffRequest, case: Case, *, problem: KinwardError | None = None
) -> HttpResponse:
    """The page of a case, with what went wrong, if something did."""
    appeal = waiting().filter(statement__case_id=case.id).first()
    words, matches = vocabulary_for(case.account), queries.described(case)
    files: list[dict[str, Any]] = [
        {
            "evidence": file,
            "viewed": viewed_entirely(file),
            "words": matches.get(file.content_id, []),
        }
        for file in evidence_of(case.id)
    ]
    context = {
        "case": case,
        "mine": _is_mine(case, request),
        "undecided": case.state in UNDECIDED,
        "takeable": case.state in UNDECIDED or appeal is not None,
        "grounds": queries.grounds(case),
        "disputes": disputes(case.id),
        "exposure": exposure_of(request.user),
        "viewing": viewing_of(request.user),
        "files": files,
        "pictured": [each for each in files if not each["evidence"].is_excerpt],
        "actions": actions_of(case.id),
        "reports": reports_of_case(case.id),
        "verdicts": case.verdicts.select_related("given_by").order_by("given_at"),
        "timeline": queries.timeline(case),
        "statements": statements_of(case.id),
        "appeal": appeal,
        "stands": stands(case.account),
        "strikes": strikes_of(case.account),
        "related": related_accounts(case.account),
        "contacts": contacts(case),
        "prior": queries.prior(case),
        "comments": case.comments.select_related("staff"),
        "senior": request.user.may(Permission.FREE_CASES),
        "reviews": request.user.may(Permission.WORK_ON_CASES),
        "longest_silence": services.MAX_SILENCE,
        "clauses": in_force().clause,
        "classifications": words.classes,
        "annotations": words.annotations,
        "kinds_of_where": {kind: KINDS[kind] for kind in KINDS if kind in words.places},
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "web/case.html", context, status=status)


def _is_mine(case: Case, request: StaffRequest) -> bool:
    try:
        require_lease(case, request.user)
    except services.LeaseNeeded:
        return False
    return True


@require_POST
@needs(Permission.WORK_ON_CASES)
def take_case(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Lease this case."""
    services.take(case=get_case(case_id), staff=request.user)
    return redirect("case", case_id)


@require_POST
@needs(Permission.WORK_ON_CASES)
def give_up_case(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Let go of this case."""
    services.give_up(case=get_case(case_id), staff=request.user)
    return redirect("queue")


@require_POST
@needs(Permission.WORK_ON_CASES)
def decide_case(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Give a verdict."""
    sent = request.POST
    try:
        outcome = sent.get("outcome", "")
        if outcome not in DECISIONS:
            raise Invalid("Choose what you decide.")
        form = VerdictForm(
            outcome=cast("Decision", outcome),
            clause=sent.get("clause", ""),
            note=sent.get("note", ""),
            classifications=_all_files(case_id, sent.get("all_files", ""))
            | {
                name.removeprefix("classification:"): str(value)
                for name, value in sent.items()
                if name.startswith("classification:") and value
            },
            annotations=sent.getlist("annotations"),
            details=ReportDetails(
                escalate=sent.get("escalate", "").strip(),
                description=sent.get("description", "").strip(),
                victims=_named(request, "victim"),
                recipients=_named(request, "recipient"),
                where=_where(request),
                chat=sent.get("chat", "").replace("\r\n", "\n").strip(),
            ),
            bank=sent.get("bank") == "yes",
            silent_days=whole_number(sent.get("silent_days", "")) or 0,
            silent_why=sent.get("silent_why", ""),
        )
        services.decide(case_id=case_id, staff=request.user, form=form)
    except KinwardError as error:
        return case_page(request, get_case(case_id), problem=error)
    messages.success(request, f"Your verdict is in: {form.outcome}.")
    return redirect("case", case_id)


def _named(request: StaffRequest, who: str) -> list[str]:
    """The accounts that were ticked as a victim or recipient, and those that were written."""
    written = request.POST.get(f"{who}s", "").split()
    return list(dict.fromkeys([*request.POST.getlist(who), *written]))


def _where(request: StaffRequest) -> list[Where]:
    """Where else it happened, if a kind was chosen."""
    kind = request.POST.get("where_kind", "")
    if not kind:
        return []
    name, about = (request.POST.get(f"where_{each}", "").strip() for each in ("name", "about"))
    return [Where(cast("PlaceKind", kind), name, about)]


def _all_files(case_id: UUID, classification: str) -> dict[str, str]:
    """One classification for every file of a case; what is said of a single file goes before."""
    if not classification:
        return {}
    files = (each for each in evidence_of(case_id) if not each.is_excerpt)
    return {str(each.id): classification for each in files}


@require_POST
@needs(Permission.FREE_CASES)
def free(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Take the case out of another's hands."""
    try:
        services.free(case_id=case_id, staff=request.user, why=request.POST.get("why", ""))
    except KinwardError as error:
        return case_page(request, get_case(case_id), problem=error)
    messages.success(request, "The case is free.")
    return redirect("case", case_id)


@require_POST
@needs(Permission.WORK_ON_CASES)
def comment(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Write a comment for colleagues."""
    case = get_case(case_id)
    try:
        services.comment(case=case, staff=request.user, text=request.POST.get("text", ""))
    except KinwardError as error:
        return case_page(request, case, problem=error)
    return redirect("case", case_id)


@require_POST
@needs(Permission.KEEP_SILENT)
def silence(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Tell the account holder nothing for some more days, or tell them now."""
    case = get_case(case_id)
    try:
        days = whole_number(request.POST.get("days", ""))
        if days is None or days > services.MAX_SILENCE:
            raise Invalid(f"Days are from 0 to {services.MAX_SILENCE}.")
        untold = statements_of(case_id).filter(told_at=None).last()
        if untold is None:
            raise Invalid("There is nothing that was not told.")
        until = timezone.now() + timedelta(days=days)
        why = request.POST.get("why", "")
        keep_silent(statement_id=untold.id, until=until, why=why, staff=request.user)
    except KinwardError as error:
        return case_page(request, case, problem=error)
    messages.success(request, f"The account holder hears nothing until {until:%Y-%m-%d}.")
    return redirect("case", case_id)


@require_POST
@needs(Permission.WORK_ON_CASES)
def settle_pairing(request: StaffRequest, case_id: UUID, pairing_id: UUID) -> HttpResponse:
    """Say what becomes of a pairing that a teen disputes."""
    case = get_case(case_id)
    ends = request.POST.get("becomes") != "restored"
    try:
        services.settle_dispute(case=case, pairing_id=pairing_id, ends=ends, staff=request.user)
    except KinwardError as error:
        return case_page(request, case, problem=error)
    messages.success(request, "The pairing has ended." if ends else "The pairing goes on.")
    return redirect("case", case_id)
