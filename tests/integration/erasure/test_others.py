"""An erasure takes nothing of others: whatever a person is called, and whoever they knew."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import ApiKey, BrokenGlass, Staff
from kinward.access.services import create_key
from kinward.casebook.models import Case, Finding
from kinward.custody.models import Release
from kinward.enforcement.models import Action
from kinward.enforcement.services import notify_account
from kinward.erasure.errors import ErasureDelayed
from kinward.erasure.export import export_data
from kinward.erasure.models import Erasure
from kinward.erasure.services import decide_erasure, request_erasure
from kinward.evidence.excerpts import Message
from kinward.families.pairing.ending import FINISH
from kinward.families.pairing.homes import say_homes
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.gate.models import KeptAnswer
from kinward.ground.jobs import enqueue, enqueue_once
from kinward.ledger.api import kinds, record
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.people.services import Profile, delete_account, put_account
from kinward.reconciliation.models import Difference, Run
from kinward.reporting.models import Report
from kinward.verdicts.consequences import UNBANK
from tests.integration.conftest import Configure
from tests.support.custody import two_custodians
from tests.support.families import make_account, pair
from tests.support.helpers import run_jobs
from tests.support.marked_person import leave

pytestmark = pytest.mark.django_db(transaction=True)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
APP = Actor.key("app")


@pytest.fixture(autouse=True)
def secret(configure: Configure) -> None:
    configure(identifier_key="a key of a test", actions="pull")


def erase(name: str) -> Erasure:
    one, two = two_custodians()
    request = request_erasure(account_id=name, why="They asked.", staff=one)
    return decide_erasure(erasure_id=request.pk, approve=True, staff=two)


def gone(name: str) -> Account:
    """An account that the platform has deleted."""
    account = put_account(platform_id=name, profile=Profile())[0]
    delete_account(platform_id=name, actor=APP)
    return account


def jobs(of: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE task_name = %s", [of])
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize("name", ["17", "ncmec", "bullying"])
def test_no_job_of_others_goes_with_somebody_who_is_called_like_its_argument(name: str) -> None:
    gone(name)
    enqueue_once("exchanges.sync", name, name=name)
    enqueue(FINISH, at=FAR, teen_id=17 if name == "17" else 18)
    enqueue(UNBANK, at=FAR, case_id=str(uuid4()), actor=f"account:{name}")
    erase(name)
    assert len(jobs("exchanges.sync")) == 1
    assert len(jobs(FINISH)) == 1
    assert jobs(UNBANK) == []


def reported(about: str, *, by: str = "", text: str = "x", chat: tuple[str, ...] = ()) -> Finding:
    said = [Message(writer, datetime(2026, 1, 2, tzinfo=UTC), "Hello.") for writer in chat]
    report = UserReportIn(
        account_id=about, category="bullying", text=text, messages=said, reporter_id=by
    )
    return receive_user_report(report=report, actor=APP).finding


def test_the_grounds_of_others_keep_their_words() -> None:
    put_account(platform_id="other", profile=Profile())
    gone("mean words")
    finding = reported("other", text="mean words", chat=("mean words", "other"))
    erase("mean words")
    finding.refresh_from_db()
    (ground,) = finding.grounds
    assert ground["text"] == "mean words"
    assert ground["writers"] == ["(erased)", "other"]


def test_a_kept_answer_goes_by_the_account_in_it_and_not_by_a_word() -> None:
    gone("quarantine")
    create_key(name="app", scopes=frozenset({"media:check"}), actor=Actor.operator("test"))
    for key, answer in (
        ("quarantine", {"outcome": "quarantine"}),
        ("theirs", {"items": [{"account_id": "quarantine", "outcome": "allow"}]}),
        ("ward", {"guardian_id": "quarantine"}),
    ):
        KeptAnswer.objects.create(
            api_key=ApiKey.objects.get(), idempotency_key=key, fingerprint="0", answer=answer
        )
    erase("quarantine")
    assert [row.idempotency_key for row in KeptAnswer.objects.all()] == ["quarantine"]


def differ(subject: str, key: str) -> Difference:
    run = Run.objects.first() or Run.objects.create()
    return Difference.objects.create(
        counterpart=subject.partition(":")[0], subject=subject, key=key, what="no entry", run=run
    )


def test_an_alarm_about_the_rows_of_others_stays_and_one_about_theirs_goes() -> None:
    account = gone("17")
    case = Case.objects.create(account=account, state="dismissed")
    stays = differ("setting:17", "17")
    differ("account:17", "17")
    differ(f"case:{case.pk}", f"{case.pk} AZ 9")
    differ(f"case:{case.pk}", "another key")
    erase("17")
    assert list(Difference.objects.all()) == [stays]


def test_entries_about_content_that_is_called_like_the_account_stay() -> None:
    gone("17")
    with transaction.atomic():
        for kind in ("content.remove", "account.suspend"):
            fact = kinds.ActionIssued(case=None, type=kind, target="17")
            record(actor=APP, subject=f"action:{uuid4()}", fact=fact)
    erase("17")
    left = Entry.objects.filter(kind="action.issued").order_by("pk")
    assert [entry.data and entry.data["type"] for entry in left] == ["content.remove", None]


def glass(request: str, about: str) -> BrokenGlass:
    return BrokenGlass.objects.create(
        operator="operator:root", request=request, about=about, reason="Nobody else is here."
    )


def test_what_an_operator_did_alone_is_emptied_by_its_request_and_not_by_a_word() -> None:
    account = gone("hold")
    one, _ = two_custodians()
    release = Release.objects.create(
        account=account,
        since=timezone.now().date(),
        until=timezone.now().date(),
        state="refused",
        asked_by=one,
        decided_by=one,
        decided_at=timezone.now(),
    )
    stays = glass(f"hold_ending:{uuid4()}", "lift the hold AZ 9")
    goes = glass(str(release), "release records of hold")
    erase("hold")
    assert [BrokenGlass.objects.get(pk=row.pk).about for row in (stays, goes)] == [
        "lift the hold AZ 9",
        "(erased)",
    ]


def test_what_the_other_side_was_told_of_themselves_stays() -> None:
    guardian, teen = make_account("guardian", 40), make_account("teen", 14)
    pair(guardian, teen)
    own = {"topic": "statement", "statement_id": str(uuid4()), "sentence": "You were suspended."}
    notices: list[dict[str, Any]] = [own, {"topic": "growing_up"}, {"topic": "paired", "x": "Teen"}]
    with transaction.atomic():
        statement, growing, family = (
            notify_account(account=guardian, notice=notice, actor=APP) for notice in notices
        )
    leave("teen")
    Action.objects.update(state="delivered")
    erase("teen")
    left = set(Action.objects.filter(account=guardian).values_list("pk", flat=True))
    assert {statement.pk, growing.pk} <= left
    assert family.pk not in left
    told = Entry.objects.get(kind="action.issued", subject=str(statement))
    assert told.data is not None


def delayed(name: str) -> str:
    one, _ = two_custodians()
    with pytest.raises(ErasureDelayed) as refused:
        request_erasure(account_id=name, why="x", staff=one)
    return str(refused.value)


def test_what_a_person_reported_is_kept_with_the_case_that_the_law_keeps(reviewer: Staff) -> None:
    put_account(platform_id="other", profile=Profile())
    gone_later = put_account(platform_id="witness", profile=Profile())[0]
    case = reported("other", by=gone_later.platform_id, text="What I saw", chat=("other",)).case
    delete_account(platform_id="witness", actor=APP)
    Case.objects.filter(pk=case.pk).update(state="reported")
    files = case_files(case.pk)
    files.update(hold_reference="AZ 9")
    assert "legal hold" in delayed("witness")
    files.update(hold_reference="")
    Report.objects.create(
        case=case,
        authority="ncmec",
        draft={},
        state="finished",
        external_id="1",
        finished_at=timezone.now() - timedelta(days=5),
    )
    assert "18 USC 2258A(h)), until" in delayed("witness")
    Report.objects.all().delete()
    erase("witness")
    finding = Finding.objects.get(case=case)
    assert finding.grounds[0]["text"] == "(erased)"


def case_files(case: UUID) -> Any:
    from kinward.evidence.models import Evidence

    files = Evidence.objects.filter(case=case)
    assert files.exists()
    return files


def test_the_export_of_a_teen_shows_no_home_to_another() -> None:
    teen, one = make_account("teen", 14), make_account("one", 40)
    pair(one, teen)
    before = [row for row in export_data("teen").held if row.table.startswith("families.")]
    two = make_account("two", 41)
    second = pair(two, teen)
    say_homes(account=two, word="apart", pairing_id=second.pk)
    run_jobs()
    after = [row for row in export_data("teen").held if row.table.startswith("families.")]
    assert before == after
    assert {row.table for row in export_data("two").held} >= {"families.pairing"}
