"""What `redress` holds of a person: statements of reasons and appeals."""

from collections.abc import Iterator

from django.db.models import Q
from django.utils import timezone

from kinward.ground.personal import Delay, Holding, Person, delayed_by, holds
from kinward.redress.models import Appeal, AppealState, LongSilence, Statement

holds(
    Holding(
        model=Statement,
        whose=("account",),
        told=(
            "stage",
            "decisions",
            "clause",
            "title",
            "language",
            "reported",
            "automatic",
            "made_at",
            "told_at",
            "appeal_until",
            "reversed_at",
        ),
        shown=lambda person: Q(told_at__isnull=False),
    ),
    Holding(model=LongSilence, whose=("statement__account",), untold="a legal order asks for it"),
    Holding(
        model=Appeal,
        whose=("statement__account",),
        told=("text", "made_at", "due_at", "state", "decided_at"),
    ),
)


@delayed_by
def _unsettled(person: Person) -> Iterator[Delay]:
    """An appeal has to be answered, and a silence by a legal order has to end."""
    if Appeal.objects.filter(statement__account=person.pk, state=AppealState.WAITING).exists():
        yield Delay("An appeal waits for its answer.")
    silent = Statement.objects.filter(
        account=person.pk, told_at=None, silent_until__gt=timezone.now()
    )
    last = silent.order_by("-silent_until").first()
    if last is not None:
        yield Delay("A statement of reasons is delayed.", last.silent_until)
