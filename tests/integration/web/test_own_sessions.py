"""One's own sessions can be seen and ended, and nothing of a session outlives its moment."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import get_resolver

from kinward.access.models import Staff
from kinward.cli.demo import give_second_factor, one_time_code
from kinward.web.sessions import BROWSER

pytestmark = pytest.mark.django_db
PASSWORD = "a long test word"


def signed_in(staff: Staff, browser: str = "Firefox") -> Client:
    client = Client()
    client.force_login(staff)
    session = client.session
    session[BROWSER] = browser
    session.save()
    return client


@pytest.fixture
def robin(reviewer: Staff) -> Staff:
    give_second_factor(reviewer)
    return reviewer


def is_open(client: Client) -> bool:
    return bool(client.get("/queue").status_code == 200)


def names_on(text: str) -> list[str]:
    return [part.split('"')[0] for part in text.split('name="session" value="')[1:]]


def test_everybody_sees_and_ends_their_own_sessions_only(
    robin: Staff, second_reviewer: Staff
) -> None:
    give_second_factor(second_reviewer)
    desk, phone, other = signed_in(robin), signed_in(robin, "a phone"), signed_in(second_reviewer)
    text = desk.get("/account/sessions/").text
    assert "a phone" in text
    assert text.count("this one") == 1
    (named,) = names_on(text)
    keys = [client.session.session_key for client in (desk, phone, other)]
    assert not any(key in text for key in keys if key), "a page has no key of a session"
    assert other.post("/account/sessions/end", {"session": named}).status_code == 404
    assert is_open(phone)
    assert other.post("/account/sessions/end").status_code == 302
    assert is_open(phone)
    assert desk.post("/account/sessions/end", {"session": named}).status_code == 302
    assert [is_open(client) for client in (desk, phone, other)] == [True, False, True]
    assert desk.post("/account/sessions/end", {"session": named}).status_code == 404


def test_all_others_end_at_once_and_without_a_sign_in_nothing_is_shown(robin: Staff) -> None:
    clients = [signed_in(robin) for _ in range(3)]
    clients[0].post("/account/sessions/end")
    assert [is_open(client) for client in clients] == [True, False, False]
    for address in ("/account/sessions/", "/account/sessions/end"):
        assert Client().get(address).status_code in (302, 405)


def test_a_browser_that_calls_itself_anything_stays_text(reviewer: Staff) -> None:
    called = "a phone <script>\u202e" + "x" * 9000
    client = Client(headers={"User-Agent": called}, REMOTE_ADDR="203.0.113.9")
    client.post("/account/login/", {"login": "robin", "password": PASSWORD})
    text = client.get("/account/sessions/").text
    assert "a phone &lt;script&gt;" in text
    assert "203.0.113.9" in text
    assert "\u202e" not in text
    assert "x" * 300 not in text


def test_a_factor_that_is_shown_gives_the_session_a_new_id(reviewer: Staff) -> None:
    secret = give_second_factor(reviewer)
    client = Client()
    client.force_login(reviewer)
    before = client.session.session_key
    client.post("/account/2fa/reauthenticate/", {"code": one_time_code(secret)})
    after = client.session.session_key
    assert after not in (None, before)
    assert is_open(client)
    stale = Client()
    stale.cookies["sessionid"] = str(before)
    assert not is_open(stale)


@pytest.mark.parametrize(
    "path",
    [
        "/account/2fa/totp/deactivate/",
        "/account/2fa/recovery-codes/generate/",
        "/account/2fa/webauthn/add/",
    ],
)
def test_factors_change_only_after_another_sign_in(
    robin: Staff, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(robin)
    later = time.time() + 3000
    monkeypatch.setattr(time, "time", lambda: later)
    before = list(Authenticator.objects.values_list("pk", "data"))
    for method in ("get", "post"):
        answer = getattr(client, method)(path)
        assert answer.status_code == 302
        assert "reauthenticate" in answer["Location"], answer["Location"]
    assert list(Authenticator.objects.values_list("pk", "data")) == before


@pytest.mark.django_db(transaction=True)
def test_a_change_of_factors_offers_to_end_the_other_sessions(robin: Staff) -> None:
    client = signed_in(robin)
    Authenticator.objects.all().delete()
    secret = give_second_factor(robin)
    client.post("/account/2fa/reauthenticate/", {"code": one_time_code(secret)})
    answer = client.post("/account/2fa/recovery-codes/generate/", follow=True)
    assert "Under Your sessions you can end all others" in answer.text
    assert "/account/sessions/" in answer.text


def test_signing_out_clears_the_browser(robin: Staff) -> None:
    client = signed_in(robin)
    assert "Clear-Site-Data" not in client.get("/account/logout/").headers
    assert client.post("/account/logout/").headers["Clear-Site-Data"] == '"cache", "storage"'


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1"]
)
def test_a_sign_in_leads_nowhere_else(reviewer: Staff, elsewhere: str) -> None:
    form = {"login": "robin", "password": PASSWORD, "next": elsewhere}
    answer: Any = Client().post("/account/login/", form)
    assert answer.status_code == 302
    assert "evil" not in answer["Location"]
    assert answer["Location"].startswith("/")


def test_no_page_answers_trace(robin: Staff) -> None:
    client = signed_in(robin)
    for pattern in get_resolver().url_patterns:
        route = str(pattern.pattern)
        if "<" not in route:
            answer = client.generic("TRACE", f"/{route}")
            assert answer.status_code in (404, 405), route
            assert "sessionid" not in answer.text


def test_a_path_is_decoded_once(robin: Staff) -> None:
    client = signed_in(robin)
    for path in ("/qu%2565ue", "/%252e%252e/queue", "/static/%252e%252e/manage.py"):
        assert client.get(path).status_code == 404
