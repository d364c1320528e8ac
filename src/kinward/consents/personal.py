"""What `consents` holds of a person: keyed hashes of downloads, and what a store said of them."""

from django.db.models import Q

from kinward.consents.models import AppDownload, StoreNotification
from kinward.ground.personal import Holding, Person, holds


def _only_theirs(person: Person) -> Q:
    mine = AppDownload.objects.filter(account=person.pk).values("digest")
    others = AppDownload.objects.exclude(account=person.pk).values("digest")
    return Q(digest__in=mine) & ~Q(digest__in=others)


holds(
    Holding(model=AppDownload, whose=("account",), told=("linked_at",)),
    Holding(
        model=StoreNotification,
        also=_only_theirs,
        untold="the account's consents say what followed from it",
    ),
)
