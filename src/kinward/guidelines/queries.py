"""The guidelines in force, and the editions that wait for approval."""

from functools import lru_cache
from uuid import UUID

from kinward.access.api import AgreementState
from kinward.guidelines.formats import decode
from kinward.guidelines.models import Edition
from kinward.guidelines.reading import shipped
from kinward.guidelines.rules import Guidelines


def guidelines_in_force() -> Guidelines:
    """Return the edition approved last, or Kinward's own guidelines before there is one."""
    newest = Edition.objects.filter(state=AgreementState.APPROVED).order_by("-decided_at")
    pk = newest.values_list("pk", flat=True).first()
    return _shipped() if pk is None else edition(pk)


def guidelines_text_in_force() -> str:
    """Return the document in force, as the start of a new one."""
    newest = Edition.objects.filter(state=AgreementState.APPROVED).order_by("-decided_at").first()
    return shipped() if newest is None else newest.text


@lru_cache(32)
def edition(pk: UUID) -> Guidelines:
    """Decode a stored edition, once in this process. An edition never changes."""
    return decode(Edition.objects.get(pk=pk).text)


@lru_cache(1)
def _shipped() -> Guidelines:
    return decode(shipped())


def waiting_editions() -> int:
    """Count the editions that wait for a second person."""
    return Edition.objects.filter(state=AgreementState.ASKED).count()
