"""The commands an operator types, and what they print."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kinward.access.models import Staff
from kinward.cli.evidence import evidence
from kinward.cli.guidelines import guidelines
from kinward.cli.keys import key
from kinward.cli.ledger import ledger
from kinward.cli.operations import action, report
from kinward.cli.sandbox import _fault
from kinward.cli.staff import staff
from kinward.cli.statements import statement
from kinward.enforcement.models import Action
from kinward.evidence.models import Evidence
from kinward.evidence.sealing import new_key
from kinward.ground.config import config
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.reporting.models import Report
from kinward.review.lease import take_case
from kinward.verdicts.form import VerdictForm
from tests.integration.conftest import Configure
from tests.support.helpers import confirmed, due_jobs, quarantined
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db


def run(command: click.Command, *arguments: str, fails: bool = False) -> str:
    result = CliRunner().invoke(command, arguments)
    assert (result.exit_code != 0) == fails, f"{result.output} {result.exception}"
    return result.output


def test_keys_and_staff() -> None:
    secret = run(key, "create", "app", "--scope", "media:check").splitlines()[0]
    assert re.fullmatch(r"kw_[\w-]{43}", secret)
    assert "app  live  media:check" in run(key, "list")
    assert "expires 2" in run(key, "list")
    assert secret not in run(key, "list")
    run(key, "revoke", "app")
    assert "app  revoked" in run(key, "list")
    assert "/account/join/" in run(staff, "invite", "robin", "--role", "auditor")
    assert "invited: robin as auditor" in run(staff, "list")
    run(staff, "invite", "nils", "--role", "king", fails=True)


def test_holds(bank: Bank, account: Account) -> None:
    case = quarantined(account)
    assert "1 file is under legal hold." in run(
        evidence, "hold", str(case.id), "--reference", "12/34"
    )
    assert Evidence.objects.get().hold_reference == "12/34"
    run(evidence, "release", str(case.id), fails=True)
    assert Evidence.objects.get().hold_reference == "12/34", "nobody lifts it without a reason"
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
    take_case(case=case, staff=reviewer)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
    )
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


def test_guidelines(bank: Bank, account: Account, reviewer: Staff, tmp_path: Path) -> None:
    take_case(case=quarantined(account), staff=reviewer)
    shown = run(guidelines, "show")
    file = tmp_path / "guidelines.toml"
    file.write_text(shown)
    assert "No problems." in run(guidelines, "check", str(file))
    file.write_text(shown.replace("decay_days = 180", "decay_days = 0"))
    assert "decay_days is from 1" in run(guidelines, "check", str(file), fails=True)
    file.write_text(shown.replace('account = "suspend"\npriority', 'account = "keep"\npriority'))
    said = run(guidelines, "simulate", str(file))
    assert "1 of 1 case would have had a different outcome." in said
    assert "account at once: suspend → nothing" in said


def test_statements(account: Account, reviewer: Staff) -> None:
    confirmed(account, reviewer, "SF-2")
    today = datetime.now(UTC).date()
    days = ("--since", today.isoformat(), "--until", (today + timedelta(days=1)).isoformat())
    (line,) = run(statement, "export", *days).splitlines()
    assert json.loads(line)["category"] == "STATEMENT_CATEGORY_CYBER_VIOLENCE"
    assert "0 statements were sent." in run(statement, "send"), "no database is named"


def test_care_of_the_vault(bank: Bank, account: Account, configure: Configure) -> None:
    quarantined(account)
    assert "0 data keys were wrapped" in run(evidence, "rewrap")
    assert "No file is damaged." in run(evidence, "scrub")
    assert "0 files were moved." in run(evidence, "store")
    configure(evidence_key=f"{new_key()}\n{config().secret('evidence_key')}")
    assert "1 data key was wrapped" in run(evidence, "rewrap")
    Evidence.objects.update(sealed_sha256="0" * 64)
    run(evidence, "scrub", fails=True)
