"""Changing the rules: store, propose, count, approve by another person, take back; growing up."""

import threading
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import IntegrityError, connection, transaction
from django.test import Client

from kinward.access.actor import Actor
from kinward.access.agreement import AlreadyDecided
from kinward.access.models import Staff
from kinward.cli.decide import decide as decide_command
from kinward.cli.policy import policy
from kinward.enforcement.models import Action
from kinward.enforcement.services import action_payload
from kinward.enforcement.tasks import grow_up
from kinward.experience import live as live_module
from kinward.experience.edits import RuleChange, with_change
from kinward.experience.live import live
from kinward.experience.models import Activation, Layer, PackVersion, Proposal, Setting
from kinward.experience.proposals import Outdated, decide_proposal, get_proposal, propose_pack
from kinward.experience.services import (
    VersionTaken,
    current_pack,
    lock_pack_in_force,
    store_pack,
)
from kinward.experience.settings import make_setting
from kinward.ground.errors import Forbidden, Invalid
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from kinward.people.models import Account
from kinward.people.services import AgeSignal, Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.policy.problems import PackInvalid
from kinward.policy.request import About, Request
from kinward.policy.sources import read_files
from tests.integration.web.test_console import signed_in
from tests.support.helpers import due_jobs, run_jobs
from tests.support.in_force import activate_pack

pytestmark = pytest.mark.django_db(transaction=True)

LOWER = RuleChange(rule="session-time-13-15", default=40)


@pytest.fixture
def lead(db: None) -> Staff:
    return staff("kai", "policy lead")


@pytest.fixture
def second(db: None) -> Staff:
    return staff("sasha", "administrator")


def staff(name: str, role: str) -> Staff:
    return Staff.objects.create_user(username=name, password="a long test word", roles=[role])


@pytest.fixture
def teens(db: None) -> list[Account]:
    return [
        put_account(platform_id=f"teen-{age}", profile=Profile(age=AgeRange(age, age + 1)))[0]
        for age in (13, 14, 15, 16, 17, 30)
    ]


def lowered(version: str = "2026.11-5+1") -> dict[str, str]:
    return with_change(read_files("teen-accounts"), LOWER, version=version)


def proposed(lead: Staff) -> Proposal:
    return propose_pack(files=lowered(), why="Less is kinder.", share=100, staff=lead)


def minutes(account_id: str) -> Any:
    return live().decide([Request(capability="session.time", actor=About(id=account_id))])[0].value


def test_one_rule_changes_and_nothing_else() -> None:
    before, after = read_files("teen-accounts"), lowered()
    old, new = (files["pack.toml"].splitlines() for files in (before, after))
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert changed == [
        ('version = "2026.11-5"', 'version = "2026.11-5+1"'),
        ("default = 60", "default = 40"),
    ]
    assert before["overlays/US.toml"] == after["overlays/US.toml"]
    # Its own test expects the new answer.
    assert "value = 40" in after["tests.toml"]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (RuleChange(rule="session-time-13-15", default=5), PackInvalid, "outside its bounds"),
        (RuleChange(rule="session-time-13-15", default="lots"), PackInvalid, "not minutes"),
        (RuleChange(rule="session-time-13-15", default=60), Invalid, "changes nothing"),
        (RuleChange(rule="session-time-13-15", bounds=[90, 30]), PackInvalid, "bounds go from"),
    ],
)
def test_a_change_that_cannot_be(change: RuleChange, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        with_change(read_files("teen-accounts"), change, version="x")


def test_two_people_and_what_it_touches(lead: Staff, second: Staff, teens: list[Account]) -> None:
    guarded = teens[0]
    make_setting(
        account=guarded,
        layer=Layer.GUARDIAN,
        capability="session.time",
        value=90,
        actor=Actor.system("test"),
    )
    proposal = proposed(lead)
    assert due_jobs() == ["experience.simulate"]
    run_jobs()
    proposal = get_proposal(proposal.id)
    assert proposal.simulation is not None
    # 14 and 15 lose twenty minutes; at 13 a guardian has settled it; 16 and over are not touched.
    assert (proposal.simulation["accounts"], proposal.simulation["touched"]) == (6, 2)
    (change,) = proposal.simulation["changes"]
    assert (change["capability"], change["group"], change["direction"]) == (
        "session.time",
        "13 to 15",
        "loses",
    )
    assert (change["before"], change["after"]) == (60, 40)
    assert set(change["examples"]) <= {"teen-13", "teen-14", "teen-15"}
    with pytest.raises(Forbidden):
        decide_proposal(proposal_id=proposal.id, approve=True, staff=lead)
    assert minutes("teen-14") == 60
    decide_proposal(proposal_id=proposal.id, approve=True, staff=second)
    assert current_pack().pack == proposal.pack
    assert live_module.load_states(["teen-14"])
    with pytest.raises(AlreadyDecided):
        decide_proposal(proposal_id=proposal.id, approve=True, staff=second)
    kinds = list(Entry.objects.order_by("seq").values_list("kind", "actor"))
    assert ("proposal.made", "staff:kai") in kinds
    assert ("proposal.approved", "staff:sasha") in kinds
    assert kinds[-1] == ("pack.activated", "staff:sasha")
    assert verify_ledger().ok


def test_the_database_itself_holds_to_two_people(lead: Staff) -> None:
    proposal = proposed(lead)
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.filter(pk=proposal.pk).update(state="approved", decided_by=lead)


def test_a_proposal_on_rules_that_have_changed_is_not_approved(lead: Staff, second: Staff) -> None:
    proposal = proposed(lead)
    activate_pack(pack=store_pack(files=read_files("tiktok-2021"), actor=Actor.system("test")))
    with pytest.raises(Outdated):
        decide_proposal(proposal_id=proposal.id, approve=True, staff=second)
    decide_proposal(proposal_id=proposal.id, approve=False, staff=lead)  # taken back
    assert Proposal.objects.get(pk=proposal.pk).state == "refused"


@pytest.mark.django_db(transaction=True)
def test_of_two_proposals_approved_at_once_one_is_outdated(lead: Staff, second: Staff) -> None:
    waiting = [proposed(lead), propose_pack(files=lowered("x+2"), why="y", share=100, staff=lead)]
    answers: list[object] = []

    def approve(proposal: Proposal) -> None:
        try:
            answers.append(decide_proposal(proposal_id=proposal.id, approve=True, staff=second))
        except Outdated as error:
            answers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=(proposal,)) for proposal in waiting]
    with transaction.atomic():
        lock_pack_in_force()  # so that both are under way before either is done
        for thread in threads:
            thread.start()
        time.sleep(0.5)
    for thread in threads:
        thread.join()
    assert sorted(type(answer).__name__ for answer in answers) == ["Outdated", "Proposal"]
    assert Activation.objects.filter(reverts=None).exclude(proposal=None).count() == 1


def test_a_version_is_one_pack(lead: Staff) -> None:
    store_pack(files=read_files("teen-accounts"), actor=Actor.system("test"))
    other = lowered("2026.11-5")
    with pytest.raises(VersionTaken):
        store_pack(files=other, actor=Actor.system("test"))
    broken = read_files("teen-accounts")
    broken["pack.toml"] = broken["pack.toml"].replace('default = "mutuals"', 'default = "friends"')
    with pytest.raises(PackInvalid, match=r"pack.toml:\d+: error: .*'friends' is none of nobody"):
        store_pack(files=broken, actor=Actor.system("test"))
    assert PackVersion.objects.count() == 1


# -- the pages -------------------------------------------------------------------------------------


@pytest.fixture
def page(lead: Staff) -> Client:
    return signed_in(lead)


def test_the_form_proposes_and_the_other_person_approves(
    page: Client, second: Staff, teens: list[Account]
) -> None:
    text = page.get("/policy?capability=session.time").content.decode()
    assert "teen-accounts 2026.11-5" in text
    assert "session-time-13-15" in text
    assert "cn-minutes-8-15" not in text
    laws = page.get("/policy?capability=session.time&where=CN").content.decode()
    assert "cn-minutes-8-15" in laws
    assert "session-time-13-15" not in laws
    form = page.get("/policy/rules/session-time-13-15").content.decode()
    assert 'value="60"' in form
    sent = {
        "default": "40",
        "floor": "15",
        "cap": "unlimited",
        "may": ["guardian"],
        "why": "Less is kinder.",
        "share": "100",
    }
    answer = page.post("/policy/rules/session-time-13-15", sent)
    assert answer.status_code == 302
    where = answer["Location"]
    waiting = page.get(where).content.decode()
    assert "Counting: 0 of 6 accounts" in waiting
    assert "another person must approve it" in waiting
    run_jobs()
    counted = page.get(where + "/touched").content.decode()
    assert "<strong>3</strong> of 6 accounts" in counted
    assert "<svg" in counted
    assert page.post(where + "/decide", {"decision": "approve"}).status_code == 403
    assert "In force" in page.get("/policy").content.decode()
    other = signed_in(second)
    assert other.post(where + "/decide", {"decision": "approve"}).status_code == 302
    assert Activation.objects.order_by("-number").first().pack.version == "2026.11-5+1"  # type: ignore[union-attr]
    assert page.post("/policy/revert").status_code == 302
    assert "teen-accounts 2026.11-5+1</td>" in page.get("/policy").content.decode()
    assert current_pack().pack.version == "2026.11-5"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"default": "5"}, "outside its bounds"),
        ({"default": "60"}, "This changes nothing"),
        ({"cap": ""}, "Enter both bounds"),
        ({"why": " "}, "Say why"),
        ({"share": "0"}, "A share is from 1 to 100"),
        ({"share": "x"}, "is not a whole number"),
    ],
)
def test_a_form_that_is_wrong_says_so(page: Client, change: dict[str, str], says: str) -> None:
    sent = {"default": "40", "floor": "15", "cap": "unlimited", "may": "guardian", "why": "so"}
    answer = page.post("/policy/rules/session-time-13-15", sent | {"share": "100"} | change)
    assert answer.status_code in (422, 409)
    assert says in answer.content.decode()
    assert not Proposal.objects.exists()


def test_a_whole_pack_and_the_shadow(page: Client) -> None:
    answer = page.post("/policy/packs", {"pack": "tiktok-2021", "why": "Try.", "share": "10"})
    assert answer.status_code == 302
    assert Proposal.objects.get().share == 10
    page.post("/policy/shadow", {"pack": "tiktok-2021"})
    assert "decides beside the active pack" in page.get("/policy").content.decode()
    page.post("/policy/shadow", {"pack": ""})
    assert "until" in page.get("/policy").content.decode()
    assert page.get("/policy/rules/none-such").status_code == 404
    assert page.post("/policy/packs", {"pack": "none"}).status_code == 404


def test_only_those_who_may(
    page: Client, reviewer: Staff, operator: Staff, second: Staff, lead: Staff
) -> None:
    proposal = proposed(lead)
    auditor = signed_in(staff("ada", "auditor"))
    posts = [
        "/policy/packs",
        "/policy/revert",
        "/policy/shadow",
        "/policy/rules/session-time-13-15",
        f"/policy/proposals/{proposal.id}/decide",
    ]
    gets = [
        "/policy",
        f"/policy/proposals/{proposal.id}",
        f"/policy/proposals/{proposal.id}/touched",
    ]
    for outside in (signed_in(reviewer), signed_in(operator)):
        assert {outside.get(path).status_code for path in gets} == {403}
        assert {outside.post(path).status_code for path in posts} == {403}
    assert {auditor.get(path).status_code for path in gets} == {200}
    assert {auditor.post(path).status_code for path in posts} == {403}
    assert Client().get("/policy").status_code == 302
    assert page.get("/queue").status_code == 403
    assert page.get("/")["Location"] == "/policy"


# -- growing up ------------------------------------------------------------------------------------


def test_a_birthday_opens_what_it_opens_once_and_says_so(db: None) -> None:
    today = live_module.today()
    activate_pack(pack=store_pack(files=read_files("tiktok-2021"), actor=Actor.system("test")))
    account, *_ = put_account(
        platform_id="birthday",
        profile=Profile(age=AgeRange(15, 16, changes_on=today + timedelta(days=1)), language="sv"),
    )
    grow_up(0)
    assert not Action.objects.exists()
    # The machine sleeps through the day, and the one after it.
    Account.objects.filter(pk=account.pk).update(age_changes_on=today - timedelta(days=2))
    before = live().decide([Request(capability="live.host", actor=About(id="birthday"))])[0]
    assert before.effect == "allow"  # whoever has grown is not kept waiting for the job
    grow_up(0)
    grow_up(0)
    account.refresh_from_db()
    assert (account.age_lower, account.age_upper) == (16, 17)
    assert account.age_changes_on is not None
    assert account.age_changes_on > today
    (action,) = Action.objects.all()
    said = action_payload(action)
    assert said["type"] == "notice.notify"
    notice = said["data"]["notice"]  # type: ignore[index]
    assert notice["topic"] == "growing_up"
    assert notice["opened"]["live.host"].startswith("Sända live: tillåtet.")
    assert "dm.send" in notice["opened"]
    assert Entry.objects.filter(kind="account.grown").count() == 1
    assert verify_ledger().ok


def test_a_guardians_settings_end_when_nobody_guards_any_more(db: None) -> None:
    today = live_module.today()
    account, *_ = put_account(
        platform_id="eighteen",
        profile=Profile(age=AgeRange(17, 18, changes_on=today + timedelta(days=1))),
    )
    for layer in Layer:
        make_setting(
            account=account,
            layer=layer,
            capability="session.time",
            value=45,
            actor=Actor.system("test"),
        )
    Account.objects.filter(pk=account.pk).update(age_changes_on=today)
    grow_up(0)
    made = {each.layer: each for each in Setting.objects.all()}
    assert made["guardian"].ended_at is not None
    assert made["guardian"].ended_why == "grown up"
    assert made["self"].ended_at is None
    notice = Action.objects.get().notice
    assert notice is not None
    assert notice["ended"] == ["session.time"]


@pytest.mark.parametrize(
    ("signal", "lower", "upper", "assurance"),
    [
        ({"apple": {"lowerBound": 13, "upperBound": 15}}, 13, 16, "declared"),
        ({"apple": {"declined": True}}, 0, 150, "none"),
        ({"google_play": {"userStatus": "VERIFIED"}}, 18, 150, "verified"),
        ({"google_play": {"userStatus": "NEW"}}, 0, 150, "none"),
        ({"openid4vp": {"age_over_18": True}}, 18, 150, "verified"),
        ({"guardian": (13, 14)}, 13, 14, "guardian"),
        ({"estimate": (17.0, 2.0)}, 15, 20, "estimated"),
        ({"birth_date": date(2000, 1, 1)}, 21, 150, "declared"),
    ],
)
def test_signals_of_age_become_ranges(
    db: None, signal: dict[str, Any], lower: int, upper: int, assurance: str
) -> None:
    account, *_ = put_account(platform_id="a", profile=Profile(age_signal=AgeSignal(**signal)))
    found = (account.age_lower, account.age_upper, account.age_assurance)
    assert found == (lower, upper, assurance)
    assert not any("birth" in field.name for field in Account._meta.get_fields())


def test_a_signal_that_cannot_be(db: None) -> None:
    for signal in (
        {"apple": {"lowerBound": "x"}},
        {"guardian": (16, 13)},
        {"birth_date": date.max},
    ):
        with pytest.raises(Invalid):
            put_account(platform_id="a", profile=Profile(age_signal=AgeSignal(**signal)))
    with pytest.raises(ValueError, match="exactly one"):
        AgeSignal()


# -- the commands ----------------------------------------------------------------------------------


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(policy, arguments)
    assert result.exit_code == status, result.output + repr(result.exception)
    return result.output


def test_the_commands_store_activate_stage_revert(teens: list[Account], tmp_path: Path) -> None:
    assert "In force: teen-accounts 2026.11-5" in run("list")
    own = tmp_path / "own"
    own.mkdir()
    for file, text in lowered().items():
        (own / file).parent.mkdir(exist_ok=True)
        (own / file).write_text(text)
    assert "error" not in run("check", str(own))
    told = run("diff", "teen-accounts", str(own))
    assert "session.time, 13 to 15: 60; guardian 15 to 1440 (proof: card) -> 40" in told
    assert "(stricter)" in told
    counted = run("simulate", "teen-accounts", str(own), "--picture", str(tmp_path / "p.svg"))
    assert "3 of them would lose or gain something." in counted
    assert "13 to 15     loses" in counted
    assert (tmp_path / "p.svg").read_text().startswith("<svg")
    staged = run("activate", str(own), "--share", "20")
    assert "2026.11-5+1 for 20 percent, teen-accounts 2026.11-5 for the rest" in staged
    assert run("activate", "teen-accounts 2026.11-5+1") == "In force: teen-accounts 2026.11-5+1\n"
    assert "for 20 percent" in run("revert")
    assert "reverts number" in run("history")
    assert "No pack has run in shadow mode." in run("shadow")
    assert "now runs in shadow mode" in run("shadow", "tiktok-2021")
    assert "0 questions" in run("shadow")
    assert "Shadow mode has stopped." in run("shadow", "--stop")


def test_decide_on_the_command_line(teens: list[Account]) -> None:
    question = '{"capability": "session.time", "actor": {"id": "teen-14"}, "guardian": 90}'
    result = CliRunner().invoke(decide_command, [question, "--explain"])
    assert result.exit_code == 0, result.output
    assert '"value": 90' in result.output
    assert "guardian: 90   <- decides" in result.output
    assert "session-time-13-15: 60; its conditions could hold" in result.output
    assert "it is not in force on this day (verify)" in result.output
    assert "it is not in force on this day (enjoined)" in result.output
    result = CliRunner().invoke(decide_command, ['{"capability": 1}'])
    assert isinstance(result.exception, Invalid)
