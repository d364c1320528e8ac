"""Every sequence of what happens to cases, held to what must be true after each step.

Uploads, reports by people, verdicts under every clause, escalations, dismissals, appeals, answers,
days that pass, filings that succeed, wait or are refused. After every step: nothing final without a
verdict that allows it, nothing left of what was given back, one report for a case and an authority
at most, a case closed by the last of its reports alone, and each account stands just as the
sanctions of its standing cases say.
"""

from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
)

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case, Finding, Verdict
from kinward.casebook.states import UNDECIDED, MoveForbidden
from kinward.enforcement.models import Action, BlockedIdentifier, Removal, Sanction, Strike
from kinward.enforcement.sanctions import current_standing, end_due
from kinward.evidence.excerpts import Message
from kinward.evidence.models import Evidence
from kinward.evidence.services import destroy_expired_evidence
from kinward.evidence.warrants import NOTHING_HELD, GroundsNeeded, grounds_of
from kinward.findings.copies import bank_confirmed
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ground.errors import KinwardError
from kinward.guidelines.queries import guidelines_in_force
from kinward.ledger.verification import verify_ledger
from kinward.matching.index import bank_index
from kinward.matching.kinds import DIGESTS
from kinward.matching.models import Bank, Check
from kinward.people.models import Account
from kinward.people.services import IdentifierIn, Profile, put_account
from kinward.policy.sentences import LANGUAGES
from kinward.redress import services as redress
from kinward.redress.models import Appeal, Statement
from kinward.reporting.models import Report, ReportState
from kinward.review.lease import LeaseNeeded, release_lease, take_case
from kinward.verdicts.appeals import decide_appeal
from kinward.verdicts.bank import unbank
from kinward.verdicts.decision import NeedsAnotherPerson, decide_case
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.proposals import (
    ProposalOpen,
    answer_proposal,
    open_proposal,
    write_second_word,
)
from kinward.verdicts.report import close_reported
from tests.support.compared import gaps
from tests.support.helpers import KNOWN, UNKNOWN, run_machine, upload
from tests.support.verdicts import sees, told_to

pytestmark = pytest.mark.django_db

CLAUSES = ("CS-1", "CS-2", "CS-4", "SF-1", "SF-2")
PEOPLE = ("ann", "ben", "cas")
ANY = st.integers(0, 99)
# The time of entries runs on while these tests jump ahead, so terms are compared elsewhere. So are
# reports, because this machine ends them itself.
COMPARED = (
    "case",
    "finding",
    "verdict",
    "proposed verdict",
    "action",
    "sanction",
    "standing",
    "evidence",
    "statement",
    "appeal",
)


class Acting(RuleBasedStateMachine):
    ahead = timedelta()

    def __init__(self) -> None:
        super().__init__()
        # Each sequence begins with the same tables, and leaves none of its own behind.
        self.before = transaction.savepoint()
        bank_index.cache_clear()
        Acting.ahead = timedelta()
        self.accounts = [
            put_account(
                platform_id=name,
                profile=Profile(
                    language=language,
                    identifiers=[IdentifierIn(kind="email", value=f"{name}@x.org")],
                ),
            )[0]
            for name, language in zip(("one", "two"), sorted(LANGUAGES), strict=False)
        ]
        self.staff = {
            name: Staff.objects.get_or_create(
                username=name, defaults={"roles": ["reviewer"], "password": "x"}
            )[0]
            for name in PEOPLE
        }
        self.posts = 0
        self.latest: dict[int, str] = {}
        # The model: what people concluded, whatever the tables say.
        self.confirmed: dict[UUID, str] = {}
        self.given_back: set[UUID] = set()
        self.saw: set[tuple[UUID, str]] = set()  # a case, and who saw what there is in it
        self.proposed: dict[UUID, tuple[str, str, str]] = {}
        self.agreed: dict[UUID, str] = {}
        self.answered: set[tuple[UUID, str]] = set()  # who had a part in a proposal

    # What can happen.

    @rule(which=st.integers(0, 1), known=st.booleans())
    def uploads(self, which: int, known: bool) -> None:
        self.posts += 1
        self.latest[which] = f"post-{self.posts}"
        account = Account.objects.get(pk=self.accounts[which].pk)
        data = KNOWN if known else UNKNOWN
        cleared = Case.objects.filter(pk__in=self.given_back, account=account)
        looked_at = cleared.filter(findings__check_made__sha256=sha256(data).hexdigest())
        before = current_standing(account)
        upload(account, data, content_id=self.latest[which])
        assert not looked_at.exists() or current_standing(account) == before, (
            "a person looks again first"
        )

    @rule(
        which=st.integers(0, 1),
        category=st.sampled_from(["abuse", "bullying", "contact"]),
        chat=st.booleans(),
    )
    def reports(self, which: int, category: str, chat: bool) -> None:
        content = self.latest.get(which, "") if category == "contact" else ""
        about = self.accounts[which].platform_id
        at = datetime(2026, 1, 2, tzinfo=UTC)
        messages = [Message(about, at, f"Hello {self.posts}.")] if chat else []
        made = UserReportIn(
            account_id=about, category=category, content_id=content, messages=messages
        )
        receive_user_report(report=made, actor=Actor.key("test"))

    def _undecided(self, pick: int) -> Case | None:
        found = list(Case.objects.filter(state__in=UNDECIDED).order_by("opened_at", "id"))
        return found[pick % len(found)] if found else None

    @rule(
        pick=ANY,
        who=st.sampled_from(PEOPLE),
        outcome=st.sampled_from(["confirmed", "dismissed", "escalated"]),
        clause=st.sampled_from(CLAUSES),
        bank=st.booleans(),
        looks=st.sampled_from([True, True, True, False]),
    )
    def decides(
        self, pick: int, who: str, outcome: Any, clause: str, bank: bool, looks: bool
    ) -> None:
        case = self._undecided(pick)
        if case is None:
            return
        staff = self.staff[who]
        with suppress(KinwardError):
            take_case(case=case, staff=staff)
        if looks and Case.objects.get(pk=case.pk).leased_by_id == staff.pk:
            self._looks(case, who)
        form = VerdictForm(outcome=outcome, clause=clause, bank=bank, note="I saw it.")
        try:
            decide_case(case_id=case.id, staff=staff, form=form)
        except (NeedsAnotherPerson, MoveForbidden, ProposalOpen):
            release_lease(case=case, staff=staff)
            return
        except LeaseNeeded:  # nobody takes a case that waits for another's word on their own
            assert self.proposed[case.id][0] == who
            return
        except GroundsNeeded:
            assert (case.id, who) not in self.saw
            release_lease(case=case, staff=staff)
            return
        if open_proposal(case) is not None:
            self.proposed[case.id] = (who, outcome, clause)
        else:
            self._decided(case, outcome, clause)

    def _looks(self, case: Case, who: str) -> None:
        """Whoever has a case sees all that there is to see."""
        sees(case, self.staff[who])
        if Evidence.objects.filter(case=case, destroyed_at=None).exists():
            self.saw.add((case.id, who))

    def _decided(self, case: Case, outcome: str, clause: str) -> None:
        if outcome == "confirmed":
            self.confirmed[case.id] = clause
        elif outcome == "dismissed":
            self.given_back.add(case.id)

    @rule(pick=ANY, who=st.sampled_from(PEOPLE), agree=st.sampled_from([True, True, False]))
    def answers_a_proposal(self, pick: int, who: str, agree: bool) -> None:
        open_ones = sorted(self.proposed)
        if not open_ones:
            return
        case = Case.objects.get(pk=open_ones[pick % len(open_ones)])
        proposal, staff = open_proposal(case), self.staff[who]
        assert proposal is not None
        first, outcome, clause = self.proposed[case.id]
        with suppress(KinwardError):
            take_case(case=case, staff=staff)
        if who == first:
            with pytest.raises(KinwardError):
                write_second_word(proposal_id=proposal.id, words="Me.", staff=staff)
            with pytest.raises(KinwardError):
                answer_proposal(proposal_id=proposal.id, agree=True, staff=staff)
            release_lease(case=case, staff=staff)
            return
        with pytest.raises(KinwardError):
            answer_proposal(proposal_id=proposal.id, agree=agree, staff=staff)
        self._looks(case, who)
        write_second_word(proposal_id=proposal.id, words="I saw it, too.", staff=staff)
        grown = False
        try:
            answer_proposal(proposal_id=proposal.id, agree=agree, staff=staff)
        except GroundsNeeded:
            grown = True
        if grown:  # by something, and the first person has seen nothing of what there is
            assert agree
            assert not set(grounds_of(case, self.staff[first], lists=False)) - {NOTHING_HELD}
            agree = False
            answer_proposal(proposal_id=proposal.id, agree=agree, staff=staff)
        self.answered.add((case.id, who))
        del self.proposed[case.id]
        if agree:
            self.agreed[case.id] = who
            self._decided(case, outcome, clause)
        else:
            release_lease(case=Case.objects.get(pk=case.pk), staff=staff)

    @rule(pick=ANY, who=st.sampled_from(PEOPLE))
    def decides_a_closed_case(self, pick: int, who: str) -> None:
        closed = list(Case.objects.exclude(state__in=UNDECIDED).order_by("opened_at", "id"))
        if closed:
            with pytest.raises(KinwardError):
                decide_case(
                    case_id=closed[pick % len(closed)].id,
                    staff=self.staff[who],
                    form=VerdictForm(outcome="dismissed"),
                )

    @rule(pick=ANY)
    def appeals(self, pick: int) -> None:
        told = list(Statement.objects.filter(told_at__isnull=False).order_by("made_at", "id"))
        if told:
            statement = told[pick % len(told)]
            with suppress(KinwardError):
                redress.file_appeal(
                    account=statement.account,
                    statement_id=statement.id,
                    text="I think that this is wrong.",
                    days=14,
                    actor=Actor.account("x"),
                )

    @rule(pick=ANY, who=st.sampled_from(PEOPLE), overturn=st.booleans())
    def answers(self, pick: int, who: str, overturn: bool) -> None:
        waiting = list(Appeal.objects.filter(state="waiting").order_by("made_at", "id"))
        if not waiting:
            return
        made = waiting[pick % len(waiting)]
        case = Case.objects.get(pk=made.statement.case_id)
        staff = self.staff[who]
        with suppress(KinwardError):
            take_case(case=case, staff=staff)
        gave = case.verdicts.filter(given_by=staff).exists() or (case.id, who) in self.answered
        try:
            decide_appeal(appeal_id=made.id, overturn=overturn, note="Looked.", staff=staff)
        except NeedsAnotherPerson:
            assert gave
            release_lease(case=case, staff=staff)
            return
        assert not gave
        if overturn:
            self.given_back.add(case.id)

    @rule(pick=ANY, becomes=st.sampled_from([ReportState.FINISHED, ReportState.PARKED]))
    def the_authority_answers(self, pick: int, becomes: ReportState) -> None:
        waiting = list(Report.objects.filter(state="waiting").order_by("created_at"))
        if not waiting:
            return
        report = waiting[pick % len(waiting)]
        report.state, report.external_id, report.finished_at = becomes, "7", timezone.now()
        report.save()
        if becomes == ReportState.FINISHED:
            close_reported(report.case_id)

    @rule(pick=ANY)
    def a_second_authority_is_told(self, pick: int) -> None:
        told = Report.objects.filter(authority="nca").values("case_id")
        only = Report.objects.exclude(case_id__in=told).values("case_id")
        cases = list(Case.objects.filter(state="confirmed", pk__in=only).order_by("opened_at"))
        if cases:
            case = cases[pick % len(cases)]
            told_to("nca", case)

    @rule()
    def the_worker_banks(self) -> None:
        for verdict in Verdict.objects.filter(outcome="confirmed").order_by("given_at"):
            if verdict.bank or (verdict.consequence or {}).get("everywhere"):
                bank_confirmed(verdict.id)
        for case_id in sorted(self.given_back):
            unbank(case_id, Actor.stored("staff:ann"))

    # What single steps come to too seldom.

    @rule(which=st.integers(0, 1), dismissed=st.booleans(), won=st.booleans())
    def both_post_it_and_one_is_confirmed(self, which: int, dismissed: bool, won: bool) -> None:
        self.uploads(1 - which, False)
        self.uploads(which, False)
        self.reports(which, "contact", True)
        self._settle(which, "confirmed")
        self.the_worker_banks()
        if dismissed:
            self._settle(1 - which, "dismissed")
        if won:
            of = Verdict.objects.filter(case__account=self.accounts[which], outcome="confirmed")
            case = of.latest("given_at").case
            said = Statement.objects.get(case_id=case.id, stage="verdict")
            while said.told_at is None:
                self.days_pass(8)
                said.refresh_from_db()
            told = Statement.objects.filter(told_at__isnull=False).order_by("made_at", "id")
            self.appeals([each.pk for each in told].index(said.pk))
            waiting = Appeal.objects.filter(state="waiting").order_by("made_at", "id")
            for who in PEOPLE:
                cases = [each.statement.case_id for each in waiting.all()]
                if case.id in cases:
                    self.answers(cases.index(case.id), who, True)

    def _settle(self, which: int, outcome: Any) -> None:
        """Whoever may, decides the account's undecided case."""
        for case in Case.objects.filter(account=self.accounts[which], state__in=UNDECIDED):
            pick = list(Case.objects.filter(state__in=UNDECIDED).order_by("opened_at", "id"))
            for who in PEOPLE:
                if case.id in self.proposed:
                    self.answers_a_proposal(sorted(self.proposed).index(case.id), who, True)
                elif Case.objects.get(pk=case.pk).state in UNDECIDED:
                    self.decides(pick.index(case), who, outcome, "CS-1", False, True)

    @rule(days=st.sampled_from([1, 8, 31, 200]))
    def days_pass(self, days: int) -> None:
        Acting.ahead += timedelta(days=days)
        end_due()
        redress.tell_due(timezone.now())
        destroy_expired_evidence(timezone.now())

    # What must be true.

    @invariant()
    def nothing_final_without_a_verdict_that_allows_it(self) -> None:
        clauses = guidelines_in_force().clauses
        for report in Report.objects.all():
            assert clauses[self.confirmed[report.case_id]].report
        ends = Sanction.objects.filter(kind="terminate")
        for case_id in {*ends.values_list("case_id", flat=True)}:
            consequence = Verdict.objects.get(case=case_id, outcome="confirmed").consequence
            assert consequence is not None
            assert consequence["account"] == "terminate"
            assert case_id in self.confirmed
        reported = Report.objects.values_list("case_id", flat=True)
        for case_id in {*ends.values_list("case_id", flat=True), *reported}:
            self._is_seen_and_on_more_than_one_word(case_id)
        removed = Action.objects.filter(effect="remove")
        assert {each.case_id for each in removed} <= self.confirmed.keys()

    def _is_seen_and_on_more_than_one_word(self, case_id: UUID) -> None:
        verdict = Verdict.objects.get(case=case_id, outcome="confirmed")
        assert verdict.given_by is not None
        findings = Finding.objects.filter(case=case_id, created_at__lte=verdict.given_at)
        exact = any(
            ground.get("confidence") == "verified" and ground["kind"] in DIGESTS
            for finding in findings
            for ground in finding.grounds
        )
        assert exact or (case_id, verdict.given_by.username) in self.saw
        if not findings.exclude(kind="user_report").exists():
            second = self.agreed[case_id]
            assert second != verdict.given_by.username
            assert (case_id, second) in self.saw

    @invariant()
    def what_is_given_back_is_given_back_whole(self) -> None:
        for case_id in self.given_back:
            assert Case.objects.get(pk=case_id).state in ("dismissed", "overturned")
            assert not Sanction.objects.filter(case_id=case_id, ended_at=None).exists()
            assert not Strike.objects.filter(case_id=case_id, taken_back_at=None).exists()
            assert not BlockedIdentifier.objects.filter(case_id=case_id, lifted_at=None).exists()
            live = Report.objects.filter(case_id=case_id, state__in=("waiting", "parked"))
            assert not live.exists()
        holding: dict[str, set[UUID]] = defaultdict(set)
        shown: dict[str, bool] = {}
        for each in Action.objects.filter(target_kind="content").order_by("number"):
            assert each.case_id is not None
            if each.effect == "restore":
                holding[each.target].discard(each.case_id)
            else:
                holding[each.target].add(each.case_id)
            if each.effect != "restore" or each.state != "superseded":
                shown[each.target] = each.effect == "restore"
        for hold in Removal.objects.filter(ended_at=None):
            for copy in Check.objects.filter(sha256=hold.sha256, content_id__in=holding):
                holding[copy.content_id].add(hold.case_id)
        for target, cases in holding.items():
            assert not cases & self.given_back, target
            assert shown[target] == (not cases), target

    @invariant()
    def an_account_stands_as_its_sanctions_say(self) -> None:
        for account in Account.objects.filter(pk__in=[each.pk for each in self.accounts]):
            end_due()
            account.refresh_from_db()
            now = current_standing(account)
            assert account.standing == now.standing
            told = (
                Action.objects.filter(account=account, target_kind="account")
                .order_by("-number")
                .first()
            )
            if told is not None:
                assert told.standing == now.as_dict()
            withheld = account.settings.filter(layer="enforcement", ended_at=None)
            assert set(withheld.values_list("capability", flat=True)) == set(now.withheld)

    @invariant()
    def one_undecided_case_and_one_report(self) -> None:
        for account in self.accounts:
            assert Case.objects.filter(account=account, state__in=UNDECIDED).count() <= 1
        closed = Case.objects.filter(state="reported").values("id")
        assert not Report.objects.filter(case_id__in=closed).exclude(state="finished").exists()
        ids = list(Report.objects.values_list("case_id", "authority"))
        assert len(ids) == len(set(ids))

    @invariant()
    def evidence_outlives_what_may_be_asked_of_it(self) -> None:
        undecided = Case.objects.filter(state__in=UNDECIDED).values("id")
        assert not Evidence.objects.filter(case_id__in=undecided, destroyed_at__isnull=False)

    def teardown(self) -> None:
        try:
            assert verify_ledger().ok
            assert gaps(COMPARED) == []
        finally:
            transaction.savepoint_rollback(self.before)


def test_no_sequence_breaks_a_case(
    monkeypatch: pytest.MonkeyPatch, configure: Any, bank: Bank
) -> None:
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + Acting.ahead)
    configure(identifier_key="a key of a test")
    run_machine(Acting, sequences=8, steps=30)
