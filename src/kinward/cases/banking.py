"""Closing the loop: what a person confirmed goes into our own bank, and its copies are found."""

from typing import Final
from uuid import UUID

from django.db import transaction

from kinward.cases.models import Verdict
from kinward.cases.services import contents
from kinward.evidence.queries import of_case as evidence_of
from kinward.matching.kinds import Confidence
from kinward.matching.models import Bank, Check
from kinward.matching.services import (
    BankExists,
    add_hashes,
    check_hashes,
    create_bank,
    get_bank,
)

OWN_BANK: Final = "confirmed-here"


def bank_confirmed(verdict_id: UUID) -> int:
    """Bank the hashes of what was confirmed, found or reported; how many are new.

    Again, it adds nothing.

    A job of its own: a verdict must not wait for a list that is being imported.
    """
    verdict = Verdict.objects.select_related("case", "given_by").get(pk=verdict_id)
    bank = _own_bank(verdict.given_by.actor)
    hashes = [
        listed
        for check in Check.objects.filter(
            account=verdict.case.account_id, content_id__in=contents(verdict.case)
        )
        for listed in check_hashes(check, _label(verdict, check))
    ]
    if not hashes:
        return 0
    return add_hashes(
        bank=bank,
        hashes=hashes,
        provenance=str(verdict.case),
        actor=verdict.given_by.actor,
    )


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
