"""Reading actions."""

from uuid import UUID

from django.db.models import QuerySet

from kinward.enforcement.models import Action, ActionState, Effect, Target
from kinward.people.models import Account


def of_case(case_id: UUID) -> QuerySet[Action]:
    """A case's actions in the order they were issued."""
    return Action.objects.filter(case_id=case_id).order_by("number")


def removed_contents(account: Account) -> set[str]:
    """The content of an account that some verdict removed for good, by the platform's ids."""
    removals = account.actions.filter(effect=Effect.REMOVE, target_kind=Target.CONTENT)
    return set(removals.values_list("target", flat=True))


def parked() -> QuerySet[Action]:
    """Actions that were given up and wait for a person, oldest first."""
    return Action.objects.filter(state=ActionState.PARKED).order_by("number")


def struggling() -> QuerySet[Action]:
    """Actions that failed at least once and are being tried again, oldest first."""
    return Action.objects.filter(state=ActionState.PENDING, attempts__gt=0).order_by("number")
