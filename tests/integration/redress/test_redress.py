"""What an account holder is told, and the appeal: another person, and everything given back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.services import create_key
from kinward.casebook.models import Case
from kinward.enforcement.models import Action
from kinward.enforcement.services import send_forgotten
from kinward.enforcement.strikes import strikes_of
from kinward.ground.config import PRODUCTION_CONSENT, config
from kinward.ground.errors import Invalid, KinwardError, NotConfigured, NotFound
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from kinward.ledger.words import says
from kinward.matching.models import Bank, BankedHash
from kinward.people.models import Account
from kinward.people.services import IdentifierIn, Profile, digests_of, put_account
from kinward.policy.ages import AgeRange
from kinward.policy.sentences import LANGUAGES
from kinward.redress import services, silence
from kinward.redress.database import send_due_statements, written
from kinward.redress.dsa import faults
from kinward.redress.models import Appeal, Statement
from kinward.redress.queries import appeal_figures
from kinward.redress.sandbox import Database, serve
from kinward.redress.wording import statement_sentences
from kinward.reporting.authorities.cybertipline.sandbox import Fault, Sandbox
from kinward.reporting.models import Report
from kinward.reporting.services import file_report, withdraw_report
from kinward.review.grounds import grounds_of_case
from kinward.review.lease import LeaseNeeded, take_case
from kinward.verdicts.appeals import decide_appeal
from kinward.verdicts.decision import NeedsAnotherPerson
from kinward.verdicts.form import VerdictForm
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller, problem
from tests.support.editions import shipped_guidelines
from tests.support.helpers import (
    KNOWN,
    UNKNOWN,
    Receiver,
    confirmed,
    due_jobs,
    listening,
    quarantined,
    run_jobs,
    upload,
)
from tests.support.verdicts import decide_case
from tests.support.visits import visitor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def adult(db: None) -> Account:
    profile = Profile(age=AgeRange(34, 35), jurisdiction="DE", language="de-AT")
    return put_account(platform_id="heron", profile=profile)[0]


@pytest.fixture
def call(db: None) -> Caller:
    scopes = frozenset({"appeals:write", "actions:pull", "accounts:write", "policy:decide"})
    return Caller(create_key(name="app", scopes=scopes, actor=Actor.operator("test")))


@pytest.fixture
def database(configure: Configure) -> Iterator[Database]:
    """A Transparency Database to practise on, and Kinward told to send to it."""
    with listening(serve(host="127.0.0.1", port=0, token="a token")) as server:
        configure(dsa_url=server.url, dsa_token="a token")
        yield server


def notices(account: Account, topic: str = "statement") -> list[str]:
    made = Action.objects.filter(account=account, effect="notify").order_by("number")
    return [n["sentence"] for each in made if (n := each.notice) and n["topic"] == topic]


def statement_of(case: Case) -> Statement:
    return Statement.objects.get(case_id=case.id, stage="verdict")


def appeal(case: Case, text: str = "That was a joke between friends.") -> Appeal:
    account = Account.objects.get(pk=case.account_id)
    statement = statement_of(case)
    return services.file_appeal(
        account=account, statement_id=statement.id, text=text, days=14, actor=Actor.account("x")
    )


def answered(made: Appeal, staff: Staff, *, overturn: bool) -> Appeal:
    take_case(case=Case.objects.get(pk=made.statement.case_id), staff=staff)
    return decide_appeal(appeal_id=made.id, overturn=overturn, note="Looked again.", staff=staff)


# ---- what is told


def test_a_verdict_is_told_in_the_account_holder_s_language(
    adult: Account, reviewer: Staff
) -> None:
    confirmed(adult, reviewer, "SF-1", "post-1")
    (said,) = notices(adult)
    for part in (
        "Etwas, das du gepostet hast, wurde entfernt.",
        "Direktnachrichten senden",
        "SF-1, Keine Drohungen und keine Erpressung",
        "Jemand hat es uns gemeldet.",
        "Ein Mensch hat es geprüft und entschieden.",
        "kannst du bis",
    ):
        assert part in said
    made = Statement.objects.get()
    assert (made.language, made.guidelines) == ("de", shipped_guidelines())
    assert [each["effect"] for each in made.decisions] == ["remove", "restrict"]
    assert verify_ledger().ok


def test_what_is_told_gives_away_no_list(account: Account, bank: Bank, reviewer: Staff) -> None:
    case = quarantined(account)
    (at_once,) = notices(account)
    assert at_once.startswith("Something you posted has been hidden")
    assert "suspended" in at_once
    take_case(case=case, staff=reviewer)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
    )
    for said in notices(account):
        for word in ("bank", "hash", "list", "match", "known", "bits", "sha", "pdq"):
            assert word not in said.lower(), said
    assert len(notices(account)) == 2
    quarantined(account, content_id="post-2")
    assert len(notices(account)) == 3, "a new case, told once"


def test_findings_that_join_are_not_told_again(account: Account, bank: Bank) -> None:
    quarantined(account)
    quarantined(account, content_id="post-2")
    assert len(notices(account)) == 1


def test_a_dismissal_says_sorry(account: Account, bank: Bank, reviewer: Staff) -> None:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    decide_case(case_id=case.id, staff=reviewer, form=VerdictForm(outcome="dismissed"))
    assert "found nothing wrong" in notices(account)[-1]
    assert "We are sorry" in notices(account)[-1]


def test_a_report_alone_is_told_to_nobody_it_is_about(adult: Account) -> None:
    from kinward.findings.user_reports import UserReportIn, receive_user_report

    report = UserReportIn(account_id="heron", category="bullying")
    receive_user_report(report=report, actor=Actor.key("test"))
    assert not Statement.objects.exists()


def test_a_silence_ends_by_itself_and_the_time_to_appeal_begins_then(
    adult: Account, reviewer: Staff
) -> None:
    case = confirmed(adult, reviewer, "CS-2")
    made = statement_of(case)
    assert notices(adult) == []
    assert made.silent_why == "Telling could endanger a child or an investigation."
    assert made.silent_until is not None
    assert made.appeal_until is not None
    assert services.tell_due(timezone.now()) == 0
    with pytest.raises(NotFound):
        appeal(case)
    assert services.tell_due(made.silent_until) == 2, "what protected, and the verdict"
    assert services.tell_due(made.silent_until) == 0
    assert len(notices(adult)) == 2
    told = statement_of(case)
    assert told.appeal_until is not None
    assert timedelta(days=29) < told.appeal_until - made.appeal_until < timedelta(days=31)


def test_a_silence_needs_a_reason_and_an_end(adult: Account, reviewer: Staff) -> None:
    case = confirmed(adult, reviewer, "CS-2")
    later = timezone.now() + timedelta(days=89)
    which = statement_of(case).id
    with pytest.raises(Invalid):
        silence.keep_silent(statement_id=which, until=later, why=" ", staff=reviewer)
    with pytest.raises(Invalid):
        silence.keep_silent(
            statement_id=which, until=later + timedelta(days=4000), why="x", staff=reviewer
        )
    silence.keep_silent(statement_id=which, until=later, why="The police asks.", staff=reviewer)
    assert statement_of(case).silent_until == later
    assert says(Entry.objects.get(kind="statement.silenced").data["why"], "The police asks.")
    with pytest.raises(IntegrityError, match="silence_has_reason"), transaction.atomic():
        Statement.objects.update(silent_why="")
    silence.keep_silent(statement_id=which, until=timezone.now(), why="It is over.", staff=reviewer)
    services.tell_due(timezone.now())
    with pytest.raises(Invalid, match="told already"):
        silence.keep_silent(statement_id=which, until=later, why="x", staff=reviewer)


def test_a_reviewer_chooses_a_silence_with_a_reason(adult: Account, reviewer: Staff) -> None:
    quiet = VerdictForm(outcome="confirmed", clause="SF-2", silent_days=10)
    with pytest.raises(Invalid, match="Say why"):
        confirmed(adult, reviewer, "SF-2", form=quiet)
    case = Case.objects.get()
    form = VerdictForm(
        outcome="confirmed", clause="SF-2", silent_days=10, silent_why="A witness is at risk."
    )
    decide_case(case_id=case.id, staff=reviewer, form=form)
    assert notices(adult) == []
    assert statement_of(case).silent_why == "A witness is at risk."


# ---- appeals


def test_an_appeal_on_the_page(adult: Account, reviewer: Staff, second_reviewer: Staff) -> None:
    case = confirmed(adult, reviewer, "SF-1", "post-1")
    page = visitor(adult)
    text = page.get("/family/decisions").content.decode()
    assert "Entscheidungen über dein Konto" in text
    assert "Keine Drohungen und keine Erpressung" in text
    which = statement_of(case).id
    assert (
        page.post(f"/family/decisions/{which}", {"text": "Das war ein Spiel."}).status_code == 302
    )
    text = page.get("/family/decisions").content.decode()
    assert "Das war ein Spiel." in text
    assert "ein Mensch prüft es" in text
    again = page.post(f"/family/decisions/{which}", {"text": "Noch einmal."})
    assert (again.status_code, Appeal.objects.count()) == (409, 1)
    answered(Appeal.objects.get(), second_reviewer, overturn=True)
    text = page.get("/family/decisions").content.decode()
    assert "alles ist wiederhergestellt" in text
    assert "Es tut uns leid" in text
    assert "Es tut uns leid" in notices(adult, "appeal")[-1]


def test_an_appeal_over_the_api(call: Caller, adult: Account, reviewer: Staff) -> None:
    case = confirmed(adult, reviewer, "SF-2")
    (told,) = call("GET", "/v1/accounts/heron/statements").json()["statements"]
    assert told["stage"] == "verdict"
    assert told["clause"] == "SF-2"
    assert told["decisions"] == [{"effect": "warn"}]
    where = f"/v1/statements/{told['statement_id']}/appeal"
    put_account(platform_id="wren", profile=Profile())
    other = call("POST", where, json={"account_id": "wren", "text": "x"})
    problem(other, 404, "not_found")
    problem(call("POST", where, json={"account_id": "heron", "text": " "}), 422, "invalid")
    long = {"account_id": "heron", "text": "x" * 5001}
    problem(call("POST", where, json=long), 422, "invalid")
    made = call("POST", where, json={"account_id": "heron", "text": "It was not me."})
    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    twice = call("POST", where, json={"account_id": "heron", "text": "Again."})
    problem(twice, 409, "appeal.already_made")
    problem(call("POST", "/v1/statements/x/appeal", json=long), 404, "not_found")
    (told,) = call("GET", "/v1/accounts/heron/statements").json()["statements"]
    assert told["appeal"]["appeal_id"] == made.json()["appeal_id"]
    assert case.id == Appeal.objects.get().statement.case_id


def test_the_time_to_appeal_ends(adult: Account, reviewer: Staff) -> None:
    case = confirmed(adult, reviewer, "SF-2")
    Statement.objects.update(appeal_until=timezone.now())
    with pytest.raises(services.AppealClosed):
        appeal(case)


def test_whoever_decided_does_not_answer_the_appeal(
    adult: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    made = appeal(confirmed(adult, reviewer, "SF-2"))
    with pytest.raises(NeedsAnotherPerson):
        answered(made, reviewer, overturn=True)
    case = Case.objects.get()
    Case.objects.update(leased_by=None, leased_until=None)
    with pytest.raises(LeaseNeeded):
        decide_appeal(appeal_id=made.id, overturn=True, note="x", staff=second_reviewer)
    take_case(case=Case.objects.get(), staff=second_reviewer)
    with pytest.raises(Invalid):
        decide_appeal(appeal_id=made.id, overturn=True, note=" ", staff=second_reviewer)
    decide_appeal(appeal_id=made.id, overturn=False, note="It stays.", staff=second_reviewer)
    case.refresh_from_db()
    assert (case.state, case.leased_by) == ("enforced", None)
    assert notices(adult, "appeal") == [
        "Jemand anderes hat unsere Entscheidung geprüft und bestätigt."
    ]
    with pytest.raises(LeaseNeeded):  # nothing waits any more
        take_case(case=case, staff=second_reviewer)
    Case.objects.update(leased_by=second_reviewer, leased_until=timezone.now() + timedelta(1))
    with pytest.raises(services.AppealDecided):
        decide_appeal(appeal_id=made.id, overturn=True, note="x", staff=second_reviewer)


def test_a_won_appeal_gives_everything_back(
    account: Account,
    reviewer: Staff,
    second_reviewer: Staff,
    configure: Configure,
    sandbox: Sandbox,
) -> None:
    configure(identifier_key="a key of a test")
    mail = IdentifierIn(kind="email", value="x@example.org")
    put_account(platform_id="member-1", profile=Profile(identifiers=[mail]))
    other = put_account(platform_id="member-2", profile=Profile())[0]
    upload(account, UNKNOWN, content_id="mine")
    upload(other, UNKNOWN, content_id="copy")
    sandbox.faults.replace([Fault("error", "finish", probability=1)])
    case = confirmed(account, reviewer, "CS-1", "mine")
    run_jobs()
    report = Report.objects.get()
    assert report.state == "waiting"
    assert BankedHash.objects.filter(removed=False).exists()
    assert sandbox.state.all()[0]["state"] == "open"
    made = appeal(case, "It is a drawing of mine.")
    answered(made, second_reviewer, overturn=True)
    run_jobs()
    account.refresh_from_db()
    assert account.standing == "active"
    assert strikes_of(account) == 0
    restored = Action.objects.filter(effect="restore", case_id=case.id)
    assert set(restored.values_list("target_kind", "target")) == {
        ("content", "mine"),
        ("content", "copy"),
        ("account", "member-1"),
    }
    assert not BankedHash.objects.filter(removed=False).exists()
    from kinward.enforcement.registration import blocked_kinds

    assert blocked_kinds(digests_of([mail])) == []
    report.refresh_from_db()
    assert report.state == "withdrawn"
    assert [each["state"] for each in sandbox.state.all()] == ["retracted"]
    case.refresh_from_db()
    assert case.state == "overturned"
    assert verify_ledger().ok


def test_a_report_that_is_finished_stays_with_the_authority(
    account: Account, bank: Bank, reviewer: Staff, second_reviewer: Staff, sandbox: Sandbox
) -> None:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
    )
    run_jobs()
    case.refresh_from_db()
    assert case.state == "reported"
    answered(appeal(case), second_reviewer, overturn=True)
    run_jobs()
    account.refresh_from_db()
    case.refresh_from_db()
    assert (case.state, account.standing) == ("overturned", "active")
    assert Report.objects.get().state == "finished"


def test_what_a_person_gave_back_ends_no_account_before_a_person_looks_again(
    account: Account, reviewer: Staff, second_reviewer: Staff, sandbox: Sandbox
) -> None:
    """Another verdict on the same picture finds it anew."""
    upload(account, UNKNOWN, content_id="mine")
    first = confirmed(account, reviewer, "CS-1", "mine")
    run_jobs()
    answered(appeal(first), second_reviewer, overturn=True)
    run_jobs()
    other = put_account(platform_id="member-2", profile=Profile())[0]
    upload(other, UNKNOWN, content_id="copy")
    confirmed(other, reviewer, "CS-1", "copy")
    run_jobs()
    again = Case.objects.exclude(pk=first.pk).get(account=account)
    account.refresh_from_db()
    assert (again.state, account.standing) == ("open", "active")
    assert Action.objects.filter(case_id=again.id, target="mine", effect="quarantine").exists()
    assert Report.objects.count() == 2, "none for what was given back"
    assert "gave mine, or a copy, back before" in grounds_of_case(again)[-1].text
    take_case(case=again, staff=second_reviewer)
    form = VerdictForm(outcome="confirmed", clause="CS-1")
    decide_case(case_id=again.id, staff=second_reviewer, form=form)
    account.refresh_from_db()
    assert account.standing == "terminated", "a person looked again"


def test_what_the_authority_finished_without_saying_so_is_not_withdrawn(
    account: Account, bank: Bank, reviewer: Staff, second_reviewer: Staff, sandbox: Sandbox
) -> None:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
    )
    sandbox.faults.replace([Fault("lost-answer", "finish", times=1)])
    report = Report.objects.get()
    with pytest.raises(KinwardError):
        file_report(report.id)
    answered(appeal(case), second_reviewer, overturn=True)
    withdraw_report(report.id)
    report.refresh_from_db()
    assert report.state == "finished", "it is with the authority, and that is what we say"
    assert file_report(report.id).state == "finished"
    assert [each["state"] for each in sandbox.state.all()] == ["finished"]


def test_figures(adult: Account, reviewer: Staff, second_reviewer: Staff) -> None:
    first = appeal(confirmed(adult, reviewer, "SF-2"))
    appeal(confirmed(adult, reviewer, "SF-2"))
    answered(first, second_reviewer, overturn=True)
    found = appeal_figures(timezone.now() - timedelta(days=1))
    assert (found.made, found.waiting, found.upheld, found.overturned) == (2, 1, 0, 1)
    assert found.median_days == 0.0


# ---- the EU's database


def test_statements_go_to_the_database_once_each(
    adult: Account, reviewer: Staff, database: Database
) -> None:
    for clause in ("CS-1", "SF-1", "SF-2", "CS-2"):
        confirmed(adult, reviewer, clause, f"post-{clause}")
    database.lose = 1
    with pytest.raises(KinwardError):
        send_due_statements()
    assert len(database.held) == 3, "what is kept silent is not sent"
    assert send_due_statements() == 3
    assert send_due_statements() == 0
    by_category = {each["category"]: each for each in database.held.values()}
    minors = by_category["STATEMENT_CATEGORY_PROTECTION_OF_MINORS"]
    assert minors["category_specification"] == ["KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL"]
    assert minors["decision_account"] == "DECISION_ACCOUNT_TERMINATED"
    assert minors["incompatible_content_illegal"] == "Yes"
    assert minors["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert "heron" not in json.dumps(list(database.held.values()))
    told = Statement.objects.filter(stage="verdict", told_at__isnull=False)
    assert not told.filter(exported_at=None).exists()


def test_one_that_the_database_refuses_holds_up_no_other(
    adult: Account, reviewer: Staff, database: Database
) -> None:
    wrong = statement_of(confirmed(adult, reviewer, "SF-2"))
    right = statement_of(confirmed(adult, reviewer, "SF-2"))
    Statement.objects.filter(pk=wrong.pk).update(dsa={**wrong.dsa, "category": "WEATHER"})
    assert send_due_statements() == 1
    assert list(database.held) == [str(right.id)]
    wrong.refresh_from_db()
    assert "category is invalid" in wrong.export_problem
    assert send_due_statements() == 0


def test_a_database_that_is_away_or_refuses_us(
    adult: Account, reviewer: Staff, database: Database, configure: Configure
) -> None:
    confirmed(adult, reviewer, "SF-2")
    configure(dsa_token="another")
    with pytest.raises(KinwardError, match="401"):
        send_due_statements()
    configure(dsa_url="http://127.0.0.1:1")
    with pytest.raises(KinwardError, match="does not answer at port"):
        send_due_statements()
    configure(dsa_url="")
    assert send_due_statements() == 0


def test_nothing_goes_to_the_production_database_unasked(configure: Configure) -> None:
    configure(dsa_url="https://transparency.dsa.ec.europa.eu")
    with pytest.raises(NotConfigured, match=PRODUCTION_CONSENT):
        send_due_statements()


def test_statements_of_some_days_as_lines(adult: Account, reviewer: Staff) -> None:
    confirmed(adult, reviewer, "SF-1", "post-1")
    confirmed(adult, reviewer, "SF-2", "post-2")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = list(written(today, today + timedelta(days=1)))
    assert [faults(json.loads(line)) for line in lines] == [{}, {}]
    assert list(written(today - timedelta(days=1), today)) == []


# ---- actions that the platform fetches


def test_a_platform_behind_a_firewall_fetches_its_actions(
    call: Caller, account: Account, bank: Bank, configure: Configure
) -> None:
    configure(actions="pull", webhook_url="")
    quarantined(account)
    run_jobs()
    got: list[dict[str, Any]] = call("GET", "/v1/actions").json()["actions"]
    types = []
    for each in got:
        message = Webhook(config().secret("webhook_secret")).verify(each["body"], each["headers"])
        types.append(message["type"])
    assert types == ["content.quarantine", "account.suspend", "notice.notify"]
    ids = [each["headers"]["webhook-id"] for each in got]
    done = call("POST", "/v1/actions/acknowledged", json={"action_ids": ids[:2]})
    assert done.json() == {"acknowledged": 2}
    again = call("POST", "/v1/actions/acknowledged", json={"action_ids": ids[:2]})
    assert again.json() == {"acknowledged": 0}
    left = call("GET", "/v1/actions?limit=1").json()["actions"]
    assert [each["headers"]["webhook-id"] for each in left] == ids[2:]
    for limit in ("0", "many", "9" * 5000):
        problem(call("GET", f"/v1/actions?limit={limit}"), 422, "invalid")
    assert Entry.objects.filter(kind="action.delivered", actor=Actor.key("app")).count() == 2


def test_what_was_removed_comes_back_from_the_vault(
    call: Caller,
    account: Account,
    bank: Bank,
    reviewer: Staff,
    second_reviewer: Staff,
    receiver: Receiver,
) -> None:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="SF-1")
    )
    run_jobs()
    answered(appeal(case), second_reviewer, overturn=True)
    run_jobs()
    told = [json.loads(body) for _, body in receiver.messages]
    about = {each["type"]: each["data"] for each in told}
    assert about["content.remove"]["held"] is True
    assert about["content.remove"]["file"] is None
    where = about["content.restore"]["file"].removeprefix(config().url)
    got = call("GET", where)
    assert (got.status_code, got.content) == (200, KNOWN)
    assert got.headers["content-type"] == "application/octet-stream"
    entry = Entry.objects.get(kind="evidence.given_back")
    assert (entry.actor, entry.data["case"]) == ("key:app", str(case.id))
    removed = about["content.remove"]["action_id"]
    problem(call("GET", f"/v1/actions/{removed}/file"), 404, "not_found")
    problem(call("GET", "/v1/actions/x/file"), 404, "not_found")


def test_actions_issued_while_they_were_fetched_are_sent_later(
    account: Account, bank: Bank, configure: Configure, receiver: Receiver
) -> None:
    configure(actions="pull")
    quarantined(account)
    assert "enforcement.deliver" not in due_jobs()
    configure(actions="push")
    Action.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert send_forgotten() == send_forgotten() == 3
    assert due_jobs().count("enforcement.deliver") == 3
    run_jobs()
    assert len(receiver.types) == 3
    assert send_forgotten() == 0


# ---- the console


def test_the_console_answers_an_appeal(
    adult: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    from tests.integration.web.test_console import signed_in

    made = appeal(confirmed(adult, reviewer, "SF-1", "post-1"))
    page: Client = signed_in(second_reviewer)
    text = page.get("/appeals").content.decode()
    assert "heron" in text
    case = f"/cases/{made.statement.case_id}"
    assert page.post(f"/appeals/{made.id}/take")["Location"] == case
    text = page.get(case).content.decode()
    assert "That was a joke between friends." in text
    assert "Give this answer" in text
    assert "Give this verdict" not in text
    wrong = page.post(f"/appeals/{made.id}/decide", {"outcome": "overturned"})
    assert wrong.status_code == 422
    page.post(f"/appeals/{made.id}/decide", {"outcome": "overturned", "note": "A joke."})
    text = page.get(case).content.decode()
    assert "overturned" in text
    assert "appeal.made" in text
    assert "1 overturned" in page.get("/appeals").content.decode()


def test_the_console_keeps_silent_for_longer(adult: Account, reviewer: Staff) -> None:
    from tests.integration.web.test_console import signed_in

    case = confirmed(adult, reviewer, "CS-2")
    page = signed_in(reviewer)
    assert "delayed until" in page.get(f"/cases/{case.id}").content.decode()
    assert page.post(f"/cases/{case.id}/silence", {"days": "x", "why": "y"}).status_code == 422
    page.post(f"/cases/{case.id}/silence", {"days": "90", "why": "The police asks."})
    assert "The police asks." in page.get(f"/cases/{case.id}").content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_decision_has_words_in_every_language(
    language: str, reviewer: Staff, bank: Bank
) -> None:
    account = put_account(platform_id="a", profile=Profile(language=language))[0]
    quarantined(account)
    for clause in ("SF-2", "SF-2", "SF-1", "SF-1", "CS-1"):
        confirmed(account, reviewer, clause, "post")
    said = {each.id: tuple(statement_sentences(each)) for each in Statement.objects.all()}
    assert all(len(each) >= 2 for each in said.values())
    assert all("{" not in sentence for each in said.values() for sentence in each)
