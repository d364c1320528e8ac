"""The queue and the case page."""

from collections.abc import Mapping
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
from kinward.redress.api import (
    decide_long_silence,
    keep_silent,
    request_long_silence,
    statements_of_case,
)
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
from kinward.verdicts.api import (
    OrderForm,
    allow_again,
    decide_pairing_order,
    page_of,
    pause_pairing,
    request_pairing_order,
    settle_case_dispute,
)
from kinward.web.forms import SilenceSent, VerdictSent, fill
from kinward.web.guards import StaffRequest, done, needs, posts

SHOWN: Final = 100  # cases on the page of the queue
MAX_DAYS: Final = 3650  # of a silence by a legal order


@require_GET
@needs(
    Permission.WORK_ON_CASES,
    Permission.READ_LEDGER,
    Permission.REPLAY,
    Permission.CHANGE_POLICY,
    Permission.RELEASE_RECORDS,
)
def home(request: StaffRequest) -> HttpResponse:
    """Redirect to the page where the person's work begins."""
    if request.user.may(Permission.WORK_ON_CASES) or request.user.may(Permission.READ_LEDGER):
        return redirect("queue")
    if request.user.may(Permission.REPLAY):
        return redirect("operations")
    return redirect("policy" if request.user.may(Permission.CHANGE_POLICY) else "releases")


@require_GET
@needs(Permission.WORK_ON_CASES, Permission.READ_LEDGER)
def queue(request: StaffRequest) -> HttpResponse:
    """Show the cases that wait for a verdict, and the cases decided most recently."""
    context = {
        "queue": queue_rows(SHOWN),
        "recent": recent_cases(),
        "overdue": overdue_cases().count(),
        "now": timezone.now(),
    }
    return render(request, "web/queue.html", context)


@posts(Permission.WORK_ON_CASES)
def take_next(request: StaffRequest) -> HttpResponse:
    """Take the first case that nobody has leased."""
    case = take_next_case(staff=request.user)
    if case is None:
        messages.info(request, "The queue is empty.")
        return redirect("queue")
    return redirect("case", case.id)


@require_GET
@needs(Permission.WORK_ON_CASES, Permission.READ_LEDGER)
def case(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Show one case."""
    return case_page(request, case_id)


def case_page(
    request: StaffRequest,
    case_id: UUID,
    *,
    problem: KinwardError | None = None,
    preview: Mapping[str, str] | None = None,
    **_ids: UUID,
) -> HttpResponse:
    """Render the page of a case, with the problem of a form that was refused.

    The verdict's form keeps what was typed. `preview`: what the verdict would do.
    """
    if problem is not None and request.htmx:
        raise problem  # a part of the page asked, and shows the sentence alone
    context = {
        "page": page_of(get_case(case_id), request.user),
        "problem": problem,
        "sent": fill(VerdictSent, request.POST),
        "preview": preview,
    }
    return render(request, "web/case.html", context, status=problem.status if problem else 200)


@posts(Permission.WORK_ON_CASES)
def take(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Lease this case."""
    take_case(case=get_case(case_id), staff=request.user)
    return redirect("case", case_id)


@posts(Permission.WORK_ON_CASES)
def give_up_case(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """End one's own lease on this case."""
    release_lease(case=get_case(case_id), staff=request.user)
    return redirect("queue")


@posts(Permission.FREE_CASES, page=case_page)
def free(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """End another person's lease on this case."""
    free_case(case_id=case_id, staff=request.user, why=request.POST.get("why", ""))
    return done(request, "The lease has ended. The case is back in the queue.", "case", case_id)


@posts(Permission.WORK_ON_CASES, page=case_page)
def comment(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Add an internal comment."""
    text = request.POST.get("text", "")
    add_comment(case=get_case(case_id), staff=request.user, text=text)
    return redirect("case", case_id)


@posts(Permission.KEEP_SILENT, page=case_page)
def silence(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Set the days of silence of the case's untold statement. Zero days end the silence.

    With the reference of a legal order it is a request, which another person decides.
    """
    get_case(case_id)
    form = fill(SilenceSent, request.POST)
    if form.days is None or form.days > MAX_DAYS:
        raise Invalid(f"Enter a number of days from 0 to {MAX_DAYS}.")
    untold = statements_of_case(case_id).filter(told_at=None).last()
    if untold is None:
        raise Invalid("The account holder has been told everything already.")
    until = timezone.now() + timedelta(days=form.days)
    if form.reference.strip():
        request_long_silence(
            statement_id=untold.id,
            until=until,
            why=form.why,
            reference=form.reference,
            staff=request.user,
        )
        return done(request, "Another person has to approve this silence.", "case", case_id)
    keep_silent(statement_id=untold.id, until=until, why=form.why, staff=request.user)
    sentence = f"The account holder is told nothing until {until:%Y-%m-%d}."
    return done(request, sentence, "case", case_id)


@posts(Permission.KEEP_SILENT, page=case_page)
def decide_silence(request: StaffRequest, case_id: UUID, silence_id: UUID) -> HttpResponse:
    """Approve a long silence, or refuse it."""
    approve = request.POST.get("decision") == "approve"
    asked = decide_long_silence(silence_id=silence_id, approve=approve, staff=request.user)
    return done(request, f"Silence {asked.word}.", "case", case_id)


@posts(Permission.WORK_ON_CASES, page=case_page)
def settle_pairing(request: StaffRequest, case_id: UUID, pairing_id: UUID) -> HttpResponse:
    """End a pairing that a teen disputes, or resume it."""
    ends = request.POST.get("becomes") != "restored"
    settle_case_dispute(
        case=get_case(case_id), pairing_id=pairing_id, ends=ends, staff=request.user
    )
    sentence = "The pairing has ended." if ends else "The pairing has resumed."
    return done(request, sentence, "case", case_id)


@posts(Permission.WORK_ON_CASES, page=case_page)
def order_pairing(request: StaffRequest, case_id: UUID, pairing_id: UUID) -> HttpResponse:
    """Pause a pairing, or ask to end it or to hand its teen to another guardian."""
    sent, verb = request.POST, request.POST.get("verb", "")
    why = sent.get("why", "")
    if verb in ("pause", "pause quietly"):
        quiet = verb != "pause"
        pause_pairing(
            case_id=case_id, pairing_id=pairing_id, why=why, quiet=quiet, staff=request.user
        )
        return done(request, "The pairing is paused until you decide.", "case", case_id)
    if verb not in ("end", "hand over"):
        raise Invalid("Choose what becomes of the pairing.")
    if verb == "hand over" and not sent.get("to", "").strip():
        raise Invalid("Name the account of the other guardian.")
    to, method, papers = (sent.get(name, "") for name in ("to", "method", "papers"))
    form = OrderForm(case_id, pairing_id, why)
    if verb == "hand over":
        form = OrderForm(case_id, pairing_id, why, to, method, papers)
    request_pairing_order(form=form, staff=request.user)
    return done(request, "Requested. Another person has to approve it.", "case", case_id)


@posts(Permission.WORK_ON_CASES, page=case_page)
def decide_order(request: StaffRequest, case_id: UUID, order_id: UUID) -> HttpResponse:
    """Approve what was asked about a pairing, or refuse it."""
    approve = request.POST.get("decision") == "approve"
    order = decide_pairing_order(order_id=order_id, approve=approve, staff=request.user)
    return done(request, f"The request is {order.word}.", "case", case_id)


@posts(Permission.FREE_CASES, page=case_page)
def allow_pairing(request: StaffRequest, case_id: UUID, pairing_id: UUID) -> HttpResponse:
    """Let two people pair again whose pairing the case ended."""
    allow_again(case=get_case(case_id), pairing_id=pairing_id, staff=request.user)
    return done(request, "The two can pair again.", "case", case_id)
