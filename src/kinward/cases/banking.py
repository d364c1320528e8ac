"""Closing the loop: what a person confirmed goes into our own bank, and its copies are found.

Where the clause says "everywhere", exact copies are removed at once, whoever has them: the verdict
is about the same bytes. Each of their accounts gets a case of its own.
"""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from kinward.cases.acting import contents
from kinward.cases.models import Case, Verdict
from kinward.cases.retro import settle
from kinward.cases.states import CaseState
from kinward.enforcement.models import Effect
from kinward.enforcement.queries import is_removed_by_another
from kinward.enforcement.services import issue_content
from kinward.evidence.queries import of_case as evidence_of
from kinward.matching.kinds import Confidence
from kinward.matching.models import Bank, BankedHash, Check
from kinward.matching.services import (
    BankExists,
    add_hashes,
    check_hashes,
    create_bank,
    get_bank,
    remove_hashes,
)
from kinward.people.services import lock_account

OWN_BANK: Final = "confirmed-here"


def bank_confirmed(verdict_id: UUID) -> int:
    """Bank the hashes of what was confirmed, found or reported; how many are new.

    Again, it adds nothing.

    A job of its own: a verdict must not wait for a list that is being imported.
    """
    verdict = Verdict.objects.select_related("case", "given_by").get(pk=verdict_id)
    if verdict.case.state == CaseState.OVERTURNED:
        return 0
    bank = _own_bank(verdict.actor)
    checks = list(_checks(verdict.case))
    hashes = [listed for check in checks for listed in check_hashes(check, _label(verdict, check))]
    if not hashes:
        return 0
    added = add_hashes(bank=bank, hashes=hashes, provenance=str(verdict.case), actor=verdict.actor)
    if (verdict.consequence or {}).get("everywhere"):
        for sha256 in sorted({check.sha256 for check in checks if check.sha256}):
            _remove_copies(verdict, sha256)
    return added


def _checks(case: Case) -> QuerySet[Check]:
    return Check.objects.filter(account=case.account_id, content_id__in=contents(case))


def _remove_copies(verdict: Verdict, sha256: str) -> None:
    copies = Check.objects.filter(sha256=sha256).exclude(account=verdict.case.account_id)
    about = copies.order_by("pk").values_list("pk", "account_id", "content_id")
    for check_id, account_id, content_id in list(about):
        settle(check_id)
        with transaction.atomic():
            account = lock_account(account_id)
            issue_content(
                case_id=verdict.case_id,
                account=account,
                effect=Effect.REMOVE,
                content_id=content_id,
                actor=verdict.actor,
                quietly=is_removed_by_another(verdict.case_id, content_id),
            )


@transaction.atomic
def unbank(case_id: UUID, actor: str) -> int:
    """Take out of our own bank what a case put there; how many hashes that was."""
    bank = Bank.objects.filter(name=OWN_BANK).first()
    if bank is None:
        return 0
    banked = BankedHash.objects.filter(
        bank=bank, addition__provenance=f"case:{case_id}", removed=False
    )
    values = [bytes(value) for value in banked.values_list("value", flat=True)]
    return remove_hashes(bank=bank, values=values, actor=actor) if values else 0


def _own_bank(actor: str) -> Bank:
    about = "What people confirmed in this console."
    try:
        with transaction.atomic():
            return create_bank(
                name=OWN_BANK, confidence=Confidence.VERIFIED, description=about, actor=actor
            )
    except BankExists:
        return get_bank(OWN_BANK)


def _label(verdict: Verdict, check: Check) -> str:
    """The authority's class that the reviewer gave the file, if they did."""
    for evidence in evidence_of(verdict.case_id):
        if evidence.check_id == check.pk:
            return str(verdict.classifications.get(str(evidence.pk), ""))
    return ""
