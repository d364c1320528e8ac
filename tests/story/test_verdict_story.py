"""A grave verdict in a real browser: three keys do nothing, a minute, and two people."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.story.conftest import Demo, assert_accessible, running, sign_in

MINUTE = 20  # seconds in this story; the operator of the demo chose it
AFTER = 60_000  # milliseconds in which a worker surely notices that the minute is over
WORDS = "The chat asks a child to come alone."


@pytest.fixture(scope="module")
def demo(first_run: Path) -> Iterator[Demo]:
    with running("kinward-verdict-", first_run, KINWARD_TAKE_BACK_SECONDS=str(MINUTE)) as started:
        yield started


@pytest.fixture(scope="module")
def robin(browser: Browser, demo: Demo) -> Iterator[Page]:
    page, _ = sign_in(browser, demo, "robin")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def sasha(browser: Browser, demo: Demo) -> Iterator[Page]:
    page, _ = sign_in(browser, demo, "sasha")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def case(demo: Demo) -> str:
    """One user report with its chat, about somebody whom nobody else complained of."""
    http = httpx.Client(
        base_url=demo.console,
        headers={"Authorization": f"Bearer {demo.secret('demo_api_key')}"},
        timeout=60,
        trust_env=False,
    )
    http.put("/v1/accounts/godwit", json={"screen_name": "godwit"}).raise_for_status()
    said = {"account_id": "godwit", "at": "2026-01-02T03:04:05Z", "text": "Come alone."}
    report = {"account_id": "godwit", "category": "contact", "messages": [said]}
    http.post("/v1/reports", json=report).raise_for_status()
    ((case,),) = demo.database(
        "SELECT c.id::text FROM casebook_case c JOIN people_account a ON a.id = c.account_id "
        "WHERE a.platform_id = 'godwit'"
    )
    return str(case)


def grave(demo: Demo, case: str) -> int:
    """How much of what is grave was done in a case."""
    ((count,),) = demo.database(
        f"SELECT (SELECT count(*) FROM reporting_report WHERE case_id = '{case}') + "
        f"(SELECT count(*) FROM enforcement_sanction WHERE case_id = '{case}' "
        "AND kind = 'terminate') + "
        f"(SELECT count(*) FROM enforcement_blockedidentifier WHERE case_id = '{case}')"
    )
    return int(count)


def choose(page: Page) -> None:
    page.get_by_role("radio", name="Confirm").check()
    page.get_by_role("radio", name="CS-2").check()
    page.get_by_label("What you saw").fill(WORDS)


def test_three_keys_do_nothing(demo: Demo, robin: Page, case: str) -> None:
    robin.goto(f"{demo.console}/queue")
    robin.keyboard.press("n")
    expect(robin.get_by_role("heading", name="Your verdict")).to_be_visible()
    taken = robin.url.rsplit("/", 1)[1]
    assert robin.locator("input[type=radio]:checked").count() == 0, "nothing is preselected"
    robin.keyboard.press("c")
    robin.keyboard.press("Enter")
    expect(robin.get_by_text("Choose the clause of the guidelines")).to_be_visible()
    robin.get_by_label("What you saw").fill("x")
    robin.get_by_text("More for the report").click()
    robin.get_by_label("When it happened").press("Enter")
    expect(robin.get_by_text("Choose the clause of the guidelines")).to_be_visible()
    assert demo.database(f"SELECT state FROM casebook_case WHERE id = '{taken}'") == [("open",)]
    assert demo.database("SELECT count(*) FROM casebook_pendingverdict") == [(0,)]
    assert grave(demo, taken) == 0
    robin.get_by_role("button", name="Return this case to the queue").click()


def test_a_verdict_is_read_given_and_taken_back(demo: Demo, robin: Page, case: str) -> None:
    robin.goto(f"{demo.console}/cases/{case}")
    robin.get_by_role("button", name="Take this case").click()
    choose(robin)
    robin.get_by_role("button", name="See what follows").click()
    expect(robin.get_by_text("Nobody does this unseen.")).to_be_visible()
    robin.get_by_role("button", name="Show the excerpt").click()
    expect(robin.get_by_text("Come alone.")).to_be_visible()
    robin.get_by_role("button", name="See what follows").click()
    sentence = robin.get_by_text("This ends the account")
    expect(sentence).to_contain_text("files a report to cybertipline")
    expect(sentence).to_contain_text("Another person has to agree first")
    assert_accessible(robin)
    robin.get_by_role("button", name="Give this verdict").click()
    expect(robin.get_by_role("heading", name="A verdict in its minute")).to_be_visible()
    robin.get_by_role("button", name="Take this verdict back").click()
    expect(robin.get_by_text("Nothing has followed from it.").first).to_be_visible()
    expect(robin.get_by_role("heading", name="Your verdict")).to_be_visible()
    assert grave(demo, case) == 0
    assert demo.database(f"SELECT state FROM casebook_case WHERE id = '{case}'") == [("open",)]


def test_a_second_person_looks_writes_reads_and_agrees(
    demo: Demo, robin: Page, sasha: Page, case: str
) -> None:
    choose(robin)
    robin.get_by_role("button", name="See what follows").click()
    robin.get_by_role("button", name="Give this verdict").click()
    expect(robin.get_by_role("heading", name="A verdict in its minute")).to_be_visible()
    _wait_for(robin, "A verdict that takes two people")
    assert grave(demo, case) == 0

    sasha.goto(f"{demo.console}/cases/{case}")
    sasha.get_by_role("button", name="Take this case").click()
    expect(sasha.get_by_role("heading", name="A verdict that takes two people")).to_be_visible()
    expect(sasha.get_by_text(WORDS)).to_have_count(0)
    sasha.get_by_label("What you see").fill("They ask for a meeting.")
    sasha.get_by_role("button", name="Record it").click()
    expect(sasha.get_by_text("Nobody does this unseen.")).to_be_visible()
    sasha.get_by_role("button", name="Show the excerpt").click()
    expect(sasha.get_by_text("Come alone.")).to_be_visible()
    sasha.get_by_label("What you see").fill("They ask for a meeting.")
    sasha.get_by_role("button", name="Record it").click()
    expect(sasha.get_by_text(WORDS)).to_be_visible()
    expect(sasha.get_by_text("one user report alone")).to_be_visible()
    assert_accessible(sasha)
    sasha.get_by_role("button", name="I agree: carry it out").click()
    expect(sasha.get_by_text("You agreed: the verdict is carried out.")).to_be_visible()
    _wait_for(sasha, "no. ")
    assert grave(demo, case) >= 2


def _wait_for(page: Page, text: str) -> None:
    for _ in range(AFTER // 500):
        if page.get_by_text(text).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(page.get_by_text(text).first).to_be_visible()
