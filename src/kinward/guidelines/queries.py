"""The guidelines in force, and the editions that wait for approval."""

from functools import lru_cache
from uuid import UUID

from kinward.access.api import AgreementState
from kinward.guidelines.formats import decode
from kinward.guidelines.models import Edition, Pinned
from kinward.guidelines.reading import shipped
from kinward.guidelines.rules import Guidelines


def guidelines_in_force() -> Guidelines:
    """Return the edition approved last; before there is one, what this installation began with."""
    newest = Edition.objects.filter(state=AgreementState.APPROVED).order_by("-decided_at")
    pk = newest.values_list("pk", flat=True).first()
    return _decoded(_first()) if pk is None else edition(pk)


def guidelines_text_in_force() -> str:
    """Return the document in force, as the start of a new one."""
    newest = Edition.objects.filter(state=AgreementState.APPROVED).order_by("-decided_at").first()
    return _first() if newest is None else newest.text


def newer_guidelines() -> str:
    """Return the label of what ships if this installation began with another and has no edition."""
    approved = Edition.objects.filter(state=AgreementState.APPROVED).exists()
    return "" if approved or _first() == shipped() else _decoded(shipped()).label


def _first() -> str:
    """Return what this installation began with: what is pinned, or else what ships."""
    pinned = Pinned.objects.values_list("text", flat=True).first()
    return shipped() if pinned is None else str(pinned)


@lru_cache(32)
def edition(pk: UUID) -> Guidelines:
    """Decode a stored edition, once in this process. An edition never changes."""
    return decode(Edition.objects.get(pk=pk).text)


@lru_cache(2)
def _decoded(text: str) -> Guidelines:
    return decode(text)


def waiting_editions() -> int:
    """Count the editions that wait for a second person."""
    return Edition.objects.filter(state=AgreementState.ASKED).count()
