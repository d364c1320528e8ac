"""Statements of reasons, and the appeals against them."""

import uuid

from django.db import models
from django.db.models import Q

from kinward.access import Permission
from kinward.access.api import Staff, TwoPeopleOrDelay
from kinward.casebook.api import Case
from kinward.people.api import Account


class Stage(models.TextChoices):
    """The stage of a case at which a statement is made."""

    AT_ONCE = "at once"  # before a person has looked, so not final
    VERDICT = "verdict"


class Statement(models.Model):
    """A statement of reasons: what was done, under which clause, and how it was found.

    Art. 17 of the Digital Services Act asks for it. `decisions` are
    `{"effect", "content_id", "until", "capabilities"}`. The account holder is told nothing before
    `silent_until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="statements")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    stage = models.CharField(max_length=8, choices=Stage.choices)
    decisions = models.JSONField()
    guidelines = models.CharField(max_length=110, default="")
    clause = models.CharField(max_length=10, default="")
    title = models.CharField(max_length=200, default="")  # of the clause, in the account's language
    language = models.CharField(max_length=10)
    reported = models.BooleanField()  # whether a person reported it; else automatic means found it
    automatic = models.BooleanField()  # whether a rule decided, and no person
    dsa = models.JSONField()  # for the Transparency Database alone: no person is told
    made_at = models.DateTimeField(auto_now_add=True)
    silent_until = models.DateTimeField(null=True)
    silent_why = models.CharField(max_length=200, default="")
    told_at = models.DateTimeField(null=True)
    appeal_until = models.DateTimeField(null=True)
    reversed_at = models.DateTimeField(null=True)
    exported_at = models.DateTimeField(null=True)
    export_problem = models.TextField(default="")  # the database's reason to refuse it

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "stage"), name="redress_one_statement_a_stage"),
            models.CheckConstraint(
                condition=Q(silent_until=None) | ~Q(silent_why=""),
                name="redress_silence_has_reason",
            ),
        )
        indexes = (
            models.Index(
                fields=("silent_until",), condition=Q(told_at=None), name="redress_untold"
            ),
            models.Index(
                fields=("made_at",),
                condition=Q(exported_at=None, export_problem=""),
                name="redress_unexported",
            ),
        )
        ordering = ("-made_at",)

    def __str__(self) -> str:
        return f"statement:{self.id}"


class LongSilence(TwoPeopleOrDelay):
    """A request to tell an account holder nothing for longer than 90 days, by a legal order."""

    permission = Permission.KEEP_SILENT

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="silences")
    until = models.DateTimeField()
    why = models.CharField(max_length=200)
    reference = models.CharField(max_length=200)  # of the legal order

    class Meta(TwoPeopleOrDelay.Meta):
        constraints = (
            *TwoPeopleOrDelay.Meta.constraints,
            models.UniqueConstraint(
                fields=("statement",),
                condition=Q(state="asked", went_ahead_at=None),
                name="redress_one_long_silence",
            ),
        )

    def __str__(self) -> str:
        return f"long_silence:{self.id}"


class AppealState(models.TextChoices):
    """The state of an appeal."""

    WAITING = "waiting"
    UPHELD = "upheld"  # the decision stays
    OVERTURNED = "overturned"  # it was wrong: everything is given back


class Appeal(models.Model):
    """An account holder's appeal against a decision, and another person's answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, related_name="appeal")
    text = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=AppealState.choices, default=AppealState.WAITING
    )
    decided_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state="waiting", decided_by=None, decided_at=None)
                | (~Q(state="waiting") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="redress_decided_by_a_person",
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=Q(state="waiting"), name="redress_waiting"),
        )

    def __str__(self) -> str:
        return f"appeal:{self.id}"
