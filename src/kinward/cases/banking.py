"""Closing the loop: what a person confirmed goes into our own bank, and its copies are found.

Where the clause says "everywhere", exact copies are removed at once, whoever has them: the verdict
is about the same bytes. Each of their accounts gets a case of its own.
"""

from contextlib import suppress
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from kinward.access.actor import Actor
from kinward.access.permissions import Permission
from kinward.cases.acting import contents
from kinward.cases.models import Backing, Case, Verdict
from kinward.cases.retro import settle
from kinward.cases.states import CaseState
from kinward.enforcement.holds import copies_left, hold, remove_copy
from kinward.evidence.queries import of_case as evidence_of
from kinward.ledger.services import record
from kinward.matching.kinds import Confidence
from kinward.matching.models import Bank, Check
from kinward.matching.services import (
    BankExists,
    add_hashes,
    check_hashes,
    create_bank,
    withdraw,
)
from kinward.matching.sql import find_rows

OWN_BANK: Final = "confirmed-here"


def bank_confirmed(verdict_id: UUID) -> int:
    """Bank the hashes of what was confirmed, found or reported; how many are new.

    Again, it adds nothing.

    A job of its own: a verdict must not wait for a list that is being imported.
    """
    verdict = Verdict.objects.select_related("case", "given_by").get(pk=verdict_id)
    checks = list(_checks(verdict.case))
    # The authority's class that the reviewer gave a file, if they did.
    given = verdict.classifications
    labels = {each.check_id: given.get(str(each.pk), "") for each in evidence_of(verdict.case_id)}
    hashes = [
        listed for check in checks for listed in check_hashes(check, labels.get(check.pk, ""))
    ]
    with transaction.atomic():
        if not hashes or not _stands(verdict):
            return 0
        actor = verdict.actor.granted(Permission.FILL_BANKS)  # the verdict was checked
        bank = _own_bank(actor)
        added = add_hashes(bank=bank, hashes=hashes, provenance=str(verdict.case), actor=actor)
        rows = find_rows(bank.pk, {(each.kind, each.value) for each in hashes})
        backing = [Backing(case=verdict.case, hash_id=each) for each in rows.values()]
        Backing.objects.bulk_create(backing, ignore_conflicts=True)
    if (verdict.consequence or {}).get("everywhere"):
        for sha256 in sorted({check.sha256 for check in checks if check.sha256}):
            _remove_copies(verdict, sha256)
    return added


def _stands(verdict: Verdict) -> bool:
    """Whether a verdict was not overturned, nor will be before the caller's transaction ends."""
    case = Case.objects.select_for_update(no_key=True).get(pk=verdict.case_id)
    return case.state != CaseState.OVERTURNED


def _checks(case: Case) -> QuerySet[Check]:
    return Check.objects.filter(account=case.account_id, content_id__in=contents(case))


def _remove_copies(verdict: Verdict, sha256: str) -> None:
    with transaction.atomic():
        if not _stands(verdict):
            return
        hold(verdict.case_id, sha256)
    for copy in copies_left(sha256):
        settle(copy.pk)
        remove_copy(case_id=verdict.case_id, copy=copy, actor=verdict.actor)


@transaction.atomic
def unbank(case_id: UUID, actor: Actor) -> int:
    """Take out of our own bank what no other case stands behind; how many hashes that was."""
    bank = _locked_bank()
    if bank is None:
        return 0
    mine = Backing.objects.filter(case=case_id)
    hashes = set(mine.values_list("hash", flat=True))
    mine.delete()
    others = Backing.objects.filter(hash__in=hashes).values_list("hash", flat=True)
    count = withdraw(bank, hashes - set(others))
    if count:
        record(actor=actor, kind="bank.removed", subject=f"bank:{bank.name}", hashes=count)
    return count


def _locked_bank() -> Bank | None:
    """Our own bank, if there is one yet, locked until the transaction ends."""
    return Bank.objects.select_for_update(no_key=True).filter(name=OWN_BANK).first()


def _own_bank(actor: Actor) -> Bank:
    """Our own bank, locked until the transaction ends; made if there is none."""
    about = "What people confirmed in this console."
    while (found := _locked_bank()) is None:
        with suppress(BankExists), transaction.atomic():
            create_bank(
                name=OWN_BANK, confidence=Confidence.VERIFIED, description=about, actor=actor
            )
    return found
