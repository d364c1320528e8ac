"""Killed at random, again and again: nothing is lost, nothing is done twice, nothing is stuck.

The demo runs against a sandbox, a receiver and an object store that misbehave, while members post
known pictures, plain and in disguise, and appeal. One reviewer decides in the console and another
answers the appeals. Meanwhile web and worker are killed with SIGKILL, process group and all, and so
are the decoders that read the pictures. `make chaos` does it 500 times.
"""

import contextlib
import html
import os
import random
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from PIL import Image, ImageOps

from kinward.demo import pictures
from kinward.demo.visitor import Visitor
from tests.story.conftest import Demo, running
from tests.story.store import KEYS, Store

KILLS = int(os.environ.get("KINWARD_CHAOS_KILLS", "20"))
STUCK_SECONDS = 120.0
FAULTS = [
    {"kind": kind, "probability": probability, "seconds": 0.5}
    for kind, probability in (
        ("error", 0.06),
        ("bare-error", 0.06),
        ("lost-request", 0.06),
        ("lost-answer", 0.10),
        ("slow", 0.10),
    )
]
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
READ = re.compile(r'name="read" value="([^"]+)"')


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store()
    yield opened
    opened.close()


@pytest.fixture
def chaotic(store: Store, first_run: Path) -> Iterator[Demo]:
    settings = {
        "KINWARD_RETRY_SCALE": "0.002",
        "KINWARD_HEARTBEAT_SECONDS": "0.5",
        "KINWARD_STALLED_SECONDS": "2",
        "KINWARD_LOG_LEVEL": "warning",
        "KINWARD_FACTOR_MINUTES": "600",  # nobody is there to show a factor again
        "KINWARD_EVIDENCE_STORE": "s3://vault",
        "KINWARD_AWS_ENDPOINT": store.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "DEMO_MISBEHAVE": "0.1",
    }
    with running("kinward-chaos-", first_run, **settings, **KEYS) as demo:
        _bank_most(demo)
        yield demo


def _bank_most(demo: Demo) -> None:
    """Bank three of four of the files that members will post, byte for byte."""
    folder = demo.directory / "known"
    folder.mkdir()
    known = [data for seed in pictures.BANKED_SEEDS for data in disguised(seed)]
    files = [folder / str(number) for number in range(len(known)) if number % 4 != 3]
    for file in files:
        file.write_bytes(known[int(file.name)])
    assert demo.kinward("bank", "create", "exact", "--confidence", "verified").returncode == 0
    added = demo.kinward("bank", "add", "exact", *map(str, files), "--provenance", "chaos")
    assert added.returncode == 0, added.stderr


# A person gave the same back before, so a list is no ground any more: somebody has to look.
TO_LOOK_AT = (
    "(SELECT case_id FROM casebook_finding GROUP BY case_id "
    "HAVING bool_or(grounds::text LIKE '%sha256%') "
    "AND bool_and(grounds::text NOT LIKE '%sha256%' OR given_back OR void))"
)


class Reviewer:
    """A reviewer without a browser, who never gives up."""

    def __init__(self, demo: Demo, name: str = "robin") -> None:
        self.demo = demo
        self.http = httpx.Client(
            base_url=demo.console, follow_redirects=True, timeout=20, trust_env=False
        )
        self._send("/account/login/", login=name, password=demo.secret("demo_password"))
        for _ in range(2):  # a code may end between two steps
            code = demo.kinward("demo", "code", name).stdout.strip()
            page = self._send("/account/2fa/authenticate/", code=code)
            if "Queue" in page:
                return
        raise AssertionError(page)

    def _send(self, path: str, form_on: str = "", **fields: str) -> str:
        form = self.http.get(form_on or path)
        token = TOKEN.search(form.text)
        if token is None:
            raise httpx.TransportError("no form")
        answer = self.http.post(path, data={"csrfmiddlewaretoken": token.group(1), **fields})
        return answer.text

    def decide(self, case: str, outcome: str) -> None:
        """Take a case and decide it. An answer that gets lost is asked for again by the caller."""
        self._send(f"/cases/{case}/take", form_on="/queue")
        fields = {"form_on": f"/cases/{case}", "outcome": outcome, "clause": "CS-1"}
        shown = self._send(f"/cases/{case}/preview", **fields)
        if read := READ.search(shown):
            self._send(f"/cases/{case}/decide", **fields, read=html.unescape(read.group(1)))

    def answer(self, appeal: str, case: str, outcome: str) -> None:
        """Take the case of an appeal and answer it."""
        self._send(f"/appeals/{appeal}/take", form_on="/appeals")
        self._send(
            f"/appeals/{appeal}/decide", form_on=f"/cases/{case}", outcome=outcome, note="Looked."
        )


def disguised(seed: int) -> list[bytes]:
    """A known picture, plain and as files of which a naive reader sees another picture."""
    known = pictures.draw(seed).resize((640, 480)).convert("RGB")
    cover = pictures.draw(seed + 5000).resize((640, 480)).convert("RGB")
    turned = Image.Exif()
    turned[0x112] = 6
    transparent = Image.merge(
        "LA", (Image.new("L", known.size), ImageOps.invert(known.convert("L")))
    )
    later = {"save_all": True, "append_images": [known], "duration": [40, 4000]}
    return [
        pictures.encode(known, "JPEG", quality=70),
        pictures.encode(known.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=turned),
        pictures.encode(ImageOps.mirror(known), "WEBP", quality=80),
        pictures.encode(cover, "GIF", **later),
        pictures.encode(cover, "WEBP", **later),
        pictures.encode(cover, "JPEG") + pictures.encode(known, "JPEG"),
        pictures.encode(transparent, "PNG"),
    ]


def kill(demo: Demo, role: str) -> bool:
    """SIGKILL a role's whole process group, or one decoder."""
    assert demo.process is not None
    if role == "decoder":
        return kill_decoder(demo)
    wanted = {"web": "kinward.project.asgi", "worker": "kinward worker"}[role]
    for child in psutil.Process(demo.process.pid).children():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if wanted in " ".join(child.cmdline()):
                os.killpg(child.pid, signal.SIGKILL)
                return True
    return False


def kill_decoder(demo: Demo) -> bool:
    assert demo.process is not None
    for child in psutil.Process(demo.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if "kinward.media.decoder" in " ".join(child.cmdline()):
                os.kill(child.pid, signal.SIGKILL)
                return True
    return False


def wait_until_up(demo: Demo, seconds: float = 10.0) -> None:
    """Wait a while for web to answer again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{demo.console}/healthz", timeout=2, trust_env=False).is_success:
                return
        time.sleep(0.1)


def ask(demo: Demo, query: str, name: str = "kinward") -> list[tuple[Any, ...]]:
    return demo.database(query, name)


class Members(threading.Thread):
    """New members who each post a known picture, and keep at it until told to stop."""

    def __init__(self, demo: Demo, wave: str) -> None:
        super().__init__(daemon=True)
        self.demo, self.wave, self.stopping, self.joined = demo, wave, threading.Event(), 0

    def run(self) -> None:
        known = [data for seed in pictures.BANKED_SEEDS for data in disguised(seed)]
        random.Random(self.wave).shuffle(known)
        number = 0
        while not self.stopping.is_set():
            number += 1
            with contextlib.suppress(httpx.HTTPError, RuntimeError):
                visitor = Visitor(self.demo.community, f"{self.wave}{number}", 20)
                page = visitor.post(known[number % len(known)], filename=f"{number}.jpg")
                self.joined += "Being checked" in page
                visitor.post(pictures.encode(pictures.draw(number)), filename="plain.png")
            self.stopping.wait(0.3)


def joined(members: list[Members]) -> int:
    return sum(each.joined for each in members)


class Decisions(threading.Thread):
    """A reviewer who confirms what is on a list byte for byte, and dismisses what looks alike.

    Neither needs a look, nor a second person.
    """

    def __init__(self, demo: Demo, reviewer: Reviewer) -> None:
        super().__init__(daemon=True)
        self.demo, self.reviewer, self.stopping = demo, reviewer, threading.Event()
        self.wanted: dict[str, str] = {}

    def run(self) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(httpx.HTTPError, psycopg.Error):
                self.once()
            self.stopping.wait(0.1)

    def once(self) -> None:
        undecided = (
            "SELECT c.id::text, bool_or(f.grounds::text LIKE '%sha256%') FROM casebook_case c "
            "JOIN casebook_finding f ON f.case_id = c.id WHERE c.state = 'open' "
            "AND NOT EXISTS (SELECT FROM casebook_pendingverdict p "
            "WHERE p.case_id = c.id AND p.ended_at IS NULL) "
            f"AND c.id NOT IN {TO_LOOK_AT} "
            "GROUP BY c.id ORDER BY c.opened_at LIMIT 1"
        )
        for case, exact in ask(self.demo, undecided):
            # An exact match that joined meanwhile is confirmed, since nobody dismisses one alone.
            self.wanted[case] = "confirmed" if exact else "dismissed"
            self.reviewer.decide(case, self.wanted[case])


class Appeals(threading.Thread):
    """Members appeal every other verdict, and another reviewer grants every other appeal."""

    def __init__(self, demo: Demo, reviewer: Reviewer) -> None:
        super().__init__(daemon=True)
        self.demo, self.reviewer, self.stopping = demo, reviewer, threading.Event()
        self.seen: dict[str, bool] = {}
        self.wanted: dict[str, str] = {}
        self.http = httpx.Client(
            base_url=demo.console,
            headers={"Authorization": f"Bearer {demo.secret('demo_api_key')}"},
            timeout=20,
            trust_env=False,
        )

    def run(self) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(httpx.HTTPError, psycopg.Error):
                self.once()
            self.stopping.wait(0.2)

    def once(self) -> None:
        told = (
            "SELECT s.id::text, a.platform_id FROM redress_statement s "
            "JOIN people_account a ON a.id = s.account_id "
            "JOIN casebook_verdict v ON v.case_id = s.case_id "
            "JOIN access_staff p ON p.id = v.given_by_id AND p.username = 'robin' "
            "WHERE s.stage = 'verdict' AND s.told_at IS NOT NULL AND s.reversed_at IS NULL "
            "AND NOT EXISTS (SELECT FROM redress_appeal e WHERE e.statement_id = s.id)"
        )
        for statement, account in ask(self.demo, told):
            if self.seen.setdefault(statement, len(self.seen) % 2 == 0):
                body = {"account_id": account, "text": "I drew these shapes."}
                self.http.post(f"/v1/statements/{statement}/appeal", json=body)
        waiting = (
            "SELECT e.id::text, s.case_id::text FROM redress_appeal e "
            "JOIN redress_statement s ON s.id = e.statement_id WHERE e.state = 'waiting'"
        )
        for appeal, case in ask(self.demo, waiting):
            choice = "overturned" if len(self.wanted) % 2 == 0 else "upheld"
            self.reviewer.answer(appeal, case, self.wanted.setdefault(case, choice))


def unsettled(demo: Demo) -> dict[str, int]:
    """What is still under way, by name; empty when all is done."""
    queries = {
        "cases open": "SELECT count(*) FROM casebook_case WHERE state = 'confirmed' "
        f"OR (state = 'open' AND id NOT IN {TO_LOOK_AT})",
        "actions pending": "SELECT count(*) FROM enforcement_action WHERE state = 'pending'",
        "reports waiting": "SELECT count(*) FROM reporting_report "
        "WHERE state IN ('waiting', 'withdrawing')",
        "appeals waiting": "SELECT count(*) FROM redress_appeal WHERE state = 'waiting'",
        "jobs": "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') "
        "AND task_name <> 'jobs.rescue'",
    }
    found = {name: int(ask(demo, query)[0][0]) for name, query in queries.items()}
    posts = "SELECT count(*) FROM demo_post WHERE state = 'pending'"
    found["posts pending"] = int(ask(demo, posts, "kinward_demo")[0][0])
    return {name: count for name, count in found.items() if count}


def why(demo: Demo) -> str:
    """What is known of whatever is still under way."""
    jobs = "SELECT id, task_name, status, attempts, scheduled_at - now() FROM procrastinate_jobs"
    jobs += " ORDER BY id LIMIT 200"
    reports = "SELECT id, problem FROM reporting_report WHERE state = 'waiting'"
    locks = "SELECT pid, locktype, objid, granted FROM pg_locks WHERE locktype = 'advisory'"
    busy = "SELECT pid, state, wait_event, now() - state_change, left(query, 80) "
    busy += "FROM pg_stat_activity WHERE datname = current_database()"
    queries = (jobs, reports, locks, busy)
    return "\n".join(str(row) for query in queries for row in ask(demo, query))


def wait_until_settled(demo: Demo) -> None:
    """Wait for as long as there is less and less to do."""
    least, since = sys.maxsize, time.monotonic()
    while left := unsettled(demo):
        if sum(left.values()) < least:
            least, since = sum(left.values()), time.monotonic()
        stuck = time.monotonic() - since > STUCK_SECONDS
        assert not stuck, f"stuck: {left}\n{why(demo)}\n{demo.logs()}"
        time.sleep(0.3)


def test_killed_again_and_again(
    chaotic: Demo, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random()  # another chaos each time; a seed would not repeat it
    decisions = Decisions(chaotic, Reviewer(chaotic))
    appeals = Appeals(chaotic, Reviewer(chaotic, "sasha"))
    members = [Members(chaotic, wave) for wave in ("heron", "wren")]
    chaotic.misbehave(FAULTS)
    store.misbehaves = 0.15
    for thread in (*members, decisions, appeals):
        thread.start()

    began, killed = time.monotonic(), {"web": 0, "worker": 0, "decoder": 0}
    # While web is down nobody can post: go on until enough was going on to prove something.
    while sum(killed.values()) < KILLS or joined(members) < KILLS * 2 // 3:
        assert time.monotonic() - began < 12 * KILLS, "too little goes on between two kills"
        if dice.random() < 0.5:  # a start costs seconds: let something happen between two kills
            wait_until_up(chaotic)
        time.sleep(dice.uniform(0.05, 2.0))
        role = dice.choice(["worker", "worker", "web", "decoder"])
        if kill(chaotic, role):
            killed[role] += 1
            if sum(killed.values()) % max(1, KILLS // 20) == 0:
                seen = f"{sum(killed.values())} of {KILLS} kills, {joined(members)} pictures"
                say(capsys, f"  {seen}, {time.monotonic() - began:.0f} s")

    seconds = round(time.monotonic() - began)
    say(capsys, "  waiting until all is settled …")
    for member in members:
        member.stopping.set()
    for member in members:
        member.join(120)
    wait_until_settled(chaotic)
    for thread in (decisions, appeals):
        thread.stopping.set()
        thread.join(30)
    store.misbehaves = 0
    facts = check_everything(chaotic, decisions.wanted, appeals.wanted)
    assert facts["cases"] >= KILLS // 2, "too little was going on to prove anything"
    rows = {
        **{f"kills of {role}": count for role, count in killed.items()},
        "seconds": seconds,
        "known pictures posted": joined(members),
        "failures of the store": store.failed,
        **facts,
    }
    say(capsys, "\n".join(f"  {name:32} {value:>8,}" for name, value in rows.items()))


def say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Say how far it is: five hundred kills take half an hour."""
    with capsys.disabled():
        print(text, flush=True)


def check_everything(
    demo: Demo, verdicts: dict[str, str], answers: dict[str, str]
) -> dict[str, int]:
    """Every invariant, from four sides: the cases, the authority, the platform, the ledger."""
    cases = dict(ask(demo, "SELECT id::text, state FROM casebook_case"))
    closing = {"confirmed": "reported", "dismissed": "dismissed"}
    looked_at = {case for (case,) in ask(demo, f"SELECT case_id::text FROM {TO_LOOK_AT} AS t")}
    waiting = {case for case in looked_at if cases[case] == "open"}
    due = {case: closing[outcome] for case, outcome in verdicts.items() if case not in waiting}
    won = [case for case, answer in answers.items() if answer == "overturned"]
    due |= dict.fromkeys(won, "overturned")
    assert {case: cases[case] for case in due} == due

    finished = [r for r in demo.reports() if r["state"] == "finished"]
    reported = dict(
        ask(
            demo,
            "SELECT r.external_id, count(e.id) FROM reporting_report r "
            "LEFT JOIN evidence_evidence e ON e.case_id = r.case_id "
            "WHERE r.state = 'finished' GROUP BY 1",
        )
    )
    # Of a case whose appeal was won, the authority has the report whole, or nothing.
    states = dict(ask(demo, "SELECT case_id::text, state FROM reporting_report"))
    assert {c for c, state in states.items() if state == "finished"} == {
        c for c, state in cases.items() if state == "reported"
    } | {c for c in won if states[c] != "withdrawn"}
    files = {str(r["id"]): len(r["files"]) for r in finished}
    assert all(files[id] == reported[id] for id in files.keys() & reported.keys())
    assert all(file["details"] for r in finished for file in r["files"])
    # One report a case, each of its own account. After a won appeal there may be another case.
    accounts = [
        match.group(1)
        for r in finished
        if (match := re.search("<espIdentifier>(.*?)</espIdentifier>", r["xml"]))
    ]
    of_cases = ask(
        demo,
        "SELECT a.platform_id FROM reporting_report r JOIN casebook_case c ON c.id = r.case_id "
        "JOIN people_account a ON a.id = c.account_id WHERE r.state = 'finished'",
    )
    assert Counter(accounts) == Counter(account for (account,) in of_cases)

    delivered = ask(demo, "SELECT id::text FROM enforcement_action WHERE state = 'delivered'")
    given_up = ask(demo, "SELECT count(*) FROM enforcement_action WHERE state = 'parked'")[0][0]
    carried_out = ask(demo, "SELECT action_id::text FROM demo_carriedout", "kinward_demo")
    undone = {action for (action,) in delivered} - {action for (action,) in carried_out}

    standing = dict(ask(demo, "SELECT platform_id, standing FROM people_account"))
    shown = dict(ask(demo, "SELECT 'member-' || id, standing FROM demo_member", "kinward_demo"))
    ours = {"active": "active", "suspended": "suspended", "terminated": "closed"}
    # Who could not join, since no answer came in time, is known to Kinward by a name alone.
    never = standing.keys() - shown.keys()
    assert {a: ours[s] for a, s in standing.items() if a not in never} == shown
    assert {standing[a] for a in never} <= {"active"}
    uploaders = "SELECT DISTINCT platform_id FROM matching_check c JOIN people_account a "
    posted = ask(demo, f"{uploaders} ON a.id = c.account_id")
    assert not never & {account for (account,) in posted}

    for command in (["evidence", "store"], ["evidence", "scrub"], ["ledger", "verify"]):
        said = demo.kinward(*command)
        assert said.returncode == 0, said.stdout + said.stderr
    unstored = ask(demo, "SELECT count(*) FROM evidence_evidence WHERE location = ''")[0][0]
    tries = ask(demo, "SELECT sum(greatest(attempts - 1, 0))::int FROM enforcement_action")
    told = ask(demo, "SELECT count(*), count(DISTINCT (case_id, stage)) FROM redress_statement")
    fates = {
        "lost": len(reported.keys() - files.keys()) + len(undone) + given_up + unstored,
        "doubled": len(files.keys() - reported.keys()) + told[0][0] - told[0][1],
        "stuck": sum(unsettled(demo).values()),
    }
    assert not any(fates.values()), fates
    return {
        "cases": len(cases),
        "reports finished": len(finished),
        "actions delivered": len(delivered),
        "tried again": tries[0][0],
        "statements": told[0][0],
        "appeals": len(answers),
        "appeals won": len(won),
        "reports withdrawn": sum(state == "withdrawn" for state in states.values()),
        **fates,
    }
