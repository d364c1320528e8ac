"""Watching the watchers: what is counted of each person's work, and who looks into an alert."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case, Finding, Verdict
from kinward.evidence.models import Evidence
from kinward.evidence.services import seal_excerpt
from kinward.ground.errors import Forbidden, Invalid, NotFound
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.redress.models import Appeal, Statement
from kinward.review import watching
from kinward.review.measures import MEASURES
from kinward.review.models import Look, SecondReading, StaffAlert
from kinward.review.watching import OwnAlert, alerts_for, raise_alerts, read_alert, work_since
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def senior(db: None) -> Staff:
    return Staff.objects.create_user(username="sen", password="x" * 12, roles=["senior reviewer"])


def case_with_file() -> Case:
    account = put_account(platform_id=f"member-{Account.objects.count()}", profile=Profile())[0]
    case = Case.objects.create(account=account)
    with transaction.atomic():
        seal_excerpt(case_id=case.pk, text="heron: Hello.", actor=Actor.key("test"))
    return case


def look(case: Case, staff: Staff) -> None:
    Look.objects.create(staff=staff, evidence=Evidence.objects.get(case=case))


def verdict(staff: Staff, outcome: str = "confirmed", *, seen: bool = True) -> Verdict:
    case = case_with_file()
    if seen:
        look(case, staff)
    return Verdict.objects.create(case=case, outcome=outcome, given_by=staff)


def work_of(staff: Staff) -> dict[str, int]:
    """What is counted of a person beside zeroes."""
    work = work_since(timezone.now() - timedelta(days=1)).get(staff.pk)
    fields = work.__struct_fields__ if work else ()
    return {
        name: getattr(work, name) for name in fields if name != "person" and getattr(work, name)
    }


def test_each_measure_counts_what_it_says(reviewer: Staff, senior: Staff) -> None:
    assert work_of(reviewer) == {}
    verdict(senior)
    verdict(reviewer)
    one = {"verdicts": 1, "busiest_hour": 1, "confirmed": 1, "looks": 1}
    assert work_of(reviewer) == one
    unseen = verdict(reviewer, seen=False)
    look(unseen.case, reviewer)  # too late
    two = {"verdicts": 2, "busiest_hour": 2, "confirmed": 2, "looks": 2, "unseen": 1}
    assert work_of(reviewer) == two
    Case.objects.filter(pk=unseen.case_id).update(state="overturned")
    assert work_of(reviewer) == two | {"overturned": 1}
    look(case_with_file(), reviewer)
    assert work_of(reviewer) == two | {"overturned": 1, "looks": 3, "looks_alone": 1}


def test_a_dismissed_match_counts_only_if_the_list_is_verified(
    reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    for confidence in ("verified", "unverified"):
        dismissed = verdict(reviewer, "dismissed")
        Finding.objects.create(
            case=dismissed.case,
            kind="dispute_of_a_test",
            at=timezone.now(),
            grounds={},
            confidence=confidence,
        )
    assert "dismissed_matches" not in work_of(reviewer)
    monkeypatch.setattr(watching, "MATCH", "dispute_of_a_test")
    assert work_of(reviewer)["matches"] == work_of(reviewer)["dismissed_matches"] == 1
    Finding.objects.update(void=True)
    assert "dismissed_matches" not in work_of(reviewer)


def test_a_look_is_not_alone_while_the_case_is_held_or_once_the_person_did_their_part(
    reviewer: Staff,
) -> None:
    held, read, appealed = case_with_file(), case_with_file(), case_with_file()
    for case in (held, read, appealed):
        look(case, reviewer)
    assert work_of(reviewer)["looks_alone"] == 3
    soon = timezone.now() + timedelta(minutes=5)
    Case.objects.filter(pk=held.pk).update(leased_by=reviewer, leased_until=soon)
    other = Verdict.objects.create(case=read, outcome="confirmed", given_by=senior_of("ann"))
    SecondReading.objects.create(
        verdict=other, read_by=reviewer, read_at=timezone.now(), agrees=False
    )
    statement = Statement.objects.create(
        account=appealed.account,
        case=appealed,
        stage="verdict",
        decisions=[],
        dsa={},
        language="en",
        reported=True,
        automatic=False,
    )
    Appeal.objects.create(
        statement=statement,
        text="x",
        due_at=soon,
        state="upheld",
        decided_by=reviewer,
        decided_at=soon,
    )
    assert "looks_alone" not in work_of(reviewer)
    assert work_of(Staff.objects.get(username="ann"))["read"] == 1
    Case.objects.filter(pk=held.pk).update(leased_until=timezone.now() - timedelta(minutes=1))
    assert work_of(reviewer)["looks_alone"] == 1


def senior_of(name: str) -> Staff:
    return Staff.objects.create_user(username=name, password="x" * 12, roles=["senior reviewer"])


def test_an_alert_opens_past_the_threshold_and_another_person_closes_it(
    reviewer: Staff, senior: Staff
) -> None:
    for _ in range(4):
        verdict(reviewer, seen=False)
    raise_alerts()
    assert not StaffAlert.objects.exists(), "four are too few for a share"
    verdict(reviewer, seen=False)
    assert raise_alerts() == 1
    assert raise_alerts() == 0, "one is open"
    (alert,) = alerts_for(senior)
    assert alert.words == "5 of 5 confirmed without opening any file of the case"
    assert Entry.objects.get(kind="staff.alert_raised").data == {
        "measure": "unseen",
        "count": 5,
        "among": 5,
    }
    page = signed_in(senior)
    assert alert.words in page.get("/quality").content.decode()
    assert page.post(f"/quality/alert/{alert.pk}", {"note": " "}).status_code == 422
    note = {"note": "Robin knew the files from the other queue."}
    assert page.post(f"/quality/alert/{alert.pk}", note).status_code == 302
    alert.refresh_from_db()
    assert (alert.read_by, alert.note) == (senior, note["note"])
    with pytest.raises(NotFound):
        read_alert(alert_id=alert.pk, note="x", staff=senior)
    assert raise_alerts() == 0, "somebody looked into these five"
    for _ in range(5):
        verdict(reviewer, seen=False)
    assert raise_alerts() == 1, "and nobody into the next ones"


def test_a_meter_turns_where_an_alert_opens(
    reviewer: Staff, senior: Staff, configure: Configure
) -> None:
    configure(watch_share=0.6)
    for seen in (True, False):
        verdict(reviewer, seen=seen)
    shown = signed_in(senior).get("/quality").content.decode()
    meter = next(part for part in shown.split("<meter") if 'value="50"' in part)
    assert 'low="60" high="60" max="100" optimum="0"' in meter


def test_nobody_closes_an_alert_about_themself(reviewer: Staff, senior: Staff) -> None:
    for _ in range(5):
        verdict(senior, seen=False)
    raise_alerts()
    (alert,) = watching.open_alerts()
    assert not alerts_for(senior)
    with pytest.raises(OwnAlert):
        read_alert(alert_id=alert.pk, note="All fine.", staff=senior)
    with pytest.raises(Forbidden):
        read_alert(alert_id=alert.pk, note="All fine.", staff=reviewer)
    with pytest.raises(Invalid):
        read_alert(alert_id=alert.pk, note="x" * 5001, staff=senior_of("ann"))
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffAlert.objects.update(read_by=senior, read_at=timezone.now())
    shown = signed_in(senior).get("/quality").content.decode()
    assert "Another person looks into this." in shown
    assert f"/quality/alert/{alert.pk}" not in shown


def test_who_decides_faster_than_anybody_reads_is_noticed(
    reviewer: Staff, senior: Staff, configure: Configure
) -> None:
    configure(watch_verdicts_an_hour=3)
    for _ in range(3):
        verdict(reviewer, "dismissed")
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    Verdict.objects.update(given_at=hour - timedelta(hours=1))
    verdict(reviewer, "dismissed")
    assert raise_alerts() == 0, "three in one hour, and one in another"
    Verdict.objects.update(given_at=hour)
    assert raise_alerts() == 1
    assert alerts_for(senior).get().words == "4 verdicts within one hour"


def test_every_measure_can_open_an_alert(reviewer: Staff, senior: Staff) -> None:
    for _ in range(5):
        Case.objects.filter(pk=verdict(reviewer, seen=False).case_id).update(state="overturned")
        look(case_with_file(), reviewer)
    SecondReading.objects.bulk_create(
        SecondReading(verdict=given, read_by=senior, read_at=timezone.now(), agrees=False)
        for given in Verdict.objects.all()
    )
    assert raise_alerts() == 4
    opened = set(StaffAlert.objects.values_list("measure", flat=True))
    apart = {"busiest_hour", "dismissed_matches"}  # tests of their own
    assert opened == set(MEASURES) - apart
