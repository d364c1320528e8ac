"""The protocol of two people: one asks, another approves, and the database enforces it.

A model that needs two people inherits `TwoPeople` and names the permission that both need. Only
`decide_agreement` decides on its rows, and only `kinward.access.delay` lets one go ahead by itself.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID, uuid4

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from kinward.access.actor import Actor, ActorKind
from kinward.access.glass import BreakGlass, Decider, Person, actor_of, break_glass
from kinward.access.models import BrokenGlass, Staff
from kinward.access.permissions import Permission
from kinward.access.step_up import require_fresh_factor
from kinward.ground.errors import Forbidden, KinwardError, NotFound


class AlreadyDecided(KinwardError):
    """Somebody has decided on this already."""

    code = "agreement.decided"
    status = 409


class TakesTwo(KinwardError):
    """This takes two people, and nobody breaks the glass for it, since it cannot be undone."""

    code = "agreement.takes_two"
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
    def powers(self) -> frozenset[Permission]:
        """What a person has to hold to decide on this request."""
        return frozenset({self.permission})

    @property
    def requester(self) -> Person:
        """The person who asked."""
        return self.asked_by

    @property
    def barred(self) -> list[int]:
        """The keys of the people who may not approve this request: who asked, and namesakes."""
        return barred_of(self.requester)

    @property
    def withdrawn(self) -> bool:
        """Whether the person who asked withdrew the request."""
        return self.state == AgreementState.REFUSED and self.decided_by_id == self.asked_by_id

    @property
    def by_two(self) -> bool:
        """Whether another person than the one who asked has approved it."""
        approved = self.state not in (AgreementState.ASKED, AgreementState.REFUSED)
        return approved and self.decided_by_id not in (None, self.asked_by_id)


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


_NOBODY: Final = Q(decided_by=None, second_operator="")
_SOMEBODY: Final = Q(decided_by__isnull=False, second_operator="") | Q(
    decided_by=None, second_operator__startswith="operator:"
)
_ANOTHER: Final = (
    _SOMEBODY & ~Q(decided_by=F("asked_by")) & (Q(operator="") | ~Q(second_operator=F("operator")))
)


class TwoPeopleAskedAnywhere(TwoPeopleOrDelay):
    """A request that an operator makes at the command line, too. Then it has no `asked_by`."""

    asked_by = models.ForeignKey(  # type: ignore[assignment]  # none: an operator asked
        Staff, on_delete=models.PROTECT, null=True, related_name="+"
    )
    operator = models.CharField(max_length=200, default="")

    class Meta(TwoPeopleOrDelay.Meta):
        abstract = True

    @property
    def asker(self) -> str:
        """The name of the person who asked."""
        return self.asked_by.username if self.asked_by else self.operator

    @property
    def requester(self) -> Person:
        """The person who asked: a member of the staff, or an operator."""
        operator = self.operator.removeprefix(f"{ActorKind.OPERATOR}:")
        return self.asked_by or Actor.operator(operator)


class TwoPeopleAnywhere(TwoPeopleAskedAnywhere):
    """A request that is the same on every road: an operator approves an operator's, too.

    It is another operator, or a member of the staff, or the one who asked breaks the glass where
    the model is `breakable`. What goes ahead by itself is approved by nobody.
    """

    breakable: ClassVar[bool] = True  # never for what cannot be undone

    second_operator = models.CharField(max_length=200, default="")
    glass = models.ForeignKey(BrokenGlass, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(TwoPeopleAskedAnywhere.Meta):
        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.CheckConstraint(
                condition=(Q(state="asked", decided_at=None, glass=None) & _NOBODY)
                | (Q(state="refused", decided_at__isnull=False, glass=None) & _SOMEBODY)
                | (
                    ~Q(state__in=("asked", "refused"))
                    & Q(decided_at__isnull=False)
                    & (
                        (Q(glass=None) & _ANOTHER)
                        | (Q(glass__isnull=False) & _NOBODY)
                        | (Q(glass=None, went_ahead_at__isnull=False) & _NOBODY)
                    )
                ),
                name="%(app_label)s_%(class)s_two_people",
            ),
            TwoPeopleOrDelay.Meta.constraints[-1],
            models.CheckConstraint(
                condition=Q(asked_by__isnull=False, operator="")
                | Q(asked_by=None, operator__startswith="operator:"),
                name="%(app_label)s_%(class)s_asked_by_one",
            ),
        )

    @property
    def decider(self) -> str:
        """The name of the person who decided, or how it went without one; empty before."""
        if self.decided_by is not None:
            return str(self.decided_by.username)
        if self.glass is not None:
            return f"{self.glass.operator} alone, who broke the glass"
        alone = "nobody: it went ahead by itself" if self.decided_at else ""
        return self.second_operator or alone

    @property
    def _people(self) -> tuple[tuple[int | None, str], tuple[int | None, str]]:
        """Who asked, and who decided."""
        return (self.asked_by_id, self.operator), (self.decided_by_id, self.second_operator)

    @property
    def withdrawn(self) -> bool:
        """Whether the person who asked withdrew the request."""
        requester, decider = self._people
        return self.state == AgreementState.REFUSED and requester == decider

    @property
    def by_two(self) -> bool:
        """Whether another person than the one who asked has approved it."""
        approved = self.state not in (AgreementState.ASKED, AgreementState.REFUSED)
        requester, decider = self._people
        return approved and decider not in ((None, ""), requester)


Agreement = TypeVar("Agreement", bound=TwoPeople)


def barred_of(person: Person) -> list[int]:
    """Return the keys of the staff who are the person who asks, or may be by their name."""
    if isinstance(person, Staff):
        return [person.pk]
    return [one.pk for one in Staff.objects.all() if person.is_namesake(one.actor)]


def asked(person: Person) -> dict[str, Any]:
    """Return the columns of a new request that say who asks.

    Raises `Forbidden` for no person, and `FactorNotFresh` at a console: some requests go ahead
    without an answer.
    """
    require_fresh_factor()
    actor = actor_of(person)
    if actor.kind not in (ActorKind.STAFF, ActorKind.OPERATOR):
        raise Forbidden("Only a person asks for this.")
    if isinstance(person, Staff):
        return {"asked_by": person, "operator": ""}
    return {"asked_by": None, "operator": str(person)[:200]}


@transaction.atomic
def decide_agreement(
    model: type[Agreement], pk: UUID, *, approve: bool, staff: Decider
) -> Agreement:
    """Approve or refuse a request, and return its row, locked. The asker may only refuse.

    Nobody approves what somebody asked for who may not ask for it any more. An operator decides on
    what an operator asked for, or breaks the glass.

    Raises `Forbidden`, `NotFound`, `AlreadyDecided` or `TakesTwo`, and `FactorNotFresh` for who
    approves at a console. The caller carries out the decision and writes the ledger entry in the
    same transaction.
    """
    if approve:
        require_fresh_factor()
    row = lock_agreement(model, pk, staff=staff)
    if row.state != AgreementState.ASKED:
        raise AlreadyDecided(f"It is {row.word}.")
    if approve and not isinstance(staff, BreakGlass):
        _require_another(row, staff)
    row.state = AgreementState.APPROVED if approve else AgreementState.REFUSED
    row.decided_at = timezone.now()
    changed = ["state", "decided_by", "decided_at"]
    if isinstance(staff, Staff):
        row.decided_by = staff
    else:
        _decide_by_command(row, approve, staff)
        changed += ["second_operator", "glass"]
    row.save(update_fields=changed)
    return row


def _require_another(row: TwoPeople, person: Person) -> None:
    requester = row.requester
    if requester == person:
        raise Forbidden("You asked for this, so another person decides.")
    if actor_of(requester).is_namesake(actor_of(person)):
        raise Forbidden("You asked for this by a command, so another person decides.")
    if isinstance(person, Staff) and person.pk in row.barred:
        raise Forbidden("This is about you, so another person decides.")
    if not requester.may(row.permission):
        raise Forbidden(
            f"{requester} asked for this and may not do so any more. Refuse it and ask again."
        )


def _decide_by_command(row: TwoPeople, approve: bool, by: Actor | BreakGlass) -> None:
    """Fill in the columns of an operator's decision. Raises `Forbidden` or `TakesTwo`."""
    if not isinstance(row, TwoPeopleAnywhere) or actor_of(by).kind != ActorKind.OPERATOR:
        raise Forbidden("Only a colleague decides on this, in the console.")
    if isinstance(by, BreakGlass):
        if not (approve and row.breakable):
            raise TakesTwo
        row.glass = break_glass(str(row), by)
    elif not row.operator:
        raise Forbidden("This was asked for in the console. A colleague decides on it there.")
    else:
        row.second_operator = str(by)[:200]


def refuse_about_self(model: type[Agreement], pk: UUID, *, staff: Staff) -> None:
    """Refuse a request that is about oneself, with no power. The caller knows that it is.

    It ends also what another person has approved. The caller writes the ledger entry.
    """
    row = model._default_manager.select_for_update(of=("self",)).get(pk=pk)
    row.state = AgreementState.REFUSED
    row.decided_by, row.decided_at = staff, timezone.now()
    row.save(update_fields=["state", "decided_by", "decided_at"])


def lock_agreement(model: type[Agreement], pk: UUID, *, staff: Decider) -> Agreement:
    """Lock the row of a request. Raises `Forbidden` or `NotFound`."""
    row = model._default_manager.select_for_update(of=("self",)).filter(pk=pk).first()
    for power in sorted(row.powers) if row else [model.permission]:
        staff.must(power)
    if row is None:
        raise NotFound(f"There is no {model._meta.verbose_name} {pk}.")
    return row
