"""The demo, started as a newcomer starts it, in a directory and on ports of its own."""

import contextlib
import fcntl
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsers import launch_browser
from tests.support.places import copy, forget_the_disk

KINWARD = [sys.executable, "-m", "kinward"]
START_SECONDS = 300.0
expect.set_options(timeout=20_000)  # two cores have more to do than to answer a browser


LONGEST = ("test_chaos.py", "test_screens.py", "test_acting_story.py", "test_story.py")
NO_BROWSER = "none"  # what `scripts/test` sets where there is no Chromium


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The files that take longest are the first that the workers share out.

    Without a browser, no file with a test in one runs: a story's tests build on each other.
    """
    longest = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: longest.get(item.path.name, len(LONGEST)))
    if os.environ.get("KINWARD_TEST_BROWSER") == NO_BROWSER:
        in_browser = {item.path for item in items if "browser" in _fixtures(item)}
        config.hook.pytest_deselected(items=[item for item in items if item.path in in_browser])
        items[:] = [item for item in items if item.path not in in_browser]


def _fixtures(item: pytest.Item) -> list[str]:
    """Return all fixtures that a test uses, also by way of others."""
    return list(getattr(item, "fixturenames", []))


class Demo:
    """A running demo: its addresses, its directory, and its command line."""

    def __init__(self, directory: Path, command: str = "demo", **settings: str) -> None:
        self.directory, self.command = directory, command
        self.port = _free_ports()
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KINWARD_")}
        self.environment = clean | {
            "KINWARD_DATA_DIR": str(directory),
            "KINWARD_PORT": str(self.port),
            "KINWARD_TAKE_BACK_SECONDS": "1",  # a story cannot wait a minute for each verdict
            **settings,
        }
        self.console = f"http://127.0.0.1:{self.port}"
        self.community = f"http://127.0.0.1:{self.port + 1}"
        self.sandbox = f"http://127.0.0.1:{self.port + 2}"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start it and wait for the sign-ins to be printed; returns what was printed."""
        output = self.directory / "demo.out"
        with output.open("w") as out:
            self.process = subprocess.Popen(
                [*KINWARD, self.command], env=self.environment, stdout=out, stderr=out, text=True
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if "Stop with Ctrl-C" in output.read_text():
                return output.read_text()
            time.sleep(0.1)
        raise AssertionError(f"The demo did not start:\n{output.read_text()}{self.logs()}")

    def stop(self) -> int:
        """Press Ctrl-C; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def kinward(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `kinward` command against the demo's data, as the demo configures it."""
        settings = {
            "KINWARD_WEBHOOK_URL": f"{self.community}/webhooks/kinward",
            "KINWARD_CYBERTIPLINE_URL": f"{self.sandbox}/ispws",
            "KINWARD_CYBERTIPLINE_USERNAME": "tidepool",
            **(
                {"KINWARD_CYBERTIPLINE_PASSWORD": self.secret("sandbox_password")}
                if self.command == "demo"
                else {}
            ),
            "KINWARD_REPORTER_EMAIL": "safety@tidepool.example",
        }
        return subprocess.run(
            [*KINWARD, *arguments],
            env=self.environment | settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def secret(self, name: str) -> str:
        return (self.directory / "secrets" / name).read_text().strip()

    def reports(self) -> list[dict[str, Any]]:
        """What the authority's sandbox has."""
        auth = ("tidepool", self.secret("sandbox_password"))
        answer = httpx.get(
            f"{self.sandbox}/sandbox/reports", auth=auth, timeout=60, trust_env=False
        )
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def misbehave(self, faults: list[dict[str, Any]]) -> None:
        """Have the authority's sandbox misbehave."""
        auth = ("tidepool", self.secret("sandbox_password"))
        url = f"{self.sandbox}/sandbox/faults"
        httpx.post(url, json=faults, auth=auth, timeout=60, trust_env=False).raise_for_status()

    def database(self, query: str, name: str = "kinward") -> list[tuple[Any, ...]]:
        """Ask the embedded database directly, as one would in psql."""
        import psycopg

        pidfile = (self.directory / "postgres" / "postmaster.pid").read_text().splitlines()
        with psycopg.connect(host=pidfile[4], dbname=name, user="postgres") as connection:
            cursor = connection.execute(query)
            return list(cursor.fetchall()) if cursor.description else []

    def logs(self) -> str:
        tails = []
        for path in sorted((self.directory / "logs").glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()[-15:]
            tails.append(f"\n== {path.name}\n" + "\n".join(lines))
        return "".join(tails)


def noon() -> str:
    """A time zone in which it is about noon, so that no test meets the hours of sleep."""
    east = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


def _free_ports() -> int:
    """Eight free ports in a row."""
    for base in random.sample(range(18_000, 32_000), 100):  # below what the system hands out
        try:
            for offset in range(8):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        return base
    raise AssertionError("no free ports")


@contextlib.contextmanager
def running(prefix: str, before: Path | None = None, **settings: str) -> Iterator[Demo]:
    """A demo in a directory of its own, which is new or a copy of one that ran before."""
    with tempfile.TemporaryDirectory(prefix=prefix) as directory:
        if before is not None:
            copy(before, Path(directory))
        Path(directory).chmod(0o755)
        started = Demo(Path(directory), **settings)
        try:
            printed = started.start()
            assert re.search(r"password [0-9a-f]{16}", printed)
            yield started
        finally:
            status = started.stop()
        assert status == 0, (Path(directory) / "demo.out").read_text()


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first run of a demo leaves. One worker makes it; each story goes on from a copy."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    kept = shared / "first-run"
    with (shared / "first-run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            with running("kinward-first-") as demo:
                assert demo.stop() == 0
                forget_the_disk(demo.directory / "postgres")
                copy(demo.directory, kept)
    return kept


@pytest.fixture(scope="module")
def demo(first_run: Path) -> Iterator[Demo]:
    with running("kinward-story-", first_run) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch_browser() as started:
        yield started


def sign_in(browser: Browser, demo: Demo, name: str) -> tuple[Page, list[str]]:
    """Sign one of the demo's staff in; also returns what the browser will complain of."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.goto(demo.console)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(demo.secret("demo_password"))
    page.get_by_role("button", name="Sign in", exact=True).click()
    console, wrong = page.get_by_role("navigation", name="Console"), page.get_by_text("Incorrect")
    for _ in range(2):  # a code is good once, and for half a minute: like anybody, try the next
        page.locator("input[name=code]").fill(demo.kinward("demo", "code", name).stdout.strip())
        page.get_by_role("button", name="Sign In").click()
        expect(console.or_(wrong)).to_be_visible()
        if console.is_visible():
            break
        time.sleep(30 - time.time() % 30)
    expect(console).to_be_visible()
    return page, problems


class Visitor:
    """Somebody on a visit to the family pages, without a browser."""

    def __init__(self, demo: Demo, account_id: str) -> None:
        headers = {"Authorization": f"Bearer {demo.secret('demo_api_key')}"}
        opened = httpx.post(
            f"{demo.console}/v1/portal-sessions",
            json={"account_id": account_id},
            headers=headers,
            timeout=60,
            trust_env=False,
        )
        self._http = httpx.Client(
            base_url=demo.console, follow_redirects=True, timeout=60, trust_env=False
        )
        link = opened.raise_for_status().json()["url"]
        self._http.post(link, data=self._form(link) | {"answer": "yes"}).raise_for_status()

    def post(self, path: str, **form: str) -> str:
        """Send a form; returns the page that comes."""
        return self._http.post(path, data=self._form("/family") | form).raise_for_status().text

    def _form(self, page: str) -> dict[str, str]:
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', self._http.get(page).text)
        assert token is not None
        return {"csrfmiddlewaretoken": token.group(1)}


def give_guardian(demo: Demo, teen_id: str) -> str:
    """Pair a teen with a new guardian; returns the guardian's account id."""
    guardian_id = f"guardian-of-{teen_id}"
    age = {"lower": 40, "upper": 41, "assurance": "verified", "source": "test"}
    proof = {"method": "id", "checked_on": "2026-11-02", "evidence": "test"}
    for path, told in (
        (f"/v1/accounts/{guardian_id}", {"age": age}),
        (f"/v1/accounts/{teen_id}/guardians/{guardian_id}/proof", proof),
    ):
        httpx.put(
            f"{demo.console}{path}",
            json=told,
            headers={"Authorization": f"Bearer {demo.secret('demo_api_key')}"},
            timeout=60,
            trust_env=False,
        ).raise_for_status()
    page = Visitor(demo, guardian_id).post("/family/pair", side="guardian")
    code = re.search(r"data-code>([^<]+)<", page)
    assert code is not None
    Visitor(demo, teen_id).post("/family/pair/accept", code=code.group(1))
    return guardian_id


AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"  # MPL-2.0, for the tests alone


def assert_accessible(page: Page) -> None:
    """No violation that axe-core finds on the page as it is."""
    page.evaluate(AXE.read_text())  # past the content security policy, as a debugger is
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map("
        "v => [v.id, v.help, v.nodes.map(n => n.html).slice(0, 3)]))"
    )
    assert found == [], page.url
