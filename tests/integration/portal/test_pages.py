"""The family page and the Safety Center in each language, and what a page says in it."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.translation import gettext, override

from kinward.access.actor import Actor
from kinward.experience.services import pin_first_pack
from kinward.families.pairing import ending
from kinward.families.settings import choices
from kinward.families.settings.groups import SETTING_MEANINGS
from kinward.families.visits.sessions import Start, open_portal
from kinward.people.api import Profile, put_account
from kinward.people.models import Account
from kinward.policy.sentences import capability_words
from kinward.portal.views_safety import PAGES
from tests.support.families import make_account, pair

pytestmark = pytest.mark.django_db

TODAY = {"en": "Today", "de": "Heute", "sv": "I dag", "nl": "Vandaag", "fr": "Aujourd", "es": "Hoy"}


def test_today_is_known_in_every_language() -> None:
    assert set(TODAY) == set(dict(settings.LANGUAGES)), "otherwise its family page is not tested"


def visiting(account: Account, start: Start | None = None) -> Client:
    client = Client()
    secret, _ = open_portal(
        account_id=account.platform_id, start=start or Start(), actor=Actor.key("test")
    )
    client.post(f"/family/enter/{secret}", {"answer": "yes"})
    return client


ASKS = {
    "en": "Is that you?",
    "de": "Bist du das?",
    "sv": "Är det du?",
    "nl": "Ben jij dat?",
    "fr": "Est-ce bien toi",
    "es": "¿Eres tú?",
}


@pytest.mark.parametrize("language", ASKS)
def test_a_link_asks_in_the_language_of_its_account(language: str) -> None:
    profile = Profile(language=language, screen_name="Wren\u202e")
    put_account(platform_id="wren", profile=profile)
    secret, _ = open_portal(account_id="wren", start=Start(), actor=Actor.key("test"))
    page = Client().get(f"/family/enter/{secret}").content.decode()
    assert f'<html lang="{language}">' in page
    assert ASKS[language] in page
    assert ">U+202E</span>" in page
    assert "\u202e" not in page
    for english in ("You are", "Yes, that is me", "somebody else", "These pages"):
        assert (english in page) == (language == "en"), english


@pytest.mark.parametrize("language", TODAY)
def test_the_family_page_speaks_the_language_of_its_reader(language: str) -> None:
    teen = make_account("wren", 15, language=language)
    guardian = make_account("heron", 40, language=f"{language}-XX")
    made = pair(guardian, teen)
    choices.choose_setting(guardian=guardian, teen_id="wren", capability="session.time", value=45)
    ending.end_pairing(account=teen, pairing_id=made.pk)
    made.refresh_from_db()
    assert made.ends_at is not None
    with override(language):
        when = date_format(made.ends_at, "DATETIME_FORMAT")
    for reader, path in ((teen, "/family"), (guardian, f"/family/teens/{made.pk}")):
        page = visiting(reader).get(path).content.decode()
        assert f'<html lang="{language}">' in page
        assert TODAY[language] in page
        if language != "en":
            for english in ("Set by", "History", "Minutes per day", "Change:", "Allowed:"):
                assert english not in page, english
        assert when in page.replace("&nbsp;", " "), when


def test_every_language_has_every_page_of_the_safety_center() -> None:
    seen: dict[str, set[str]] = {name: set() for name in PAGES}
    for language, _name in settings.LANGUAGES:
        for name in PAGES:
            path = f"/safety/{language}" + ("" if name == "index" else f"/{name}")
            answer = Client().get(path)
            assert answer.status_code == 200
            page = answer.content.decode()
            assert f'<html lang="{language}">' in page
            assert "noindex" not in page
            assert "<script" not in page
            assert page.count("hreflang") >= 2 * len(settings.LANGUAGES)
            assert "public" in answer.headers["Cache-Control"]
            seen[name].add(page.split("<main")[1])
    assert all(len(pages) == len(settings.LANGUAGES) for pages in seen.values())
    assert Client().get("/safety/xx").status_code == 404
    assert Client().get("/safety/en/admin").status_code == 404


def test_countries_have_their_names_in_each_language() -> None:
    for language, name in (("en", "Germany"), ("de", "Deutschland"), ("fr", "Allemagne")):
        page = Client().get(f"/safety/{language}/help").content.decode()
        assert f"<h2>{name}</h2>" in page
        options = Client().get(f"/safety/{language}/settings").content.decode()
        assert f'<option value="DE">{name}</option>' in options


def test_the_settings_page_follows_the_law_of_a_country() -> None:
    everywhere = Client().get("/safety/en/settings").content.decode()
    assert "Ages 13 to 15" in everywhere
    assert "60 minutes" in everywhere
    assert Client().get("/safety/en/settings?place=GB").content.decode() != everywhere
    assert Client().get("/safety/en/settings?place=%3Cscript%3E").status_code == 200


@pytest.mark.parametrize("language", TODAY)
def test_what_the_guidelines_of_the_union_name_is_on_both_pages(language: str) -> None:
    names = [
        *("live.comment", "live.react", "live.record", "engagement.streaks", "dm.receipts"),
        *("engagement.counts", "feed.endless", "assistant.chat", "purchase.chance"),
        "content.screenshot",
    ]
    make_account("wren", 15, language=language)
    pages = (
        Client().get(f"/safety/{language}/settings").content.decode(),
        visiting(Account.objects.get()).get("/family").content.decode(),
    )
    for page in pages:
        for name in names:
            assert escape(capability_words(name, language, None)) in page, name
            with override(language):
                assert escape(gettext(SETTING_MEANINGS[name])) in page, name


def test_a_pack_of_an_earlier_edition_shows_what_it_speaks_of() -> None:
    make_account("wren", 15)
    pin_first_pack()
    for page in (
        Client().get("/safety/en/settings").content.decode(),
        visiting(Account.objects.get()).get("/family").content.decode(),
    ):
        assert "Going live" in page
        assert "Loot boxes" not in page


def test_the_page_that_waits_changes_only_when_something_did() -> None:
    teen = make_account("wren", 15)
    browser = visiting(teen)
    page = browser.get("/family/now").content.decode()
    mark = page.split("since=")[1].split('"')[0]
    assert browser.get(f"/family/now?since={mark}").status_code == 204
    pair(make_account("heron", 40), teen)
    assert browser.get(f"/family/now?since={mark}").status_code == 200


def test_a_report_is_acknowledged_helped_with_and_told_its_outcome() -> None:
    teen = make_account("wren", 15, place="DE")
    make_account("stranger", 40)
    browser = visiting(teen, Start(page="report", account_id="stranger", content_id="p-1"))
    sent = {"category": "image", "text": "It is of me."}
    answer = browser.post("/family/report", sent, follow=True).content.decode()
    assert "Do not pay, and do not send anything more." in answer
    assert "Nummer gegen Kummer" in answer
    assert "a person will review it" in answer


def test_a_notice_says_local_dates() -> None:
    guardian = make_account("heron", 40, language="de")
    made = pair(guardian, make_account("wren", 15))
    ending.end_pairing(account=made.teen, pairing_id=made.pk)
    page = visiting(guardian).get("/family").content.decode()
    ends = timezone.now() + timedelta(hours=48)
    assert f"{ends.day}. " in page
    assert "hat eure Verbindung beendet" in page
