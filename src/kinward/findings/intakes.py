"""Intakes: what carers, social workers, schools and courts say about a child, from outside.

Nobody knows yet whether they are who they say. So an intake is a finding that waits for a person.
It pauses, ends and proves nothing by itself.
"""

from typing import Final, Literal
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.casebook.api import GIVEN_BACK, INTAKE, UNDECIDED, Case, Finding
from kinward.evidence.api import seal_excerpt
from kinward.findings.opening import open_or_join
from kinward.ground.errors import Invalid, NotFound
from kinward.people.api import get_account, lock_account

MAX_LINE: Final = 200
MAX_WORDS: Final = 2000
MAX_PAPERS: Final = 20_000

Who = Literal["carer", "social worker", "school", "court"]


class IntakeIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says for a child. `account_id` is the child's account, or the guardian's.

    `office` is whom they work for, `reference` its own number of the matter, and `reach` how a
    person finds out whether it is true. `papers` is the text of their papers, which is sealed.
    """

    account_id: str
    who: Who
    office: str
    reference: str
    reach: str
    text: str
    papers: str = ""


@transaction.atomic
def receive_intake(*, intake: IntakeIn, actor: Actor) -> Finding:
    """Store an intake as a finding. While an equal one is undecided, return that one."""
    said = {
        name: getattr(intake, name).strip() for name in ("office", "reference", "reach", "text")
    }
    for name, words in said.items():
        limit = MAX_WORDS if name == "text" else MAX_LINE
        if not 1 <= len(words) <= limit:
            raise Invalid(f"{name} has 1 to {limit} characters.")
    if len(intake.papers) > MAX_PAPERS:
        raise Invalid(f"papers has at most {MAX_PAPERS} characters. Give the rest by `reference`.")
    account = lock_account(get_account(intake.account_id).pk)
    grounds = [{"kind": INTAKE.name, "who": intake.who, **said}]
    same = Finding.objects.filter(kind=INTAKE.name, case__account=account, grounds=grounds)
    known = same.filter(case__state__in=UNDECIDED).select_related("case").first()
    if known is None:
        known = INTAKE.sense(at=timezone.now(), grounds=grounds)
        open_or_join(known, account=account, actor=actor, joined=lambda case: None)
    _seal_papers(known.case, intake.papers, actor)
    return known


def _seal_papers(case: Case, papers: str, actor: Actor) -> None:
    if papers.strip():
        seal_excerpt(case_id=case.id, text=papers, actor=actor)


def outcome_of_intake(intake_id: UUID) -> str:
    """Return `received`, `acted` or `closed`, and never what was done to whom."""
    finding = Finding.objects.select_related("case").filter(pk=intake_id, kind=INTAKE.name).first()
    if finding is None:
        raise NotFound(f"There is no intake {intake_id}.")
    state = finding.case.state
    if state in UNDECIDED:
        return "received"
    return "closed" if state in GIVEN_BACK else "acted"
