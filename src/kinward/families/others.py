"""Who ever stood on the other side of somebody: in a pairing, or as an adult whom a teen trusts."""

from django.db.models import Q

from kinward.families.models import Pairing, TrustedAdult


def others_of(account: int) -> Q:
    """Return the rows of a table with a column `account` that are of such a person, as a filter.

    `account`: a key in the database.
    """
    sides = (
        Pairing.objects.filter(teen=account).values("guardian"),
        Pairing.objects.filter(guardian=account).values("teen"),
        TrustedAdult.objects.filter(teen=account).values("adult"),
        TrustedAdult.objects.filter(adult=account).values("teen"),
    )
    those = Q()
    for accounts in sides:
        those |= Q(account__in=accounts)
    return those
