"""What the platform is told of a person's data, and how it asks for an erasure."""

import pytest

from kinward.access.actor import Actor
from kinward.access.services import create_key
from kinward.casebook.models import Case
from kinward.erasure.models import Wish
from kinward.erasure.services import decide_erasure, request_erasure
from kinward.people.models import Account
from kinward.people.services import delete_account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller, problem
from tests.support.custody import two_custodians

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(configure: Configure) -> Caller:
    configure(identifier_key="a key of a test")
    scopes = frozenset({"persons:data"})
    return Caller(create_key(name="data", scopes=scopes, actor=Actor.operator("test")))


def test_a_person_s_data_is_told(call: Caller, account: Account) -> None:
    answer = call("GET", f"/v1/accounts/{account.platform_id}/data").json()
    assert answer["account_id"] == account.platform_id
    (row,) = next(one for one in answer["held"] if one["table"] == "people.account")["rows"]
    assert row["platform_id"] == account.platform_id
    assert "reporting.report" in answer["withheld"]
    problem(call("GET", "/v1/accounts/nobody/data"), 404, "account.unknown")


def test_whether_there_is_a_report_is_not_told(call: Caller, account: Account) -> None:
    before = call("GET", f"/v1/accounts/{account.platform_id}/data").json()
    Case.objects.create(account=account, state="open")
    after = call("GET", f"/v1/accounts/{account.platform_id}/data").json()
    assert before == after


def test_an_erasure_waits_is_requested_and_is_asked_for(call: Caller, account: Account) -> None:
    path = f"/v1/accounts/{account.platform_id}/erasure"
    waits = call("POST", path).json()
    assert waits == {"account_id": account.platform_id, "state": "waits", "not_before": None}
    delete_account(platform_id=account.platform_id, actor=Actor.key("app"))
    assert call("POST", path).json()["state"] == "requested"
    assert Wish.objects.count() == 1
    one, two = two_custodians()
    request = request_erasure(account_id=account.platform_id, why="x", staff=one)
    assert call("POST", path).json()["state"] == "asked"
    decide_erasure(erasure_id=request.pk, approve=True, staff=two)
    problem(call("POST", path), 404, "account.unknown")
