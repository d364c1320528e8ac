"""A film of two tracks, in a real browser and by keyboard alone: each is played by itself."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from kinward.demo import pictures
from tests.story.conftest import Demo, assert_accessible, running, sign_in
from tests.support import videos

TABS = 80  # more than the page has
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def demo(first_run: Path) -> Iterator[Demo]:
    with running("kinward-looking-", first_run) as started:
        yield started


@pytest.fixture(scope="module")
def sasha(browser: Browser, demo: Demo) -> Iterator[Page]:
    page, problems = sign_in(browser, demo, "sasha")
    yield page
    page.context.close()
    assert problems == []


def press(page: Page, name: str) -> None:
    """Press Tab until a button of this name has the focus, then Enter."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText || ''").strip().startswith(name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name!r} cannot be reached by keyboard")


def test_a_film_of_two_tracks_is_seen_once_both_were_played(demo: Demo, sasha: Page) -> None:
    drawn = [pictures.draw(seed, (320, 240)) for seed in (901, 902)]
    ((account,),) = demo.database("SELECT platform_id FROM people_account LIMIT 1")
    answer = httpx.post(
        f"{demo.console}/v1/media",
        data={"account_id": account, "content_id": "two-tracks"},
        files={"file": ("file", videos.tracks([[drawn[0]], [drawn[1]]]))},
        headers={"Authorization": f"Bearer {demo.secret('demo_api_key')}"},
        timeout=60,
        trust_env=False,
    )
    assert answer.json().get("outcome") == "quarantine", answer.text
    sasha.goto(f"{demo.console}/cases/{answer.json()['case_id']}")
    press(sasha, "Take this case")
    figure = sasha.locator("figure").filter(has_text="two-tracks")
    expect(figure.get_by_text("not seen")).to_be_visible()
    sasha.keyboard.press("s")
    expect(figure.get_by_role("heading", name="Track 2 of 2")).to_be_visible()
    expect(figure.locator(".shown img")).to_have_count(2)
    expect(figure.get_by_text("Left: 2.")).to_be_visible()
    assert_accessible(sasha)
    for number, said in ((1, "not seen entirely"), (2, "seen by a person")):
        section = figure.get_by_role("region", name=f"Track {number} of 2")
        press(sasha, f"Play Track {number}")
        video = section.locator("video")
        expect(video).to_be_visible()
        expect(section).to_be_focused()
        assert video.evaluate("v => v.muted && v.paused && v.src.startsWith('data:video/webm')")
        sasha.keyboard.press("Tab")
        sasha.keyboard.press("Space")
        expect(figure.get_by_text(said, exact=True)).to_be_visible(timeout=20_000)
    assert_accessible(sasha)
    expect(figure.get_by_text("Left:")).to_have_count(0)
    sasha.set_viewport_size(PHONE)
    assert sasha.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    sasha.reload()
    expect(figure.get_by_text("seen by a person")).to_be_visible()
