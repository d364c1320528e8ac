"""What `reconciliation` holds of a person: differences that name their rows."""

from django.db.models import CharField, F, Func, Q, Value

from kinward.ground.personal import Going, Holding, holds, holds_nobody, scrubbed_by
from kinward.reconciliation.models import Difference, Run

holds(
    Holding(
        model=Difference,
        also=lambda person: Q(subject=person.actor),
        untold="an alarm about the database",
    )
)
holds_nobody("counts rows and entries", Run)


@scrubbed_by
def _differences(going: Going) -> None:
    """Remove the differences about rows that go: their keys or their subjects name the rows.

    A key may have further words, and a subject begins with the name of the table.
    """
    named = Difference.objects.annotate(
        of=_part("subject", ":", 2), first=_part("key", " ", 1)
    ).filter(Q(of__in=going.ids) | Q(first__in=going.ids))
    Difference.objects.filter(pk__in=list(named.values_list("pk", flat=True))).delete()


def _part(column: str, between: str, number: int) -> Func:
    parts = (F(column), Value(between), Value(number))
    return Func(*parts, function="split_part", output_field=CharField())
