"""Banking what was confirmed, and removing its copies everywhere."""

from contextlib import suppress
from uuid import UUID

from django.db import transaction

from kinward.access import Actor, Permission
from kinward.casebook.api import Act, Case, CaseState, Verdict
from kinward.enforcement.api import copies_left, remove_copy, remove_everywhere
from kinward.evidence.api import (
    WarrantNeeded,
    evidence_of_case,
    grounded_checks,
    require_warrant,
    standing_warrant,
)
from kinward.findings.retro import match_check_again
from kinward.matching.api import (
    Bank,
    BankExists,
    Confidence,
    add_hashes,
    check_hashes,
    create_bank,
    find_rows,
)
from kinward.verdicts.api import OWN_BANK, Backing, lock_own_bank


def bank_confirmed(verdict_id: UUID) -> int:
    """Bank the hashes of a confirmed case's content; return how many are new. Idempotent.

    Only of files that the decider saw, or that are on a verified list. It runs as a job, because a
    verdict must not wait for a list that is being imported.
    """
    verdict = Verdict.objects.select_related("case", "given_by").get(pk=verdict_id)
    checks = list(grounded_checks(verdict))
    # The authority's class that the reviewer gave a file, if they did.
    classes = verdict.classifications
    labels = {
        evidence.check_made_id: classes.get(str(evidence.pk), "")
        for evidence in evidence_of_case(verdict.case_id)
    }
    hashes = [
        listed for check in checks for listed in check_hashes(check, labels.get(check.pk, ""))
    ]
    with transaction.atomic():
        if not hashes or not _stands(verdict, Act.BANK):
            return 0
        actor = verdict.actor.granted(Permission.FILL_BANKS)  # the verdict was checked
        bank = _own_bank(actor)
        added = add_hashes(bank=bank, hashes=hashes, provenance=str(verdict.case), actor=actor)
        rows = find_rows(bank.pk, {(listed.kind, listed.value) for listed in hashes})
        backing = [Backing(case=verdict.case, hash_id=pk) for pk in rows.values()]
        Backing.objects.bulk_create(backing, ignore_conflicts=True)
    if (verdict.consequence or {}).get("everywhere"):
        for sha256 in sorted({check.sha256 for check in checks if check.sha256}):
            _remove_copies(verdict, sha256)
    return added


def _stands(verdict: Verdict, act: Act) -> bool:
    """Return whether a verdict still stands and allows an act. It then does in this transaction."""
    case = Case.objects.select_for_update(no_key=True).get(pk=verdict.case_id)
    if case.state == CaseState.OVERTURNED:
        return False
    with suppress(WarrantNeeded):
        require_warrant(standing_warrant(verdict), act, case.pk)
        return True
    return False


def _remove_copies(verdict: Verdict, sha256: str) -> None:
    with transaction.atomic():
        if not _stands(verdict, Act.REMOVE_EVERYWHERE):
            return
        remove_everywhere(verdict.case_id, sha256, standing_warrant(verdict))
    for copy in copies_left(sha256):
        match_check_again(copy.pk)
        remove_copy(case_id=verdict.case_id, copy=copy, actor=verdict.actor)


def _own_bank(actor: Actor) -> Bank:
    """Return our own bank, created if need be, and locked until the transaction ends."""
    about = "What people confirmed in this console."
    while (bank := lock_own_bank()) is None:
        with suppress(BankExists), transaction.atomic():
            create_bank(
                name=OWN_BANK, confidence=Confidence.VERIFIED, description=about, actor=actor
            )
    return bank
