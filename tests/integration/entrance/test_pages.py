"""The pages behind the entrance: who sends is known before a byte is read, and no byte on disk."""

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.test import Client
from django.urls import get_resolver

from kinward.access.actor import Actor
from kinward.access.appointments import change_roles
from kinward.access.models import Staff
from kinward.access.staff import end_staff, sign_out_everywhere, suspend_staff
from kinward.cli.demo import give_second_factor
from kinward.entrance import Bounds, Budget, Disconnected, Entrance, Seats, Unavailable
from kinward.entrance.api import PageBounds, PagesHandler
from kinward.portal.api import is_for_portal
from kinward.project import asgi
from kinward.project.asgi import doors_of
from kinward.web.doors import signed_in
from tests.support.pages import Body, bounds_of, page_in_parts, scope_of

OPERATOR = Actor.operator("test")
FREE = {
    "account/join/word",
    "account/login/",
    "account/2fa/authenticate/",
    "account/2fa/webauthn/login/",
    "family/answer/word",
    "family/digest",
    "family/enter/word",
    "safety/word/guides",
}
EXAMPLES = {"uuid": "0198a6c4-0000-7000-8000-000000000000", "int": "7"}


def addresses(patterns: list[Any] | None = None, before: str = "") -> Iterator[str]:
    """Each address of the pages, with an example in the place of a parameter."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield re.sub(r"<(\w+):\w+>", lambda kind: EXAMPLES.get(kind[1], "word"), route)


def post(
    path: str, body: Body, headers: Mapping[str, str] | None = None, bounds: Any = bounds_of
) -> tuple[int, dict[str, str], bytes]:
    """Post a body to the pages, as the server passes it on."""
    given = {"content-type": "application/x-www-form-urlencoded"}
    given |= {"content-length": str(sum(map(len, body.chunks)))} | dict(headers or {})
    scope = scope_of(path, given)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        seats = Seats(total=4, each=4, seconds=60)
        await PagesHandler(bounds, seats, Budget(total=10**8, each=10**8))(scope, body, send)

    asyncio.run(run())
    head = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cookie", ["", "sessionid=stale; kinward-family=stale"])
def test_without_a_session_no_page_reads_a_body(cookie: str) -> None:
    found = sorted(addresses())
    assert set(found) > FREE
    for address in found:
        if address in FREE:
            continue
        body = Body(b"marker=" + b"x" * 1000)
        status, head, _ = post(f"/{address}", body, {"cookie": cookie})
        assert body.asked == 0, address
        if status == 303:
            assert head["location"].startswith(("/account/login/?next=", "/family")), address
        else:
            assert status in {403, 404, 405}, address


@pytest.mark.django_db(transaction=True)
def test_what_nobody_is_signed_in_for_takes_small_bodies_only() -> None:
    for address in FREE:
        page = bounds_of(f"/{address}")
        assert page is not None
        assert page.admits is None
        assert page.bounds.size <= 64 * 1024
        assert page.bounds.seconds <= 30
        assert page.bounds.rate > 0


def test_each_form_is_within_what_stays_in_memory(settings: Any) -> None:
    for address in addresses():
        page = bounds_of(f"/{address}")
        if page is None:
            continue
        most = settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 64 * 1024
        assert page.bounds.size <= (128 * 1024 if is_for_portal(f"/{address}") else most)


@pytest.mark.django_db(transaction=True)
def test_a_large_upload_reaches_its_page_and_no_temporary_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("a temporary file was made")

    for name in ("NamedTemporaryFile", "SpooledTemporaryFile", "TemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    monkeypatch.setattr("django.core.handlers.asgi.tempfile.SpooledTemporaryFile", refuse)
    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", refuse)
    wide = PageBounds(Bounds(10**8, 60.0, 0))
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = Body(head, *[b"a" * 1_000_000] * 4, b"\r\n--b--\r\n")
    form = {"content-type": "multipart/form-data; boundary=b"}
    status, _, _ = post("/banks/search", body, form, lambda path: wide)
    assert body.asked >= 4
    assert status == 403  # no token against forgery, so the page itself was asked


@pytest.mark.django_db
def test_a_session_counts_while_its_person_may_sign_in(
    client: Client, django_user_model: Any
) -> None:
    person = django_user_model.objects.create_user(username="robin", password="x" * 20)
    client.force_login(person)
    cookies = {"sessionid": client.cookies["sessionid"].value}
    assert signed_in(cookies)
    assert not signed_in({})
    assert not signed_in({"sessionid": "stale"})
    unsigned = SessionStore()
    unsigned["pending"] = "nobody yet"
    unsigned.create()
    assert not signed_in({"sessionid": str(unsigned.session_key)})
    person.set_password("y" * 20)
    person.save()
    assert SESSION_KEY in SessionStore(cookies["sessionid"])
    assert not signed_in(cookies)


def test_each_path_has_its_door() -> None:
    assert doors_of("/v1/decide") == doors_of("/m/lookup") == {"gate"}
    assert doors_of("/safety/de") == doors_of("/family") == {"pages"}
    assert doors_of("/") == doors_of("/queue") == doors_of("/account/login/") == {"console"}
    assert doors_of("/static/web/console.css") == {"console", "pages"}
    assert doors_of("/healthz") == {"gate", "console", "pages"}


def test_who_does_not_take_the_answer_gives_the_seat_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinward.entrance.pages.SEND_SECONDS", 0.05)

    async def stuck(message: Any) -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        seats = Seats(total=1, each=1, seconds=60)
        handler = PagesHandler(bounds_of, seats, Budget(total=1000, each=1000))
        for _ in range(2):
            with pytest.raises(Disconnected):
                await handler(scope_of("/nothing/here", method="GET"), Body(b""), stuck)

    asyncio.run(run())


@pytest.mark.django_db(transaction=True)
def test_without_the_database_a_form_is_left_unread() -> None:
    def fail(cookies: Mapping[str, str]) -> bool:
        raise OperationalError("the server is gone")

    body = Body(b"a=b")
    page = PageBounds(Bounds(1000, 60.0, 0), fail, "/account/login/")
    with pytest.raises(Unavailable):
        post("/queue", body, {"cookie": "sessionid=x"}, lambda path: page)
    assert body.asked == 0


@pytest.mark.django_db
def test_each_process_builds_its_doors_and_no_others() -> None:
    def own(application: Entrance) -> object:
        assert application._doors is not None
        return application._doors.own

    assert own(asgi.gate) == {"gate"}
    assert own(asgi.console_pages) == {"console", "pages"}
    assert own(asgi.application) == {"gate", "console", "pages"}
    with pytest.raises(AttributeError):
        _ = asgi.gate_window


LOSSES: dict[str, Callable[[], object]] = {
    "suspended": lambda: suspend_staff(username="ada", actor=OPERATOR),
    "ended": lambda: end_staff(username="ada", actor=OPERATOR),
    "another role": lambda: change_roles(username="ada", roles=["auditor"], actor=OPERATOR),
    "signed out": lambda: sign_out_everywhere(username="ada", actor=OPERATOR),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("loss", [*LOSSES, "nothing"])
def test_a_download_ends_with_the_power_of_whoever_began_it(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinward.entrance.pages.ASK_SECONDS", 0.0)
    Staff.objects.bulk_create(
        Staff(username=f"person {n}", roles=["auditor"], added_by="x" * 200) for n in range(200)
    )
    ada, _bo = (
        Staff.objects.create_user(username=name, password="x" * 20, roles=["administrator"])
        for name in ("ada", "bo")
    )
    give_second_factor(ada)
    client = Client()
    client.force_login(ada)
    came, whole = page_in_parts(client, LOSSES.get(loss, int))
    assert whole > 3
    assert came == (1 if loss in LOSSES else whole)


@pytest.mark.django_db
def test_an_open_page_leaves_once_its_session_is_over(client: Client) -> None:
    ada = Staff.objects.create_user(username="ada", password="x" * 20, roles=["reviewer"])
    give_second_factor(ada)
    client.force_login(ada)
    assert 'hx-get="/account/still"' in client.get("/viewing").content.decode()
    assert "HX-Redirect" not in client.get("/account/still").headers
    suspend_staff(username="ada", actor=OPERATOR)
    assert client.get("/account/still").headers["HX-Redirect"] == "/account/login/"
