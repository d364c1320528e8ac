"""Reading about evidence, never the bytes."""

from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from kinward.evidence.models import Evidence
from kinward.ledger.api import Entry


def evidence_of_case(case_id: UUID) -> QuerySet[Evidence]:
    """A case's files in the order they were sealed, without their bytes."""
    return (
        Evidence.objects.filter(case_id=case_id)
        .defer("ciphertext", "wrapped_key")
        .order_by("sealed_at")
    )


def held_file(case_id: UUID, content_id: str) -> Evidence | None:
    """The sealed file of a content item in a case, unless it was destroyed; without its bytes."""
    files = evidence_of_case(case_id).exclude(check_made=None)
    return files.filter(content_id=content_id, destroyed_at=None).last()


def cases_under_legal_hold() -> QuerySet[Evidence, Any]:
    """The cases whose evidence is under legal hold, with the reference and the number of files."""
    held = Evidence.objects.filter(destroyed_at=None).exclude(hold_reference="")
    counted = held.values("case_id", "hold_reference").annotate(files=Count("pk"))
    return counted.order_by("hold_reference", "case_id")


def viewed_entirely(evidence: Evidence) -> bool:
    """Whether a person saw the whole file in its case, by the ledger's word and nothing else's."""
    return Entry.objects.filter(
        kind="evidence.viewed",
        subject=str(evidence),
        actor__startswith="staff:",
        data__case=str(evidence.case_id),
        data__entire=True,
    ).exists()
