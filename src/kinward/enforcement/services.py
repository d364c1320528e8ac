"""Issuing actions, delivering them, and replaying what was parked."""

from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from kinward.config import config
from kinward.enforcement.models import Action, ActionState, Effect, Target
from kinward.enforcement.webhook import Delivery, Undelivered, send
from kinward.errors import Invalid, KinwardError, NotFound
from kinward.jobs import DELAYS, enqueue
from kinward.ledger.services import record
from kinward.locks import exclusive
from kinward.people.models import Account

log = structlog.get_logger(__name__)

DELIVER = "enforcement.deliver"


def issue_content(
    *, case_id: UUID, account: Account, effect: Effect, content_id: str, actor: str
) -> Action:
    """Ask for an effect on a content item, once per case, in the caller's transaction."""
    action, new = Action.objects.get_or_create(
        case_id=case_id,
        effect=effect,
        target_kind=Target.CONTENT,
        target=content_id,
        defaults={"account": account},
    )
    if new:
        _send(action, actor)
    return action


def issue_account(
    *, case_id: UUID, account: Account, effect: Effect, standing: dict[str, Any], actor: str
) -> Action:
    """Ask for an effect on an account, in the caller's transaction.

    `standing` says how the account stands from now on; `sanctions` alone knows.
    """
    action = Action.objects.create(
        case_id=case_id,
        account=account,
        effect=effect,
        target_kind=Target.ACCOUNT,
        target=account.platform_id,
        standing=standing,
    )
    _send(action, actor)
    return action


def _send(action: Action, actor: str) -> None:
    """Have an action delivered by a job.

    A restoration takes back what was not delivered yet: the platform never hears of it.
    """
    if action.effect == Effect.RESTORE:
        Action.objects.filter(
            account=action.account_id,
            target_kind=action.target_kind,
            target=action.target,
            number__lt=action.number,
            state__in=(ActionState.PENDING, ActionState.PARKED),
        ).update(state=ActionState.SUPERSEDED)
    enqueue(DELIVER, action_id=str(action.id))
    record(
        actor=actor,
        kind="action.issued",
        subject=str(action),
        case=_case(action),
        type=action.type,
        target=action.target,
    )


def notify(*, account: Account, notice: dict[str, Any], actor: str) -> Action:
    """Have the platform tell an account holder something, in the caller's transaction.

    `notice` has a `topic` and what belongs to it, in the account holder's language.
    """
    action = Action.objects.create(
        account=account,
        effect=Effect.NOTIFY,
        target_kind=Target.NOTICE,
        target=account.platform_id,
        notice=notice,
    )
    _send(action, actor)
    return action


def get_action(action_id: UUID) -> Action:
    """The action by its id."""
    try:
        return Action.objects.get(id=action_id)
    except Action.DoesNotExist as error:
        raise NotFound(f"There is no action {action_id}.") from error


def deliver(action_id: UUID) -> None:
    """Send an action to the platform, one at a time for each target.

    Raises `Undelivered` to be called again later, until the schedule of `kinward.jobs` is used up.
    """
    action = get_action(action_id)
    with exclusive(f"{action.account_id}:{action.target_kind}:{action.target}") as mine:
        if not mine:
            raise Undelivered("An earlier action on the same target is being delivered.")
        action.refresh_from_db()
        if action.state != ActionState.PENDING:
            return
        try:
            delivery = send(config(), message_id=str(action.id), payload=payload(action))
        except KinwardError as error:
            _failed(action, None, str(error))
            return
        if delivery.accepted:
            _delivered(action, delivery)
        else:
            _failed(action, delivery.status, delivery.body)


def _case(action: Action) -> str | None:
    return None if action.case_id is None else str(action.case_id)


def payload(action: Action) -> dict[str, object]:
    """What the platform is told: the effect and its target, never the grounds."""
    return {
        "type": action.type,
        "timestamp": action.created_at.isoformat(),
        "data": {
            "action_id": str(action.id),
            "number": action.number,
            "effect": action.effect,
            "target": action.target_kind,
            "account_id": action.account.platform_id,
            "content_id": action.target if action.target_kind == Target.CONTENT else None,
            "case_id": _case(action),
            **({} if action.standing is None else action.standing),
            **({} if action.notice is None else {"notice": action.notice}),
        },
    }


@transaction.atomic
def _delivered(action: Action, delivery: Delivery) -> None:
    Action.objects.filter(pk=action.pk).update(
        state=ActionState.DELIVERED,
        attempts=F("attempts") + 1,
        tried_at=timezone.now(),
        delivered_at=timezone.now(),
        answer_status=delivery.status,
        answer=delivery.body,
    )
    record(
        actor="system:enforcement",
        kind="action.delivered",
        subject=str(action),
        case=_case(action),
        status=delivery.status,
    )


def _failed(action: Action, status: int | None, answer: str) -> None:
    attempts = action.attempts + 1
    Action.objects.filter(pk=action.pk).update(
        attempts=attempts, tried_at=timezone.now(), answer_status=status, answer=answer
    )
    if attempts <= len(DELAYS):
        raise Undelivered(answer[:200])
    with transaction.atomic():
        Action.objects.filter(pk=action.pk, state=ActionState.PENDING).update(
            state=ActionState.PARKED
        )
        record(
            actor="system:enforcement",
            kind="action.parked",
            subject=str(action),
            case=_case(action),
            attempts=attempts,
        )
    log.error("action.parked", action=str(action.id), type=action.type, attempts=attempts)


@transaction.atomic
def replay(*, action: Action, actor: str) -> None:
    """Send a parked action again, with a fresh schedule."""
    action = Action.objects.select_for_update().get(pk=action.pk)
    if action.state != ActionState.PARKED:
        raise Invalid(f"This action is {action.state}, not parked.")
    action.state, action.attempts = ActionState.PENDING, 0
    action.save(update_fields=["state", "attempts"])
    enqueue(DELIVER, action_id=str(action.id))
    record(actor=actor, kind="action.replayed", subject=str(action), case=_case(action))
