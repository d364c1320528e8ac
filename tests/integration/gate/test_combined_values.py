"""Values that are right by themselves and wrong together, as the page about them lists them."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.factors import request_factor_reset
from kinward.access.glass import review_glass
from kinward.access.models import BrokenGlass, Staff
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key, rotate_key
from kinward.casebook.models import Case
from kinward.custody.release import ReleaseForm, request_release
from kinward.evidence.holds import set_legal_hold
from kinward.evidence.sealing import new_key, public_half
from kinward.experience.edits import RuleChange, with_change
from kinward.experience.proposals import decide_proposal, propose_pack
from kinward.ground.errors import KinwardError
from kinward.guidelines.queries import guidelines_text_in_force
from kinward.guidelines.reading import read_guidelines
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.policy.sources import read_files
from kinward.redress.models import Statement
from kinward.redress.silence import keep_silent
from kinward.review.lease import take_case
from kinward.verdicts.decision import rehearse
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.orders import OrderForm, request_pairing_order
from kinward.verdicts.words import require_fitting_clause
from tests.integration.gate.test_gate import Caller
from tests.support.families import make_account, pair
from tests.support.helpers import quarantined

pytestmark = pytest.mark.django_db(transaction=True)

PAGE: Final = Path("docs/reference/combined-values.md")
SYSTEM: Final = Actor.system("test")
AGE: Final = {"lower": 14, "upper": 15}
HASHES: Final = {"account_id": "ann", "content_id": "post-1"}
PDQ: Final = "f0" * 32


# What an app sends: method, path, body and more.


Sent = tuple[str, str, dict[str, Any]]
APP: Final[dict[str, Sent]] = {
    "the lower end of an age is below the upper one": (
        *("PUT", "/v1/accounts/ann"),
        {"age": {"lower": 15, "upper": 13}},
    ),
    "an account has `age` or `age_signal`, not both": (
        *("PUT", "/v1/accounts/ann"),
        {"age": AGE, "age_signal": {"birth_date": "2010-01-01"}},
    ),
    "an age signal is one answer, and not two": (
        *("PUT", "/v1/accounts/ann"),
        {"age_signal": {"birth_date": "2010-01-01", "guardian": [13, 15]}},
    ),
    "a check of hashes has at least one hash": ("POST", "/v1/media/hashes", HASHES),
    "the hashes of frames exclude the hash of a picture": (
        *("POST", "/v1/media/hashes"),
        {**HASHES, "pdq": PDQ, "frames": [PDQ]},
    ),
    "an address names the port that `port` names": (
        *("POST", "/v1/media/hashes"),
        {**HASHES, "pdq": PDQ, "ip": "203.0.113.7:80", "port": 81},
    ),
    "an upload is neither of the future nor older than the year 2000": (
        *("POST", "/v1/media/hashes"),
        {**HASHES, "pdq": PDQ, "uploaded_at": "2999-01-01T00:00:00Z"},
    ),
    "a check of a text has a text, addresses or both": ("POST", "/v1/text", {}),
    "a setting of a guardian names the guardian": (
        *("PUT", "/v1/accounts/ann/settings/session.time"),
        {"layer": "guardian", "value": 120},
    ),
    "a guardian of a setting is paired with the teen": (
        *("PUT", "/v1/accounts/ann/settings/session.time"),
        {"layer": "guardian", "value": 120, "guardian_id": "ann"},
    ),
    "consent that is given says how you know of it": (
        *("PUT", "/v1/accounts/ann/consent"),
        {"state": "given"},
    ),
    "a question about consent has one answer, in one of two forms": (
        *("PUT", "/v1/accounts/ann/consent/change"),
        {"question": "1"},
    ),
}


@pytest.mark.parametrize("rule", APP)
def test_what_an_app_sends_is_refused(rule: str) -> None:
    make_account("ann", 14)
    call = Caller(create_key(name="app", scopes=SCOPES, actor=SYSTEM))
    before = Entry.objects.count()
    method, path, body = APP[rule]
    answer = call(method, path, json=body)
    assert (answer.status_code >= 400, answer.json()["code"]) == (True, on_the_page()[rule])
    assert Entry.objects.count() == before, "nothing is stored"


def test_a_repeated_call_with_another_body() -> None:
    make_account("ann", 14)
    call = Caller(create_key(name="app", scopes=SCOPES, actor=SYSTEM))
    headers = {"idempotency-key": "1"}
    for value, status in (("f0" * 32, 200), ("0f" * 32, 422)):
        sent = {**HASHES, "pdq": value}
        answer = call("POST", "/v1/media/hashes", json=sent, headers=headers)
        assert answer.status_code == status, answer.text
    assert answer.json()["code"] == on_the_page()[REPEATED]


REPEATED: Final = "a repeated call with the same idempotency key has the same body"


# What staff and operators enter.


def person(name: str = "ada") -> Staff:
    roles = ["administrator"]
    return Staff.objects.get_or_create(username=name, defaults={"roles": roles})[0]


def leased(account: Account) -> Case:
    case = quarantined(account)
    return take_case(case=case, staff=person())


def verdict(account: Account, **fields: Any) -> None:
    form = VerdictForm(outcome="confirmed", note="Seen.", **fields)
    rehearse(case_id=leased(account).pk, staff=person(), form=form)


def long_silence(account: Account) -> None:
    case = Case.objects.create(account=account, state="enforced", due_at=timezone.now())
    fields: dict[str, Any] = {"decisions": [], "language": "en", "dsa": {}, "stage": "verdict"}
    said = Statement.objects.create(
        account=account, case=case, reported=True, automatic=False, **fields
    )
    later = timezone.now() + timedelta(days=92)
    keep_silent(statement_id=said.pk, until=later, why="x", staff=person())


def release(_: Account) -> None:
    form = ReleaseForm(
        account_id="ann",
        since=date(2026, 1, 2),
        until=date(2026, 1, 1),
        recipient=public_half(new_key()),
        to="A court of a test",
        reference="1",
        why="x",
    )
    request_release(form=form, staff=person())


def order(account: Account, **fields: str) -> None:
    pairing = pair(make_account("heron", 41), account)
    case = Case.objects.create(account=account, state="open", due_at=timezone.now())
    take_case(case=case, staff=person())
    form = OrderForm(case.pk, pairing.pk, "A court said so.")
    request_pairing_order(form=msgspec.structs.replace(form, **fields), staff=person())


def review(_: Account) -> None:
    glass = BrokenGlass.objects.create(operator="operator:heron", request="x", reason="x")
    review_glass(glass_id=glass.pk, justified=True, note=" ", staff=person())


def rotated_twice(_: Account) -> None:
    create_key(name="turned", purposes=["gate"], actor=SYSTEM)
    for _time in range(2):
        rotate_key(name="turned", overlap=timedelta(days=1), actor=SYSTEM)


def guidelines(old: str, new: str) -> Callable[[Account], None]:
    def read(_: Account) -> None:
        text = guidelines_text_in_force()
        assert old in text
        read_guidelines(text.replace(old, new, 1))

    return read


def outdated(_: Account) -> None:
    files = read_files("teen-accounts")
    asked = [
        propose_pack(
            files=with_change(
                files, RuleChange(rule="session-time-13-15", default=minutes), version=str(minutes)
            ),
            why="x",
            share=100,
            staff=person(),
        )
        for minutes in (40, 45)
    ]
    for proposal in asked:
        decide_proposal(proposal_id=proposal.pk, approve=True, staff=person("bo"))


STAFF: Final[dict[str, Callable[[Account], object]]] = {
    "a verdict that confirms names a clause of the guidelines": lambda one: verdict(one, clause=""),
    "a clause fits a finding of the case": lambda one: require_fitting_clause(leased(one), "SF-2"),
    "a silence has a reason": lambda one: verdict(one, clause="CS-1", silent_days=30),
    "a silence beyond 90 days has the reference of a legal order": long_silence,
    "the first day of a release is not after the last": release,
    "a legal hold has the reference of who wants it": lambda one: set_legal_hold(
        case_id=quarantined(one).pk, reference=" ", actor=SYSTEM
    ),
    "another guardian is named by a school or a court, with papers": lambda one: order(
        one, to="heron", method="court"
    ),
    "a teen is handed to somebody who is not in the pairing": lambda one: order(
        one, to="heron", method="court", papers="A copy."
    ),
    "a review of a break-glass says what was found": review,
    "the reset of a factor is for somebody who has one": lambda _: request_factor_reset(
        username=person("bo").username, why="x", actor=SYSTEM
    ),
    "a key with an overlap has no earlier secret that is still valid": rotated_twice,
    "sanctions of the guidelines name capabilities if and only if they restrict": guidelines(
        'capabilities = ["dm.send", "comment.send", "live.host"]\n', ""
    ),
    "steps of strikes go upwards": guidelines("at = 3\n", "at = 1\n"),
    "a proposed pack follows the one in force": outdated,
}


@pytest.mark.parametrize("rule", STAFF)
def test_what_staff_and_operators_enter_is_refused(rule: str, bank: Any, account: Account) -> None:
    with pytest.raises(KinwardError) as refused:
        STAFF[rule](account)
    assert refused.value.code == on_the_page()[rule]


def on_the_page() -> dict[str, str]:
    """The rules of the page, each with the code of its error."""
    found = re.findall(r"^\| ([a-z].+) \| `([a-z_.]+)` \|$", PAGE.read_text(), re.MULTILINE)
    return dict(found)


def test_each_rule_of_the_page_is_tried_and_no_other() -> None:
    assert set(on_the_page()) == {*APP, *STAFF, REPEATED}
