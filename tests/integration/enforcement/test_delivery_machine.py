"""Every sequence of deliveries, held to what the platform must have done in the end.

Actions reach the platform in any order, late, twice, refused, carried out with the answer lost,
fetched and acknowledged, given up and replayed. The platform keeps the rules of
docs/reference/webhooks.md: on each target it carries out only what is newer than what it carried
out before. In the end both agree.
"""

import json
from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
)

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.casebook.states import UNDECIDED
from kinward.enforcement import services as enforcement
from kinward.enforcement.models import Action
from kinward.ground.errors import KinwardError
from kinward.ledger.verification import verify_ledger
from kinward.matching.index import bank_index
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.review.lease import take_case
from kinward.verdicts.form import VerdictForm
from tests.support.helpers import KNOWN, Receiver, run_machine, upload
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db

SHOWN_BY = {"quarantine": False, "remove": False, "restore": True}
OPEN = ("pending", "parked")


class Delivering(RuleBasedStateMachine):
    # Given by the test, which hypothesis cannot hand to a machine.
    receiver: Receiver
    account: Account
    reviewer: Staff

    def __init__(self) -> None:
        super().__init__()
        self.before = transaction.savepoint()
        bank_index.cache_clear()
        self.receiver.messages.clear()
        self.posts = 0
        # The platform: what it did last for each target, and how that left it.
        self.newest: dict[tuple[str, str], int] = {}
        self.shown: dict[str, bool] = {}
        self.standing = "active"

    def carries_out(self, data: dict[str, Any]) -> None:
        """What a platform does with an action, as the documentation tells it to."""
        target = (data["target"], data["content_id"] or data["account_id"])
        if data["target"] == "notice" or data["number"] <= self.newest.get(target, 0):
            return
        self.newest[target] = data["number"]
        if data["target"] == "content":
            self.shown[data["content_id"]] = SHOWN_BY[data["effect"]]
        else:
            self.standing = data["standing"]

    def _open(self, pick: int, state: str = "pending") -> Action | None:
        found = list(Action.objects.filter(state=state).order_by("number"))
        return found[pick % len(found)] if found else None

    # What can happen.

    @rule()
    def a_known_picture_comes(self) -> None:
        self.posts += 1
        account = Account.objects.get(pk=self.account.pk)
        upload(account, KNOWN, content_id=f"post-{self.posts}")

    @rule(outcome=st.sampled_from(["confirmed", "dismissed"]))
    def a_person_decides(self, outcome: Any) -> None:
        case = Case.objects.filter(state__in=UNDECIDED).first()
        if case is not None:
            take_case(case=case, staff=self.reviewer)
            form = VerdictForm(outcome=outcome, clause="CS-4")
            decide_case(case_id=case.id, staff=self.reviewer, form=form)

    @rule(pick=st.integers(0, 99), how=st.sampled_from(["done", "refused", "done, answer lost"]))
    def one_is_sent(self, pick: int, how: str) -> None:
        action = self._open(pick)
        if action is None:
            return
        self.receiver.answers[:] = [(200 if how == "done" else 503, b"")]
        with suppress(KinwardError):
            enforcement.deliver(action.id)
        if how != "refused":
            self.carries_out(json.loads(self.receiver.messages[-1][1])["data"])

    @rule(picks=st.lists(st.integers(0, 99), max_size=3))
    def some_are_fetched(self, picks: list[int]) -> None:
        found = [each for pick in picks if (each := self._open(pick)) is not None]
        for each in found:
            self.carries_out(json.loads(json.dumps(enforcement.action_payload(each)["data"])))
        enforcement.acknowledge_actions([each.id for each in found], actor=Actor.key("test"))

    @rule(pick=st.integers(0, 99))
    def one_that_was_given_up_is_sent_again(self, pick: int) -> None:
        action = self._open(pick, "parked")
        if action is not None:
            enforcement.replay_action(action=action, actor=Actor.operator("test"))

    # What must be true.

    @invariant()
    def what_is_delivered_is_never_unsaid(self) -> None:
        for action in Action.objects.filter(state="delivered"):
            assert action.delivered_at is not None
        for action in Action.objects.filter(state="superseded", effect="restrict"):
            assert action.delivered_at is None

    def teardown(self) -> None:
        try:
            for _ in range(3):
                for action in list(Action.objects.filter(state__in=OPEN).order_by("-number")):
                    action.refresh_from_db()
                    if action.state == "parked":
                        enforcement.replay_action(action=action, actor=Actor.operator("test"))
                    with suppress(KinwardError):
                        self.receiver.answers.clear()
                        enforcement.deliver(action.id)
                        self.carries_out(json.loads(self.receiver.messages[-1][1])["data"])
            assert not Action.objects.filter(state__in=OPEN).exists()
            assert self.standing == Account.objects.get(pk=self.account.pk).standing
            latest: dict[str, bool] = {}
            told = Action.objects.filter(target_kind="content").order_by("number")
            for action in told.exclude(effect="restore", state="superseded"):
                latest[action.target] = SHOWN_BY[action.effect]
            for target, shown in latest.items():
                assert self.shown.get(target, True) == shown, target
            assert verify_ledger().ok
        finally:
            transaction.savepoint_rollback(self.before)


def test_in_the_end_the_platform_agrees(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(enforcement, "DELAYS", (1, 1))  # given up after three tries
    for name, value in {"receiver": receiver, "account": account, "reviewer": reviewer}.items():
        monkeypatch.setattr(Delivering, name, value, raising=False)
    run_machine(Delivering, sequences=9, steps=20)
