"""The rows that everything about a case points at: cases, user reports, findings, verdicts."""

import uuid
from typing import Final

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import Staff, TwoPeopleOrDelay
from kinward.casebook.states import UNDECIDED, CaseState
from kinward.families.api import Pairing
from kinward.ground.text import MAX_ID
from kinward.matching.api import Check
from kinward.people.api import Account

MAX_NOTE: Final = 5000  # characters of what staff write about a case


class Priority(models.IntegerChoices):
    """The order of cases in the queue, most urgent first."""

    IMMINENT = 0  # somebody may be in danger now
    HIGH = 1
    NORMAL = 2


class Case(models.Model):
    """All findings about one account that are decided together."""

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
                name="casebook_one_undecided_per_account",
            ),
        )
        indexes = (
            models.Index(
                fields=("priority", "due_at", "id"),
                condition=Q(state__in=[s.value for s in UNDECIDED]),
                name="casebook_queue",
            ),
            models.Index(fields=("-changed_at",), name="casebook_changed"),
        )

    def __str__(self) -> str:
        return f"case:{self.id}"


class UserReport(models.Model):
    """A person's report about an account, a contact, a content item, or a pairing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    reporter = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    content_id = models.CharField(max_length=MAX_ID, default="")
    pairing = models.ForeignKey(Pairing, on_delete=models.PROTECT, null=True, related_name="+")
    category = models.CharField(max_length=12)
    text = models.TextField(default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("reporter", "-at"), name="casebook_reports"),)
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"user_report:{self.id}"

    @property
    def is_about_own_guardian(self) -> bool:
        """Whether it is about somebody who guards or guarded its reporter.

        No page, list or notice of the reporter shows it: that guardian may have the phone in hand.
        """
        if self.reporter_id is None:
            return False
        return Pairing.objects.filter(teen=self.reporter_id, guardian=self.account_id).exists()


# The kinds of findings that come from a row, by the field of `Finding` that points at it. A kind
# without such a row is not named here, so that a new one changes no table.
SOURCES: Final = {"check_made": ("match",), "user_report": ("user_report", "dispute")}


class Finding(models.Model):
    """Something sensed about an account or a content item, with its grounds.

    `kind` is the name of a class in `casebook.kinds`. `at` is when it happened; `content_id` is
    empty if it is about an account alone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    content_id = models.CharField(max_length=MAX_ID, default="")
    check_made = models.ForeignKey(
        Check, on_delete=models.PROTECT, null=True, related_name="findings"
    )
    user_report = models.OneToOneField(
        UserReport, on_delete=models.PROTECT, null=True, related_name="finding"
    )
    confidence = models.CharField(max_length=40)
    grounds = models.JSONField()
    given_back = models.BooleanField(default=False)  # a person gave the same back before
    # A hash that it names hit many accounts at once, so no rule concludes its case.
    waits = models.BooleanField(default=False)
    # A person called every hash that it names wrong, and what it took was given back.
    void = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    kind__in=SOURCES["check_made"], check_made__isnull=False, user_report=None
                )
                | Q(kind__in=SOURCES["user_report"], check_made=None, user_report__isnull=False)
                | (
                    ~Q(kind__in=("", *SOURCES["check_made"], *SOURCES["user_report"]))
                    & Q(check_made=None, user_report=None)
                ),
                name="casebook_kind_has_its_source",
            ),
        )


class VerdictProposal(TwoPeopleOrDelay):
    """A verdict that takes two people: one gave it with their grounds, and another agrees or not.

    The second person writes their own grounds before they see the first one's.
    """

    permission = Permission.WORK_ON_CASES

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="proposals")
    outcome = models.CharField(max_length=10)
    clause = models.CharField(max_length=10, default="")
    form = models.JSONField()  # the whole verdict, as `verdicts.VerdictForm`
    reasons = models.JSONField()  # why it takes two: names of acts, and `one_word`
    first_words = models.TextField()  # what the first person saw
    second_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    second_words = models.TextField(default="")
    urgent = models.BooleanField(default=False)  # a child may be in danger now

    class Meta(TwoPeopleOrDelay.Meta):
        constraints = (
            *TwoPeopleOrDelay.Meta.constraints,
            models.UniqueConstraint(
                fields=("case",),
                condition=Q(state="asked", went_ahead_at=None),
                name="casebook_one_open_proposal",
            ),
            models.CheckConstraint(
                condition=Q(second_by=None) | ~Q(second_by=F("asked_by")),
                name="casebook_second_is_another",
            ),
        )

    def __str__(self) -> str:
        return f"proposal:{self.id}"


class Verdict(models.Model):
    """A decision on a case, by a person or a rule, under a clause of the guidelines."""

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
    grave = models.JSONField(default=list)  # its acts that are not reversible
    # What the decider saw of it, or what stands on a verified list. None in earlier versions.
    grounds = models.JSONField(null=True)
    proposal = models.OneToOneField(
        VerdictProposal, on_delete=models.PROTECT, null=True, related_name="verdict"
    )
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
                name="casebook_person_or_rule",
            ),
            models.CheckConstraint(
                condition=Q(grave=[]) | (Q(grounds__isnull=False) & ~Q(grounds=[])),
                name="casebook_grave_has_grounds",
            ),
        )

    @property
    def actor(self) -> Actor:
        """Who gave it: a person, or a rule."""
        return Actor.rule(self.rule) if self.given_by is None else self.given_by.actor


class PendingVerdict(models.Model):
    """A verdict in its minute: whoever gave it can take it back, and nothing has followed yet."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="pending")
    given_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=10)
    form = models.JSONField()  # the whole verdict, as `verdicts.VerdictForm`
    given_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # taken back, or carried out
    problem = models.TextField(default="")  # why it could not be carried out

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case",), condition=Q(ended_at=None), name="casebook_one_pending_verdict"
            ),
        )

    def __str__(self) -> str:
        return f"pending_verdict:{self.id}"


HANDED_OVER: Final = "handed over"  # a later state of an approved release
