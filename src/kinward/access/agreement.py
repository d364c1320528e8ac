"""The protocol of two people: one asks, another approves, and the database enforces it.

A model that needs two people inherits `TwoPeople` and names the permission that both need. Only
`decide_agreement` decides on its rows.
"""

from collections.abc import Mapping
from typing import ClassVar, Final, TypeVar
from uuid import UUID, uuid4

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.ground.errors import Forbidden, KinwardError, NotFound


class AlreadyDecided(KinwardError):
    """Somebody has decided on this already."""

    code = "agreement.decided"
    status = 409


class AgreementState(models.TextChoices):
    """The state of an agreement. A model may add later states, which all count as approved."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


PROPOSED: Final = {AgreementState.ASKED.value: "proposed", AgreementState.REFUSED.value: "rejected"}


class TwoPeople(models.Model):
    """A request by one person that only another person can approve."""

    permission: ClassVar[Permission]  # for asking and for deciding
    words: ClassVar[Mapping[str, str]] = {}  # for states that people know by another name

    id = models.UUIDField(primary_key=True, default=uuid4)
    state = models.CharField(max_length=20, default=AgreementState.ASKED)
    asked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            # Every state but asked and refused counts as approved, so that a new state cannot
            # escape. Columns are tested for NULL, because a comparison with NULL is NULL, and a
            # constraint lets that pass.
            models.CheckConstraint(
                condition=Q(state="asked", decided_by=None, decided_at=None)
                | Q(state="refused", decided_by__isnull=False, decided_at__isnull=False)
                | (
                    ~Q(state__in=("asked", "refused"))
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(decided_by=F("asked_by"))
                ),
                name="%(app_label)s_%(class)s_two_people",
            ),
        )
        ordering = ("-asked_at",)

    @property
    def word(self) -> str:
        """The state, by the name that people know."""
        return self.words.get(self.state, self.state)

    @property
    def withdrawn(self) -> bool:
        """Whether the person who asked withdrew the request."""
        return self.state == AgreementState.REFUSED and self.decided_by_id == self.asked_by_id


Agreement = TypeVar("Agreement", bound=TwoPeople)


@transaction.atomic
def decide_agreement(model: type[Agreement], pk: UUID, *, approve: bool, staff: Staff) -> Agreement:
    """Approve or refuse a request, and return its row, locked. The asker may only refuse.

    Nobody approves what somebody asked for who may not ask for it any more.

    Raises `Forbidden`, `NotFound` or `AlreadyDecided`. The caller carries out the decision and
    writes the ledger entry in the same transaction.
    """
    row = lock_agreement(model, pk, staff=staff)
    if row.state != AgreementState.ASKED:
        raise AlreadyDecided(f"It is {row.word}.")
    if approve and row.asked_by_id == staff.pk:
        raise Forbidden("You asked for this, so another person decides.")
    if approve and row.asked_by_id and not row.asked_by.may(model.permission):
        raise Forbidden(
            f"{row.asked_by} asked for this and may not do so any more. Refuse it and ask again."
        )
    row.state = AgreementState.APPROVED if approve else AgreementState.REFUSED
    row.decided_by, row.decided_at = staff, timezone.now()
    row.save(update_fields=["state", "decided_by", "decided_at"])
    return row


def lock_agreement(model: type[Agreement], pk: UUID, *, staff: Staff) -> Agreement:
    """Lock the row of a request. Raises `Forbidden` or `NotFound`."""
    staff.must(model.permission)
    row = model._default_manager.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise NotFound(f"There is no {model._meta.verbose_name} {pk}.")
    return row
