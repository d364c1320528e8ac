"""What `reconciliation` holds of a person: differences that name their rows."""

from django.db.models import Q

from kinward.ground.personal import Going, Holding, holds, holds_nobody, scrubbed_by
from kinward.reconciliation.models import Difference, Run

holds(
    Holding(
        model=Difference,
        also=lambda person: Q(subject=person.actor) | Q(key=person.platform_id),
        untold="an alarm about the database",
    )
)
holds_nobody("counts rows and entries", Run)


@scrubbed_by
def _differences(going: Going) -> None:
    """Remove the differences about rows that go: their keys and subjects name the rows."""
    Difference.objects.filter(key__in=going.names).delete()
