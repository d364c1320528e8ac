"""Break the glass: an operator does alone and at once what takes two people, and everybody sees it.

It is an alarm on every page of the console until another named person has reviewed it. The reason
is in a row of its own and not in the ledger, which keeps its entries for ever.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward.access.actor import Actor, ActorKind
from kinward.access.models import BrokenGlass, Staff
from kinward.access.permissions import Permission
from kinward.access.staff import holders
from kinward.access.step_up import require_fresh_factor
from kinward.access.vouching import owes_to
from kinward.ground.errors import Forbidden, Invalid, KinwardError, NotFound
from kinward.ledger.api import kinds, record

MAX_REASON: Final = 2000


class ReviewedAlready(KinwardError):
    """Somebody has reviewed this already."""

    code = "glass.reviewed"
    status = 409


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """An operator who decides alone on what takes two people, and says why.

    `about`: what it is in words, for whoever reviews it.
    """

    actor: Actor
    reason: str
    about: str = ""

    def must(self, permission: Permission) -> None:
        """Raise `Forbidden` unless the operator has a permission."""
        self.actor.must(permission)


# Who asks for what takes two people: a member of the staff, or an operator at the command line.
Person: TypeAlias = Staff | Actor
Decider: TypeAlias = Staff | Actor | BreakGlass


def actor_of(person: Decider) -> Actor:
    """Return a person as an actor."""
    return person if isinstance(person, Actor) else person.actor


def break_glass(request: str, by: BreakGlass) -> BrokenGlass:
    """Record that an operator carries out a request alone. Requires a transaction.

    `request`: the request's name in the ledger. Raises `Invalid` without a reason.
    """
    if by.actor.kind != ActorKind.OPERATOR:
        raise Forbidden("Only an operator at the command line breaks the glass.")
    if not 1 <= len(by.reason.strip()) <= MAX_REASON:
        raise Invalid(f"Say why you do this alone, in at most {MAX_REASON} characters.")
    glass = BrokenGlass.objects.create(
        operator=str(by.actor)[:200],
        request=request[:200],
        about=by.about[:400],
        reason=by.reason.strip(),
    )
    record(actor=by.actor, subject=str(glass), fact=kinds.GlassBroken(request=glass.request))
    return glass


@transaction.atomic
def review_glass(*, glass_id: UUID, justified: bool, note: str, staff: Staff) -> BrokenGlass:
    """Record what another person found about an act done alone. The alarm ends.

    Raises `Forbidden` for whoever did it, and for whom they brought in, `Invalid` without a note,
    `NotFound`, `ReviewedAlready`.
    """
    staff.must(Permission.REVIEW_GLASS)
    require_fresh_factor()
    glass = BrokenGlass.objects.select_for_update().filter(pk=glass_id).first()
    if glass is None:
        raise NotFound(f"There is no break-glass {glass_id}.")
    if glass.reviewed_at is not None:
        raise ReviewedAlready
    operator = Actor.stored(glass.operator)
    if operator.is_namesake(staff.actor):
        raise Forbidden("You did this yourself, so another person reviews it.")
    if owes_to(staff, Permission.REVIEW_GLASS, operator):
        raise Forbidden(
            "Whoever did this, or a key, made you a reviewer. Somebody else reviews it."
        )
    if not 1 <= len(note.strip()) <= MAX_REASON:
        raise Invalid(f"Write what you found, in at most {MAX_REASON} characters.")
    glass.reviewed_by, glass.reviewed_at = staff, timezone.now()
    glass.justified, glass.note = justified, note.strip()
    glass.save(update_fields=["reviewed_by", "reviewed_at", "justified", "note"])
    record(actor=staff.actor, subject=str(glass), fact=kinds.GlassReviewed(justified=justified))
    return glass


def can_be_reviewed(glass: BrokenGlass) -> bool:
    """Return whether there is anybody who may review an act done alone."""
    operator = Actor.stored(glass.operator)
    return any(
        not operator.is_namesake(staff.actor)
        and not owes_to(staff, Permission.REVIEW_GLASS, operator)
        for staff in holders(Permission.REVIEW_GLASS)
    )


def unreviewed_glasses() -> QuerySet[BrokenGlass]:
    """Return what was done alone and nobody has reviewed, oldest first."""
    return BrokenGlass.objects.filter(reviewed_at=None).order_by("at")


def reviewed_glasses() -> QuerySet[BrokenGlass]:
    """Return what was done alone and somebody has reviewed, newest first."""
    reviewed = BrokenGlass.objects.filter(reviewed_at__isnull=False)
    return reviewed.select_related("reviewed_by").order_by("-at")
