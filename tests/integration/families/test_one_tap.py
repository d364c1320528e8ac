"""Answers in one tap: from the notice, the mail and the first screen, and what is refused."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.core import mail, signing
from django.test import Client
from django.utils import timezone

from kinward.enforcement.models import Action
from kinward.enforcement.tasks import tell as pass_on
from kinward.families.asks import requests, taps
from kinward.families.models import Answer, Ask, AskState, Notice, Pairing
from kinward.families.notices import notice_sentence
from kinward.families.pairing import disputes, ending
from kinward.families.settings import choices
from kinward.families.visits import digest
from kinward.people.locks import lock_account
from kinward.people.models import Account, Standing
from kinward.people.services import set_standing
from tests.integration.conftest import Configure
from tests.integration.portal.test_pages import visiting
from tests.support.families import make_account, pair

pytestmark = pytest.mark.django_db

TIME = "session.time"


@pytest.fixture(autouse=True)
def in_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job closes its connection at the end, which a test in a transaction needs."""
    monkeypatch.setattr("kinward.ground.jobs.close_old_connections", lambda: None)


@pytest.fixture
def ma(db: None) -> Account:
    return make_account("ma", 41)


@pytest.fixture
def teens(ma: Account) -> list[Account]:
    teens = [make_account(name, 14) for name in ("ann", "ben", "cat", "dan", "eva", "fay")]
    for teen in teens:
        pair(ma, teen)
    return teens


def ask_for(teen: Account, **what: Any) -> Ask:
    return requests.ask_guardians(teen=teen, **({"capability": TIME, "reason": ""} | what))


def notice_of(ask: Ask, guardian: Account) -> dict[str, Any]:
    """The newest notice about an ask, as the platform gets it."""
    newest = Notice.objects.filter(ask=ask, account=guardian)[0]
    Notice.objects.filter(pk=newest.pk).update(passed_on=False)
    pass_on(newest.pk)
    return passed_on(guardian)


def passed_on(account: Account) -> dict[str, Any]:
    """The newest notice that the platform got for an account."""
    notice: Any = Action.objects.filter(account=account).latest("number").notice
    return dict(notice)


def link(ask: Ask, guardian: Account, answer: str = "yes") -> str:
    """The path of the link with an answer, as in the notice."""
    found = [
        each["url"] for each in notice_of(ask, guardian)["answers"] if each["answer"] == answer
    ]
    return unquote(urlsplit(found[0]).path)


def app() -> Client:
    """The platform's app or server: no visit, no cookie, no token of a form."""
    return Client(enforce_csrf_checks=True)


def state(ask: Ask) -> str:
    return Ask.objects.get(pk=ask.pk).state


def test_six_teens_and_two_asks_are_answered_in_two_taps_from_the_notices(
    ma: Account, teens: list[Account]
) -> None:
    first = ask_for(teens[1], minutes=30)
    second = ask_for(teens[4], capability="comment.receive", value="followers")
    notices = [notice_of(ask, ma) for ask in (first, second)]
    assert [each["sentence"] for each in notices] == [
        "Ben asks for: 30 more minutes today",
        "Eva asks for: Comments on your posts: only followers",
    ]
    assert [each["answer"] for each in notices[0]["answers"]] == ["yes", "talk", "no"]
    tapped = [urlsplit(each["answers"][0]["url"]).path for each in notices]
    assert [app().post(path).status_code for path in tapped] == [200, 200]
    assert (state(first), state(second)) == (AskState.GRANTED, AskState.GRANTED)
    until = Ask.objects.get(pk=second.pk).until
    assert until is not None  # a yes in one tap holds for today
    assert until <= timezone.now() + timedelta(days=1)


def test_the_first_screen_shows_the_asks_of_all_teens_first_and_answers_them_in_one_tap(
    ma: Account, teens: list[Account]
) -> None:
    asks = [ask_for(teens[0], minutes=15, reason="a film"), ask_for(teens[5], minutes=30)]
    browser = visiting(ma)
    page = browser.get("/family").content.decode()
    order = [page.index(text) for text in ("Ann: 15 more", "Fay: 30 more", "/family/teens/")]
    assert order == sorted(order)
    assert "a film" in page
    for ask in asks:
        sent = {"said": "yes", "for": "day", "back": "home"}
        assert browser.post(f"/family/asks/{ask.pk}", sent)["Location"] == "/family"
        assert state(ask) == AskState.GRANTED
    assert "Waiting for your answer" not in browser.get("/family").content.decode()


def test_a_scanner_that_opens_every_link_answers_nothing(ma: Account, teens: list[Account]) -> None:
    ask = ask_for(teens[0], minutes=30)
    for answer in ("yes", "talk", "no"):
        path = link(ask, ma, answer)
        page = app().get(path)
        assert page.status_code == 200
        assert page.content.decode().count("<button") == 1
        assert page["Referrer-Policy"] == "no-referrer"
        assert app().head(path).status_code == 405
    assert state(ask) == AskState.OPEN
    assert not Answer.objects.exists()


@pytest.mark.parametrize("answer", ["yes", "talk", "no"])
def test_a_link_works_once_also_after_another_answer(
    ma: Account, teens: list[Account], answer: str
) -> None:
    ask = ask_for(teens[0], minutes=30)
    paths = {each: link(ask, ma, each) for each in ("yes", "talk", "no")}
    assert app().post(paths[answer]).status_code == 200
    again = app().post(paths[answer])
    assert again.status_code == 403
    assert "already used" in again.content.decode()
    assert app().get(paths[answer]).status_code == 403
    others = [app().post(paths[each]).status_code for each in paths if each != answer]
    # "Let's talk" leaves the ask open. Its yes and its no come later, one of them.
    assert others == ([200, 409] if answer == "talk" else [409, 409])
    assert Answer.objects.filter(ask=ask, answer=answer).count() == 1


def test_a_forged_link_is_refused(ma: Account, teens: list[Account]) -> None:
    ask = ask_for(teens[0], minutes=30)
    token = link(ask, ma).removeprefix("/family/answer/")
    body, stamp, mac = token.rsplit(":", 2)
    pairing = Pairing.objects.get(teen=teens[0])
    elsewhere = signing.dumps([str(ask.pk), str(pairing.pk), "yes"], salt="another salt")
    other = link(ask, ma, "no").removeprefix("/family/answer/").rsplit(":", 2)
    for forged in (f"{body}:{stamp}:{mac[:-2]}xx", "x", elsewhere, f"{other[0]}:{stamp}:{mac}"):
        for call in (app().get, app().post):
            assert call(f"/family/answer/{forged}").status_code == 403
    assert state(ask) == AskState.OPEN


def test_a_link_expires_and_ends_with_its_ask(
    ma: Account, teens: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn, granted, old = (ask_for(teens[0], minutes=15) for _ in range(3))
    paths = [link(ask, ma, "no") for ask in (withdrawn, granted, old)]
    requests.withdraw_ask(account=teens[0], ask_id=withdrawn.pk)
    app().post(link(granted, ma))
    assert [app().post(path).status_code for path in paths[:2]] == [409, 409]
    assert state(granted) == AskState.GRANTED  # a link takes nothing back
    Ask.objects.filter(pk=old.pk).update(lapses_at=timezone.now())
    assert app().post(paths[2]).status_code == 409
    Ask.objects.filter(pk=old.pk).update(lapses_at=timezone.now() + timedelta(days=3))
    monkeypatch.setattr(taps, "LAPSES", timedelta(seconds=-1))
    assert app().post(paths[2]).status_code == 403


def test_a_link_of_somebody_who_lost_power_is_refused(ma: Account, teens: list[Account]) -> None:
    ann, ben, cat = teens[:3]
    asks = [ask_for(teen, minutes=15) for teen in (ann, ben, cat)]
    paths = [link(ask, ma) for ask in asks]
    made = Pairing.objects.get(teen=ann)
    ending.end_pairing(account=ma, pairing_id=made.pk)
    assert app().post(paths[0]).status_code == 403
    pair(ma, ann)  # another pairing, for which the link was not made
    assert app().post(paths[0]).status_code == 403
    disputes.pause_disputed_pairing(teen=ben, pairing_id=Pairing.objects.get(teen=ben).pk)
    assert app().post(paths[1]).status_code == 403
    set_standing(account=lock_account(ma.pk), standing=Standing.SUSPENDED)
    assert app().post(paths[2]).status_code == 403
    assert {state(ask) for ask in asks} == {AskState.OPEN}


def test_a_link_gives_its_own_guardian_s_answer_and_no_more(
    ma: Account, teens: list[Account]
) -> None:
    pa = make_account("pa", 44)
    pair(pa, teens[0])
    choices.choose_setting(guardian=ma, teen_id="ann", capability=TIME, value=30)
    ask = ask_for(teens[0], value="unlimited")
    assert app().post(link(ask, pa)).status_code == 200
    assert state(ask) == AskState.OPEN
    needed = notice_of(ask, ma)
    assert needed["topic"] == "yes.needed"
    assert needed["sentence"].startswith("Another guardian of Ann said yes:")
    assert app().post(urlsplit(needed["answers"][0]["url"]).path).status_code == 200
    assert state(ask) == AskState.GRANTED


def test_a_notice_about_something_else_has_no_links(ma: Account, teens: list[Account]) -> None:
    ask = ask_for(teens[0], minutes=15)
    app().post(link(ask, ma))
    assert "answers" not in notice_of(ask, ma)  # what is answered is asked no more
    notice = Notice.objects.filter(account=teens[0])[0]
    pass_on(notice.pk)
    assert "answers" not in passed_on(teens[0])
    assert notice_sentence(notice) == "Ma said yes: 15 more minutes today"


def test_an_ask_is_mailed_only_to_an_address_that_was_confirmed_for_it(
    ma: Account, teens: list[Account], configure: Configure
) -> None:
    configure(mail_url="smtp://127.0.0.1:2525")
    pairing = Pairing.objects.get(teen=teens[0])
    address = "kin@tidepool.example"
    # Confirmed by an earlier version, which promised numbers only.
    Pairing.objects.filter(pk=pairing.pk).update(digest=address)
    ask = ask_for(teens[0], minutes=30, reason="a film")
    taps.mail_ask(str(ask.pk), str(pairing.pk))
    assert mail.outbox == []
    digest.confirm_digest(signing.dumps([str(pairing.pk), address], salt=digest.CONFIRM))
    taps.mail_ask(str(ask.pk), str(pairing.pk))
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([address], "Ann asks for: 30 more minutes today")
    assert "a film" not in str(message.body)
    paths = [urlsplit(url).path for url in re.findall(r"http\S+", str(message.body))]
    assert len(paths) == 3
    assert app().get(paths[0]).status_code == 200
    assert app().post(paths[0]).status_code == 200
    assert state(ask) == AskState.GRANTED
    taps.mail_ask(str(ask.pk), str(pairing.pk))
    assert len(mail.outbox) == 1  # what is answered is asked no more


def test_ending_a_pairing_is_asked_about_on_both_pages(ma: Account, teens: list[Account]) -> None:
    pairing = Pairing.objects.get(teen=teens[0])
    browser = visiting(ma)
    for path in ("/family", f"/family/teens/{pairing.pk}"):
        page = browser.get(path).content.decode()
        form = f'action="/family/pairings/{pairing.pk}/end"'
        before = page[: page.index(form)]
        assert (
            before.rindex("<details>") > before.rindex("</details>")
            if "</details>" in before
            else 1
        )
        assert "Yes, end it" in page
        assert "Your pairing with Ann ends immediately." in page
