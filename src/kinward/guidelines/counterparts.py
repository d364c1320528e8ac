"""Which rows of `guidelines` stand for which entries."""

from collections.abc import Sequence

from kinward.access.api import ANYWHERE, marks_of_agreement
from kinward.guidelines.formats import decode
from kinward.guidelines.models import Edition, Pinned
from kinward.ledger.api import Counterpart, Mark, declare, kinds


def _pinned(keys: Sequence[str]) -> set[str]:
    return {decode(row.text).label for row in Pinned.objects.all()}


def _editions(keys: Sequence[str]) -> set[str]:
    """Return the names of all editions. There are few."""
    names = Edition.objects.values_list("name", "version")
    return {f"{name} {version}" for name, version in names}


declare(
    Counterpart(
        name="pinned guidelines",
        model=Pinned,
        subject=lambda row: f"guidelines:{decode(row.text).label}",
        find=_pinned,
        marks=(Mark(facts=(kinds.GuidelinesPinned,)),),
        made="pinned_at",
    ),
    Counterpart(
        name="edition",
        model=Edition,
        subject=lambda row: f"guidelines:{row}",
        find=_editions,
        related=ANYWHERE,
        defer=("simulation",),
        marks=marks_of_agreement(
            asked=kinds.GuidelinesProposed,
            approved=kinds.GuidelinesApproved,
            refused=kinds.GuidelinesRejected,
            ahead=kinds.GuidelinesWentAhead,
            same={"before": lambda row: row.base},
        ),
        made="asked_at",
    ),
)
