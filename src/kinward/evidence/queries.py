"""Queries about evidence. None reads the bytes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from kinward.access.api import Staff
from kinward.evidence.models import Evidence
from kinward.ledger.api import Entry, written_here


def evidence_of_case(case_id: UUID) -> QuerySet[Evidence]:
    """Return a case's files, oldest first, without their bytes."""
    return (
        Evidence.objects.filter(case_id=case_id)
        .defer("ciphertext", "wrapped_key")
        .order_by("sealed_at")
    )


def file_in_vault(case_id: UUID, content_id: str) -> Evidence | None:
    """Return the file of a content item in a case, without its bytes; None if it is destroyed."""
    files = evidence_of_case(case_id).exclude(check_made=None)
    return files.filter(content_id=content_id, destroyed_at=None).last()


def cases_under_legal_hold() -> QuerySet[Evidence, Any]:
    """Return the cases under legal hold, with its reference and the number of files."""
    under_hold = Evidence.objects.filter(destroyed_at=None).exclude(hold_reference="")
    counted = under_hold.values("case_id", "hold_reference").annotate(files=Count("pk"))
    return counted.order_by("hold_reference", "case_id")


def damaged_files(most: int) -> list[tuple[Evidence, str]]:
    """Return the files that are not what was sealed, newest first, and what differs."""
    files = Evidence.objects.filter(destroyed_at=None, damaged_at__isnull=False)
    damaged = list(files.defer("ciphertext", "wrapped_key").order_by("-damaged_at")[:most])
    entries = Entry.objects.filter(
        kind="evidence.damaged", subject__in=[str(file) for file in damaged]
    )
    told = {entry.subject: entry.data or {} for entry in written_here(entries.order_by("seq"))}
    return [(file, told.get(str(file), {}).get("found", "")) for file in damaged]


def viewed_entirely(evidence: Evidence, person: Staff | None = None) -> bool:
    """Return whether a person saw the whole file in its case. Only the ledger decides that.

    With `person`, whether that one did. An entry that Kinward did not write shows no look.
    """
    views = _views(evidence, person)
    return bool(written_here(views.filter(data__entire=True)))


def viewed_mostly(evidence: Evidence, person: Staff) -> bool:
    """Return whether a person saw all that can be shown of a file that cannot be shown entirely."""
    return bool(written_here(_views(evidence, person).filter(data__most=True)))


def sealed_by(evidence: Evidence, person: Staff) -> bool:
    """Return whether a person wrote this evidence, such as an excerpt of a chat, themselves."""
    sealed = Entry.objects.filter(kind="evidence.sealed", subject=str(evidence))
    return bool(written_here(sealed.filter(actor=_name_of(person))))


def _views(evidence: Evidence, person: Staff | None) -> QuerySet[Entry]:
    views = Entry.objects.filter(
        kind="evidence.viewed", subject=str(evidence), data__case=str(evidence.case_id)
    )
    if person is None:
        return views.filter(actor__startswith="staff:")
    return views.filter(actor=_name_of(person))


def shown_before(evidence: Evidence, person: Staff) -> set[str]:
    """Return the names of what was shown to a person of a file in its case."""
    entries = Entry.objects.filter(
        kind="evidence.viewed",
        subject=str(evidence),
        actor=_name_of(person),
        data__case=str(evidence.case_id),
    )
    return {name for entry in written_here(entries) for name in (entry.data or {}).get("shown", [])}


def seconds_played(person: Staff, since: datetime, fastest: float) -> float:
    """Return how much film a person has played since then, in seconds of film.

    Of a film that was begun earlier, no more counts than goes `fastest` times as fast as life.
    """
    entries = Entry.objects.filter(
        kind="evidence.viewed", actor=_name_of(person), at__gte=since, data__has_key="seconds"
    )
    return sum(
        min(float(entry.data["seconds"]), fastest * (entry.at - since).total_seconds())
        for entry in written_here(entries)
    )


def _name_of(person: Staff) -> str:
    return f"{person.actor.kind}:{person.actor.name}"
