"""Nobody looks at more than is good for them, and the console says so before it is too much."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.evidence.models import Evidence
from kinward.ground.errors import KinwardError
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.review.exposure import BreakDue, DayFull, exposure_of
from kinward.review.lease import take_case
from kinward.review.look import look_at_file, veil_file
from kinward.review.models import Look
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.helpers import quarantined

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def case(bank: Bank, account: Account, reviewer: Staff) -> Case:
    return take_case(case=quarantined(account), staff=reviewer)


def open_file(case: Case, staff: Staff) -> None:
    look_at_file(
        case_id=case.id, evidence_id=Evidence.objects.get().id, staff=staff, reason="to decide"
    )


def pass_time(minutes: float) -> None:
    """As if everything so far had been that long ago."""
    for each in Look.objects.all():
        Look.objects.filter(pk=each.pk).update(at=each.at - timedelta(minutes=minutes))


def test_after_so_many_in_a_row_a_pause_is_due(
    case: Case, reviewer: Staff, configure: Configure
) -> None:
    configure(exposure_in_a_row=3, exposure_pause_minutes=15)
    for _ in range(3):
        open_file(case, reviewer)
        pass_time(5)
    with pytest.raises(BreakDue):
        open_file(case, reviewer)
    assert Entry.objects.filter(kind="evidence.viewed").count() == 3
    pass_time(10)
    open_file(case, reviewer)


def test_who_pauses_by_themselves_is_not_told_to(
    case: Case, reviewer: Staff, configure: Configure
) -> None:
    configure(exposure_in_a_row=2, exposure_pause_minutes=15)
    for _ in range(6):
        open_file(case, reviewer)
        pass_time(16)
    assert exposure_of(reviewer).pause_until is None


def test_a_day_has_an_end(case: Case, reviewer: Staff, configure: Configure) -> None:
    configure(exposure_per_day=4, exposure_in_a_row=100)
    for _ in range(4):
        open_file(case, reviewer)
    with pytest.raises(DayFull):
        open_file(case, reviewer)
    veil_file(case_id=case.id, evidence_id=Evidence.objects.get().id, staff=reviewer)
    pass_time(24 * 60)
    open_file(case, reviewer)


def test_two_windows_do_not_get_around_it(
    case: Case, reviewer: Staff, configure: Configure
) -> None:
    configure(exposure_per_day=5, exposure_in_a_row=100)
    refused: list[KinwardError] = []

    def keep_opening() -> None:
        for _ in range(4):
            try:
                open_file(case, reviewer)
            except KinwardError as error:
                refused.append(error)
        connection.close()

    windows = [threading.Thread(target=keep_opening) for _ in range(3)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert Entry.objects.filter(kind="evidence.viewed").count() == 5
    assert len(refused) == 7


def test_the_page_says_how_much_it_was_and_what_is_refused(
    case: Case, reviewer: Staff, configure: Configure
) -> None:
    configure(exposure_in_a_row=1, exposure_per_day=9)
    page = signed_in(reviewer)
    evidence = Evidence.objects.get().id
    assert "You have opened 0 of at most 9" in page.get(f"/cases/{case.id}").content.decode()
    show = f"/cases/{case.id}/files/{evidence}/show"
    assert page.post(show, headers={"HX-Request": "true"}).status_code == 200
    refused = page.post(show, headers={"HX-Request": "true"})
    assert refused.status_code == 429
    assert refused.text.startswith('<p class="message error" role="alert">')
    assert "You have looked at many files" in refused.text
    text = page.get(f"/cases/{case.id}").content.decode()
    assert "You have opened 1 of at most 9" in text
    assert "Time for a break" in text
    assert exposure_of(reviewer).pause_until is not None
    assert timezone.now() < (exposure_of(reviewer).pause_until or timezone.now())


def test_who_wants_fewer_gets_fewer_and_nobody_more(
    case: Case, reviewer: Staff, configure: Configure
) -> None:
    configure(exposure_per_day=3)
    page = signed_in(reviewer)
    for wrong in ("4", "-1", "x", "9" * 5000):
        assert page.post("/viewing/choose", {"at_most": wrong}).status_code == 422
    page.post("/viewing/choose", {"at_most": "1"})
    open_file(case, reviewer)
    with pytest.raises(DayFull):
        open_file(case, reviewer)
    page.post("/viewing/choose", {"at_most": ""})
    open_file(case, reviewer)
    page.post("/viewing/choose", {"at_most": "3"})
    configure(exposure_per_day=2)  # the house became stricter
    with pytest.raises(DayFull):
        open_file(case, reviewer)


def test_files_are_described_or_in_colour_for_who_chose_that(
    case: Case, reviewer: Staff, account: Account
) -> None:
    page, evidence = signed_in(reviewer), Evidence.objects.get()
    files = f"/cases/{case.id}/files/{evidence.id}"
    assert f"{files}/veil" in page.get(f"/cases/{case.id}").text
    assert "checked" not in page.post(f"{files}/show").text
    page.post("/viewing/choose", {"described": "on", "in_colour": "on"})
    words = page.get(f"/cases/{case.id}").text
    assert f"{files}/veil" not in words
    assert words.count("Looks the same as an entry of") == 2, "for the case, and for its file"
    shown = page.post(f"{files}/show").text
    assert 'class="in-colour" checked' in shown
    assert 'class="larger" checked' not in shown
    assert "checked>" in page.get("/viewing").text
