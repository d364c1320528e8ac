"""The protocol of two people: one asks, another approves, and the database enforces it.

A model that needs two people inherits `TwoPeople` and names the permission that both need. Only
`decide_agreement` decides on its rows.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final, TypeVar
from uuid import UUID, uuid4

from django.db import models, transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.staff import holders
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


class TwoPeopleOrDelay(TwoPeople):
    """A request that goes ahead by itself at a moment, unless another person answers before.

    The moment is there where only one person holds the role, or where waiting is the greater harm.
    After it the state stays `asked`: another person still agrees, or not.
    """

    goes_ahead_at = models.DateTimeField(null=True)
    went_ahead_at = models.DateTimeField(null=True)

    class Meta(TwoPeople.Meta):
        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            *TwoPeople.Meta.constraints,
            models.CheckConstraint(
                condition=Q(went_ahead_at=None)
                | Q(goes_ahead_at__isnull=False, went_ahead_at__gte=F("goes_ahead_at")),
                name="%(app_label)s_%(class)s_not_before",
            ),
        )

    @property
    def carried_out(self) -> bool:
        """Whether another person approved it, or it went ahead by itself."""
        return self.went_ahead_at is not None or self.state not in (
            AgreementState.ASKED,
            AgreementState.REFUSED,
        )


ALONE: Final = timedelta(hours=24)  # the delay where nobody else holds the role …
LONELY: Final = timedelta(days=7)  # … and has not lost it lately
Agreement = TypeVar("Agreement", bound=TwoPeople)
Delayed = TypeVar("Delayed", bound=TwoPeopleOrDelay)


def is_alone(model: type[TwoPeople], staff: Staff) -> bool:
    """Return whether nobody but this person could decide on such a request, nor could lately."""
    return not _others_can(model, staff) and _lonely_from(staff) <= timezone.now()


def _others_can(model: type[TwoPeople], staff: Staff) -> bool:
    return holders(model.permission).exclude(pk=staff.pk).exists()


def alone_until(model: type[TwoPeople], staff: Staff) -> datetime | None:
    """Return when a request goes ahead because nobody else can decide it; None if one can.

    Nobody makes themselves alone: who lost power counts for a week.
    """
    if _others_can(model, staff):
        return None
    return max(timezone.now() + ALONE, _lonely_from(staff))


def _lonely_from(staff: Staff) -> datetime:
    """Return from when on a person counts as the only one who could decide."""
    others = Staff.objects.exclude(pk=staff.pk)
    last: datetime | None = others.aggregate(last=Max("power_lost_at"))["last"]
    return timezone.now() if last is None else last + LONELY


def due_to_go_ahead(model: type[Delayed]) -> models.QuerySet[Delayed]:
    """Return the requests whose moment has come, and which nobody has answered."""
    return model._default_manager.filter(
        state=AgreementState.ASKED, went_ahead_at=None, goes_ahead_at__lte=timezone.now()
    ).order_by("goes_ahead_at")


def go_ahead(model: type[Delayed], pk: UUID, *, urgent: bool = False) -> Delayed | None:
    """Let a request go ahead whose moment has come, and return its row, locked.

    None if somebody answered meanwhile, if it is too early, or if another person has come who can
    decide, or the asker may not ask for it any more: then the request waits for a person. An
    `urgent` one waits for nobody else. The caller carries it out in the same transaction.
    """
    row = model._default_manager.select_for_update(of=("self",)).filter(pk=pk).first()
    now = timezone.now()
    if row is None or row.state != AgreementState.ASKED or row.went_ahead_at is not None:
        return None
    if row.goes_ahead_at is None or row.goes_ahead_at > now:
        return None
    until: datetime | None = now
    if not row.asked_by.may(model.permission):
        until = None
    elif not urgent:
        until = None if _others_can(model, row.asked_by) else _lonely_from(row.asked_by)
    if until is None or until > now:
        row.goes_ahead_at = until
        row.save(update_fields=["goes_ahead_at"])
        return None
    row.went_ahead_at = now
    row.save(update_fields=["went_ahead_at"])
    return row


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
