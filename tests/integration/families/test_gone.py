"""Accounts that are gone: a deleted one by the platform's word, and a guardian who was ended."""

import pytest
from django.db import transaction

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.casebook.kinds import finding_kind
from kinward.casebook.models import Case, Finding, Priority, UserReport, Verdict
from kinward.enforcement.models import Sanction, SanctionKind
from kinward.experience.settings import decide_afresh
from kinward.families import tasks
from kinward.families.errors import NotPaired
from kinward.families.models import Notice, Pairing, PortalSession, Side, TrustedAdult
from kinward.families.pairing import invitations
from kinward.families.settings import choices
from kinward.families.visits import digest
from kinward.families.visits.sessions import Start, open_portal
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ground.errors import Forbidden
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from kinward.people.locks import lock_account
from kinward.people.models import Account, Standing
from kinward.people.services import delete_account, set_standing
from tests.integration.gate.test_gate import Caller, problem
from tests.support.families import make_account, pair
from tests.support.helpers import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(db: None) -> Caller:
    return Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))


@pytest.fixture
def teen(db: None) -> Account:
    return make_account("wren", 14, place="DE")


@pytest.fixture
def egret(db: None) -> Account:
    return make_account("egret", 44)


def topics(account: Account) -> list[str]:
    return list(Notice.objects.filter(account=account).values_list("topic", flat=True))


def rule(guardian: Account) -> None:
    for capability, value in (("session.time", 15), ("location.share", "family")):
        choices.choose_setting(
            guardian=guardian, teen_id="wren", capability=capability, value=value
        )


def terminate(guardian: Account) -> None:
    with transaction.atomic():
        set_standing(account=lock_account(guardian.pk), standing=Standing.TERMINATED)


def test_a_deleted_guardian_rules_no_more_and_all_hear(
    call: Caller, teen: Account, heron: Account, egret: Account
) -> None:
    gone, stays = pair(heron, teen), pair(egret, teen)
    rule(heron)
    answer = call("DELETE", "/v1/accounts/heron")
    assert answer.status_code == 200
    assert answer.json()["account_id"] == "heron"
    with pytest.raises(NotPaired):  # at once, before any job
        rule(heron)
    run_jobs()
    gone.refresh_from_db()
    stays.refresh_from_db()
    assert (gone.ended_why, stays.ended_at) == ("account deleted", None)
    assert decide_afresh(teen, "session.time").value == 60
    assert decide_afresh(teen, "location.share").value == "nobody"
    assert topics(teen)[0] == "gone"
    assert topics(egret)[0] == "gone.theirs"
    other = Notice.objects.filter(account=egret).first()
    assert other is not None
    assert "heron" not in str(other.fill).lower(), "guardians are not named to each other"
    assert "gone" not in topics(heron)
    assert digest.send_digests() == 1, "the other guardian's"
    # A new guardian's word counts, whatever the one who is gone had chosen.
    choices.choose_setting(guardian=egret, teen_id="wren", capability="session.time", value=120)
    assert decide_afresh(teen, "session.time").value == 120


def test_deleting_is_idempotent_needs_its_scope_and_an_account(
    call: Caller, teen: Account, heron: Account
) -> None:
    pair(heron, teen)
    first = call("DELETE", "/v1/accounts/heron").json()
    run_jobs()
    told = Notice.objects.count()
    assert call("DELETE", "/v1/accounts/heron").json() == first
    run_jobs()
    assert Notice.objects.count() == told
    assert Entry.objects.filter(kind="account.deleted").count() == 1
    problem(call("DELETE", "/v1/accounts/nobody"), 404, "account.unknown")
    scopes = frozenset(SCOPES) - {"accounts:write"}
    weak = Caller(create_key(name="weak", scopes=scopes, actor=Actor.system("test")))
    problem(weak("DELETE", "/v1/accounts/wren"), 403, "key.scope_missing")
    assert verify_ledger().ok


def test_a_deleted_account_does_nothing_and_is_reached_by_nobody(
    call: Caller, teen: Account, heron: Account, egret: Account
) -> None:
    """Whatever refers to it stays: the report about it is still there for a person."""
    report = UserReportIn(account_id="heron", category="contact", reporter_id="wren")
    case = receive_user_report(report=report, actor=Actor.key("app")).finding.case
    code, _ = invitations.create_invitation(maker=teen, side=Side.TRUSTING)
    invitations.accept_invitation(account=heron, typed=code)
    open_portal(account_id="heron", start=Start(), actor=Actor.key("app"))
    delete_account(platform_id="heron", actor=Actor.key("app"))
    run_jobs()
    assert decide_afresh(heron, "comment.send").effect == "deny"
    question = {"capability": "dm.send", "actor": {"id": "egret"}, "target": {"id": "heron"}}
    reasons = call("POST", "/v1/decide", json=question).json()["reasons"]
    assert [reason["code"] for reason in reasons] == ["target.closed"]
    assert not TrustedAdult.objects.filter(ended_at=None).exists()
    assert not PortalSession.objects.filter(account=heron, ended_at=None).exists()
    heron.refresh_from_db()
    assert heron.screen_name == ""
    with pytest.raises(Forbidden):
        invitations.create_invitation(maker=heron, side=Side.GUARDIAN)
    assert Case.objects.get(pk=case.pk).state == "open"
    assert UserReport.objects.get(finding__case=case).account == heron
    # The platform may have been wrong. The account returns without its families.
    assert call("PUT", "/v1/accounts/heron", json={"screen_name": "Heron"}).status_code == 200
    assert Entry.objects.filter(kind="account.returned").count() == 1
    heron.refresh_from_db()
    assert heron.deleted_at is None


def test_a_deleted_teen_s_guardians_are_told_and_get_no_digest(
    teen: Account, heron: Account
) -> None:
    pairing = pair(heron, teen)
    delete_account(platform_id="wren", actor=Actor.key("app"))
    run_jobs()
    pairing.refresh_from_db()
    assert pairing.ended_why == "account deleted"
    assert topics(heron)[0] == "gone"
    assert "gone" not in topics(teen)
    assert digest.send_digests() == 0


@pytest.mark.parametrize(
    ("clause", "looked_at"), [("CS-1", True), ("", True), ("NO-9", True), ("SF-1", False)]
)
def test_a_terminated_guardian_s_teens_are_told_and_looked_at_first(
    teen: Account, heron: Account, clause: str, looked_at: bool
) -> None:
    pairing = pair(heron, teen)
    rule(heron)
    report = UserReportIn(account_id="heron", category="contact")
    case = receive_user_report(report=report, actor=Actor.key("app")).finding.case
    Verdict.objects.create(case=case, outcome="confirmed", clause=clause, rule="test")
    Sanction.objects.create(account=heron, case=case, kind=SanctionKind.TERMINATE)
    terminate(heron)
    run_jobs()
    pairing.refresh_from_db()
    assert pairing.ended_why == "account ended"
    assert topics(teen)[0] == "gone"
    assert decide_afresh(teen, "session.time").value == 60
    assert decide_afresh(teen, "location.share").value == "nobody"
    found = Finding.objects.filter(kind="ward", case__account=teen)
    assert found.exists() == looked_at
    if looked_at:
        ward = found.get()
        assert ward.case.priority == Priority.IMMINENT
        assert "Nothing is said against the child" in ward_words(ward)
        teen.refresh_from_db()
        assert teen.standing == Standing.ACTIVE


def ward_words(finding: Finding) -> str:
    return " ".join(ground.text for ground in finding_kind(finding.kind).in_words(finding))


def test_the_sweep_ends_what_no_job_did(teen: Account, heron: Account) -> None:
    pairing = pair(heron, teen)
    rule(heron)
    Account.objects.filter(pk=heron.pk).update(standing=Standing.TERMINATED)
    tasks.tidy_all(0)
    tasks.tidy_all(0)
    pairing.refresh_from_db()
    assert pairing.ended_why == "account ended"
    assert topics(teen).count("gone") == 1
    assert decide_afresh(teen, "session.time").value == 60


def test_a_suspended_guardian_s_pairing_lives(teen: Account, heron: Account) -> None:
    pair(heron, teen)
    with transaction.atomic():
        set_standing(account=lock_account(heron.pk), standing=Standing.SUSPENDED)
    run_jobs()
    assert Pairing.objects.get().ended_at is None
    assert "gone" not in topics(teen)
