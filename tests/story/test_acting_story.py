"""Acting, in a real browser: a shift by keyboard alone, another's approval, an appeal won."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from kinward.demo import pictures
from kinward.evidence.sealing import new_key, public_half
from tests.story.conftest import Demo, assert_accessible, noon, running, sign_in
from tests.support import videos
from tests.support.editions import with_version

IN_A_ROW = 2
TABS = 80  # more than any page here has


@pytest.fixture(scope="module")
def demo(first_run: Path) -> Iterator[Demo]:
    """The demo, where a break is due after two files."""
    with running("kinward-acting-", first_run, KINWARD_EXPOSURE_IN_A_ROW=str(IN_A_ROW)) as started:
        yield started


@pytest.fixture(scope="module")
def robin(browser: Browser, demo: Demo) -> Iterator[Page]:
    page, problems = sign_in(browser, demo, "robin")
    yield page
    page.context.close()
    # What is refused is an answer like any other, but a browser writes it down.
    assert [each for each in problems if "Failed to load resource" not in each] == []


@pytest.fixture(scope="module")
def sasha(browser: Browser, demo: Demo) -> Iterator[Page]:
    page, problems = sign_in(browser, demo, "sasha")
    yield page
    page.context.close()
    assert problems == []


@pytest.fixture(scope="module")
def member(browser: Browser, demo: Demo) -> Iterator[Page]:
    """Somebody who joined the community on a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, timezone_id=noon())
    page = context.new_page()
    page.goto(f"{demo.community}/join")
    page.get_by_label("Handle").fill("turnstone")
    page.get_by_label("Age:", exact=True).fill("31")
    page.get_by_role("main").get_by_role("button", name="Join").click()
    yield page
    context.close()


def post(page: Page, demo: Demo, seed: int) -> None:
    page.goto(f"{demo.community}/mine")
    picture = pictures.encode(pictures.draw(seed).resize((640, 480)), "JPEG", quality=80)
    page.get_by_label("Picture", exact=True).set_input_files(
        {"name": "IMG.jpg", "mimeType": "image/jpeg", "buffer": picture}
    )
    page.get_by_role("button", name="Post").click()


def wait_for(page: Page, text: str) -> None:
    deadline = time.monotonic() + 25
    while not page.get_by_text(text).count() and time.monotonic() < deadline:
        time.sleep(0.25)
        page.reload()
    expect(page.get_by_text(text).first).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until something of this name has the focus: there is no mouse in this shift."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(e => (e.labels?.[0]?.innerText || e.innerText || e.name || '').trim())"
            "(document.activeElement)"
        )
        if focused.startswith(name):
            return
    raise AssertionError(f"{name!r} cannot be reached by keyboard on {page.url}")


def test_a_shift_by_keyboard_alone(demo: Demo, robin: Page, member: Page) -> None:
    post(member, demo, 903)
    expect(member.locator("li[data-post]").first).to_have_attribute("data-state", "held")
    # Two more findings join before the suspension arrived: hold the case against three files.
    for seed in (904, 902):
        _upload(demo, member, seed)
    robin.goto(f"{demo.console}/queue")
    before = len(demo.reports())
    while True:  # by priority: the demo's own case may come first
        robin.keyboard.press("n")
        expect(robin.get_by_role("heading", name="Your verdict")).to_be_visible()
        if robin.get_by_text("turnstone").count():
            break
        tab_to(robin, "Return this case to the queue")
        robin.keyboard.press("Enter")
        expect(robin.get_by_role("heading", name="Queue")).to_be_visible()
        _put_first(demo)
    # Everything is a grey blur until it is asked for.
    expect(robin.locator("figure .shown img")).to_have_count(0)
    robin.keyboard.press("s")
    shown = robin.locator("figure .shown img").first
    expect(shown).to_be_visible()
    assert "grayscale" in shown.evaluate("e => getComputedStyle(e).filter")
    for _ in range(2):
        tab_to(robin, "Show the file")
        robin.keyboard.press("Enter")
        robin.wait_for_timeout(700)
    expect(robin.get_by_text("Take a break from them now").first).to_be_visible()
    expect(robin.locator("figure .shown img")).to_have_count(IN_A_ROW)
    assert_accessible(robin)
    robin.keyboard.press("c")
    assert robin.locator("input[value=confirmed]").is_checked()
    tab_to(robin, "CS-1")
    robin.keyboard.press("Space")
    assert robin.locator("input[name=clause]:checked").input_value() == "CS-1"
    tab_to(robin, "See what follows")
    robin.keyboard.press("Enter")
    expect(robin.get_by_text("This ends the account")).to_be_visible()
    tab_to(robin, "Give this verdict")
    robin.keyboard.press("Enter")
    expect(robin.get_by_text("Verdict recorded: confirmed.")).to_be_visible()
    deadline = time.monotonic() + 40
    while robin.locator("h1 .badge").inner_text() != "reported" and time.monotonic() < deadline:
        time.sleep(0.25)
        robin.reload()
    expect(robin.locator("h1 .badge")).to_have_text("reported")
    assert len(demo.reports()) == before + 1


def _upload(demo: Demo, member: Page, seed: int) -> None:
    """What the member had sent when the suspension was under way."""
    picture = pictures.encode(pictures.draw(seed).resize((640, 480)), "JPEG", quality=80)
    _send(demo, f"under-way-{seed}", picture)


def _send(demo: Demo, content_id: str, data: bytes) -> None:
    answer = httpx.post(
        f"{demo.console}/v1/media",
        data={"account_id": _account(demo), "content_id": content_id},
        files={"file": ("file", data)},
        headers={"Authorization": f"Bearer {demo.secret('demo_api_key')}"},
        timeout=60,
        trust_env=False,
    )
    assert answer.json()["outcome"] == "quarantine"


def _account(demo: Demo) -> str:
    ((number,),) = demo.database(
        "SELECT id FROM demo_member WHERE handle = 'turnstone'", "kinward_demo"
    )
    return f"member-{number}"


def _put_first(demo: Demo) -> None:
    demo.database(
        "UPDATE casebook_case SET due_at = now() - interval '9 days' FROM people_account p "
        f"WHERE p.id = account_id AND p.platform_id = '{_account(demo)}'"
    )


def test_a_video_is_played_muted_and_is_seen_at_its_end(
    demo: Demo, sasha: Page, member: Page
) -> None:
    _send(demo, "under-way-film", videos.encode([901, 902], seconds=1, sound="aac"))
    ((case,),) = demo.database(
        "SELECT c.id FROM casebook_case c JOIN people_account p ON p.id = c.account_id "
        f"WHERE p.platform_id = '{_account(demo)}' AND c.state = 'open'"
    )
    sasha.goto(f"{demo.console}/cases/{case}")
    sasha.get_by_role("button", name="Take this case").click()
    figure = sasha.locator("figure").filter(has_text="under-way-film")
    figure.get_by_role("button", name="Show the file").click()
    expect(figure.locator(".shown img")).to_be_visible()
    expect(figure.get_by_text("not seen")).to_be_visible()
    figure.get_by_role("button", name="Play the file").click()
    video = figure.locator("video")
    expect(video).to_be_visible()
    assert video.evaluate("v => [v.muted, v.paused, getComputedStyle(v).filter]") == [
        True,
        True,
        "grayscale(1)",
    ]
    assert_accessible(sasha)
    video.focus()
    sasha.keyboard.press("Space")
    expect(figure.get_by_text("seen by a person")).to_be_visible(timeout=20_000)
    sasha.reload()
    expect(figure.get_by_text("seen by a person")).to_be_visible()
    sasha.get_by_role("button", name="Return this case to the queue").click()


def test_pages_leave_no_connection_open(demo: Demo, sasha: Page) -> None:
    """A database has a hundred; a console that kept one for each page would stop after as many."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'kinward'"
    sasha.goto(f"{demo.console}/queue")
    ((before,),) = demo.database(count)
    ((case,),) = demo.database("SELECT id FROM casebook_case ORDER BY opened_at LIMIT 1")
    for _ in range(60):
        assert sasha.request.get(f"{demo.console}/cases/{case}").ok
    ((after,),) = demo.database(count)
    assert after < before + 4


def test_an_appeal_is_won_and_the_picture_comes_back(
    demo: Demo, robin: Page, sasha: Page, member: Page
) -> None:
    member.goto(f"{demo.community}/mine")
    wait_for(member, "Removed")
    member.goto(f"{demo.community}/account")
    wait_for(member, "It breaks our guidelines: CS-1")
    member.get_by_role("link", name="Decisions about my account").click()
    member.get_by_role("button", name="Yes, that is me").click()
    expect(member.get_by_role("heading", name="Decisions about your account")).to_be_visible()
    assert_accessible(member)
    assert member.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    member.get_by_label("Why do you think this is wrong?").fill("They are shapes I drew.")
    member.get_by_role("button", name="Appeal", exact=True).click()
    expect(member.get_by_text("We have received your appeal.")).to_be_visible()

    # Whoever decided cannot answer it.
    robin.goto(f"{demo.console}/appeals")
    robin.get_by_role("button", name="Take the case").click()
    expect(robin.get_by_role("heading", name="Appeal to answer")).to_be_visible()
    robin.keyboard.press("o")
    robin.get_by_label("Why (internal)").fill("I was wrong.")
    robin.get_by_role("button", name="Give this answer").click()
    expect(robin.get_by_role("alert").first).to_contain_text("Another person has to decide")
    robin.get_by_role("button", name="Return this case to the queue").click()

    sasha.goto(f"{demo.console}/appeals")
    assert_accessible(sasha)
    sasha.get_by_role("button", name="Take the case").click()
    expect(sasha.get_by_text("They are shapes I drew.")).to_be_visible()
    sasha.keyboard.press("o")
    sasha.get_by_label("Why (internal)").fill("Drawn shapes, and nothing else.")
    sasha.get_by_role("button", name="Give this answer").click()
    expect(sasha.locator("h1 .badge")).to_have_text("overturned")
    assert_accessible(sasha)

    member.goto(f"{demo.community}/mine")
    deadline = time.monotonic() + 25
    restored = member.locator("li[data-post][data-state=published] img")
    while not restored.count() and time.monotonic() < deadline:
        time.sleep(0.25)
        member.reload()
    expect(restored.first).to_be_visible()
    assert restored.first.evaluate("e => e.naturalWidth") == 640, "from the vault, as it was"
    member.goto(f"{demo.community}/account")
    wait_for(member, "Everything has been restored. We are sorry.")


def test_two_people_change_the_guidelines(demo: Demo, browser: Browser, sasha: Page) -> None:
    kai, problems = sign_in(browser, demo, "kai")
    kai.goto(f"{demo.console}/guidelines")
    assert_accessible(kai)
    document = kai.get_by_label("Document (with a new version)")
    changed = with_version(document.input_value(), "sooner")
    document.fill(changed.replace("decay_days = 180", "decay_days = 0"))
    kai.get_by_label("Why", exact=True).fill("Strikes should fade sooner.")
    kai.get_by_role("button", name="Propose this edition").click()
    expect(kai.get_by_text("decay_days is from 1")).to_be_visible()
    document.fill(changed.replace("decay_days = 180", "decay_days = 90"))
    kai.get_by_role("button", name="Propose this edition").click()
    expect(kai.get_by_text("cases would have had a different outcome")).to_be_visible(
        timeout=20_000
    )
    expect(kai.get_by_text("+decay_days = 90")).to_be_visible()
    expect(kai.get_by_role("button", name="Approve")).to_have_count(0)
    assert_accessible(kai)
    sasha.goto(kai.url)
    sasha.get_by_role("button", name="Approve and put in force").click()
    expect(
        sasha.get_by_text("community-guidelines sooner is in force", exact=False).first
    ).to_be_visible()
    sasha.goto(f"{demo.console}/safety/de/guidelines")
    expect(sasha.get_by_text("Kein Mobbing und kein Hass")).to_be_visible()
    kai.context.close()
    assert [each for each in problems if "Failed to load resource" not in each] == []


def test_two_people_release_records_to_a_court(
    demo: Demo, browser: Browser, sasha: Page, tmp_path: Path
) -> None:
    mika, problems = sign_in(browser, demo, "mika")
    expect(mika.get_by_role("heading", name="Custody")).to_be_visible()
    key = new_key()
    for label, value in (
        ("Account", _account(demo)),
        ("From (UTC)", "2020-01-01"),
        ("Through", "2099-01-01"),
        ("Recipient", "A court of a story"),
        ("Recipient\u2019s reference", "ref-1"),
        ("Recipient\u2019s public key", public_half(key)),
        ("Why", "It ordered so."),
    ):
        mika.get_by_label(label, exact=label in ("Account", "Recipient", "Why")).fill(value)
    mika.get_by_role("button", name="Request this release").click()
    expect(
        mika.get_by_text("You requested this, so another custodian must approve it.")
    ).to_be_visible()
    assert_accessible(mika)
    sasha.goto(f"{demo.console}/releases")
    sasha.get_by_role("button", name="Approve").click()
    command = sasha.locator("code").first.inner_text().split()
    out = tmp_path / "package.age"
    done = demo.kinward(*command[1:4], "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert out.stat().st_size > 1000
    for path in ("/releases", "/quality", "/appeals"):
        sasha.set_viewport_size({"width": 390, "height": 844})
        sasha.goto(demo.console + path)
        assert sasha.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        assert_accessible(sasha)
    sasha.set_viewport_size({"width": 1280, "height": 900})
    mika.context.close()
    assert problems == []
