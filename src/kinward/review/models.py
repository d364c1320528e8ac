"""Rows of the reviewers: comments, looks, second readings, and how files are shown."""

from django.db import models
from django.db.models import F, Q

from kinward.access.api import Staff
from kinward.casebook.api import Case, Verdict
from kinward.evidence.api import Evidence
from kinward.review.measures import MEASURES


class Comment(models.Model):
    """A colleague's comment on a case. It is never shown outside the console."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="comments")
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at",)


class Look(models.Model):
    """A person's look at a file, counted to protect them. The proof is in the ledger.

    A look is counted before the file is opened. `shown`: something of it was shown.
    """

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="looks")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    shown = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = (models.Index(fields=("staff", "-at"), name="review_looks"),)


class SecondReading(models.Model):
    """A verdict, drawn by lot, that a senior reviewer reads again to measure quality."""

    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, related_name="reading")
    drawn_at = models.DateTimeField(auto_now_add=True)
    read_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    read_at = models.DateTimeField(null=True)
    agrees = models.BooleanField(null=True)
    note = models.TextField(default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(read_by=None, read_at=None, agrees=None)
                | Q(read_by__isnull=False, read_at__isnull=False, agrees__isnull=False),
                name="review_reading_is_whole",
            ),
        )
        indexes = (
            models.Index(fields=("drawn_at",), condition=Q(read_at=None), name="review_unread"),
        )


class StaffAlert(models.Model):
    """Something in a person's work that another person should look into, and what they found.

    `measure` names one of `measures.MEASURES`. `among` is None where the count itself is the limit.
    """

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    measure = models.CharField(max_length=30)
    count = models.PositiveIntegerField()
    among = models.PositiveIntegerField(null=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    read_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    read_at = models.DateTimeField(null=True)
    note = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("staff", "measure"),
                condition=Q(read_at=None),
                name="review_one_open_alert",
            ),
            models.CheckConstraint(
                condition=Q(read_by=None, read_at=None)
                | (Q(read_by__isnull=False, read_at__isnull=False) & ~Q(staff=F("read_by"))),
                name="review_alert_read_by_another",
            ),
        )

    @property
    def words(self) -> str:
        """What is unusual, such as "7 of 9 confirmed verdicts overturned"."""
        return MEASURES[self.measure].sentence.format(count=self.count, among=self.among)


class Viewing(models.Model):
    """How one person wants files to be shown to them."""

    staff = models.OneToOneField(Staff, on_delete=models.CASCADE, primary_key=True)
    described = models.BooleanField(default=False)  # in words, and not by a blur
    in_colour = models.BooleanField(default=False)
    larger = models.BooleanField(default=False)
    at_most = models.PositiveSmallIntegerField(null=True)  # files in 24 hours
