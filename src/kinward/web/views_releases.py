"""Custody: releases and destructions, asked by one and decided by another; legal holds."""

from datetime import date
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kinward.access.permissions import Permission
from kinward.cases import destroying, releasing, services
from kinward.cases.destroying import DestructionForm
from kinward.cases.models import Destruction, Release
from kinward.cases.releasing import ReleaseForm
from kinward.cases.states import CaseState
from kinward.errors import Invalid, KinwardError
from kinward.evidence.queries import held_cases
from kinward.evidence.services import set_hold
from kinward.reporting.queries import packaged
from kinward.web.guards import StaffRequest, needs

SHOWN: Final = 100
MAX_REFERENCE: Final = 200


@require_GET
@needs(Permission.RELEASE_RECORDS, Permission.READ_LEDGER)
def releases(request: StaffRequest) -> HttpResponse:
    """Every release, the latest first; what is held; and the forms for more."""
    return _page(request)


def _page(request: StaffRequest, problem: KinwardError | None = None) -> HttpResponse:
    context = {
        "releases": Release.objects.select_related(
            "account", "asked_by", "decided_by", "handed_by"
        )[:SHOWN],
        "holds": held_cases()[:SHOWN],
        "destructions": Destruction.objects.select_related("asked_by", "decided_by")[:SHOWN],
        "packaged": packaged()[:SHOWN],
        "may": request.user.may(Permission.RELEASE_RECORDS),
        "sent": request.POST if problem else {},
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "web/releases.html", context, status=status)


@require_POST
@needs(Permission.RELEASE_RECORDS)
def ask(request: StaffRequest) -> HttpResponse:
    """Ask for a release."""
    sent = request.POST
    try:
        form = ReleaseForm(
            account_id=sent.get("account_id", ""),
            since=_day(sent.get("since", "")),
            until=_day(sent.get("until", "")),
            recipient=sent.get("recipient", ""),
            to=sent.get("to", ""),
            reference=sent.get("reference", ""),
            why=sent.get("why", ""),
        )
        releasing.ask(form=form, staff=request.user)
    except KinwardError as error:
        return _page(request, error)
    messages.success(request, "It is asked for. Another custodian decides.")
    return redirect("releases")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("A day is written 2026-01-31.") from error


@require_POST
@needs(Permission.RELEASE_RECORDS)
def decide(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Approve or refuse."""
    approve = request.POST.get("decision") == "approve"
    try:
        found = releasing.decide(release_id=release_id, approve=approve, staff=request.user)
    except KinwardError as error:
        return _page(request, error)
    messages.success(request, f"The release is {found.state}.")
    return redirect("releases")


@require_POST
@needs(Permission.RELEASE_RECORDS)
def hand_over(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Write down that the package was handed over."""
    try:
        to = request.POST.get("to", "")
        releasing.hand_over(release_id=release_id, to=to, staff=request.user)
    except KinwardError as error:
        return _page(request, error)
    messages.success(request, "The hand-over is written down.")
    return redirect("releases")


@require_POST
@needs(Permission.HAND_OVER_REPORTS)
def hand_over_report(request: StaffRequest, report_id: UUID) -> HttpResponse:
    """Write down that a report was brought to its authority, and the number that it gave."""
    sent = request.POST
    try:
        case = services.hand_over_report(
            report_id=report_id,
            reference=sent.get("reference", ""),
            to=sent.get("to", ""),
            staff=request.user,
        )
    except KinwardError as error:
        return _page(request, error)
    closed = case.state == CaseState.REPORTED
    what = "the case is closed" if closed else "the case waits for its other report"
    messages.success(request, f"The hand-over is written down, and {what}.")
    return redirect("releases")


@require_POST
@needs(Permission.HOLD_EVIDENCE)
def hold(request: StaffRequest) -> HttpResponse:
    """Put a case's evidence under legal hold, or release it."""
    try:
        case_id = _case_id(request)
        reference = request.POST.get("reference", "").strip()
        ends = request.POST.get("ends") == "yes"
        if not ends and not 1 <= len(reference) <= MAX_REFERENCE:
            raise Invalid("A hold names the case number of who asked.")
        count = set_hold(
            case_id=case_id, reference="" if ends else reference, actor=request.user.actor
        )
    except KinwardError as error:
        return _page(request, error)
    messages.success(request, f"{count} files are {'no longer held' if ends else 'held'}.")
    return redirect("releases")


@require_POST
@needs(Permission.DESTROY_EVIDENCE)
def ask_destruction(request: StaffRequest) -> HttpResponse:
    """Ask for a case's evidence to be destroyed."""
    sent = request.POST
    try:
        form = DestructionForm(
            case_id=_case_id(request),
            asked_for_by=sent.get("asked_for_by", ""),
            reference=sent.get("reference", ""),
        )
        destroying.ask(form=form, staff=request.user)
    except KinwardError as error:
        return _page(request, error)
    messages.success(request, "It is asked for. Another custodian decides.")
    return redirect("releases")


@require_POST
@needs(Permission.DESTROY_EVIDENCE)
def decide_destruction(request: StaffRequest, destruction_id: UUID) -> HttpResponse:
    """Agree to a destruction, which does it, or refuse it."""
    agree = request.POST.get("decision") == "agree"
    try:
        found = destroying.decide(destruction_id=destruction_id, agree=agree, staff=request.user)
    except KinwardError as error:
        return _page(request, error)
    messages.success(request, f"The destruction is {found.word}.")
    return redirect("releases")


def _case_id(request: StaffRequest) -> UUID:
    try:
        return UUID(request.POST.get("case", "").strip())
    except ValueError as error:
        raise Invalid("A case is named by its whole id.") from error
