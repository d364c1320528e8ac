"""What `people` holds of a person: the account, its consents, and keyed hashes."""

from collections.abc import Iterator

from django.db.models import Q

from kinward.ground.personal import Delay, Holding, Person, delayed_by, holds, holds_nobody
from kinward.people.models import (
    Account,
    Change,
    ChangeWave,
    Consent,
    Identifier,
    UnreadSignal,
)

holds(
    Holding(
        model=Account,
        whose=("pk",),
        told=(
            "platform_id",
            "age_lower",
            "age_upper",
            "age_source",
            "age_assurance",
            "jurisdiction",
            "language",
            "screen_name",
            "time_zone",
            "standing",
            "created_at",
            "deleted_at",
        ),
    ),
    Holding(
        model=Consent,
        whose=("account",),
        told=("source", "matter", "withdrawn", "asked", "since", "withdrawn_at", "approved_on"),
    ),
    Holding(model=Identifier, whose=("account",), told=("kind", "first_seen_at")),
    Holding(
        model=Change,
        whose=("account",),
        also=lambda person: Q(actor=person.actor),
        untold="counts changes for a day, so that a wave of them is noticed",
    ),
    Holding(model=ChangeWave, acts=("actor",), untold="an alarm about whoever changed ages"),
)
holds_nobody("words of app stores that Kinward did not know", UnreadSignal)


@delayed_by
def _in_use(person: Person) -> Iterator[Delay]:
    """The platform deletes first, so that families hear of it and the account does not return."""
    if Account.objects.filter(pk=person.pk, deleted_at=None).exists():
        yield Delay("The platform has not deleted the account.", told=True)
