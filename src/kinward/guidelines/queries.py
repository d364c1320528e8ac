"""Which guidelines are in force."""

from functools import lru_cache
from uuid import UUID

from kinward.access.api import AgreementState
from kinward.guidelines.formats import decode
from kinward.guidelines.models import Edition
from kinward.guidelines.reading import shipped
from kinward.guidelines.rules import Guidelines


def guidelines_in_force() -> Guidelines:
    """The edition approved last; before there is one, the guidelines that come with Kinward."""
    newest = Edition.objects.filter(state=AgreementState.APPROVED).order_by("-decided_at")
    pk = newest.values_list("pk", flat=True).first()
    return _shipped() if pk is None else edition(pk)


def guidelines_text_in_force() -> str:
    """The document itself, to begin a new one from."""
    newest = Edition.objects.filter(state=AgreementState.APPROVED).order_by("-decided_at").first()
    return shipped() if newest is None else newest.text


@lru_cache(32)
def edition(pk: UUID) -> Guidelines:
    """Decode a stored edition, once in this process; it never changes."""
    return decode(Edition.objects.get(pk=pk).text)


@lru_cache(1)
def _shipped() -> Guidelines:
    return decode(shipped())


def waiting_editions() -> int:
    """How many editions wait for a second person."""
    return Edition.objects.filter(state=AgreementState.ASKED).count()
