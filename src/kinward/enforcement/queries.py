"""Queries about actions, sanctions and removals."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kinward.enforcement.effects import EFFECTS, Direction
from kinward.enforcement.models import Action, ActionState, Effect, Removal, Sanction, Target
from kinward.matching.api import Check
from kinward.people.api import Account


def actions_of_case(case_id: UUID) -> QuerySet[Action]:
    """Return a case's actions, oldest first."""
    return Action.objects.filter(case_id=case_id).order_by("number")


def sanctions_of_case(case_id: UUID) -> list[UUID]:
    """Return the ids of a case's sanctions, oldest first, including those that have ended."""
    sanctions = Sanction.objects.filter(case_id=case_id).order_by("began_at")
    return list(sanctions.values_list("id", flat=True))


def told_of(account: Any, content_id: Any) -> QuerySet[Action]:
    """Return the actions on a content item, newest first, whether delivered or still pending."""
    told = Action.objects.filter(account=account, target_kind=Target.CONTENT, target=content_id)
    return told.exclude(state=ActionState.SUPERSEDED).order_by("-number")


def is_removed(account: Account, content_id: str) -> bool:
    """Return whether the latest action on a content item is its removal."""
    last = told_of(account, content_id).first()
    return last is not None and last.effect == Effect.REMOVE


def removed_by_others(case_id: UUID, contents: Mapping[str, Account]) -> set[str]:
    """Return the content that another case took, or keeps removed by its bytes.

    `contents` are content ids, with the account that each belongs to.
    """
    accounts = {account.pk for account in contents.values()}
    actions = Action.objects.filter(
        account__in=accounts, target_kind=Target.CONTENT, target__in=list(contents)
    )
    others = Removal.objects.filter(ended_at=None).exclude(case_id=case_id)
    removed = Check.objects.filter(
        account__in=accounts, content_id__in=list(contents), sha256__in=others.values("sha256")
    )
    by_bytes = set(removed.values_list("content_id", flat=True))
    return by_bytes | _taken(actions.exclude(case_id=case_id))


def _taken(actions: QuerySet[Action]) -> set[str]:
    """Return the content that a case took and has not given back.

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
    """Return the parked actions, which wait for a person, oldest first."""
    return Action.objects.filter(state=ActionState.PARKED).order_by("number")


def undelivered_actions() -> QuerySet[Action]:
    """Return the actions that the platform has not carried out yet, oldest first."""
    waiting = (ActionState.PENDING, ActionState.PARKED)
    return Action.objects.filter(state__in=waiting).select_related("account").order_by("number")


def struggling_actions() -> QuerySet[Action]:
    """Return the actions that failed at least once and are being retried, oldest first."""
    return Action.objects.filter(state=ActionState.PENDING, attempts__gt=0).order_by("number")
