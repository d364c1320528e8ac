"""What two people agree on about banks and hashes.

These rows stand above `models`. The face imports them, so Django knows them with the room.
"""

from typing import Final

from django.db import models
from django.db.models import Q

from kinward.access import Permission
from kinward.access.api import AgreementState, TwoPeople, TwoPeopleAnywhere
from kinward.matching.models import Bank, BankedHash

ENDED: Final = "ended"  # a later state of an approved agreement to silence


class Silencing(TwoPeople):
    """An agreement of two people that the hashes of a negative bank silence matches.

    It covers the hashes up to the id `upto`, `hashes` of them live when it was asked for, under the
    bank's rules of that moment. Later hashes and other rules need another agreement.
    """

    permission = Permission.SILENCE_MATCHES
    words = {AgreementState.APPROVED.value: "agreed to"}

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="silencings")
    why = models.TextField()
    upto = models.BigIntegerField()
    hashes = models.BigIntegerField()
    near = models.BigIntegerField(default=0)  # live hashes of other banks that it comes near
    distance = models.PositiveSmallIntegerField()
    enabled_ratio = models.FloatField()

    class Meta(TwoPeople.Meta):
        constraints = (
            *TwoPeople.Meta.constraints,
            models.UniqueConstraint(
                fields=("bank",), condition=Q(state="asked"), name="matching_one_silencing_asked"
            ),
        )

    def __str__(self) -> str:
        return f"silencing:{self.id}"


class Weakening(TwoPeopleAnywhere):
    """An agreement of two people that a bank of verified hashes answers less than before.

    It goes from the rules of the columns `was_…` to the others.
    """

    permission = Permission.TUNE_BANKS
    words = {AgreementState.APPROVED.value: "agreed to"}

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="weakenings")
    hashes = models.BigIntegerField()  # verified ones when it was asked for
    was_role = models.CharField(max_length=10)
    was_distance = models.PositiveSmallIntegerField()
    was_enabled_ratio = models.FloatField()
    was_disabled = models.BooleanField()
    role = models.CharField(max_length=10)
    distance = models.PositiveSmallIntegerField()
    enabled_ratio = models.FloatField()
    disabled = models.BooleanField()

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("bank",), condition=Q(state="asked"), name="matching_one_weakening_asked"
            ),
        )

    def __str__(self) -> str:
        return f"weakening:{self.id}"


class WithdrawalRequest(TwoPeopleAnywhere):
    """An agreement of two people that so many hashes may leave a live bank of verified ones."""

    permission = Permission.SWITCH_BANKS
    words = {AgreementState.APPROVED.value: "allowed"}

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="withdrawal_requests")
    hashes = models.PositiveBigIntegerField()
    live = models.PositiveBigIntegerField()  # of the bank when it was asked for

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("bank",), condition=Q(state="asked"), name="matching_one_withdrawal_asked"
            ),
        )

    def __str__(self) -> str:
        return f"withdrawal:{self.id}"


class Marking(TwoPeopleAnywhere):
    """An agreement of two people that a verified hash is a false positive.

    While the request is open, the hash still matches, and its findings wait for a person.
    """

    permission = Permission.MARK_HASHES
    words = {AgreementState.APPROVED.value: "agreed to"}

    hash = models.ForeignKey(BankedHash, on_delete=models.PROTECT, related_name="markings")

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("hash",), condition=Q(state="asked"), name="matching_one_marking_asked"
            ),
        )

    def __str__(self) -> str:
        return f"marking:{self.id}"
