"""Releases of records and destructions of evidence, each by two people."""

from django.db import models

from kinward.access import Permission
from kinward.access.api import AgreementState, Staff, TwoPeopleAnywhere
from kinward.casebook.api import Case
from kinward.people.api import Account


class Release(TwoPeopleAnywhere):
    """A release of an account's records for legal process, and its hand-over."""

    permission = Permission.RELEASE_RECORDS
    breakable = False  # what was handed over is not taken back

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


class Destruction(TwoPeopleAnywhere):
    """A destruction of a case's evidence that an authority asks for."""

    permission = Permission.DESTROY_EVIDENCE
    words = {AgreementState.APPROVED.value: "done"}
    breakable = False

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="destructions")
    asked_for_by = models.CharField(max_length=200)  # the authority
    reference = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"destruction:{self.id}"
