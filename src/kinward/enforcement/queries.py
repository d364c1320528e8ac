"""Reading actions, sanctions and strikes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kinward.enforcement.effects import EFFECTS, Direction
from kinward.enforcement.models import Action, ActionState, Effect, Removal, Sanction, Target
from kinward.matching.api import Check
from kinward.people.api import Account


def actions_of_case(case_id: UUID) -> QuerySet[Action]:
    """A case's actions in the order they were issued."""
    return Action.objects.filter(case_id=case_id).order_by("number")


def sanctions_of_case(case_id: UUID) -> list[UUID]:
    """The ids of what a case imposed, also what has ended."""
    made = Sanction.objects.filter(case_id=case_id).order_by("began_at")
    return list(made.values_list("id", flat=True))


def told_of(account: Any, content_id: Any) -> QuerySet[Action]:
    """What the platform was told of a content item, the last first, be it on its way or there."""
    told = Action.objects.filter(account=account, target_kind=Target.CONTENT, target=content_id)
    return told.exclude(state=ActionState.SUPERSEDED).order_by("-number")


def is_removed(account: Account, content_id: str) -> bool:
    """Whether the platform was told to remove a content item, and not to give it back since."""
    last = told_of(account, content_id).first()
    return last is not None and last.effect == Effect.REMOVE


def removed_by_others(case_id: UUID, contents: Mapping[str, Account]) -> set[str]:
    """Of some content, and whose it is, what another case took, or holds by its bytes."""
    accounts = {each.pk for each in contents.values()}
    actions = Action.objects.filter(
        account__in=accounts, target_kind=Target.CONTENT, target__in=list(contents)
    )
    others = Removal.objects.filter(ended_at=None).exclude(case_id=case_id)
    held = Check.objects.filter(
        account__in=accounts, content_id__in=list(contents), sha256__in=others.values("sha256")
    )
    by_bytes = set(held.values_list("content_id", flat=True))
    return by_bytes | _taken(actions.exclude(case_id=case_id))


def _taken(actions: QuerySet[Action]) -> set[str]:
    """The content that some case took and has not given back.

    Restorations that were recorded silently count, too.
    """
    taken = set()
    about = actions.order_by("number").values_list("case_id", "target", "effect")
    for case_id, target, effect in about:
        direction = EFFECTS[Effect(effect)].direction
        if direction is Direction.GIVES_BACK:
            taken.discard((case_id, target))
        elif direction is Direction.TAKES:
            taken.add((case_id, target))
    return {target for _case, target in taken}


def parked_actions() -> QuerySet[Action]:
    """Actions that were given up and wait for a person, oldest first."""
    return Action.objects.filter(state=ActionState.PARKED).order_by("number")


def undelivered_actions() -> QuerySet[Action]:
    """Actions that the platform has not carried out yet, oldest first."""
    waiting = (ActionState.PENDING, ActionState.PARKED)
    return Action.objects.filter(state__in=waiting).select_related("account").order_by("number")


def struggling_actions() -> QuerySet[Action]:
    """Actions that failed at least once and are being tried again, oldest first."""
    return Action.objects.filter(state=ActionState.PENDING, attempts__gt=0).order_by("number")
