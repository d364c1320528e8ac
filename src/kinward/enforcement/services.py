"""Actions: issued, delivered to the platform, parked and replayed."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.enforcement.models import Action, ActionState, Effect, Target
from kinward.enforcement.webhook import Delivery, Undelivered, send
from kinward.evidence.api import file_in_vault, read_for_restoration
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.jobs import DELAYS, enqueue, enqueue_once
from kinward.ground.locks import exclusive, in_turn
from kinward.ledger.api import kinds, record
from kinward.people.api import Account

log = structlog.get_logger(__name__)

DELIVER: Final = "enforcement.deliver"
FORGOTTEN: Final = timedelta(minutes=10)


def issue_content_action(
    *,
    case_id: UUID,
    account: Account,
    effect: Effect,
    content_id: str,
    actor: Actor,
    quietly: bool = False,
) -> Action:
    """Issue an effect on a content item for a case, in the caller's transaction.

    Idempotent: nothing is issued if it is the case's latest effect on the item. With `quietly` the
    action is recorded and never delivered: this case restores content that another case still keeps
    down. Requires the lock of the account or of the case.
    """
    lock_contents([account])
    issued = Action.objects.filter(
        account=account, target_kind=Target.CONTENT, target=content_id, case_id=case_id
    )
    latest = issued.order_by("-number").first()
    if latest is not None and latest.effect == effect:
        return latest
    action = Action.objects.create(
        case_id=case_id,
        account=account,
        effect=effect,
        target_kind=Target.CONTENT,
        target=content_id,
        state=ActionState.SUPERSEDED if quietly else ActionState.PENDING,
    )
    _send(action, actor)
    return action


def lock_contents(owners: Iterable[Account]) -> None:
    """Wait until nobody else acts on content of these accounts, then keep it until the end.

    Cases of several accounts may act on copies of the same bytes. Without this, two that give a
    copy back at once would each leave it to the other. After the locks of accounts and cases.
    """
    for pk in sorted({owner.pk for owner in owners}):
        in_turn(f"enforcement.contents:{pk}")


def issue_account(
    *, case_id: UUID, account: Account, effect: Effect, standing: dict[str, Any], actor: Actor
) -> Action:
    """Issue an effect on an account, in the caller's transaction.

    `standing` is the account's standing from now on, which only `sanctions` works out.
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


def _send(action: Action, actor: Actor) -> None:
    """Record an action, and have a job deliver it unless the platform fetches its actions.

    A restoration supersedes earlier actions on its target that are not delivered yet: the platform
    never hears of them.
    """
    if action.effect == Effect.RESTORE and action.state == ActionState.PENDING:
        Action.objects.filter(
            account=action.account_id,
            target_kind=action.target_kind,
            target=action.target,
            number__lt=action.number,
            state__in=(ActionState.PENDING, ActionState.PARKED),
        ).update(state=ActionState.SUPERSEDED)
    _deliver_soon(action)
    record(
        actor=actor,
        subject=str(action),
        fact=kinds.ActionIssued(case=_case(action), type=action.type, target=action.target),
    )


def _deliver_soon(action: Action) -> None:
    if config().actions == "push" and action.state == ActionState.PENDING:
        enqueue(DELIVER, action_id=str(action.id))


def notify_account(*, account: Account, notice: dict[str, Any], actor: Actor) -> Action:
    """Have the platform tell an account holder something, in the caller's transaction.

    `notice` has a `topic` and the fields of that topic, in the account holder's language.
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
    """Return the action with this id. Raises `NotFound`."""
    try:
        return Action.objects.get(id=action_id)
    except Action.DoesNotExist as error:
        raise NotFound(f"There is no action {action_id}.") from error


def deliver(action_id: UUID) -> None:
    """Send an action, unless the platform fetches its actions. One at a time for each target.

    Raises `Undelivered` so that the job runs again later, until the delays of `ground.jobs` are
    used up. Then the action is parked.
    """
    action = get_action(action_id)
    if config().actions == "pull":
        return
    with exclusive(f"{action.account_id}:{action.target_kind}:{action.target}") as mine:
        if not mine:
            raise Undelivered("An earlier action on the same target is being delivered.")
        action.refresh_from_db()
        if action.state != ActionState.PENDING:
            return
        try:
            delivery = send(config(), message_id=str(action.id), payload=action_payload(action))
        except KinwardError as error:
            _failed(action, None, str(error))
            return
        if delivery.accepted:
            _delivered(action, delivery)
        else:
            _failed(action, delivery.status, delivery.body)


@transaction.atomic
def acknowledge_actions(action_ids: Sequence[UUID], *, actor: Actor) -> int:
    """Mark actions as carried out by the platform; return how many were not marked before."""
    unfinished = Action.objects.select_for_update().filter(
        id__in=action_ids, state__in=(ActionState.PENDING, ActionState.PARKED)
    )
    acknowledged = list(unfinished.order_by("number"))
    now = timezone.now()
    Action.objects.filter(pk__in=[action.pk for action in acknowledged]).update(
        state=ActionState.DELIVERED, delivered_at=now, tried_at=now, attempts=F("attempts") + 1
    )
    for action in acknowledged:
        record(
            actor=actor,
            subject=str(action),
            fact=kinds.ActionDelivered(case=_case(action), status=0),
        )
    return len(acknowledged)


def _case(action: Action) -> str | None:
    return None if action.case_id is None else str(action.case_id)


def send_forgotten() -> int:
    """Deliver actions issued while the platform fetched them; return their number."""
    if config().actions == "pull":
        return 0
    before = timezone.now() - FORGOTTEN
    forgotten = Action.objects.filter(state=ActionState.PENDING, attempts=0, created_at__lt=before)
    oldest = forgotten.order_by("number").values_list("id", flat=True)[:1000]
    ids = [str(action_id) for action_id in oldest]
    for action_id in ids:
        enqueue_once(DELIVER, action_id, action_id=action_id)
    return len(ids)


def action_payload(action: Action) -> dict[str, object]:
    """Return the message for the platform: the effect and its target, never the grounds."""
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
            **_file(action),
            **({} if action.standing is None else action.standing),
            **({} if action.notice is None else {"notice": action.notice}),
        },
    }


def _file(action: Action) -> dict[str, object]:
    """For content: whether its file is in the vault, and where to fetch a restored one."""
    if action.target_kind != Target.CONTENT or action.case_id is None:
        return {}
    in_vault = file_in_vault(action.case_id, action.target) is not None
    restored = in_vault and action.effect == Effect.RESTORE
    where = f"{config().url}/v1/actions/{action.id}/file"
    return {"held": in_vault, "file": where if restored else None}


def file_to_restore(action_id: UUID, *, actor: Actor) -> bytes:
    """Return the bytes of a restored content item, as they were uploaded. Raises `NotFound`."""
    action = get_action(action_id)
    if action.target_kind != Target.CONTENT or action.effect != Effect.RESTORE:
        raise NotFound("This action gives no content back.")
    if action.case_id is None:
        raise NotFound("No file of this content is held.")
    return read_for_restoration(case_id=action.case_id, content_id=action.target, actor=actor)


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
        actor=Actor.system("enforcement"),
        subject=str(action),
        fact=kinds.ActionDelivered(case=_case(action), status=delivery.status),
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
            actor=Actor.system("enforcement"),
            subject=str(action),
            fact=kinds.ActionParked(case=_case(action), attempts=attempts),
        )
    log.error("action.parked", action=str(action.id), type=action.type, attempts=attempts)


@transaction.atomic
def replay_action(*, action: Action, actor: Actor) -> None:
    """Send a parked action again, with a fresh schedule."""
    actor.must(Permission.REPLAY)
    action = Action.objects.select_for_update().get(pk=action.pk)
    if action.state != ActionState.PARKED:
        raise Invalid(f"This action is {action.state}, not parked.")
    action.state, action.attempts = ActionState.PENDING, 0
    action.save(update_fields=["state", "attempts"])
    _deliver_soon(action)
    record(actor=actor, subject=str(action), fact=kinds.ActionReplayed(case=_case(action)))
