"""Custody: releases, destructions and erasures, by two people; legal holds and hand-overs."""

from typing import Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.casebook.api import CaseState
from kinward.custody.api import (
    Destruction,
    DestructionForm,
    Release,
    ReleaseForm,
    decide_destruction,
    decide_release,
    record_hand_over,
    request_destruction,
    request_release,
)
from kinward.erasure.api import Erasure, decide_erasure, request_erasure, wanted_erasures
from kinward.evidence.api import (
    cases_under_legal_hold,
    damaged_files,
    decide_hold_end,
    hold_ends,
    request_hold_end,
    set_legal_hold,
)
from kinward.ground.errors import Invalid, KinwardError
from kinward.reporting.api import (
    corrections_due,
    how_to_correct,
    packaged,
    record_correction,
)
from kinward.verdicts.api import hand_over_report
from kinward.web.forms import DestructionSent, ErasureSent, HandOverSent, HoldSent, fill
from kinward.web.guards import StaffRequest, done, needs, posts

SHOWN: Final = 100
MAX_REFERENCE: Final = 200


@require_GET
@needs(Permission.RELEASE_RECORDS, Permission.READ_LEDGER)
def releases(request: StaffRequest) -> HttpResponse:
    """Show releases (newest first), destructions, legal holds and reports to hand over."""
    return _page(request)


def _page(
    request: StaffRequest, *, problem: KinwardError | None = None, **_ids: UUID
) -> HttpResponse:
    context = {
        "releases": Release.objects.select_related(
            "account", "asked_by", "decided_by", "handed_by"
        )[:SHOWN],
        "damaged": damaged_files(SHOWN),
        "holds": cases_under_legal_hold()[:SHOWN],
        "hold_ends": hold_ends()[:SHOWN],
        "destructions": Destruction.objects.select_related("asked_by", "decided_by", "glass")[
            :SHOWN
        ],
        "wanted": wanted_erasures()[:SHOWN],
        "erasures": Erasure.objects.select_related("account", "asked_by", "decided_by", "glass")[
            :SHOWN
        ],
        "packaged": packaged()[:SHOWN],
        "corrections": [
            (correction, how_to_correct(correction.report.authority))
            for correction in corrections_due()[:SHOWN]
        ],
        "may": request.user.may(Permission.RELEASE_RECORDS),
        "sent": {
            name: request.POST.get(name, "") if problem else ""
            for name in ReleaseForm.__struct_fields__
        },
        "problem": problem,
    }
    status = problem.status if problem else 200
    return render(request, "web/releases.html", context, status=status)


@posts(Permission.RELEASE_RECORDS, page=_page)
def ask(request: StaffRequest) -> HttpResponse:
    """Request a release."""
    request_release(form=fill(ReleaseForm, request.POST), staff=request.user)
    return done(request, "Release requested. Another custodian must approve it.", "releases")


@posts(Permission.RELEASE_RECORDS, page=_page)
def decide(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Approve or refuse a release."""
    approve = request.POST.get("decision") == "approve"
    release = decide_release(release_id=release_id, approve=approve, staff=request.user)
    return done(request, f"Release {release.state}.", "releases")


@posts(Permission.RELEASE_RECORDS, page=_page)
def hand_over(request: StaffRequest, release_id: UUID) -> HttpResponse:
    """Record the hand-over of a release's package."""
    to = request.POST.get("to", "")
    record_hand_over(release_id=release_id, to=to, staff=request.user)
    return done(request, "Hand-over recorded.", "releases")


@posts(Permission.HAND_OVER_REPORTS, page=_page)
def report_hand_over(request: StaffRequest, report_id: UUID) -> HttpResponse:
    """Record the hand-over of a report, and the number that the authority assigned."""
    form = fill(HandOverSent, request.POST)
    case = hand_over_report(
        report_id=report_id, reference=form.reference, to=form.to, staff=request.user
    )
    closed = case.state == CaseState.REPORTED
    effect = "the case is closed" if closed else "the case waits for its other report"
    return done(request, f"Hand-over recorded: {effect}.", "releases")


@posts(Permission.HAND_OVER_REPORTS, page=_page)
def correct(request: StaffRequest, correction_id: UUID) -> HttpResponse:
    """Record how a finished report was corrected with its authority."""
    sent = request.POST
    record_correction(
        correction_id=correction_id,
        how=sent.get("how", ""),
        reference=sent.get("reference", ""),
        staff=request.user,
    )
    return done(request, "Correction recorded.", "releases")


@posts(Permission.HOLD_EVIDENCE, page=_page)
def hold(request: StaffRequest) -> HttpResponse:
    """Put a case's evidence under legal hold, or ask to lift the hold."""
    form = fill(HoldSent, request.POST)
    if form.ends:
        request_hold_end(case_id=form.case, why=form.why, staff=request.user)
        return done(request, "Another custodian must approve the end of this hold.", "releases")
    reference = form.reference.strip()
    if not 1 <= len(reference) <= MAX_REFERENCE:
        raise Invalid(f"Enter the authority's reference, with at most {MAX_REFERENCE} characters.")
    count = set_legal_hold(case_id=form.case, reference=reference, actor=request.user.actor)
    sentence = ngettext("%d file is under legal hold.", "%d files are under legal hold.", count)
    return done(request, sentence % count, "releases")


@posts(Permission.HOLD_EVIDENCE, page=_page)
def answer_hold(request: StaffRequest, ending_id: UUID) -> HttpResponse:
    """Lift a legal hold that a colleague asks to lift, or let it stay."""
    approve = request.POST.get("decision") == "approve"
    ending = decide_hold_end(ending_id=ending_id, approve=approve, staff=request.user)
    return done(request, f"Legal hold: {ending.word}.", "releases")


@posts(Permission.DESTROY_EVIDENCE, page=_page)
def ask_destruction(request: StaffRequest) -> HttpResponse:
    """Request the destruction of a case's evidence."""
    sent = fill(DestructionSent, request.POST)
    form = DestructionForm(sent.case, sent.asked_for_by, sent.reference)
    request_destruction(form=form, staff=request.user)
    return done(request, "Destruction requested. Another custodian must approve it.", "releases")


@posts(Permission.DESTROY_EVIDENCE, page=_page)
def answer_destruction(request: StaffRequest, destruction_id: UUID) -> HttpResponse:
    """Approve a destruction, which carries it out at once, or refuse it."""
    agree = request.POST.get("decision") == "agree"
    destruction = decide_destruction(destruction_id=destruction_id, agree=agree, staff=request.user)
    return done(request, f"Destruction {destruction.word}.", "releases")


@posts(Permission.ERASE_ACCOUNTS, page=_page)
def ask_erasure(request: StaffRequest) -> HttpResponse:
    """Request the erasure of an account."""
    sent = fill(ErasureSent, request.POST)
    request_erasure(account_id=sent.account, why=sent.why, staff=request.user)
    return done(request, "Erasure requested. Another custodian must approve it.", "releases")


@posts(Permission.ERASE_ACCOUNTS, page=_page)
def answer_erasure(request: StaffRequest, erasure_id: UUID) -> HttpResponse:
    """Approve an erasure, which carries it out at once, or refuse it."""
    approve = request.POST.get("decision") == "approve"
    erasure = decide_erasure(erasure_id=erasure_id, approve=approve, staff=request.user)
    return done(request, f"Erasure {erasure.word}.", "releases")
