"""Looking at a case's files: only with its lease, only through the vault."""

from uuid import UUID

from kinward.access.models import Staff
from kinward.cases.exposure import count_look
from kinward.cases.services import get_case, require_lease
from kinward.errors import NotFound
from kinward.evidence import services as vault
from kinward.evidence.models import Evidence


def look(
    *, case_id: UUID, evidence_id: UUID, staff: Staff, reason: str, moving: bool = False
) -> vault.View:
    """The file, for the person who holds the case and may look yet; it is in the ledger.

    One that moves is shown still, unless it is asked for moving.
    """
    evidence = _held(case_id, evidence_id, staff)
    count_look(staff=staff, evidence_id=evidence.id)
    return vault.look(evidence=evidence, staff=staff, reason=reason, moving=moving)


def veil_file(*, case_id: UUID, evidence_id: UUID, staff: Staff) -> bytes:
    """The file's grey blur, for the person who holds the case."""
    evidence = _held(case_id, evidence_id, staff)
    return vault.veil(evidence=evidence, staff=staff, reason="the case page")


def _held(case_id: UUID, evidence_id: UUID, staff: Staff) -> Evidence:
    require_lease(get_case(case_id), staff)
    evidence = vault.get_evidence(evidence_id)
    if evidence.case_id != case_id:
        raise NotFound("This file belongs to another case.")
    return evidence
