"""What an earlier dispute between two accounts means for a new pairing of the two."""

from typing import Any

from django.db.models import Max, QuerySet
from django.utils import timezone

from kinward.families.errors import PairingNeedsPerson
from kinward.families.models import Pairing
from kinward.people.api import Account


def under_review(guardian: Account, teen: Account) -> dict[str, Any]:
    """Return the fields with which a new pairing of two accounts begins.

    After a dispute that a person settled against the guardian, or that waits for one, raises
    `PairingNeedsPerson`. While a quiet dispute waits, the new pairing looks like any other and is
    disputed from its first moment, with the way to reach the teen.
    """
    earlier = Pairing.objects.filter(guardian=guardian, teen=teen, ended_at__isnull=False)
    if earlier.filter(barred_at__isnull=False).exists():
        raise PairingNeedsPerson
    waiting = earlier.filter(disputed_at__isnull=False).order_by("-disputed_at").first()
    cooling = _cooling(earlier)
    if waiting is None:
        return cooling
    if not waiting.quiet:
        raise PairingNeedsPerson
    quietly = {"disputed_at": waiting.disputed_at, "quiet": True, "reach": waiting.reach}
    return cooling | quietly


def _cooling(earlier: QuerySet[Pairing]) -> dict[str, Any]:
    """Return what goes on of the time in which the guardian does not tighten alone."""
    now = timezone.now()
    ends = earlier.aggregate(loud=Max("cools_until"), quiet=Max("cools_quietly_until"))
    fields: dict[str, Any] = {}
    if ends["loud"] is not None and ends["loud"] > now:
        fields["cools_until"] = ends["loud"]
    if ends["quiet"] is not None and ends["quiet"] > now:
        fields |= {"cools_quietly_until": ends["quiet"], "quiet": True}
    return fields
