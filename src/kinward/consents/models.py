"""The tables of consents: which account belongs to an app's download, and what a store told us."""

from django.db import models

from kinward.people.api import Account


class AppDownload(models.Model):
    """A keyed hash of Apple's id of an app's download (`appTransactionId`), and an account.

    Apple gives one person's downloads of one app one id. Several accounts may belong to one id,
    such as two accounts of one teen, and several ids to one account.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField()
    linked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("digest", "account"), name="consents_download_once"),
        )


class Fate(models.TextChoices):
    """What became of a notification."""

    APPLIED = "applied"  # it closed accounts
    WAITING = "waiting"  # a withdrawal for an account that nobody has named yet
    UNREADABLE = "unreadable"  # a withdrawal that does not say whose
    COUNTED = "counted"  # about something else


class StoreNotification(models.Model):
    """One of Apple's notifications, by its own id, so that a repeated one has one effect."""

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=60)
    fate = models.CharField(max_length=10, choices=Fate.choices)
    digest = models.BinaryField(null=True)
    signed_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(fields=("digest",), name="consents_of_download"),
            models.Index(fields=("received_at",), name="consents_received"),
        )
