"""Minutes of use, an hour to a row, and the time zones that say which day they belong to."""

from django.db import models
from django.db.models import Q

from kinward.people.models import Account


class ActiveHour(models.Model):
    """The minutes of an hour in which an account was in use: bit 0 is the first. Kept for weeks."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    hour = models.IntegerField()  # hours since 1970-01-01T00:00Z
    bits = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "hour"), name="families_one_hour"),
            models.CheckConstraint(
                condition=Q(bits__gte=0, bits__lt=1 << 60), name="families_sixty_minutes"
            ),
        )
        indexes = (models.Index(fields=("hour",), name="families_hour"),)


class ZoneChange(models.Model):
    """The time zone of an account from a minute on."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    since = models.BigIntegerField()  # minutes since 1970-01-01T00:00Z
    zone = models.CharField(max_length=64)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "since"), name="families_one_zone"),
        )
