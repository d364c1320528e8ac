"""Working together: the next case, freeing, comments, and verdicts that are read again."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from kinward.access.models import Staff
from kinward.casebook.models import Case, Verdict, VerdictProposal
from kinward.ground.errors import Forbidden, Invalid, NotFound
from kinward.ledger.models import Entry
from kinward.ledger.words import says
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.review import second_reading
from kinward.review.comments import add_comment
from kinward.review.lease import free_case, take_case, take_next_case
from kinward.review.models import SecondReading
from kinward.review.second_reading import (
    AlreadyRead,
    OwnVerdict,
    is_drawn,
    reader_agreement,
    record_second_reading,
)
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.helpers import confirmed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def senior(db: None) -> Staff:
    return Staff.objects.create_user(username="sen", password="x" * 12, roles=["senior reviewer"])


def cases(count: int) -> list[Case]:
    due = timezone.now() + timedelta(hours=1)
    made = []
    for number in range(count):
        account = put_account(platform_id=f"member-{number}", profile=Profile())[0]
        made.append(Case.objects.create(account=account, due_at=due + timedelta(minutes=number)))
    return made


def test_fifty_reviewers_at_once_never_share_a_case() -> None:
    made = cases(50)
    people = [
        Staff.objects.create(username=f"r{number}", roles=["reviewer"]) for number in range(50)
    ]
    start = threading.Barrier(len(people))
    taken: list[Case | None] = []

    def work(person: Staff) -> None:
        start.wait()
        try:
            taken.append(take_next_case(staff=person))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 50
    assert {case.pk for case in taken if case} == {case.pk for case in made}
    assert Case.objects.values("leased_by").distinct().count() == 50


def test_the_next_case_is_the_most_urgent_and_then_the_first_due(reviewer: Staff) -> None:
    first, second, third = cases(3)
    Case.objects.filter(pk=third.pk).update(priority=0)
    Case.objects.filter(pk=first.pk).update(due_at=timezone.now() + timedelta(days=3))
    order = []
    while case := take_next_case(staff=reviewer):
        order.append(case.pk)
        Case.objects.filter(pk=case.pk).update(state="dismissed")
    assert order == [third.pk, second.pk, first.pk]


def test_a_senior_frees_a_case_that_another_holds(reviewer: Staff, senior: Staff) -> None:
    (case,) = cases(1)
    with pytest.raises(NotFound):
        free_case(case_id=case.pk, staff=senior, why="Nobody has it.")
    take_case(case=case, staff=reviewer)
    with pytest.raises(Forbidden):
        free_case(case_id=case.pk, staff=reviewer, why="x")
    with pytest.raises(Invalid):
        free_case(case_id=case.pk, staff=senior, why=" ")
    page = signed_in(senior)
    assert "End this lease" in page.get(f"/cases/{case.pk}").content.decode()
    assert page.post(f"/cases/{case.pk}/free", {"why": "Robin is ill."}).status_code == 302
    assert take_case(case=case, staff=senior).leased_by == senior
    entry = Entry.objects.get(kind="case.freed")
    assert entry.data["held_by"] == "staff:robin"
    assert says(entry.data["why"], "Robin is ill.")


def test_comments_are_for_colleagues(reviewer: Staff) -> None:
    (case,) = cases(1)
    page = signed_in(reviewer)
    assert page.post(f"/cases/{case.pk}/comment", {"text": " "}).status_code == 422
    page.post(f"/cases/{case.pk}/comment", {"text": "Seen something like it <b>before</b>."})
    text = page.get(f"/cases/{case.pk}").content.decode()
    assert "Seen something like it &lt;b&gt;before&lt;/b&gt;." in text
    assert "before" not in str(Entry.objects.get(kind="case.commented").data)
    with pytest.raises(Invalid):
        add_comment(case=case, staff=reviewer, text="x" * 5001)


def test_some_verdicts_are_read_again_by_another(
    account: Account, reviewer: Staff, senior: Staff, configure: Configure
) -> None:
    configure(second_reading_share=1.0)
    confirmed(account, reviewer, "SF-2")
    confirmed(account, senior, "SF-2")
    theirs, own = SecondReading.objects.order_by("drawn_at")
    with pytest.raises(OwnVerdict):
        record_second_reading(verdict_id=own.verdict_id, agrees=True, note="", staff=senior)
    with pytest.raises(Invalid):
        record_second_reading(verdict_id=theirs.verdict_id, agrees=False, note=" ", staff=senior)
    with pytest.raises(Forbidden):
        record_second_reading(verdict_id=own.verdict_id, agrees=True, note="", staff=reviewer)
    page = signed_in(senior)
    assert page.get("/quality").content.decode().count("I disagree") == 1
    wrong = page.post(f"/quality/{theirs.verdict_id}", {"agrees": "perhaps"})
    assert wrong.status_code == 422
    sent = {"agrees": "no", "note": "It was banter."}
    assert page.post(f"/quality/{theirs.verdict_id}", sent).status_code == 302
    with pytest.raises(AlreadyRead):
        record_second_reading(verdict_id=theirs.verdict_id, agrees=True, note="", staff=senior)
    (figure,) = reader_agreement(timezone.now() - timedelta(days=1))
    assert (figure.person, figure.read, figure.agreed, figure.percent) == ("robin", 1, 0, 0)
    assert "0 %" in page.get("/quality").content.decode()


def test_the_second_person_of_a_verdict_is_no_second_reader(
    account: Account, reviewer: Staff, senior: Staff, configure: Configure
) -> None:
    """As at an appeal: who agreed had a part in it, under whichever role."""
    configure(second_reading_share=1.0)
    confirmed(account, reviewer, "SF-2")
    reading = SecondReading.objects.get()
    VerdictProposal.objects.create(
        case=reading.verdict.case,
        asked_by=reviewer,
        second_by=senior,
        outcome="confirmed",
        form={},
        reasons=[],
        first_words="I saw it.",
    )
    with pytest.raises(OwnVerdict):
        record_second_reading(verdict_id=reading.verdict_id, agrees=True, note="", staff=senior)
    other = Staff.objects.create_user(username="sam", roles=["senior reviewer", "auditor"])
    record_second_reading(verdict_id=reading.verdict_id, agrees=True, note="", staff=other)


def test_the_lot_falls_on_about_the_share_and_cannot_be_chosen(
    reviewer: Staff, configure: Configure
) -> None:
    configure(second_reading_share=0.2)
    drawn = sum(is_drawn(Verdict(given_by=reviewer)) for _ in range(5000))
    assert 850 < drawn < 1150
    configure(second_reading_share=0.0)
    assert not any(is_drawn(Verdict(given_by=reviewer)) for _ in range(500))
    configure(second_reading_share=1.0)
    assert not is_drawn(Verdict(given_by=None, rule="x")), "a rule's verdict is read by its makers"
    assert second_reading.unread_verdicts().count() == 0
