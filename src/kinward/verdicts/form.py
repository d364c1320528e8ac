"""The form of a verdict, as a reviewer sends it."""

from typing import Any, Final, Literal, get_args

import msgspec

from kinward.access.api import Staff
from kinward.casebook.api import Case, Verdict, VerdictProposal
from kinward.verdicts.draft import ReportDetails

Decision = Literal["confirmed", "dismissed", "escalated"]
DECISIONS: Final = get_args(Decision)


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


def without_chat(form: VerdictForm) -> VerdictForm:
    """Return a form without its chat, which is sealed as a file of its own."""
    return msgspec.structs.replace(form, details=msgspec.structs.replace(form.details, chat=""))


def verdict_of(case: Case, staff: Staff, form: VerdictForm) -> Verdict:
    """Return the verdict that a form gives, not saved."""
    return Verdict(case=case, given_by=staff, **_fields(form))


def verdict_of_proposal(case: Case, proposal: VerdictProposal) -> Verdict:
    """Return the verdict that was proposed, by the person who proposed it, not saved."""
    form = msgspec.convert(proposal.form, VerdictForm)
    return Verdict(case=case, given_by=proposal.asked_by, proposal=proposal, **_fields(form))


def _fields(form: VerdictForm) -> dict[str, Any]:
    details = msgspec.to_builtins(without_chat(form).details)
    return msgspec.structs.asdict(form) | {"details": details}
