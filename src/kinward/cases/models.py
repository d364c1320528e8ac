"""Cases, their findings, and their verdicts."""

import uuid
from typing import Final

from django.db import models
from django.db.models import Q
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.agreement import AgreementState, TwoPeople
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.cases.states import UNDECIDED, CaseState
from kinward.families.models import Pairing
from kinward.fields import MAX_ID
from kinward.matching.models import BankedHash, Check
from kinward.people.models import Account

MAX_NOTE: Final = 5000  # characters of what staff write about a case


class Priority(models.IntegerChoices):
    """Which cases come first."""

    IMMINENT = 0  # somebody may be in danger now
    HIGH = 1
    NORMAL = 2


class Case(models.Model):
    """All findings about one account that are being settled together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="cases")
    state = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in CaseState], default=CaseState.OPEN
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    due_at = models.DateTimeField(default=timezone.now)  # by when a person should have decided
    leased_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    leased_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account",),
                condition=Q(state__in=[s.value for s in UNDECIDED]),
                name="cases_one_undecided_per_account",
            ),
        )
        indexes = (
            models.Index(
                fields=("priority", "due_at", "id"),
                condition=Q(state__in=[s.value for s in UNDECIDED]),
                name="cases_queue",
            ),
            models.Index(fields=("-changed_at",), name="cases_changed"),
        )

    def __str__(self) -> str:
        return f"case:{self.id}"


class UserReport(models.Model):
    """What a person reported: an account, a contact, a content item, or a pairing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    reporter = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    content_id = models.CharField(max_length=MAX_ID, default="")
    pairing = models.ForeignKey(Pairing, on_delete=models.PROTECT, null=True, related_name="+")
    category = models.CharField(max_length=12)
    text = models.TextField(default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("reporter", "-at"), name="cases_reports"),)
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"user_report:{self.id}"


class Finding(models.Model):
    """Something sensed about an account or a content item, with its grounds.

    It comes from a check of a file, or from a person's report.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="findings")
    check_made = models.ForeignKey(
        Check, on_delete=models.PROTECT, null=True, related_name="findings"
    )
    user_report = models.OneToOneField(
        UserReport, on_delete=models.PROTECT, null=True, related_name="finding"
    )
    confidence = models.CharField(max_length=10)
    grounds = models.JSONField()
    given_back = models.BooleanField(default=False)  # the same was, when a person had looked
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(check_made=None, user_report__isnull=False)
                | Q(check_made__isnull=False, user_report=None),
                name="cases_one_source",
            ),
        )


class Backing(models.Model):
    """That a case stands behind a hash of our own bank, which stays for as long as one does."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    hash = models.ForeignKey(BankedHash, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("case", "hash"), name="cases_backing_once"),)


class Comment(models.Model):
    """What a colleague wrote beside a case. It stays here."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="comments")
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at",)


class Look(models.Model):
    """That a person looked at a file: for their own sake. The proof of it is in the ledger."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="looks")
    evidence_id = models.UUIDField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("staff", "-at"), name="cases_looks"),)


class Verdict(models.Model):
    """What was concluded, by whom or by which rule, under which clause of which guidelines."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="verdicts")
    outcome = models.CharField(max_length=10)
    clause = models.CharField(max_length=10, default="")
    note = models.TextField(default="")
    classifications = models.JSONField(default=dict)
    annotations = models.JSONField(default=list)
    details = models.JSONField(default=dict)  # what a report says beside what Kinward knows
    bank = models.BooleanField(default=False)  # whether the hashes go into our own bank
    silent_days = models.PositiveSmallIntegerField(default=0)  # else as the clause says
    silent_why = models.CharField(max_length=200, default="")
    guidelines = models.CharField(max_length=110, default="")
    consequence = models.JSONField(null=True)  # what a confirmed one came to
    given_by = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="verdicts"
    )
    rule = models.CharField(max_length=60, default="")
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(given_by__isnull=False, rule="")
                | (Q(given_by=None, outcome="confirmed") & ~Q(rule="")),
                name="cases_person_or_rule",
            ),
        )

    @property
    def actor(self) -> Actor:
        """Who gave it: a person, or a rule."""
        return Actor.rule(self.rule) if self.given_by is None else self.given_by.actor


class SecondReading(models.Model):
    """A verdict, drawn by lot, that a senior reviewer reads again: so quality is a figure."""

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
                name="cases_reading_is_whole",
            ),
        )
        indexes = (
            models.Index(fields=("drawn_at",), condition=Q(read_at=None), name="cases_unread"),
        )


class Viewing(models.Model):
    """How one person wants files to be shown to them."""

    staff = models.OneToOneField(Staff, on_delete=models.CASCADE, primary_key=True)
    described = models.BooleanField(default=False)  # in words, and not by a blur
    in_colour = models.BooleanField(default=False)
    larger = models.BooleanField(default=False)
    at_most = models.PositiveSmallIntegerField(null=True)  # files in 24 hours


HANDED_OVER: Final = "handed over"  # a later state of an approved release


class Release(TwoPeople):
    """What is known of an account, for legal process: who asked, who approved, who has it."""

    permission = Permission.RELEASE_RECORDS

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="releases")
    since = models.DateField()
    until = models.DateField()
    recipient = models.CharField(max_length=200)  # an age recipient: age1…
    to = models.CharField(max_length=200)
    reference = models.CharField(max_length=200)
    why = models.TextField()
    handed_to = models.CharField(max_length=200, default="")
    handed_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    handed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"release:{self.id}"


class Destruction(TwoPeople):
    """A case's evidence destroyed because an authority asks: who asked, and who agreed."""

    permission = Permission.DESTROY_EVIDENCE
    words = {AgreementState.APPROVED.value: "done"}

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="destructions")
    asked_for_by = models.CharField(max_length=200)  # the authority
    reference = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"destruction:{self.id}"
