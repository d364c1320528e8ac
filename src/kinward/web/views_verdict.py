"""The verdict on a case: shown before it is given, taken back, and agreed to by a second person."""

import hashlib
from typing import Final
from uuid import UUID

import msgspec
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import render

from kinward.access import Permission
from kinward.access.api import Staff
from kinward.casebook.api import Case
from kinward.ground.errors import Invalid, KinwardError
from kinward.verdicts.api import (
    Rehearsal,
    VerdictForm,
    answer_proposal,
    consequences_in_words,
    give_verdict,
    rehearse,
    require_fitting_clause,
    take_back,
    write_second_word,
)
from kinward.web.forms import read_verdict
from kinward.web.guards import StaffRequest, done, posts
from kinward.web.views_case import case_page

SALT: Final = "kinward.web.verdict"
READ_WITHIN: Final = 3600  # seconds between the sentence and the last press


class VerdictUnread(KinwardError):
    """Read what would follow first: it has changed, or was not shown to you."""

    code = "verdict.unread"
    status = 409


@posts(Permission.WORK_ON_CASES, page=case_page)
def preview(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Show what a verdict would do, with the button that gives it."""
    form = read_verdict(request.POST, case_id)
    case, rehearsal = _rehearsed(case_id, request.user, form)
    sentence = consequences_in_words(case, form.outcome, rehearsal)
    token = signing.dumps(_read(case_id, request.user, form, sentence), salt=SALT)
    context = {"sentence": sentence, "token": token, "outcome": form.outcome}
    if not request.htmx:  # a browser without scripts gets the whole page
        return case_page(request, case_id, preview=context)
    return render(request, "web/case/_consequences.html", {"preview": context, "case": case})


@posts(Permission.WORK_ON_CASES, page=case_page)
def decide(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Give a verdict whose consequences this person has read."""
    form = read_verdict(request.POST, case_id)
    case, rehearsal = _rehearsed(case_id, request.user, form)
    sentence = consequences_in_words(case, form.outcome, rehearsal)
    _require_read(request.POST.get("read", ""), _read(case_id, request.user, form, sentence))
    pending = give_verdict(case_id=case_id, staff=request.user, form=form)
    if pending is None:
        return done(request, "The case waits for another person.", "case", case_id)
    return done(request, f"Verdict recorded: {form.outcome}.", "case", case_id)


def _rehearsed(case_id: UUID, staff: Staff, form: VerdictForm) -> tuple[Case, Rehearsal]:
    case, rehearsal = rehearse(case_id=case_id, staff=staff, form=form)
    if form.outcome == "confirmed":
        require_fitting_clause(case, form.clause)
    return case, rehearsal


def _read(case_id: UUID, staff: Staff, form: VerdictForm, sentence: str) -> list[str]:
    """Return what a person has read: which verdict on which case, and the sentence about it."""
    digest = hashlib.sha256(msgspec.json.encode(form)).hexdigest()
    return [str(case_id), str(staff.pk), digest, sentence]


def _require_read(token: str, read: list[str]) -> None:
    try:
        shown = signing.loads(token, salt=SALT, max_age=READ_WITHIN)
    except signing.BadSignature as error:
        raise VerdictUnread from error
    if shown != read:
        raise VerdictUnread


@posts(Permission.WORK_ON_CASES, page=case_page)
def take_back_verdict(request: StaffRequest, case_id: UUID) -> HttpResponse:
    """Take back one's own verdict within its minute."""
    take_back(case_id=case_id, staff=request.user)
    return done(request, "Verdict taken back. Nothing has followed from it.", "case", case_id)


@posts(Permission.WORK_ON_CASES, page=case_page)
def second_word(request: StaffRequest, case_id: UUID, proposal_id: UUID) -> HttpResponse:
    """Record what a second person saw, before they read the proposed verdict."""
    words = request.POST.get("words", "")
    write_second_word(proposal_id=proposal_id, words=words, staff=request.user)
    return done(request, "Recorded. Now read what your colleague proposes.", "case", case_id)


@posts(Permission.WORK_ON_CASES, page=case_page)
def answer(request: StaffRequest, case_id: UUID, proposal_id: UUID) -> HttpResponse:
    """Agree to a proposed verdict, or not."""
    choice = request.POST.get("decision", "")
    if choice not in ("agree", "disagree"):
        raise Invalid("Choose whether you agree.")
    answer_proposal(proposal_id=proposal_id, agree=choice == "agree", staff=request.user)
    sentence = "You agreed: the verdict is carried out." if choice == "agree" else "Not agreed."
    return done(request, sentence, "case", case_id)
