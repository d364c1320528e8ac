"""Verdicts as careful people give them: with a look at every file, and with a second person."""

import html
import re
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.test import Client
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case, PendingVerdict
from kinward.evidence.models import Evidence
from kinward.evidence.queries import sealed_by
from kinward.evidence.services import seal_excerpt
from kinward.evidence.warrants import GroundsNeeded, grounds_of, standing_warrant
from kinward.ledger.api import kinds, record
from kinward.reporting.models import Report
from kinward.review.lease import take_case
from kinward.verdicts import decision
from kinward.verdicts.consequences import report_to
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.minute import carry_out_pending
from kinward.verdicts.proposals import answer_proposal, open_proposal, write_second_word

SAW = "I saw all of it."


def sees(case: Case, staff: Staff, *files: Evidence) -> None:
    """A person sees files of a case to their end, or all of them. Nothing is decoded for it."""
    for file in files or Evidence.objects.filter(case=case, destroyed_at=None):
        if file.is_excerpt and sealed_by(file, staff):
            continue
        with transaction.atomic():
            fact = kinds.EvidenceViewed(case=str(case.pk), reason="to decide", entire=True)
            record(actor=staff.actor, subject=str(file), fact=fact)


def decide_case(*, case_id: UUID, staff: Staff, form: VerdictForm) -> Case:
    """Give a verdict after a look. Where it takes two, a second person looks, and agrees.

    A case without anything to see gets a transcript, as a platform sends one with a report.
    """
    case = Case.objects.get(pk=case_id)
    if not grounds_of(case, staff, lists=False):
        sees(case, staff)
    if not form.note:
        form = msgspec.structs.replace(form, note=SAW)
    try:
        with transaction.atomic():
            case = decision.decide_case(case_id=case_id, staff=staff, form=form)
    except GroundsNeeded:
        with transaction.atomic():
            seal_excerpt(case_id=case_id, text="heron: Hello.", actor=Actor.key("test"))
        sees(case, staff)
        case = decision.decide_case(case_id=case_id, staff=staff, form=form)
    if open_proposal(case) is not None:
        agree(case)
        case.refresh_from_db()
    return case


def agree(case: Case, *, second: Staff | None = None) -> Case:
    """Have a second person look at a case, and agree to what was proposed."""
    proposal = open_proposal(case)
    assert proposal is not None
    if second is None:
        second, _ = Staff.objects.get_or_create(username="second", defaults={"roles": ["reviewer"]})
    take_case(case=Case.objects.get(pk=case.pk), staff=second)
    sees(case, second)
    write_second_word(proposal_id=proposal.pk, words=SAW, staff=second)
    return answer_proposal(proposal_id=proposal.pk, agree=True, staff=second)


def told_to(name: str, case: Case) -> Report:
    """Report a confirmed case to one more authority."""
    verdict = case.verdicts.get(outcome="confirmed")
    return report_to(name, case, verdict, "imagery", standing_warrant(verdict))


def gives(page: Client, case: Case, sent: dict[str, Any]) -> Any:
    """Give a verdict in the console, as a browser does: read what follows, then press the button.

    Returns the answer to the last press. Its minute is not over yet.
    """
    shown = page.post(f"/cases/{case.pk}/preview", sent, headers={"HX-Request": "true"})
    read = re.search(r'name="read" value="([^"]+)"', shown.content.decode())
    if read is None:
        return shown
    return page.post(f"/cases/{case.pk}/decide", {**sent, "read": html.unescape(read[1])})


def minute_is_over(case: Case) -> None:
    """Do what follows when the minute of a case's verdict is over."""
    pending = PendingVerdict.objects.filter(case=case, ended_at=None)
    pending.update(due_at=timezone.now())
    carry_out_pending(pending.get().pk)
