"""The commands an operator types, and what they print."""

import re

import click
import pytest
from click.testing import CliRunner

from kinward.access.models import Staff
from kinward.cases.services import VerdictForm, decide, take
from kinward.cli.evidence import evidence
from kinward.cli.keys import key
from kinward.cli.ledger import ledger
from kinward.cli.operations import action, report
from kinward.cli.sandbox import _fault
from kinward.cli.staff import staff
from kinward.enforcement.models import Action
from kinward.evidence.models import Evidence
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.reporting.models import Report
from tests.integration.helpers import due_jobs, quarantined

pytestmark = pytest.mark.django_db


def run(command: click.Command, *arguments: str, fails: bool = False) -> str:
    result = CliRunner().invoke(command, arguments)
    assert (result.exit_code != 0) == fails, f"{result.output} {result.exception}"
    return result.output


def test_keys_and_staff() -> None:
    secret = run(key, "create", "app", "--scope", "media:check").splitlines()[0]
    assert re.fullmatch(r"kw_[\w-]{43}", secret)
    assert "app  live  media:check" in run(key, "list")
    assert secret not in run(key, "list")
    run(key, "revoke", "app")
    assert "app  revoked" in run(key, "list")
    run(staff, "add", "robin", "--role", "auditor", "--password", "a long test word")
    assert "robin  auditor  active" in run(staff, "list")
    run(staff, "add", "nils", "--role", "king", "--password", "a long test word", fails=True)


def test_holds(bank: Bank, account: Account) -> None:
    case = quarantined(account)
    assert "1 files are held" in run(evidence, "hold", str(case.id), "--reference", "12/34")
    assert Evidence.objects.get().hold_reference == "12/34"
    assert "1 files are no longer" in run(evidence, "release", str(case.id))
    assert "0 files were destroyed" in run(evidence, "expire")
    run(evidence, "hold", str(account.pk), "--reference", "x", fails=True)


def test_parked_actions(bank: Bank, account: Account) -> None:
    quarantined(account)
    Action.objects.update(state="parked")
    assert run(action, "list").count("parked") == 3
    run(action, "replay", fails=True)
    first = Action.objects.order_by("number")[0]
    assert "content.quarantine" in run(action, "replay", str(first.id))
    assert "account.suspend" in run(action, "replay", "--all")
    assert run(action, "list") == ""
    assert due_jobs().count("enforcement.deliver") == 6


def test_parked_reports(bank: Bank, account: Account, reviewer: Staff) -> None:
    case = quarantined(account)
    take(case=case, staff=reviewer)
    decide(case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1"))
    Report.objects.update(state="parked", problem="4100 Validation failed")
    assert "4100 Validation failed" in run(report, "list")
    run(report, "refile", str(Report.objects.get().id))
    assert Report.objects.get().state == "waiting"
    run(report, "refile", str(Report.objects.get().id), fails=True)


def test_the_ledger(bank: Bank, account: Account) -> None:
    case = quarantined(account)
    assert "ok: " in run(ledger, "verify")
    shown = run(ledger, "show", str(case))
    assert "case.opened" in shown
    assert "key:test" in shown


def test_a_fault_is_named_on_the_command_line() -> None:
    fault = _fault("lost-answer:finish:0.5")
    assert (fault.kind, fault.endpoint, fault.probability) == ("lost-answer", "finish", 0.5)
    assert _fault("slow").endpoint == "*"
    with pytest.raises(click.UsageError, match="Unknown fault"):
        _fault("rude")
