"""The rules, in a real browser and over real processes: proposed, approved, felt, taken back."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.story.conftest import Demo, assert_accessible, give_guardian, noon, sign_in
from tests.support.editions import shipped_pack


@pytest.fixture
def member(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, timezone_id=noon())
    yield context
    context.close()


@pytest.fixture(scope="module")
def kai(browser: Browser, demo: Demo) -> Iterator[Page]:
    """The console, with the policy lead signed in."""
    page, problems = sign_in(browser, demo, "kai")
    yield page
    page.context.close()
    assert problems == []


def join(context: BrowserContext, demo: Demo, handle: str, age: int) -> Page:
    page = context.new_page()
    page.goto(f"{demo.community}/join")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Age:", exact=True).fill(str(age))
    page.get_by_role("main").get_by_role("button", name="Join").click()
    return page


def minutes_of(page: Page, demo: Demo) -> str:
    page.goto(f"{demo.community}/account")
    assert_accessible(page)
    return page.locator("[data-capability='session.time']").inner_text()


def test_a_change_is_proposed_approved_felt_and_taken_back(
    demo: Demo, browser: Browser, kai: Page, member: BrowserContext
) -> None:
    teen = join(member, demo, "periwinkle", 14)
    assert "60 minutes" in minutes_of(teen, demo)
    # A policy lead proposes fewer minutes for 13 to 15, with the keyboard alone.
    kai.goto(f"{demo.console}/policy")
    kai.get_by_label("Capability").select_option("session.time")
    kai.get_by_role("button", name="Show").click()
    kai.get_by_role("link", name="Change session-time-13-15").press("Enter")
    kai.get_by_label("Default").fill("40")
    kai.get_by_label("Why").fill("Less is kinder.")
    kai.get_by_role("button", name="Propose this change").press("Enter")
    # They see what changes and who is touched, as words, a picture and a table.
    expect(kai.get_by_role("cell", name="60; guardian 15 to 1440")).to_be_visible()
    expect(kai.get_by_text("accounts would lose or gain something")).to_be_visible(timeout=20_000)
    expect(kai.get_by_role("img", name="Settings lost and gained")).to_be_visible()
    assert_accessible(kai)
    account = kai.get_by_role("row", name="session.time 13 to 15")
    expect(account.last).to_contain_text("member-")
    # They cannot approve it themselves.
    expect(kai.get_by_text("You proposed this, so another person must approve it")).to_be_visible()
    assert kai.get_by_role("button", name="Approve").count() == 0
    assert "60 minutes" in minutes_of(teen, demo)
    # Another person does, and the next decision is another one.
    sasha, problems = sign_in(browser, demo, "sasha")
    sasha.get_by_role("link", name="Policy 1 proposed").click()
    sasha.get_by_role("link", name=f"{shipped_pack('teen-accounts')}+1").click()
    sasha.get_by_role("button", name="Approve and put in force").click()
    expect(sasha.get_by_text(f"{shipped_pack('teen-accounts')}+1 is in force.")).to_be_visible()
    assert "40 minutes" in minutes_of(teen, demo)
    # One click takes it back.
    kai.goto(f"{demo.console}/policy")
    kai.get_by_role("button", name="Revert the last activation").click()
    expect(
        kai.get_by_text(f"Activation reverted. {shipped_pack('teen-accounts')} is in force again.")
    ).to_be_visible()
    assert "60 minutes" in minutes_of(teen, demo)
    # And the ledger tells all of it.
    told = demo.database(
        "SELECT kind, actor FROM ledger_entry WHERE kind LIKE 'pack.%' OR kind LIKE 'proposal.%'"
        " ORDER BY seq"
    )
    assert told == [
        ("pack.stored", "system:experience"),
        ("pack.activated", "system:experience"),
        ("pack.stored", "staff:kai"),
        ("proposal.made", "staff:kai"),
        ("proposal.approved", "staff:sasha"),
        ("pack.activated", "staff:sasha"),
        ("pack.reverted", "staff:kai"),
    ]
    assert demo.kinward("ledger", "verify").returncode == 0
    assert problems == []
    sasha.context.close()


def test_the_policy_pages_work_on_a_phone(demo: Demo, kai: Page) -> None:
    kai.set_viewport_size({"width": 360, "height": 740})
    kai.goto(f"{demo.console}/policy")
    proposal = kai.get_by_role("link", name=f"{shipped_pack('teen-accounts')}+1").get_attribute(
        "href"
    )
    for path in ("/policy", "/policy/rules/session-time-13-15", str(proposal)):
        kai.goto(demo.console + path)
        wide = kai.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, f"{path} is {wide} wide"
        assert_accessible(kai)


def test_who_is_too_young_is_told_and_not_taken(demo: Demo, member: BrowserContext) -> None:
    page = join(member, demo, "tadpole", 12)
    expect(page.get_by_text("This is a rule of this community for your age.")).to_be_visible()
    assert demo.database("SELECT 1 FROM demo_member WHERE handle = 'tadpole'", "kinward_demo") == []


def test_a_day_that_is_used_up_closes_the_feed(demo: Demo, member: BrowserContext) -> None:
    page = join(member, demo, "barnacle", 14)
    expect(page.locator("li[data-post]").first).to_be_visible()
    ((number,),) = demo.database(
        "SELECT id FROM demo_member WHERE handle = 'barnacle'", "kinward_demo"
    )
    headers = {"Authorization": f"Bearer {demo.secret('demo_api_key')}"}
    account = f"{demo.console}/v1/accounts/member-{number}"
    with httpx.Client(headers=headers, timeout=60, trust_env=False) as http:
        guardian = give_guardian(demo, f"member-{number}")
        sent = {"layer": "guardian", "value": 30, "guardian_id": guardian}
        http.put(f"{account}/settings/session.time", json=sent).raise_for_status()
        for back, says in ((1, "minutes left today."), (16, "is used up.")):
            at = datetime.now(UTC) - timedelta(minutes=back)
            event = {"account_id": f"member-{number}", "at": at.isoformat(), "minutes": 15}
            sent = {"events": [event, event]}
            http.post(f"{demo.console}/v1/events", json=sent).raise_for_status()
            page.goto(demo.community)
            expect(page.get_by_role("status")).to_contain_text(says)
    expect(page.locator("li[data-post]")).to_have_count(0)
    assert_accessible(page)


# -- two processes, and what is between them and the database --------------------------------------


class Wire:
    """A wire to the database's socket that can be cut and mended."""

    def __init__(self, to: str) -> None:
        self._to = to
        self._open: list[socket.socket] = []
        self.cut = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def sever(self) -> None:
        """Cut every connection, and refuse new ones."""
        self.cut = True
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        self.sever()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                if self.cut:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._to)
                self._open += [near, far]
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def second(demo: Demo, tmp_path: Path) -> Iterator[tuple[str, Wire]]:
    """A second web process over the same database, at the end of a wire."""
    pidfile = (demo.directory / "postgres" / "postmaster.pid").read_text().splitlines()
    wire = Wire(f"{pidfile[4]}/.s.PGSQL.{pidfile[3]}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = demo.environment | {
        "KINWARD_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{wire.port}/kinward",
        "KINWARD_PORT": str(port),
    }
    log = (tmp_path / "second.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "kinward", "serve"], env=environment, stdout=log, stderr=log
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(url), 30)
        yield url, wire
    finally:
        process.terminate()
        process.wait(20)
        wire.close()


def until(true: Callable[[], bool], seconds: float) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not happen"
        time.sleep(0.02)
    return time.monotonic() - began


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    return False


def test_a_change_reaches_a_second_process_and_a_cut_wire_closes_it(
    demo: Demo, second: tuple[str, Wire]
) -> None:
    url, wire = second
    headers = {"Authorization": f"Bearer {demo.secret('demo_api_key')}"}
    with httpx.Client(headers=headers, trust_env=False, timeout=20) as http:

        def ask(capability: str = "session.time") -> dict[str, Any]:
            sent = {"capability": capability, "actor": {"id": "two-processes"}}
            response = http.post(f"{url}/v1/decide", json=sent)
            assert response.status_code == 200, response.text
            found: dict[str, Any] = response.json()
            return found

        account = f"{demo.console}/v1/accounts/two-processes"
        http.put(account, json={"age": {"lower": 14, "upper": 15}}).raise_for_status()
        assert ask()["value"] == 60
        assert ask("live.watch")["effect"] == "allow"
        guardian = give_guardian(demo, "two-processes")
        sent = {"layer": "guardian", "value": 25, "guardian_id": guardian}
        http.put(f"{account}/settings/session.time", json=sent).raise_for_status()
        assert until(lambda: ask()["value"] == 25, 5) < 1.0
        # The operator, on the command line: alone, which the console shows to everybody.
        asked = demo.kinward("policy", "activate", "tiktok-2021")
        assert "Another person must approve it" in asked.stdout
        assert ask()["value"] == 25
        request = asked.stdout.split("`kinward agree ")[1].split("`")[0]
        alone = demo.kinward("agree", request, "--break-glass", "A story of a test.")
        assert alone.returncode == 0, alone.stderr
        assert until(lambda: ask()["value"] == 40, 5) < 1.0
        assert demo.kinward("policy", "revert").returncode == 0
        assert until(lambda: ask()["value"] == 25, 5) < 1.0
        # No database: protective, whatever was known before, until it is back.
        wire.sever()
        until(lambda: ask("live.watch")["effect"] == "deny", 2)
        for _ in range(20):
            answer = ask("live.watch")
            assert answer["effect"] == "deny"
            assert [reason["code"] for reason in answer["reasons"]] == ["state.unavailable"]
        http.put(f"{account}/settings/session.time", json=sent | {"value": 30})
        wire.cut = False
        until(lambda: ask("live.watch")["effect"] == "allow", 10)
        assert ask()["value"] == 30


WIDER: Final = """() => [...document.querySelectorAll("header *, main *")]
    .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((one) => one.outerHTML.slice(0, 80))"""


def test_on_a_phone_no_table_is_cut_off(demo: Demo, kai: Page) -> None:
    kai.set_viewport_size({"width": 390, "height": 844})
    for path in ("/policy/places", "/policy", "/guidelines", "/banks"):
        kai.goto(f"{demo.console}{path}")
        assert kai.evaluate(WIDER) == [], path
        assert_accessible(kai)
    kai.goto(f"{demo.console}/policy/places")
    austria = kai.get_by_role("row", name="Austria AT")
    expect(austria.get_by_role("link", name="A personalised feed")).to_be_visible()
    expect(austria.locator("[data-label='Status']")).to_contain_text("in force")
    kai.set_viewport_size({"width": 1280, "height": 900})
