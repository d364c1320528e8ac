"""Reports, their attempts at the authority with every call, and agreements to report for real."""

import uuid
from typing import Final

from django.db import models
from django.db.models import Q

from kinward.access import Permission
from kinward.access.api import AgreementState, Staff, TwoPeopleAnywhere
from kinward.casebook.api import Case


class ReportState(models.TextChoices):
    """The state of a report."""

    WAITING = "waiting"  # a job files it, or will
    PARKED = "parked"  # the authority refuses it; a person must look
    PACKAGED = "packaged"  # sealed for an authority to which a person delivers it
    FINISHED = "finished"  # the authority has it, whole
    WITHDRAWING = "withdrawing"  # the case was overturned before the report was finished
    WITHDRAWN = "withdrawn"  # the authority has nothing of it


SETTLED: Final = (ReportState.FINISHED, ReportState.WITHDRAWN)  # final


class Report(models.Model):
    """The only report of a case to an authority, for ever."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    authority = models.CharField(max_length=40)
    state = models.CharField(
        max_length=12, choices=ReportState.choices, default=ReportState.WAITING
    )
    draft = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    problem = models.TextField(default="")
    external_id = models.CharField(max_length=100, default="")
    receipt = models.TextField(default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case", "authority"), name="reporting_one_each_authority"
            ),
            models.CheckConstraint(
                condition=~Q(state="finished")
                | (~Q(external_id="") & Q(finished_at__isnull=False)),
                name="reporting_finished_has_id",
            ),
        )

    def __str__(self) -> str:
        return f"report:{self.id}"


class Attempt(models.Model):
    """An attempt to file a report with the authority. All but the last are abandoned."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    abandoned = models.CharField(max_length=300, default="")
    started_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("report", "number"), name="reporting_attempt_number"),
            models.UniqueConstraint(
                fields=("report",), condition=Q(abandoned=""), name="reporting_one_live_attempt"
            ),
        )


class Call(models.Model):
    """A call to the authority, stored before it is made and completed by its answer."""

    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="calls")
    step = models.CharField(max_length=80)
    request = models.TextField()
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    code = models.IntegerField(null=True)
    request_id = models.CharField(max_length=100, default="")
    response = models.TextField(default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("attempt", "step"), name="reporting_step_once"),
        )


class Correction(models.Model):
    """A task: tell the authority that a finished report was wrong, and record what was said."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="correction")
    why = models.CharField(max_length=200)
    asked_at = models.DateTimeField(auto_now_add=True)
    how = models.TextField(default="")
    reference = models.CharField(max_length=100, default="")
    done_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(done_by=None, done_at=None, how="")
                | (Q(done_by__isnull=False, done_at__isnull=False) & ~Q(how="")),
                name="reporting_correction_is_whole",
            ),
        )

    def __str__(self) -> str:
        return f"correction:{self.id}"


ENDED: Final = "ended"  # a later state of an approved production


class Production(TwoPeopleAnywhere):
    """An agreement of two people that reports to an authority at an address are real."""

    permission = Permission.SWITCH_REPORTING
    words = {AgreementState.APPROVED.value: "agreed to", AgreementState.REFUSED.value: "ended"}

    authority = models.CharField(max_length=40)
    address = models.CharField(max_length=400)
    why = models.TextField()
    ended_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("authority", "address"),
                condition=Q(state__in=("asked", "approved")),
                name="reporting_one_agreement",
            ),
        )

    def __str__(self) -> str:
        return f"production:{self.id}"
