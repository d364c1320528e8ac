"""What the platform is told of a person's data, and how it asks for an erasure."""

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.services import create_key
from kinward.casebook.models import Case
from kinward.erasure.models import Wish
from kinward.erasure.registry import delays, person_of
from kinward.erasure.services import decide_erasure, request_erasure
from kinward.evidence.holds import set_legal_hold
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.people.services import delete_account
from kinward.reporting.models import Report
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller, problem
from tests.support.custody import two_custodians
from tests.support.helpers import quarantined

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


def test_the_answer_about_an_erasure_tells_of_no_report_hold_or_case(
    call: Caller, account: Account, bank: Bank
) -> None:
    """A day a year ahead would tell of a report. So would a state of its own."""
    path = f"/v1/accounts/{account.platform_id}/erasure"
    delete_account(platform_id=account.platform_id, actor=Actor.key("app"))
    before = call("POST", path).json()
    case = quarantined(account)
    open_case = call("POST", path).json()
    Case.objects.filter(pk=case.pk).update(state="reported")
    now = timezone.now()
    Report.objects.create(
        case=case, authority="nca", draft={}, state="finished", external_id="1", finished_at=now
    )
    preserved = call("POST", path).json()
    one, _ = two_custodians()
    set_legal_hold(case_id=case.pk, reference="AZ", actor=one.actor)
    assert delays(person_of(account)), "and the staff are told"
    assert before == open_case == preserved == call("POST", path).json()


def test_an_erasure_waits_is_requested_and_is_asked_for(call: Caller, account: Account) -> None:
    path = f"/v1/accounts/{account.platform_id}/erasure"
    waits = call("POST", path).json()
    assert waits == {"account_id": account.platform_id, "state": "waits"}
    delete_account(platform_id=account.platform_id, actor=Actor.key("app"))
    assert call("POST", path).json()["state"] == "requested"
    assert Wish.objects.count() == 1
    one, two = two_custodians()
    request = request_erasure(account_id=account.platform_id, why="x", staff=one)
    assert call("POST", path).json()["state"] == "asked"
    decide_erasure(erasure_id=request.pk, approve=True, staff=two)
    problem(call("POST", path), 404, "account.unknown")
