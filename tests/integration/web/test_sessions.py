"""Sessions end in time, their cookies are bound to the host, and no id outlives a role."""

import os
import subprocess
import sys
import time
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from kinward.access.actor import Actor
from kinward.access.appointments import change_roles
from kinward.access.models import Staff
from kinward.access.staff import create_staff
from kinward.cli.demo import give_second_factor
from kinward.web.doors import signed_in
from kinward.web.sessions import BEGAN, SEEN, is_over

pytestmark = pytest.mark.django_db
OPERATOR = Actor.operator("test")
PASSWORD = "a long test word"
HOUR = 3600


@pytest.fixture
def desk(reviewer: Staff) -> Client:
    give_second_factor(reviewer)
    client = Client()
    client.force_login(reviewer)
    return client


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Move the clock of sessions, in seconds from now."""
    began = time.time()

    def move(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: began + seconds)

    return move


def is_open(client: Client) -> bool:
    return bool(client.get("/queue").status_code == 200)


def admits(client: Client) -> bool:
    return signed_in({"sessionid": client.cookies["sessionid"].value})


def test_a_session_ends_without_a_person(desk: Client, clock: Any) -> None:
    for minutes in (50, 100, 150):  # each of them within an hour of the one before
        clock(minutes * 60)
        assert is_open(desk)
    clock((150 + 59) * 60)
    assert desk.get("/queue", headers={"HX-Request": "true"}).status_code == 200
    clock((150 + 60) * 60)
    assert not admits(desk), "the body of a form is not even read"
    assert not is_open(desk)
    clock(151 * 60)
    assert not is_open(desk), "what is over stays over"
    assert not Session.objects.exists()


def test_a_session_ends_after_its_hours_whoever_is_there(desk: Client, clock: Any) -> None:
    for minutes in range(0, 12 * 60, 30):
        clock(minutes * 60)
        assert is_open(desk)
        assert admits(desk)
    clock(12 * HOUR)
    assert not admits(desk)
    assert not is_open(desk)


def test_both_times_are_settings(desk: Client, clock: Any, configure: Any) -> None:
    configure(session_idle_minutes=5, session_hours=1)
    clock(299)
    assert is_open(desk)
    clock(299 + 301)
    assert not is_open(desk)


def test_a_session_of_an_earlier_version_is_over_and_one_of_nobody_is_not() -> None:
    now = time.time()
    assert is_over({"_auth_user_id": "1"}, now)
    assert is_over({"_auth_user_id": "1", SEEN: now}, now)
    assert is_over({"_auth_user_id": "1", BEGAN: now}, now)
    assert not is_over({"_auth_user_id": "1", BEGAN: now, SEEN: now}, now)
    assert not is_over({"state": "before a sign-in"}, now)


def test_a_session_id_changes_with_the_sign_in_and_ends_with_the_role() -> None:
    create_staff(
        username="robin", password=PASSWORD, roles=["reviewer"], actor=Actor.system("demo")
    )
    client, form = Client(), {"login": "robin", "password": PASSWORD}
    client.get("/account/login/?next=/queue")
    planted = client.session
    planted["planted"] = True
    planted.save()
    client.cookies["sessionid"] = str(planted.session_key)
    client.post("/account/login/", form)
    first = client.session.session_key
    assert first not in (None, planted.session_key)
    change_roles(username="robin", roles=["auditor"], actor=OPERATOR)
    assert client.get("/account/2fa/").status_code == 302
    client.post("/account/login/", form)
    assert client.session.session_key not in (None, first, planted.session_key)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("https://safety.example.org", "__Host-kinward-session __Host-kinward-csrf True True"),
        ("http://127.0.0.1:8700", "sessionid csrftoken False True"),
    ],
)
def test_the_cookies_are_bound_to_the_host_where_there_is_tls(url: str, names: str) -> None:
    read = (
        "from kinward.project import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE,"
        " s.CSRF_COOKIE_HTTPONLY)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", read],
        env={**os.environ, "KINWARD_PUBLIC_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == names.split()
