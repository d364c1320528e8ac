"""Whoever is refused is named in the log, and a flood of refusals does not fill it."""

import time
from typing import Any

import pytest
from django.test import Client

from kinward.access import refusal_log
from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.refusal_log import LINES, RefusalLog
from kinward.access.staff import create_staff
from kinward.cli.demo import give_second_factor
from kinward.web import adapter

pytestmark = pytest.mark.django_db
PASSWORD = "a long test word"


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, Any]]] = []

    def warning(self, event: str, **about: Any) -> None:
        self.kept.append((event, about))

    info = warning


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    kept = Lines()
    monkeypatch.setattr(refusal_log, "log", kept)
    monkeypatch.setattr(adapter, "log", kept)
    monkeypatch.setattr(refusal_log, "_refusals", RefusalLog())
    return kept


def test_a_page_that_is_refused_is_a_line_with_who_and_where(reviewer: Staff, lines: Lines) -> None:
    give_second_factor(reviewer)
    client = Client()
    client.force_login(reviewer)
    assert client.get("/operations?secret=1").status_code == 403
    ((event, about),) = lines.kept
    assert (event, about) == (
        "access.refused",
        {"code": "forbidden", "who": "staff:robin", "where": "GET /operations"},
    )


def test_a_sign_in_is_a_line_with_its_network_and_so_is_one_over_its_limit(lines: Lines) -> None:
    create_staff(username="robin", password=PASSWORD, roles=["auditor"], actor=Actor.system("demo"))
    for word in [*["wrong"] * 7, PASSWORD]:
        Client(REMOTE_ADDR="203.0.113.7").post(
            "/account/login/", {"login": "robin", "password": word}
        )
    refused = [about for event, about in lines.kept if event == "access.refused"]
    assert {about["code"] for about in refused} == {"sign_in.too_many"}
    assert {about["who"] for about in refused} == {"203.0.113.7"}
    assert not any(PASSWORD in str(line) for line in lines.kept)


def test_a_flood_is_counted_and_names_no_turned_text(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals, began = RefusalLog(), 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: began)
    for _ in range(LINES + 40):
        refusals.write(code="key.refused", who="a\u202eb", where="/v1/decide\n")
    assert len(lines.kept) == LINES
    assert "\u202e" not in str(lines.kept)
    assert "\n" not in lines.kept[0][1]["where"]
    monkeypatch.setattr(time, "monotonic", lambda: began + 61)
    refusals.write(code="key.refused", who="x", where="/v1/decide")
    assert lines.kept[LINES] == ("access.refused_more", {"count": 40})
