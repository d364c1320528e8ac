"""Which cases back the hashes of our own bank, and what cases do to pairings."""

from typing import Final

from django.db import models
from django.db.models import Q

from kinward.access import Permission
from kinward.access.api import AgreementState, TwoPeopleAnywhere
from kinward.casebook.api import Case
from kinward.families.api import Pairing
from kinward.matching.api import BankedHash
from kinward.people.api import Account

MAX_WHY: Final = 500


class Backing(models.Model):
    """A case backs a hash of our own bank. The hash stays while any case backs it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    hash = models.ForeignKey(BankedHash, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "hash"), name="verdicts_backing_once"),
        )


class PairingPause(models.Model):
    """A pairing that staff paused in a case. The case then decides about it, as about a dispute."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    pairing = models.ForeignKey(Pairing, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=MAX_WHY)
    paused_by = models.CharField(max_length=220)
    paused_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("case", "pairing"), name="verdicts_pause_once"),
        )


class OrderVerb(models.TextChoices):
    """What a second person has to agree to."""

    END = "end"
    HAND_OVER = "hand over"


class PairingOrder(TwoPeopleAnywhere):
    """A request to end a pairing, or to hand its teen over to another guardian (`to`).

    `method` is how the papers prove that guardian. The papers are sealed in the case.
    """

    permission = Permission.WORK_ON_CASES
    words = {AgreementState.APPROVED.value: "done"}
    breakable = False  # a pause takes one person, and is enough for an emergency

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    pairing = models.ForeignKey(Pairing, on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=9, choices=OrderVerb.choices)
    to = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="+")
    method = models.CharField(max_length=9, default="")
    why = models.CharField(max_length=MAX_WHY)

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("pairing",), condition=Q(state="asked"), name="verdicts_one_order"
            ),
            models.CheckConstraint(
                condition=Q(verb="end", to=None, method="")
                | (Q(verb="hand over", to__isnull=False) & ~Q(method="")),
                name="verdicts_order_to_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"pairing_order:{self.id}"
