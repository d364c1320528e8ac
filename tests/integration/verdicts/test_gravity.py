"""Every grave act, on every road to it: refused without its conditions.

`CARRIES_OUT` has each act that is not reversible, with the function that carries it out. `DONE`
says how its doing would show. `ROADS` are the ways into the house, each tried as hard as it goes
with one person who has seen nothing. An act without a gravity cannot be declared, and one that is
missing here fails.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import msgspec
import pytest
from click.testing import CliRunner
from django.db import transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.gravity import TWO_PEOPLE, Act, Gravity
from kinward.casebook.kinds import FINDING_KINDS, BankMatch
from kinward.casebook.models import Case, Finding, Verdict
from kinward.cli.agree import agree
from kinward.cli.erase import erase as erase_command
from kinward.cli.evidence import evidence
from kinward.cli.package import package
from kinward.custody.models import Destruction, Release
from kinward.enforcement import registration, removals, sanctions
from kinward.enforcement.effects import EFFECTS
from kinward.enforcement.models import (
    Action,
    BlockedIdentifier,
    Effect,
    Removal,
    Sanction,
    SanctionKind,
)
from kinward.erasure import removing
from kinward.erasure.errors import ErasureTakesTwo
from kinward.erasure.models import Erasure
from kinward.evidence import holds, services
from kinward.evidence.models import Evidence
from kinward.evidence.warrants import (
    GroundsNeeded,
    SecondPersonNeeded,
    WarrantNeeded,
    issue_warrant,
)
from kinward.findings import opening
from kinward.findings.copies import bank_confirmed
from kinward.findings.retro import match_check_again
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ground.errors import Forbidden
from kinward.guidelines.queries import guidelines_in_force
from kinward.guidelines.rules import FindingRule, Silence
from kinward.matching.models import Bank, BankedHash, Check
from kinward.matching.services import add_hashes, create_bank, file_hashes
from kinward.media import digest_bytes
from kinward.people.locks import lock_account
from kinward.people.models import Account
from kinward.people.services import IdentifierIn, Profile, put_account
from kinward.redress import silence
from kinward.redress.models import Statement
from kinward.reporting.models import Report
from kinward.reporting.services import open_report
from kinward.review.lease import take_case
from kinward.verdicts import conclusion
from kinward.verdicts.draft import draft_report
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.helpers import KNOWN, KNOWN_PNG, UNKNOWN, quarantined, upload
from tests.support.verdicts import gives, minute_is_over, sees

pytestmark = pytest.mark.django_db

GRAVE: Final = [act for act in Act if act.gravity is not Gravity.REVERSIBLE]
EVERYTHING: Final = Actor.operator("test")  # has every permission, and still no warrant


def test_every_effect_is_an_act_and_every_act_has_a_gravity() -> None:
    assert set(EFFECTS) == set(Effect)
    assert all(isinstance(kind.act.gravity, Gravity) for kind in EFFECTS.values())
    assert {act for act in Act if act.gravity is Gravity.IRREVERSIBLE} <= TWO_PEOPLE
    with pytest.raises(TypeError, match="gravity"):
        Act._new_member_(Act, "account.forget")  # type: ignore[attr-defined]


def case_of(account: Account, reviewer: Staff) -> Case:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    return case


def terminate(case: Case, staff: Staff) -> None:
    sanctions.impose_sanction(
        account=lock_account(case.account_id),
        case_id=case.pk,
        kind=SanctionKind.TERMINATE,
        actor=EVERYTHING,
    )


def report(case: Case, staff: Staff) -> None:
    verdict = Verdict(case=case, outcome="confirmed", clause="CS-1", given_by=staff)
    draft = draft_report(case, verdict, "imagery", "cybertipline")
    open_report(draft=draft, authority_name="cybertipline", actor=EVERYTHING, warrant=None)


def block(case: Case, staff: Staff) -> None:
    registration.block_registration(account=case.account, case_id=case.pk, warrant=None)


def remove_everywhere(case: Case, staff: Staff) -> None:
    removals.remove_everywhere(case.pk, Check.objects.latest("uploaded_at").sha256, None)


def bank(case: Case, staff: Staff) -> None:
    """A verdict that somebody wrote into the table by hand banks nothing."""
    verdict = Verdict.objects.create(
        case=case, outcome="confirmed", clause="CS-1", given_by=staff, bank=True, grounds=[]
    )
    bank_confirmed(verdict.pk)
    raise WarrantNeeded


def keep_silent(case: Case, staff: Staff) -> None:
    statement = Statement.objects.get(case=case)
    Statement.objects.update(told_at=None)
    later = timezone.now() + timedelta(days=91)
    silence.keep_silent(statement_id=statement.pk, until=later, why="x", staff=staff)


def dismiss(case: Case, staff: Staff) -> None:
    verdict = Verdict(case=exact(case), outcome="dismissed", given_by=staff)
    conclusion.conclude(case, lock_account(case.account_id), verdict)


def leave_unreported(case: Case, staff: Staff) -> None:
    sees(case, staff)
    verdict = Verdict(case=case, outcome="confirmed", clause="SF-2", given_by=staff)
    conclusion.conclude(case, lock_account(case.account_id), verdict)


def end_hold(case: Case, staff: Staff) -> None:
    holds.set_legal_hold(case_id=case.pk, reference="", actor=EVERYTHING)


def destroy(case: Case, staff: Staff) -> None:
    asked = Destruction.objects.create(
        case=case, asked_for_by="x", reference="1", asked_by=staff, state="asked"
    )
    asked.state = "approved"  # not in the database
    services.destroy_on_request(case_id=case.pk, agreed=asked, actor=EVERYTHING)


def hand_over(case: Case, staff: Staff) -> None:
    asked = Release.objects.create(
        account=case.account,
        since=timezone.now(),
        until=timezone.now(),
        recipient="age1",
        to="x",
        reference="1",
        why="x",
        asked_by=staff,
    )
    asked.state = "approved"
    file = Evidence.objects.filter(case=case).latest("sealed_at")
    services.read_for_release(evidence_id=file.pk, agreed=asked, actor=EVERYTHING)


def suspend_for_good(case: Case, staff: Staff) -> None:
    """By a verdict, whose warrant covers a short suspension only."""
    verdict = Verdict(case=case, outcome="confirmed", clause="SF-2", given_by=staff)
    sanctions.impose_sanction(
        account=lock_account(case.account_id),
        case_id=case.pk,
        kind=SanctionKind.SUSPEND,
        until=timezone.now() + timedelta(days=366),
        actor=EVERYTHING,
        warrant=issue_warrant(case=case, verdict=verdict, acts=[Act.SUSPEND]),
    )


def erase(case: Case, staff: Staff) -> None:
    asked = Erasure(asked_by=staff, state="approved")  # not in the database
    removing.carry_out(removing.plan_removal(lock_account(case.account_id)), asked)


CARRIES_OUT: Final[dict[Act, Callable[[Case, Staff], None]]] = {
    Act.TERMINATE: terminate,
    Act.SUSPEND_LONG: suspend_for_good,
    Act.REPORT: report,
    Act.BLOCK_REGISTRATION: block,
    Act.REMOVE_EVERYWHERE: remove_everywhere,
    Act.BANK: bank,
    Act.LONG_SILENCE: keep_silent,
    Act.DISMISS_MATCH: dismiss,
    Act.LEAVE_UNREPORTED: leave_unreported,
    Act.END_HOLD: end_hold,
    Act.DESTROY: destroy,
    Act.HAND_OVER: hand_over,
    Act.ERASE: erase,
}
# How the doing of each would show.
DONE: Final[dict[Act, Callable[[], bool]]] = {
    Act.TERMINATE: lambda: (
        Sanction.objects.filter(kind="terminate").exists()
        or Account.objects.filter(standing="terminated").exists()
        or Action.objects.filter(effect="terminate").exists()
    ),
    Act.SUSPEND_LONG: lambda: (
        Verdict.objects.filter(grave__contains=[Act.SUSPEND_LONG]).exists()
        or Sanction.objects.filter(kind="suspend", until__isnull=False).exists()
    ),
    Act.REPORT: Report.objects.exists,
    Act.BLOCK_REGISTRATION: BlockedIdentifier.objects.exists,
    Act.REMOVE_EVERYWHERE: Removal.objects.exists,
    Act.BANK: lambda: BankedHash.objects.filter(bank__name="confirmed-here").exists(),
    Act.LONG_SILENCE: lambda: any(
        said.silent_until is not None and said.silent_until > said.made_at + timedelta(days=90)
        for said in Statement.objects.all()
    ),
    Act.DISMISS_MATCH: lambda: Case.objects.filter(state="dismissed").exists(),
    Act.LEAVE_UNREPORTED: lambda: Case.objects.filter(state="enforced").exists(),
    Act.END_HOLD: lambda: Evidence.objects.filter(hold_ended_at__isnull=False).exists(),
    Act.DESTROY: lambda: Evidence.objects.filter(destroyed_at__isnull=False).exists(),
    Act.HAND_OVER: lambda: Release.objects.filter(state__in=("approved", "handed over")).exists(),
    Act.ERASE: lambda: (
        Erasure.objects.filter(state="approved").exists() or not Account.objects.exists()
    ),
}


def test_the_tables_have_every_grave_act() -> None:
    assert list(CARRIES_OUT) == list(DONE) == GRAVE


@pytest.mark.parametrize("act", GRAVE)
def test_an_effect_is_refused_where_it_is_carried_out(
    act: Act, bank: Bank, account: Account, reviewer: Staff
) -> None:
    case = case_of(account, reviewer)
    holds.set_legal_hold(case_id=case.pk, reference="court 1", actor=EVERYTHING)
    refusals = (WarrantNeeded, GroundsNeeded, SecondPersonNeeded, silence.SilenceTakesTwo)
    by_two = (holds.HoldEndsByTwo, ErasureTakesTwo)
    with pytest.raises((*refusals, *by_two)), transaction.atomic():
        CARRIES_OUT[act](case, reviewer)
    assert not DONE[act]()


def exact(case: Case) -> Case:
    """Have a case hold an exact match with a verified list, too."""
    quarantined(case.account, data=KNOWN_PNG, content_id="exact")
    return case


# The roads. Each has a case with a near match of a verified list, and goes as far as it can.


def console(case: Case, staff: Staff, _: pytest.MonkeyPatch) -> None:
    page = signed_in(staff)
    for clause in ("CS-1", "CS-2", "SF-2"):
        sent = {"outcome": "confirmed", "clause": clause, "bank": "yes", "note": "x"}
        assert gives(page, case, sent).status_code == 409
        assert page.post(f"/cases/{case.pk}/decide", sent | {"read": "x"}).status_code == 409
    sent = {"outcome": "confirmed", "clause": "CS-1", "silent_days": "91", "silent_why": "x"}
    assert gives(page, case, sent).status_code == 422
    exact(case)
    assert gives(page, case, {"outcome": "dismissed", "note": "x"}).status_code == 409
    sees(case, staff)
    assert gives(page, case, {"outcome": "dismissed", "note": "x"}).status_code == 302
    minute_is_over(case)  # and a second person is asked
    custodian = signed_in(staff_of("evidence custodian"))
    custodian.post("/releases/hold", {"case": str(case.pk), "ends": "yes", "why": "x"})
    custodian.post(
        "/releases/destruction", {"case": str(case.pk), "asked_for_by": "x", "reference": "1"}
    )
    for asked in holds.hold_ends():
        custodian.post(f"/releases/holds/{asked.pk}", {"decision": "approve"})
    custodian.post("/releases/erasure", {"account": case.account.platform_id, "why": "x"})
    for wanted in Erasure.objects.all():
        custodian.post(f"/releases/erasure/{wanted.pk}", {"decision": "approve"})


def command_line(case: Case, staff: Staff, _: pytest.MonkeyPatch) -> None:
    runner = CliRunner()
    runner.invoke(evidence, ["release", str(case.pk), "--why", "x"])
    runner.invoke(evidence, ["destroy", str(case.pk), "--asked-for-by", "x", "--reference", "1"])
    for asked in holds.hold_ends():
        refused = runner.invoke(agree, [str(asked.pk)])
        assert isinstance(refused.exception, Forbidden)
    runner.invoke(erase_command, [case.account.platform_id])
    runner.invoke(erase_command, ["--replay"])
    runner.invoke(evidence, ["expire"])
    runner.invoke(package, ["make", str(uuid4()), "--out", "/nonexistent/x"])


def api(case: Case, staff: Staff, _: pytest.MonkeyPatch) -> None:
    """The platform sends what it can: reports by people, with a chat, of the gravest category."""
    for number in range(3):
        made = UserReportIn(account_id=case.account.platform_id, category="abuse", text=f"{number}")
        receive_user_report(report=made, actor=Actor.key("app"))


def rule_of_guidelines(case: Case, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that was accepted under laxer rules: a rule for what is not exact."""
    _rules(monkeypatch, LAX)
    quarantined(case.account, data=KNOWN, content_id="post-2")


def plug_in(case: Case, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of finding that says of itself that it is certain."""

    class Certain(BankMatch):
        name = "certain"

        def asks(self, finding: Finding) -> Any:
            return msgspec.structs.replace(super().asks(finding), confidence="verified", exact=True)

    kind = Certain()
    monkeypatch.setitem(FINDING_KINDS, kind.name, kind)
    _rules(
        monkeypatch,
        FindingRule(id="x", confidence="verified", exact=True, verdict="CS-1", within_hours=1),
    )
    ground = {"bank": "mine", "confidence": "verified", "kind": "md5", "distance": 0, "hash": 1}
    with transaction.atomic():
        opening.open_or_join(
            kind.sense(at=timezone.now(), grounds=[ground], content_id="post-9"),
            account=lock_account(case.account_id),
            actor=Actor.system("plug-in"),
            joined=lambda joined: None,
        )


def retro_match(case: Case, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    _rules(monkeypatch, LAX)
    upload(case.account, UNKNOWN, content_id="older")
    more = create_bank(name="grown", confidence="verified", actor=EVERYTHING)
    near = file_hashes(digest_bytes(b"other bytes"), _pdq_of(UNKNOWN))
    near = [listed for listed in near if listed.kind == "pdq"]
    add_hashes(bank=more, hashes=near, provenance="x", actor=EVERYTHING)
    assert match_check_again(Check.objects.get(content_id="older").pk)


def partner(case: Case, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partner's list that nobody verified names the very bytes, and calls them the gravest."""
    _rules(
        monkeypatch,
        FindingRule(id="x", confidence="unverified", verdict="CS-1", within_hours=1),
    )
    theirs = create_bank(name="theirs", confidence="unverified", actor=EVERYTHING)
    hashes = file_hashes(digest_bytes(UNKNOWN), None, "A1")
    add_hashes(bank=theirs, hashes=hashes, provenance="partner", actor=EVERYTHING)
    assert upload(case.account, UNKNOWN, content_id="post-3").outcome == "quarantine"


ROADS: Final[dict[str, Callable[[Case, Staff, pytest.MonkeyPatch], None]]] = {
    "console": console,
    "command line": command_line,
    "API": api,
    "rule": rule_of_guidelines,
    "plug-in": plug_in,
    "retro-match": retro_match,
    "partner": partner,
}


LAX: Final = FindingRule(id="lax", confidence="verified", verdict="CS-1", within_hours=1)


def _rules(monkeypatch: pytest.MonkeyPatch, rule: FindingRule) -> None:
    lasting = Silence(days=3000, why="x")
    rule = msgspec.structs.replace(rule, silence=lasting, account="keep", content="quarantine")

    def changed() -> object:
        shipped = guidelines_in_force()
        return msgspec.structs.replace(shipped, finding=(rule, *shipped.finding))

    for module in (opening, conclusion):
        monkeypatch.setattr(module, "guidelines_in_force", changed)


def _pdq_of(data: bytes) -> Any:
    from kinward.media import read_picture

    return read_picture(data, 10**8)


def staff_of(role: str) -> Staff:
    return Staff.objects.create_user(username=role, password="a long test word", roles=[role])


@pytest.mark.parametrize("road", ROADS)
def test_no_road_reaches_a_grave_act_on_one_persons_unseen_word(
    road: str,
    bank: Bank,
    account: Account,
    reviewer: Staff,
    monkeypatch: pytest.MonkeyPatch,
    configure: Configure,
) -> None:
    configure(identifier_key="a key of a test")
    known = [IdentifierIn(kind="email", value="x@x.org")]
    put_account(platform_id=account.platform_id, profile=Profile(identifiers=known))
    staff_of("administrator")  # so that nobody is alone in a role
    Staff.objects.create_user(username="other custodian", roles=["evidence custodian"])
    case = case_of(account, reviewer)
    holds.set_legal_hold(case_id=case.pk, reference="court 1", actor=EVERYTHING)
    ROADS[road](case, reviewer, monkeypatch)
    done = [act for act in GRAVE if DONE[act]()]
    assert not done, f"the road {road} reaches {done}"
