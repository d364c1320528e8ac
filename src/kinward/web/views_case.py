"""The queue and the case page."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.casebook.api import get_case
from kinward.ground.errors import Invalid, KinwardError
from kinward.redress.api import keep_silent, statements_of_case
from kinward.review.api import (
    add_comment,
    free_case,
    overdue_cases,
    queue_rows,
    recent_cases,
    release_lease,
    take_case,
    take_next_case,
)
from kinward.verdicts.api import MAX_SILENCE, decide_case, page_of, settle_case_dispute
from kinward.web.forms import SilenceSent, fill, read_verdict
from kinward.web.guards import StaffRequest, done, needs, posts

SHOWN: Final = 100  # cases of the queue


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
        "queue": queue_rows(SHOWN),
        "recent": recent_cases(),
        "overdue": overdue_cases().count(),
        "now": timezone.now(),
    }
    return render(request, "web/queue.html", context)


@posts(Permission.WORK_ON_CASES)
def take_next(request: StaffRequest) -> HttpResponse:
    """Take the first case that is free."""
    case = take_next_case(staff=request.user)
    if case is None:
        messages.info(request, "The queue is empty.")
        return redirect("queue")
    return redirect("case", case.id)


@require_GET
@needs(Permission.WORK_ON_CASES, Permission.READ_LEDGER)
def case(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Everything about one case."""
    return case_page(request, case_id)


def case_page(
    request: StaffRequest, case_id: UUID, *, problem: KinwardError | None = None, **_ids: UUID
) -> HttpResponse:
    """The page of a case, with what went wrong, if something did."""
    context = {"page": page_of(get_case(case_id), request.user), "problem": problem}
    return render(request, "web/case.html", context, status=problem.status if problem else 200)


@posts(Permission.WORK_ON_CASES)
def take(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Lease this case."""
    take_case(case=get_case(case_id), staff=request.user)
    return redirect("case", case_id)


@posts(Permission.WORK_ON_CASES)
def give_up_case(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Let go of this case."""
    release_lease(case=get_case(case_id), staff=request.user)
    return redirect("queue")


@posts(Permission.WORK_ON_CASES, page=case_page)
def decide(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Give a verdict."""
    form = read_verdict(request.POST, case_id)
    decide_case(case_id=case_id, staff=request.user, form=form)
    return done(request, f"Your verdict is in: {form.outcome}.", "case", case_id)


@posts(Permission.FREE_CASES, page=case_page)
def free(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Take the case out of another's hands."""
    free_case(case_id=case_id, staff=request.user, why=request.POST.get("why", ""))
    return done(request, "The case is free.", "case", case_id)


@posts(Permission.WORK_ON_CASES, page=case_page)
def comment(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Write a comment for colleagues."""
    text = request.POST.get("text", "")
    add_comment(case=get_case(case_id), staff=request.user, text=text)
    return redirect("case", case_id)


@posts(Permission.KEEP_SILENT, page=case_page)
def silence(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Tell the account holder nothing for some more days, or tell them now."""
    get_case(case_id)
    form = fill(SilenceSent, request.POST)
    if form.days is None or form.days > MAX_SILENCE:
        raise Invalid(f"Days are from 0 to {MAX_SILENCE}.")
    untold = statements_of_case(case_id).filter(told_at=None).last()
    if untold is None:
        raise Invalid("There is nothing that was not told.")
    until = timezone.now() + timedelta(days=form.days)
    keep_silent(statement_id=untold.id, until=until, why=form.why, staff=request.user)
    sentence = f"The account holder hears nothing until {until:%Y-%m-%d}."
    return done(request, sentence, "case", case_id)


@posts(Permission.WORK_ON_CASES, page=case_page)
def settle_pairing(request: StaffRequest, case_id: UUID, pairing_id: UUID) -> HttpResponse:
    """Say what becomes of a pairing that a teen disputes."""
    ends = request.POST.get("becomes") != "restored"
    settle_case_dispute(
        case=get_case(case_id), pairing_id=pairing_id, ends=ends, staff=request.user
    )
    sentence = "The pairing has ended." if ends else "The pairing goes on."
    return done(request, sentence, "case", case_id)
