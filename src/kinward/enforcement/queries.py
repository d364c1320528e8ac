"""Reading actions, sanctions and strikes."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from kinward.enforcement.models import Action, ActionState, Effect, Sanction, Target
from kinward.people.models import Account


def of_case(case_id: UUID) -> QuerySet[Action]:
    """A case's actions in the order they were issued."""
    return Action.objects.filter(case_id=case_id).order_by("number")


def sanctions_of(case_id: UUID) -> list[UUID]:
    """The ids of what a case imposed, also what has ended."""
    made = Sanction.objects.filter(case_id=case_id).order_by("began_at")
    return list(made.values_list("id", flat=True))


def removed_contents(account: Account) -> set[str]:
    """The content of an account that some verdict removed and none gave back."""
    removals = Action.objects.filter(account=account, effect__in=(Effect.REMOVE, Effect.RESTORE))
    return _held(removals)


def held_by_others(case_id: UUID, contents: Iterable[str]) -> set[str]:
    """Of some content, what another case quarantined or removed and did not give back."""
    return _held(Action.objects.filter(target__in=list(contents)).exclude(case_id=case_id))


def is_removed_by_another(case_id: UUID, content_id: str) -> bool:
    """Whether the platform was told to remove a content item for another case that holds it."""
    others = Action.objects.filter(target=content_id).exclude(case_id=case_id)
    return bool(_held(others.filter(effect__in=(Effect.REMOVE, Effect.RESTORE))))


def _held(actions: QuerySet[Action]) -> set[str]:
    """The content that some case took and did not give back, be it that it said so to nobody."""
    held = set()
    about = actions.filter(target_kind=Target.CONTENT).order_by("number")
    for case_id, target, effect in about.values_list("case_id", "target", "effect"):
        if effect == Effect.RESTORE:
            held.discard((case_id, target))
        else:
            held.add((case_id, target))
    return {target for _case, target in held}


def parked() -> QuerySet[Action]:
    """Actions that were given up and wait for a person, oldest first."""
    return Action.objects.filter(state=ActionState.PARKED).order_by("number")


def undelivered() -> QuerySet[Action]:
    """Actions that the platform has not carried out yet, oldest first."""
    waiting = (ActionState.PENDING, ActionState.PARKED)
    return Action.objects.filter(state__in=waiting).select_related("account").order_by("number")


def struggling() -> QuerySet[Action]:
    """Actions that failed at least once and are being tried again, oldest first."""
    return Action.objects.filter(state=ActionState.PENDING, attempts__gt=0).order_by("number")
