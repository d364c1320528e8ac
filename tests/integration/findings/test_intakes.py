"""What carers, social workers and courts say from outside is held until a person has looked."""

from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from click.testing import CliRunner

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.casebook.models import Case, Finding
from kinward.cli.main import cli
from kinward.evidence.models import Evidence
from kinward.evidence.sealing import new_key
from kinward.families.models import GuardianProof, Pairing
from kinward.families.pairing.power import has_power
from kinward.people.models import Account
from kinward.review.lease import take_case
from kinward.verdicts.decision import decide_case
from kinward.verdicts.form import VerdictForm
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in
from tests.support.families import make_account, pair, told_of

pytestmark = pytest.mark.django_db(transaction=True)

PATH: Final = "/v1/intakes"
WORD: Final = {
    "account_id": "kid",
    "who": "social worker",
    "office": "Youth office of a test",
    "reference": "12/26",
    "reach": "the switchboard of the office",
    "text": "The child was moved on Monday. The carer has no say any more.",
    "papers": "Decision 12/26, in full: the child lives with another carer.",
}


@pytest.fixture
def call(db: None, configure: Configure) -> Caller:
    configure(evidence_key=new_key())
    return Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))


@pytest.fixture
def pairing(db: None) -> Pairing:
    return pair(make_account("fost", 44), make_account("kid", 14))


def untouched(pairing: Pairing) -> bool:
    pairing.refresh_from_db()
    quiet = told_of(pairing.guardian) == told_of(pairing.teen) == ["paired"]
    return has_power(pairing) and quiet and GuardianProof.objects.count() == 1


def test_an_intake_waits_for_a_person_and_moves_nothing(call: Caller, pairing: Pairing) -> None:
    answer = call("POST", PATH, json=WORD)
    assert answer.status_code == 201
    assert answer.json()["outcome"] == "received"
    assert untouched(pairing)
    case = Case.objects.get(account__platform_id="kid")
    assert Evidence.objects.get(case=case).size == len(WORD["papers"])
    assert call("POST", PATH, json=WORD).json() == answer.json(), "idempotent"
    assert Finding.objects.count() == Evidence.objects.count() == 1
    robin = Staff.objects.create_user(
        username="robin", password="a long test word", roles=["reviewer"]
    )
    take_case(case=case, staff=robin)
    page = signed_in(robin).get(f"/cases/{case.id}").content.decode()
    assert "Somebody who says to be a social worker of Youth office of a test writes" in page
    assert "Pause quietly" in page, "and the reviewer can act where it is true"


def test_a_social_worker_who_is_none_is_refused(call: Caller, pairing: Pairing) -> None:
    sent = call("POST", PATH, json=WORD).json()["intake_id"]
    case = Case.objects.get(account__platform_id="kid")
    robin = Staff.objects.create_user(
        username="robin", password="a long test word", roles=["reviewer"]
    )
    take_case(case=case, staff=robin)
    form = VerdictForm(outcome="dismissed", note="The office knows of nothing.")
    decide_case(case_id=case.id, staff=robin, form=form)
    answer = call("GET", f"{PATH}/{sent}").json()
    assert answer["outcome"] == "closed"
    assert "no reason to act" in answer["sentence"]
    assert untouched(pairing)


@pytest.mark.parametrize(
    "wrong",
    [
        {"who": "friend"},
        {"office": " "},
        {"reference": ""},
        {"reach": ""},
        {"text": ""},
        {"office": "x" * 201},
        {"text": "x" * 2001},
        {"papers": "x" * 20_001},
        {"papers": 7},
        {"colour": "red"},
    ],
)
def test_what_says_nothing_is_refused(
    call: Caller, pairing: Pairing, wrong: dict[str, Any]
) -> None:
    assert call("POST", PATH, json=WORD | wrong).status_code == 422
    assert not Finding.objects.exists()
    assert untouched(pairing)


def test_nobody_learns_of_an_intake_by_guessing(call: Caller, pairing: Pairing) -> None:
    assert call("GET", f"{PATH}/{uuid4()}").status_code == 404
    assert call("POST", PATH, json=WORD | {"account_id": "nobody"}).status_code == 404
    others = Caller(
        create_key(name="gate", scopes=SCOPES - {"reports:write"}, actor=Actor.system("test"))
    )
    assert others("POST", PATH, json=WORD).status_code == 403
    assert Account.objects.count() == 2


def test_an_operator_enters_a_letter(
    pairing: Pairing, configure: Configure, tmp_path: Path
) -> None:
    configure(evidence_key=new_key())
    papers = tmp_path / "letter"
    papers.write_bytes(b"\xff\xfe\x00")
    words = ["family", "intake", "kid", "--papers", str(papers)]
    for name in ("who", "office", "reference", "reach", "text"):
        words += [f"--{name}", WORD[name]]
    refused = CliRunner().invoke(cli, words)
    assert refused.exit_code == 2
    assert not Finding.objects.exists()
    papers.write_text(WORD["papers"])
    entered = CliRunner().invoke(cli, words)
    assert f"in case {Case.objects.get().pk}" in entered.output
    assert Finding.objects.get().grounds[0]["office"] == WORD["office"]
    assert untouched(pairing)
