"""The page shows and keeps the hours that the API takes: several spans, and other days."""

import re
from html import unescape
from typing import Any

import pytest

from kinward.experience.live import load_states
from kinward.families.models import Pairing
from kinward.families.settings import choices
from kinward.people.models import Account
from kinward.policy import HOURS
from tests.integration.portal.test_pages import visiting
from tests.support.families import make_account, pair

pytestmark = pytest.mark.django_db

HOURS_OF_USE = "session.hours"


@pytest.fixture
def teen(db: None) -> Account:
    return make_account("sam", 14)


@pytest.fixture
def pairing(teen: Account) -> Pairing:
    return pair(make_account("ma", 41), teen)


def form_of(page: str) -> dict[str, list[str]]:
    """What a browser would send from the form of the hours, if nobody touched it."""
    start = page.index(f'data-capability="{HOURS_OF_USE}"')
    form = page[start : page.index("</form>", start)]
    sent: dict[str, list[str]] = {}
    for name, options in re.findall(r'<select[^>]*name="(\w+)">(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r"<option selected>([^<]+)</option>", options)
        sent.setdefault(name, []).append(chosen[1] if chosen else "")
    for name, value in re.findall(r'<input name="(hours\d)" value="([^"]*)"', form):
        sent[name] = [unescape(value)]
    return sent


def kept(teen: Account) -> list[int]:
    value: Any = load_states(["sam"])["sam"].guardian[HOURS_OF_USE]
    return [HOURS.code(day) for day in (value if isinstance(value, tuple) else (value,) * 7)]


@pytest.mark.parametrize(
    "value",
    [
        "07:00-08:00, 15:00-21:00",
        "06:30-07:30, 12:00-13:00, 15:00-18:00, 19:00-20:30",
        ("07:00-21:00",) * 5 + ("08:00-12:00, 14:00-22:00", "09:00-21:30"),
        tuple(f"0{day}:00-20:00" for day in range(7)),
        "15:00-02:00",
        "always",
    ],
)
def test_saving_what_the_page_shows_changes_nothing(
    teen: Account, pairing: Pairing, value: Any
) -> None:
    choices.choose_setting(
        guardian=pairing.guardian, teen_id="sam", capability=HOURS_OF_USE, value=value
    )
    before = kept(teen)
    browser = visiting(pairing.guardian)
    sent = form_of(browser.get(f"/family/teens/{pairing.pk}").content.decode())
    browser.post(f"/family/teens/{pairing.pk}/settings/{HOURS_OF_USE}", sent)
    assert kept(teen) == before


def test_spans_and_days_are_set_on_the_page(teen: Account, pairing: Pairing) -> None:
    browser = visiting(pairing.guardian)
    path = f"/family/teens/{pairing.pk}/settings/{HOURS_OF_USE}"
    days = {f"hours{day}": "" for day in range(7)} | {"hours6": " 09:00-12:00,14:00-20:00 "}
    browser.post(path, {"opens": ["07:00", "15:00"], "closes": ["08:00", "21:00"], **days})
    week = ["07:00-08:00, 15:00-21:00"] * 6 + ["09:00-12:00, 14:00-20:00"]
    assert kept(teen) == [HOURS.code(day) for day in week]
    # An older page sends one span and no days.
    browser.post(path, {"opens": "07:00", "closes": "21:00"})
    assert kept(teen) == [HOURS.code("07:00-21:00")] * 7


@pytest.mark.parametrize(
    "sent",
    [
        {"opens": "07:00", "closes": "07:00"},  # read as the whole day before
        {"opens": "07:00", "closes": ""},
        {"opens": "07:00", "closes": "21:00", "hours0": "08:00-20:00"},
        {"opens": "07:00", "closes": "21:00"} | {f"hours{day}": "soon" for day in range(7)},
    ],
)
def test_hours_that_cannot_be_read_are_refused_and_nothing_changes(
    teen: Account, pairing: Pairing, sent: dict[str, str]
) -> None:
    choices.choose_setting(
        guardian=pairing.guardian, teen_id="sam", capability=HOURS_OF_USE, value="08:00-20:00"
    )
    path = f"/family/teens/{pairing.pk}/settings/{HOURS_OF_USE}"
    assert visiting(pairing.guardian).post(path, sent).status_code == 422
    assert kept(teen) == [HOURS.code("08:00-20:00")] * 7
