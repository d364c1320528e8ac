"""Actions reach the platform, once each, signed, in order, however badly it answers."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from kinward.access.actor import Actor
from kinward.casebook.models import Case
from kinward.enforcement import queries
from kinward.enforcement.models import Action, Effect
from kinward.enforcement.services import (
    deliver,
    issue_content_action,
    replay_action,
    send_forgotten,
)
from kinward.enforcement.webhook import Undelivered, check_address
from kinward.ground.config import config
from kinward.ground.errors import Invalid, NotConfigured
from kinward.ground.jobs import DELAYS, delay
from kinward.ledger.models import Entry
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.support.factories import make_case
from tests.support.helpers import Receiver, run_jobs

pytestmark = pytest.mark.django_db(transaction=True)


@transaction.atomic
def act(account: Account, effect: Effect = Effect.QUARANTINE) -> Action:
    case = Case.objects.filter(account=account).first() or make_case(account)
    return issue_content_action(
        case_id=case.id,
        account=account,
        effect=effect,
        content_id="post-1",
        actor=Actor.system("test"),
    )


def fresh(action: Action) -> Action:
    return Action.objects.get(pk=action.pk)


def test_an_action_is_delivered_signed_and_its_answer_kept(
    account: Account, receiver: Receiver
) -> None:
    receiver.answers = [(202, b'{"thanks": true}')]
    action = act(account)
    run_jobs()
    headers, body = receiver.messages[0]
    lowered = {name.lower(): value for name, value in headers.items()}
    verified = Webhook(config().secret("webhook_secret")).verify(body.decode(), lowered)
    assert lowered["webhook-id"] == str(action.id)
    assert verified["type"] == "content.quarantine"
    assert verified["data"]["account_id"] == "member-1"
    assert verified["data"]["content_id"] == "post-1"
    assert verified["data"]["number"] == action.number
    done = fresh(action)
    assert (done.state, done.answer_status, done.answer) == ("delivered", 202, '{"thanks": true}')
    assert Entry.objects.filter(kind="action.delivered", subject=str(action)).exists()


def test_what_is_told_holds_no_grounds(account: Account, receiver: Receiver) -> None:
    act(account)
    run_jobs()
    assert set(json.loads(receiver.messages[0][1])["data"]) == {
        "action_id",
        "number",
        "effect",
        "target",
        "account_id",
        "content_id",
        "case_id",
        "held",
        "file",
    }


def test_the_same_action_twice_is_one(account: Account, receiver: Receiver) -> None:
    assert act(account) == act(account)
    run_jobs()
    assert receiver.types == ["content.quarantine"]


def test_a_case_takes_and_gives_back_as_often_as_it_must(
    account: Account, configure: Configure
) -> None:
    configure(actions="pull")
    take, remove, back = Effect.QUARANTINE, Effect.REMOVE, Effect.RESTORE
    for effect in (take, take, back, back, take, remove, remove, back, back):
        act(account, effect)
    issued = Action.objects.order_by("number").values_list("effect", flat=True)
    assert list(issued) == [take, back, take, remove, back]
    with transaction.atomic():
        issue_content_action(
            case_id=make_case(account).id,
            account=account,
            effect=back,
            content_id="post-1",
            actor=Actor.system("test"),
        )
    assert Action.objects.count() == 6, "each case has its own"


def test_a_delivered_action_is_not_sent_again(account: Account, receiver: Receiver) -> None:
    action = act(account)
    deliver(action.id)
    deliver(action.id)
    assert len(receiver.messages) == 1


@pytest.mark.parametrize(
    ("minutes", "fields", "sent"),
    [
        (11, {}, 1),
        (5, {}, 0),  # its own job may yet come
        (11, {"attempts": 1}, 0),  # its own job tries again
        (11, {"state": "parked"}, 0),  # a person looks
        (11, {"state": "delivered"}, 0),
    ],
)
def test_what_nobody_has_tried_to_send_for_ten_minutes_is_sent(
    account: Account,
    receiver: Receiver,
    configure: Configure,
    minutes: int,
    fields: dict[str, Any],
    sent: int,
) -> None:
    configure(actions="pull")
    issued = timezone.now() - timedelta(minutes=minutes)
    Action.objects.filter(pk=act(account).pk).update(created_at=issued, **fields)
    assert send_forgotten() == 0, "the platform fetches its actions"
    configure(actions="push")
    assert send_forgotten() == sent
    run_jobs()
    assert len(receiver.messages) == sent


@pytest.mark.parametrize("answer", [(500, b"no"), (302, b""), (404, b"where"), (429, b"later")])
def test_a_refusal_is_tried_again(
    account: Account, receiver: Receiver, answer: tuple[int, bytes]
) -> None:
    receiver.answers = [answer]
    action = act(account)
    with pytest.raises(Undelivered):
        deliver(action.id)
    assert (fresh(action).state, fresh(action).attempts) == ("pending", 1)
    assert list(queries.struggling_actions()) == [action]
    deliver(action.id)
    assert fresh(action).state == "delivered"


def test_the_queue_tries_again_by_itself(account: Account, receiver: Receiver) -> None:
    import time

    receiver.answers = [(500, b""), (500, b"")]
    action = act(account)
    for _ in range(20):
        run_jobs()
        if fresh(action).state == "delivered":
            break
        time.sleep(0.05)
    assert fresh(action).attempts == 3


def test_tries_go_on_for_days() -> None:
    assert sum(DELAYS) > 3 * 24 * 3600
    assert delay(0) < delay(5) < delay(99)


def test_after_that_it_is_parked_with_an_alert_and_can_be_replayed(
    account: Account, receiver: Receiver
) -> None:
    action = act(account)
    Action.objects.update(attempts=len(DELAYS))
    receiver.answers = [(500, b"still broken")]
    deliver(action.id)
    assert fresh(action).state == "parked"
    assert list(queries.parked_actions()) == [action]
    assert Entry.objects.filter(kind="action.parked").exists()
    deliver(action.id)
    assert len(receiver.messages) == 1
    replay_action(action=action, actor=Actor.operator("test"))
    run_jobs()
    assert fresh(action).state == "delivered"
    with pytest.raises(Invalid):
        replay_action(action=action, actor=Actor.operator("test"))


def test_nobody_there(account: Account, configure: Configure) -> None:
    configure(webhook_url="http://127.0.0.1:1/hooks")
    action = act(account)
    with pytest.raises(Undelivered, match="does not answer at port"):
        deliver(action.id)
    assert fresh(action).answer_status is None


def test_a_receiver_that_hangs_is_not_waited_for(
    account: Account, receiver: Receiver, configure: Configure
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        configure(webhook_url=f"http://127.0.0.1:{silent.getsockname()[1]}/", webhook_seconds=0.2)
        action = act(account)
        began = timezone.now()
        with pytest.raises(Undelivered, match="did not answer completely in time"):
            deliver(action.id)
        assert (timezone.now() - began).total_seconds() < 5


def test_a_long_answer_is_cut(account: Account, receiver: Receiver) -> None:
    receiver.answers = [(200, b"x" * 3_000_000)]
    action = act(account)
    deliver(action.id)
    assert len(fresh(action).answer) == 4096


def test_a_restoration_takes_back_what_was_not_delivered(
    account: Account, receiver: Receiver
) -> None:
    receiver.answers = [(500, b"")]
    suspended = act(account)
    with pytest.raises(Undelivered):
        deliver(suspended.id)
    restored = act(account, Effect.RESTORE)
    assert fresh(suspended).state == "superseded"
    deliver(suspended.id)
    deliver(restored.id)
    assert receiver.types == ["content.quarantine", "content.restore"]


@pytest.mark.parametrize(
    "url", ["", "ftp://x.example", "http://app.example/hooks", "http://10.0.0.1/", "nonsense"]
)
def test_an_address_that_would_leak_is_refused(configure: Configure, url: str) -> None:
    with pytest.raises(NotConfigured):
        check_address(configure(webhook_url=url))


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook_url": "https://app.example/hooks"},
        {"webhook_url": "http://127.0.0.1:9/"},
        {"webhook_url": "http://localhost/"},
        {"webhook_url": "http://app.internal/", "webhook_allow_http": True},
    ],
)
def test_an_address_that_is_safe_is_taken(configure: Configure, changes: dict[str, Any]) -> None:
    check_address(configure(**changes))
