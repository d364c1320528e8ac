"""Every sequence of what can happen to a report, held to what must be true after each step.

The authority refuses, hangs up before and after, garbles, forgets; the process is killed before and
after it wrote an answer down; credentials are wrong for a while; an appeal is won. After every
step the authority has one finished report of the case at most, whole, and none that was withdrawn.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.evidence.models import Evidence
from kinward.ground.errors import KinwardError
from kinward.ledger.verification import verify_ledger
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.reporting.authorities.cybertipline.sandbox import Fault, Sandbox
from kinward.reporting.authorities.cybertipline.sandbox_state import State
from kinward.reporting.filing import Filing
from kinward.reporting.models import Call, Report, ReportState
from kinward.reporting.services import file_report, unpark, withdraw, withdraw_report
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.report import close_reported
from tests.integration.conftest import Configure
from tests.support.helpers import run_machine, two_files_one_seen
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db

ENDPOINTS = ("submit", "upload", "fileinfo", "finish", "retract")
FAULTS = ("error", "bare-error", "lost-request", "lost-answer", "wrong-hash")


class Killed(BaseException):
    """As after SIGKILL: the process is gone."""


class Reporting(RuleBasedStateMachine):
    # Given by the test, which hypothesis cannot hand to a machine.
    sandbox: Sandbox
    account: Account
    reviewer: Staff
    configure: Configure
    directory: Path

    def __init__(self) -> None:
        super().__init__()
        self.before = transaction.savepoint()
        self.sandbox.state = State(self.directory / f"{uuid4()}.sqlite3")
        self.sandbox.faults.replace([])
        self.configure(cybertipline_password="word")
        self.won = False
        case, _, _ = two_files_one_seen(self.account, self.reviewer)
        decide_case(
            case_id=case.id,
            staff=self.reviewer,
            form=VerdictForm(outcome="confirmed", clause="CS-1"),
        )

    @property
    def report(self) -> Report:
        return Report.objects.get()

    def at_the_authority(self, state: str) -> list[dict[str, Any]]:
        return [each for each in self.sandbox.state.all() if each["state"] == state]

    def work(self) -> None:
        """What the worker's jobs do, `cases.file_report` and `cases.withdraw_report`."""
        report = self.report
        if self.won:
            withdraw_report(report.id)
        else:
            report = file_report(report.id)
            if report.state == ReportState.FINISHED:
                close_reported(report.case_id)

    # What can happen.

    @rule()
    def the_worker_works(self) -> None:
        with suppress(KinwardError):
            self.work()

    @rule(kind=st.sampled_from(FAULTS), endpoint=st.sampled_from(ENDPOINTS))
    def the_authority_misbehaves(self, kind: str, endpoint: str) -> None:
        self.sandbox.faults.replace([Fault(kind, endpoint, times=1)])
        self.the_worker_works()

    @rule(after=st.sampled_from([0, 1, 2, 3, 4, 5, 5, 5]), written=st.booleans())
    def the_worker_is_killed(self, after: int, written: bool) -> None:
        keep, answers = Filing._keep, iter(range(after))

        def killed(self: Filing, call: Call, answer: Any) -> None:
            if next(answers, None) is not None:
                keep(self, call, answer)
                return
            if written:
                keep(self, call, answer)
            raise Killed

        with pytest.MonkeyPatch.context() as patch, suppress(Killed, KinwardError):
            patch.setattr(Filing, "_keep", killed)
            self.work()

    @rule()
    def the_authority_lets_expire_what_is_open(self) -> None:
        state = self.sandbox.state
        state._scale = 0.0
        state.all()
        state._scale = 1.0

    @rule(right=st.booleans())
    def credentials_change(self, right: bool) -> None:
        self.configure(cybertipline_password="word" if right else "wrong")

    @precondition(lambda self: self.report.state == ReportState.PARKED)
    @rule()
    def an_operator_sends_it_again(self) -> None:
        unpark(report=self.report, actor=Actor.operator("test"))

    @precondition(
        lambda self: self.report.state not in (ReportState.FINISHED, ReportState.WITHDRAWN)
    )
    @rule()
    def an_appeal_is_won(self) -> None:
        withdraw(report=self.report, actor=Actor.stored("staff:x"))
        self.won = True

    # What must be true.

    @invariant()
    def the_authority_has_one_whole_report_or_none(self) -> None:
        report, finished = self.report, self.at_the_authority("finished")
        assert len(finished) <= 1
        for each in finished:
            assert len(each["files"]) == Evidence.objects.count() == 2
            assert all(file["details"] for file in each["files"])
        if report.state == ReportState.FINISHED:
            assert [str(each["id"]) for each in finished] == [report.external_id]
        if report.state == ReportState.WITHDRAWN:
            assert not finished

    @invariant()
    def a_case_is_closed_by_its_finished_report_alone(self) -> None:
        if Case.objects.get().state == "reported":
            assert self.report.state == ReportState.FINISHED

    @invariant()
    def evidence_is_kept_until_it_is_decided(self) -> None:
        decided = self.report.state in (ReportState.FINISHED, ReportState.WITHDRAWN)
        assert Evidence.objects.filter(destroyed_at=None).count() == 2
        assert Evidence.objects.filter(expires_at=None).exists() != decided

    def teardown(self) -> None:
        try:
            # When everybody behaves again, it comes to an end.
            self.sandbox.faults.replace([])
            self.configure(cybertipline_password="word")
            for _ in range(5):
                if self.report.state == ReportState.PARKED:
                    unpark(report=self.report, actor=Actor.operator("test"))
                with suppress(KinwardError):
                    self.work()
            ends = (ReportState.FINISHED, ReportState.WITHDRAWN)
            assert self.report.state in (ends if self.won else ends[:1])
            self.the_authority_has_one_whole_report_or_none()
            assert verify_ledger().ok
        finally:
            transaction.savepoint_rollback(self.before)


def test_no_sequence_makes_two_reports(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    sandbox: Sandbox,
    configure: Configure,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {
        "sandbox": sandbox,
        "account": account,
        "reviewer": reviewer,
        "configure": staticmethod(configure),
        "directory": tmp_path,
    }
    for name, value in given.items():
        monkeypatch.setattr(Reporting, name, value, raising=False)
    run_machine(Reporting, sequences=12, steps=12)
