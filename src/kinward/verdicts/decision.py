"""Decide a case."""

from typing import Final, Literal, get_args
from uuid import UUID

import msgspec
from django.db import transaction

from kinward.access import Permission
from kinward.access.api import Staff
from kinward.casebook.api import MAX_NOTE, Case, CaseState, Verdict, check_move, get_case
from kinward.evidence.api import evidence_of_case, seal_excerpt
from kinward.families.api import settle_pairing_dispute
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.guidelines.api import guidelines_in_force
from kinward.people.api import lock_accounts
from kinward.redress.api import MAX_WHY
from kinward.review.api import require_lease
from kinward.verdicts.conclusion import conclude
from kinward.verdicts.disputes import disputed_pairings, disputed_teens
from kinward.verdicts.draft import ReportDetails, check_details, vocabulary_for

MAX_SILENCE: Final = 3650

Decision = Literal["confirmed", "dismissed", "escalated"]


DECISIONS: Final = get_args(Decision)


class NeedsAnotherPerson(KinwardError):
    """You escalated this case. Another person has to decide it."""

    code = "case.needs_another_person"
    status = 409


class DisputeOpen(KinwardError):
    """Say first what becomes of the pairing that is disputed: it ends, or it goes on."""

    code = "case.dispute_open"
    status = 409


class VerdictForm(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer's decision; `classifications` is by evidence id. Only `outcome` is required.

    `bank`: add the hashes of confirmed content to our own bank, so that copies are detected.
    `silent_days`: how long the account holder is told nothing; `silent_why` is then required.
    """

    outcome: Decision
    clause: str = ""
    note: str = ""
    classifications: dict[str, str] = {}
    annotations: list[str] = []
    details: ReportDetails = ReportDetails()
    bank: bool = False
    silent_days: int = 0
    silent_why: str = ""


@transaction.atomic
def decide_case(*, case_id: UUID, staff: Staff, form: VerdictForm) -> Case:
    """Give a verdict and start its consequences, in one transaction. Requires the lease."""
    staff.must(Permission.WORK_ON_CASES)
    account_id = get_case(case_id).account_id
    account = lock_accounts(account_id, *disputed_teens(case_id))[account_id]
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    check_move(case.state, CaseState(form.outcome))
    require_lease(case, staff)
    _check_form(case, staff, form)
    if form.details.chat:
        seal_excerpt(case_id=case.id, text=form.details.chat, actor=staff.actor)
    details = msgspec.structs.replace(form.details, chat="")
    fields = msgspec.structs.asdict(form) | {"details": msgspec.to_builtins(details)}
    conclude(case, account, Verdict(case=case, given_by=staff, **fields))
    return case


@transaction.atomic
def settle_case_dispute(*, case: Case, pairing_id: UUID, ends: bool, staff: Staff) -> None:
    """End a pairing that the case disputes, or let it resume. Requires the lease."""
    staff.must(Permission.WORK_ON_CASES)
    require_lease(get_case(case.id), staff)
    if pairing_id not in {pairing.pk for pairing in disputed_pairings(case.id)}:
        raise NotFound("This case disputes no such pairing.")
    settle_pairing_dispute(pairing_id=pairing_id, ends=ends, actor=staff.actor)


def _check_form(case: Case, staff: Staff, form: VerdictForm) -> None:
    if form.outcome == "confirmed" and form.clause not in guidelines_in_force().clauses:
        raise Invalid("Choose the clause of the guidelines that was broken.")
    if len(form.note) > MAX_NOTE:
        raise Invalid(f"A note has at most {MAX_NOTE} characters.")
    if not 0 <= form.silent_days <= MAX_SILENCE or len(form.silent_why) > MAX_WHY:
        raise Invalid(f"A silence has at most {MAX_SILENCE} days, its reason {MAX_WHY} characters.")
    if form.silent_days and not form.silent_why.strip():
        raise Invalid("Say why the account holder is to be told nothing.")
    check_details(form.details)
    _check_words(case, form)
    if form.outcome == "dismissed" and disputed_teens(case.id):
        raise DisputeOpen
    if case.state == CaseState.ESCALATED and case.verdicts.filter(given_by=staff).exists():
        raise NeedsAnotherPerson


def _check_words(case: Case, form: VerdictForm) -> None:
    """Raise `Invalid` unless the case's authorities know every word of the form.

    Their plug-ins are asked only about words, so that a case can be dismissed without them.
    """
    if not form.annotations and not any(form.classifications.values()):
        return
    words = vocabulary_for(case.account)
    files = {str(file.pk) for file in evidence_of_case(case.id) if not file.is_excerpt}
    for evidence_id, classification in form.classifications.items():
        if evidence_id not in files or classification not in ("", *words.classes):
            scale = ", ".join(words.classes) or "empty: its authority has no scale"
            raise Invalid(f"A classification names a file of this case and is {scale}.")
    if unknown := set(form.annotations) - set(words.annotations):
        raise Invalid(f"Unknown annotation {min(unknown)!r}.")
