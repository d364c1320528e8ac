"""After an upgrade, what two people put in force goes on, and the operator hears of it."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Priority
from kinward.cli.doctor.rules import check_guidelines, check_policy
from kinward.cli.guidelines import guidelines as guidelines_command
from kinward.cli.policy import policy
from kinward.experience import services as packs
from kinward.experience.live import compiled, live, today
from kinward.experience.models import Activation, PackVersion
from kinward.experience.proposals import count_touched, decide_proposal, propose_pack
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.guidelines import queries
from kinward.guidelines import services as guidelines
from kinward.guidelines.consequences import rule_for
from kinward.guidelines.models import Edition
from kinward.guidelines.queries import guidelines_in_force
from kinward.guidelines.reading import GuidelinesInvalid, shipped
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.policy.capabilities import Capability
from kinward.policy.problems import PackInvalid
from kinward.policy.request import About, Request
from kinward.policy.signed import load_pack, new_signing_key, public_key
from kinward.policy.sources import read_files
from kinward.policy.values import AUDIENCE
from kinward.reporting.authorities.cybertipline.sandbox import Sandbox
from kinward.reporting.draft import FORMAT, DraftUnreadable
from kinward.reporting.models import Report
from kinward.reporting.services import file_report
from kinward.review.lease import take_case
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.simulation import simulate_edition
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.editions import shipped_guidelines, with_version
from tests.support.growth import (
    ANOTHER_LANGUAGE,
    begin_capability,
    begin_category,
    begin_confidence,
    begin_language,
)
from tests.support.helpers import quarantined
from tests.support.in_force import activate_pack
from tests.support.packs import as_read
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db

STORED = Path("tests/support/stored")
OWN_GUIDELINES = (STORED / "guidelines/1.toml").read_text()
NEW_GUIDELINES = shipped().replace("community-guidelines", "new-guidelines", 1)
OWN_PACK = as_read(read_files(STORED / "packs/1"))
VOICE = Capability("voice.join", AUDIENCE)
TEEN = Request(capability="voice.join", actor=About(age=[16, 17]))


@pytest.fixture
def lead(db: None) -> Staff:
    return Staff.objects.create_user(
        username="kai", password="a long test word", roles=["policy lead"]
    )


@pytest.fixture
def second(db: None) -> Staff:
    return Staff.objects.create_user(
        username="sasha", password="a long test word", roles=["administrator"]
    )


@pytest.fixture
def own_edition(lead: Staff, second: Staff) -> Edition:
    """An edition of the operator's own, in force since before this version."""
    return Edition.objects.create(
        name="stored-guidelines",
        version="1",
        text=OWN_GUIDELINES,
        base="community-guidelines 1",
        why="Ours.",
        asked_by=lead,
        state="approved",
        decided_by=second,
        decided_at=timezone.now(),
    )


@pytest.fixture
def new_edition(lead: Staff, second: Staff) -> Edition:
    """An edition of the operator's own that passes today's rules, in force."""
    edition = guidelines.propose_edition(text=NEW_GUIDELINES, why="Ours.", staff=lead)
    return guidelines.decide_edition(edition_id=edition.id, approve=True, staff=second)


@pytest.fixture
def own_pack(db: None) -> PackVersion:
    """A pack with capabilities of the operator's own, in force."""
    version = packs.store_pack(files=OWN_PACK, actor=Actor.system("test"))
    activate_pack(pack=version)
    return version


def upgrade(patch: pytest.MonkeyPatch) -> None:
    """Begin a capability by a name that the pack in force declares, and start afresh."""
    begin_capability(patch, VOICE)
    compiled.cache_clear()
    live.cache_clear()


# -- guidelines ------------------------------------------------------------------------------------


def test_a_match_opens_its_case_in_a_language_that_begins(
    bank: Bank, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = Profile(age=AgeRange(15, 16), language=ANOTHER_LANGUAGE)
    account = put_account(platform_id="member-1", profile=profile)[0]
    begin_language(monkeypatch)
    case = quarantined(account)
    account.refresh_from_db()
    assert account.standing == "suspended"
    take_case(case=case, staff=reviewer)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="SF-1")
    )
    case.refresh_from_db()
    assert case.state == "enforced", "what the account holder is told is in English"


def test_a_match_opens_its_case_under_an_edition_without_the_language(
    own_edition: Edition, bank: Bank, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_language(monkeypatch)
    assert guidelines_in_force().label == "stored-guidelines 1"
    case = quarantined(account)
    account.refresh_from_db()
    assert (case.state, account.standing) == ("open", "suspended")


def test_what_is_not_translated_is_said(
    new_edition: Edition, lead: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = signed_in(lead)
    assert check_guidelines().level == "ok"
    assert "read in English" not in page.get("/guidelines").content.decode()
    begin_language(monkeypatch)
    finding = check_guidelines()
    assert finding.level == "warning"
    assert f"{new_edition} is not fully translated: {ANOTHER_LANGUAGE}." in finding.text
    notice = f"missing in &#x27;{ANOTHER_LANGUAGE}&#x27; is read in English: CS-1"
    assert notice in page.get("/guidelines").content.decode()


def test_a_report_of_a_new_category_opens_a_case(
    own_edition: Edition, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_category(monkeypatch, "money")
    report = UserReportIn(account_id=account.platform_id, category="money", text="A loan.")
    case = receive_user_report(report=report, actor=Actor.key("test")).finding.case
    account.refresh_from_db()
    assert (case.state, case.priority, account.standing) == ("open", Priority.IMMINENT, "active")
    finding = check_guidelines()
    assert finding.level == "warning"
    assert "in force as approved, but today's rules refuse it" in finding.text
    assert "a report of 'money'" in finding.text


def test_a_new_word_for_findings_leaves_an_edition_in_force(
    own_edition: Edition, bank: Bank, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_confidence(monkeypatch, "rumoured")
    assert guidelines_in_force().label == "stored-guidelines 1"
    assert quarantined(account).state == "open"
    assert "a rumoured finding" in check_guidelines().text


def test_what_was_proposed_before_an_upgrade_is_checked_when_it_is_approved(
    lead: Staff, second: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = guidelines.propose_edition(text=NEW_GUIDELINES, why="Ours.", staff=lead)
    begin_confidence(monkeypatch, "rumoured")
    with pytest.raises(GuidelinesInvalid, match="a rumoured finding"):
        guidelines.decide_edition(edition_id=edition.id, approve=True, staff=second)
    edition.refresh_from_db()
    assert edition.state == "asked"
    simulate_edition(edition.id)  # only decodes it
    edition.refresh_from_db()
    assert edition.simulation is not None
    assert signed_in(second).get(f"/guidelines/{edition.id}").status_code == 200
    guidelines.decide_edition(edition_id=edition.id, approve=False, staff=second)
    assert guidelines_in_force().label == shipped_guidelines()


def test_the_guidelines_in_force_are_read_from_what_comes_along() -> None:
    assert check_guidelines().text == f"{shipped_guidelines()} is in force."
    assert guidelines_in_force().label == shipped_guidelines()


def test_an_upgrade_replaces_no_guidelines(monkeypatch: pytest.MonkeyPatch) -> None:
    guidelines.pin_guidelines()
    guidelines.pin_guidelines()
    assert [entry.kind for entry in Entry.objects.filter(kind__startswith="guidelines.")] == [
        "guidelines.pinned"
    ]
    assert guidelines_in_force().label == shipped_guidelines()
    assert check_guidelines().level == "ok"
    first = shipped_guidelines()
    newer = with_version(shipped(), "newer").replace("hours = 24", "hours = 99")
    monkeypatch.setattr(queries, "shipped", lambda: newer)
    guidelines.pin_guidelines()
    in_force = guidelines_in_force()
    assert (in_force.label, rule_for(in_force, "verified").within_hours) == (
        first,
        24,
    )
    assert queries.guidelines_text_in_force() == shipped()
    finding = check_guidelines()
    assert finding.level == "warning"
    assert "community-guidelines newer comes with this Kinward" in finding.text
    shown = CliRunner().invoke(guidelines_command, ["show", "--shipped"])
    assert shown.output == shipped()


# -- packs -----------------------------------------------------------------------------------------


def test_a_pack_in_force_decides_on_after_an_upgrade(
    own_pack: PackVersion, lead: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    (before,) = live().decide([TEEN])
    upgrade(monkeypatch)
    (after,) = live().decide([TEEN])
    assert (before.effect, after.effect, after.value) == ("allow", "allow", "allow")
    child = Request(capability="voice.join", actor=About(age=[14, 15]))
    minutes = Request(capability="session.time", actor=About(age=[14, 15]))
    assert [each.effect for each in live().decide([child, minutes])] == ["deny", "limit"]
    page = signed_in(lead)
    assert "stored-pack 1" in page.get("/policy").content.decode()
    assert page.get("/policy/rules/voice").status_code == 200


def test_the_operator_hears_of_the_name(
    own_pack: PackVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = check_policy().text
    assert before.startswith("stored-pack 1: pack.toml:4: notice: no rule speaks of these")
    upgrade(monkeypatch)
    finding = check_policy()
    assert finding.level == "warning", "it can be used"
    assert "stored-pack 1 is in force as approved, but today's rules refuse it" in finding.text
    assert "'voice.join' is taken" in finding.text
    result = CliRunner().invoke(policy, ["check", "stored-pack 1"])
    assert result.exit_code == 1
    assert "stored-pack 1/pack.toml:28: error: capability: 'voice.join' is taken" in result.output


def test_a_pack_that_cannot_be_used_is_a_fault(own_pack: PackVersion) -> None:
    PackVersion.objects.update(files=OWN_PACK | {"tests.toml": ""})
    compiled.cache_clear()
    finding = check_policy()
    assert finding.level == "fault"
    assert "stored-pack 1 cannot be read, so every decision is protective" in finding.text


def test_every_door_judges_by_todays_rules(
    lead: Staff,
    second: Staff,
    tmp_path: Path,
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = new_signing_key()
    configure(policy_key=key)
    first = packs.current_pack().pack
    proposal = propose_pack(files=OWN_PACK, why="Ours.", share=100, staff=lead)
    own = proposal.pack
    upgrade(monkeypatch)
    for file, text in OWN_PACK.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    export = str(tmp_path / "own.json")
    refused = (
        lambda: packs.store_pack(files=OWN_PACK, actor=Actor.system("test")),
        lambda: activate_pack(pack=own),
        lambda: decide_proposal(proposal_id=proposal.id, approve=True, staff=second),
        lambda: run("activate", "stored-pack 1"),
        lambda: run("shadow", "stored-pack 1"),
        lambda: run("activate", str(tmp_path)),
        lambda: run("export", str(tmp_path), "--to", export),
    )
    for door in refused:
        with pytest.raises(PackInvalid, match=r"voice\.join"):
            door()
    assert not Activation.objects.exists()
    count_touched(proposal.id)  # only decodes it
    page = signed_in(lead)
    assert page.get(f"/policy/proposals/{proposal.id}").status_code == 200
    decide_proposal(proposal_id=proposal.id, approve=False, staff=second)
    assert packs.current_pack().pack == first
    # What is stored is still compared, and signed anew for the apps that decide by it.
    assert "voice.join, everybody: there -> gone" in run("diff", "stored-pack 1", "teen-accounts")
    run("export", "stored-pack 1", "--to", export)
    pack = load_pack(Path(export), key=public_key(key), on=today())
    assert pack.label == "stored-pack 1"


def test_a_pack_with_errors_is_not_signed(tmp_path: Path, configure: Configure, db: None) -> None:
    configure(policy_key=new_signing_key())
    wrong = OWN_PACK | {"tests.toml": OWN_PACK["tests.toml"].replace("90 }", "91 }")}
    for file, text in wrong.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    with pytest.raises(PackInvalid, match="not 91"):
        run("export", str(tmp_path), "--to", str(tmp_path / "own.json"))
    assert not (tmp_path / "own.json").exists()


def test_going_back_is_no_door(own_pack: PackVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    other = packs.store_pack(files=read_files("tiktok-2021"), actor=Actor.system("test"))
    activate_pack(pack=other)
    upgrade(monkeypatch)
    assert packs.revert_pack(actor=Actor.system("test")).pack == own_pack
    live.cache_clear()
    assert live().decide([TEEN])[0].effect == "allow"


def run(*arguments: str) -> str:
    return str(
        CliRunner().invoke(policy, arguments, catch_exceptions=False, standalone_mode=False).output
    )


# -- drafts ----------------------------------------------------------------------------------------


@pytest.fixture
def report(bank: Bank, account: Account, reviewer: Staff) -> Report:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
    )
    return Report.objects.get()


def test_a_draft_carries_its_format_and_is_filed_without_one(
    report: Report, sandbox: Sandbox
) -> None:
    assert report.draft.pop("format") == FORMAT
    report.save()
    assert file_report(report.id).state == "finished"


def test_a_draft_of_another_format_waits_and_says_why(report: Report, sandbox: Sandbox) -> None:
    report.draft["format"] = 99
    report.save()
    with pytest.raises(DraftUnreadable):
        file_report(report.id)
    report.refresh_from_db()
    assert report.state == "waiting"
    assert "Its format is 99; known are 1, 2." in report.problem
    assert sandbox.state.all() == []
