"""Requests to erase an account: the platform's wish, and the request that two people decide."""

from typing import Final

from django.db import models
from django.db.models import Q

from kinward.access import Permission
from kinward.access.api import AgreementState, TwoPeopleAnywhere
from kinward.people.api import Account

MAX_WHY: Final = 500


class Wish(models.Model):
    """The platform asks for an account to be erased. It waits until two people have erased it."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="+")
    asked_by = models.CharField(max_length=200)  # an API key
    asked_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"wish:{self.pk}"


class Erasure(TwoPeopleAnywhere):
    """A request to erase an account. Once it is done the row no longer says whose it was.

    `rows` and `values` count what was removed. A restored backup lacks the row, and so shows that
    the erasure has to be done again.
    """

    permission = Permission.ERASE_ACCOUNTS
    words = {AgreementState.APPROVED.value: "done"}
    breakable = False  # nothing brings it back

    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="+")
    why = models.CharField(max_length=MAX_WHY, default="")
    rows = models.PositiveIntegerField(default=0)
    values = models.PositiveIntegerField(default=0)  # of entries

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("account",), condition=Q(state="asked"), name="erasure_one_request"
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(account=None, why=""),
                name="erasure_done_names_nobody",
            ),
        )

    def __str__(self) -> str:
        return f"erasure:{self.id}"


class Replayed(models.Model):
    """An erasure of the list that was applied again after a restore, by its number in the list."""

    erasure = models.UUIDField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"replayed:{self.pk}"
