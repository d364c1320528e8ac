"""Mark a hash as a false positive, as two people do."""

from uuid import uuid4

from kinward.access import Actor
from kinward.access.models import Staff
from kinward.exchanges.opinions import mark_false_positive
from kinward.matching.models import BankedHash


def marked_by_two(row: BankedHash, by: Staff | None = None) -> None:
    """Mark a hash as a false positive. Another person asks, if that is needed, and `by` agrees."""
    if mark_false_positive(row=row, wrong=True, asker=_somebody()):
        assert mark_false_positive(row=row, wrong=True, asker=by or _somebody()) is None
    row.refresh_from_db()


def reinstated(row: BankedHash, by: Staff | Actor) -> None:
    """Say that a hash is right after all."""
    mark_false_positive(row=row, wrong=False, asker=by)
    row.refresh_from_db()


def _somebody() -> Staff:
    return Staff.objects.create_user(
        username=f"marker {uuid4()}", password="a long word", roles=["reviewer"]
    )
