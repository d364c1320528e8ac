"""What the doctor asks about the notifications of app stores."""

from kinward.consents.models import Fate, StoreNotification


def unapplied_withdrawals() -> dict[str, int]:
    """Count the withdrawals of consent that closed no account, by their fate."""
    fates = (Fate.WAITING, Fate.UNREADABLE)
    return {
        str(fate): count
        for fate in fates
        if (count := StoreNotification.objects.filter(fate=fate).count())
    }
