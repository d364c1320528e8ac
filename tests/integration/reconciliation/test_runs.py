"""A comparison is bounded, resumes, is an entry, and raises an alarm that ends when it is over."""

from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connection
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.services import create_key
from kinward.cli.doctor.ground import check_reconciliation
from kinward.cli.ledger import ledger
from kinward.ground.errors import Invalid
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.reconciliation import steps
from kinward.reconciliation.models import Difference, Run
from kinward.reconciliation.queries import comparison
from kinward.reconciliation.services import AlreadyRunning, reconcile, since_last_run
from tests.integration.web.test_console import signed_in
from tests.support.compared import somebody

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few counterparts are enough here, in small pieces."""
    few = {"API key", "account", "staff", "comparison", "difference"}
    everything = steps.gathered()
    monkeypatch.setattr(steps, "gathered", lambda: [one for one in everything if one.name in few])
    monkeypatch.setattr(steps, "ROWS", 2)
    monkeypatch.setattr(steps, "ENTRIES", 2)


def keys(count: int) -> None:
    for number in range(count):
        create_key(name=f"key-{number}", purposes=["gate"], actor=SYSTEM)


def forge(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount


WIDEN = "UPDATE access_apikey SET scopes = ARRAY['media:check'] WHERE name = 'key-1'"
NARROW = "UPDATE access_apikey SET scopes = (SELECT scopes FROM access_apikey WHERE name = 'key-0')"


def test_a_run_that_finds_nothing_is_an_entry() -> None:
    keys(5)
    assert check_reconciliation().level == "warning", "nobody has compared anything yet"
    run = reconcile()
    entry = Entry.objects.get(kind="ledger.reconciled")
    assert entry.subject == str(run)
    assert (entry.data["everything"], entry.data["differences"]) == (True, 0)
    assert run.rows >= 5, "in pieces of two"
    assert not comparison().alarms
    assert check_reconciliation().level == "ok"


def test_a_difference_is_an_alarm_until_it_is_over() -> None:
    keys(3)
    forge(WIDEN)
    for _ in range(2):
        reconcile()
    difference = Difference.objects.get()
    assert difference.subject == "key:key-1"
    assert Entry.objects.filter(kind="ledger.differs", subject=str(difference)).count() == 1
    assert "1 rows and entries differ" in check_reconciliation().text
    assert check_reconciliation().level == "fault"
    page = signed_in(somebody("ola", "operator")).get("/operations").content.decode()
    assert "key:key-1" in page
    assert "Its scopes are not those of its newest entry." in page
    assert "keep a copy of the database" in page
    forge(NARROW)
    reconcile()
    assert Difference.objects.get().ended_at is not None
    assert Entry.objects.filter(kind="ledger.agrees", subject=str(difference)).exists()
    assert not comparison().alarms


def test_whoever_deletes_what_was_found_is_noticed() -> None:
    keys(2)
    forge(WIDEN)
    reconcile()
    forge("DELETE FROM reconciliation_difference")
    assert comparison().hidden == 1
    assert check_reconciliation().level == "fault"


def test_a_run_that_stops_is_an_alarm_and_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    keys(7)
    real, taken = steps.Step.batch, list[str]()

    def batch(step: steps.Step, *position: Any) -> steps.Batch:
        taken.append(step.name)
        if len(taken) == 3:
            raise RuntimeError("the machine stopped")
        return real(step, *position)

    monkeypatch.setattr(steps.Step, "batch", batch)
    with pytest.raises(RuntimeError):
        reconcile()
    assert "the machine stopped" in comparison().problem
    assert check_reconciliation().level == "fault"
    run = reconcile()
    assert Run.objects.count() == 1, "it is the same run"
    assert taken[2:4] == [taken[2]] * 2, "it goes on where it stopped"
    assert not comparison().alarms
    fresh = reconcile()
    assert fresh.rows == run.rows + 1, "each row was compared once, and the run itself is new"


def test_a_window_that_stopped_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    keys(3)
    forge(WIDEN)
    since = timezone.now() - timedelta(hours=1)
    real, taken = steps.Step.batch, list[str]()

    def batch(step: steps.Step, *position: Any) -> steps.Batch:
        taken.append(step.name)
        if len(taken) == 6:
            raise RuntimeError("the machine stopped")
        return real(step, *position)

    monkeypatch.setattr(steps.Step, "batch", batch)
    with pytest.raises(RuntimeError):
        reconcile(since=since)
    assert reconcile().since is None, "a whole one takes its place"
    assert Run.objects.count() == 1
    assert Difference.objects.get().subject == "key:key-1"


def test_a_whole_run_that_stopped_is_not_passed_over_by_a_window() -> None:
    Run.objects.create()
    with pytest.raises(AlreadyRunning):
        reconcile(since=timezone.now())


def test_nobody_compared_for_two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    keys(1)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(hours=49))
    assert comparison().late, "also where nobody ever did"
    monkeypatch.setattr(timezone, "now", real)
    reconcile()
    assert not comparison().late
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(hours=49))
    assert comparison().late
    assert "for two days" in check_reconciliation().text


def test_a_run_that_was_only_written_into_the_table_does_not_count() -> None:
    keys(1)
    Run.objects.create(finished_at=timezone.now())
    assert comparison().finished_at is None


def test_a_window_finds_what_changed_since(account: Account) -> None:
    keys(2)
    reconcile()
    since = since_last_run()
    assert since is not None
    profile = Profile()
    put_account(platform_id="later", profile=profile)
    create_key(name="later", purposes=["gate"], actor=SYSTEM)
    forge("UPDATE access_apikey SET scopes = ARRAY['media:check'] WHERE name = 'later'")
    run = reconcile(since=since)
    assert run.since == since
    assert Difference.objects.get().subject == "key:later"
    reconcile(since=since)
    assert Difference.objects.filter(ended_at=None).count() == 1, "only a whole run ends one"


@pytest.mark.parametrize(
    ("data", "subject"),
    [("{}", "account:nobody"), ("[]", "hash:99999999999999999999"), ("{}", "evidence:x")],
)
def test_a_forged_entry_ends_no_run(data: str, subject: str, monkeypatch: Any) -> None:
    monkeypatch.undo()
    for kind in ("evidence.viewed", "case.confirmed", "setting.made"):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ledger_entry (at, actor, kind, subject, data, actor_salt,"
                " subject_salt, data_salt, actor_commitment, subject_commitment, data_commitment)"
                " SELECT now(), 'system:x', %s, %s, %s::jsonb, x, x, x, x, x, x"
                " FROM sha256('') AS x",
                [kind, subject, data],
            )
    assert reconcile().found >= 2


def test_the_command_names_what_differs_and_fails() -> None:
    keys(2)
    done = CliRunner().invoke(ledger, ["reconcile", "--all"])
    assert (done.exit_code, "ok: the tables and the ledger agree." in done.output) == (0, True)
    forge(WIDEN)
    done = CliRunner().invoke(ledger, ["reconcile", "--all"])
    assert done.exit_code == 1
    assert "API key key:key-1" in done.output
    assert "1 difference is not explained." in done.output
    for wrong in (["--all", "--since", "2026-01-01"], ["--since", "yesterday"]):
        refused = CliRunner().invoke(ledger, ["reconcile", *wrong])
        assert isinstance(refused.exception, Invalid)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_a_piece_is_read_as_of_one_moment() -> None:
    keys(3)
    run = reconcile()
    assert run.finished_at is not None
    assert run.found == 0
