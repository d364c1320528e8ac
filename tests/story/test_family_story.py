"""A family, in two real browsers: paired by a QR code, a limit met, more asked for, and the end."""

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.story.conftest import Demo, assert_accessible, noon

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=PHONE, timezone_id=noon(), has_touch=True)
    yield context
    context.close()


@pytest.fixture
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP, timezone_id=noon())
    yield context
    context.close()


def join(
    context: BrowserContext,
    demo: Demo,
    handle: str,
    age: int,
    *,
    checked: bool = False,
    language: str = "en",
) -> Page:
    page = context.new_page()
    page.goto(f"{demo.community}/join")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Age:", exact=True).fill(str(age))
    page.get_by_label("Language").select_option(language)
    if checked:
        page.get_by_label("Pretend").check()
    page.get_by_role("main").get_by_role("button", name="Join").click()
    expect(page.get_by_role("heading", name="Feed")).to_be_visible()
    return page


def account_of(demo: Demo, handle: str) -> str:
    rows = demo.database(
        f"SELECT id FROM demo_member WHERE handle = '{handle}'", name="kinward_demo"
    )
    return f"member-{rows[0][0]}"


def use(demo: Demo, handle: str, minutes: int) -> None:
    """Let a member have used the app for so many minutes, up to now."""
    now = datetime.now(UTC)
    events = [
        {
            "account_id": account_of(demo, handle),
            "at": (now - timedelta(minutes=back)).isoformat(),
            "minutes": min(15, minutes - back),
        }
        for back in range(0, minutes, 15)
    ]
    headers = {"Authorization": f"Bearer {demo.secret('demo_api_key')}"}
    httpx.post(
        f"{demo.console}/v1/events",
        json={"events": events},
        headers=headers,
        timeout=60,
        trust_env=False,
    ).raise_for_status()


def scan(page: Page) -> str:
    """What a phone's camera reads from the picture on a screen."""
    shot = page.get_by_role("img", name="QR code to scan").screenshot()
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(shot)))
    return str(found.text)


def checked(page: Page) -> None:
    """The page passes axe-core and is no wider than its screen."""
    assert_accessible(page)
    assert page.viewport_size is not None
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"], f"{page.url} is {wide} wide"


def press(page: Page, name: str, key: str = "Enter") -> None:
    """Reach a control with the keyboard alone, by Tab, and press it."""
    for _ in range(200):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(document.activeElement.getAttribute('aria-label') || "
            "document.activeElement.innerText || '').trim()"
        )
        if focused == name:
            page.keyboard.press(key)
            return
    raise AssertionError(f"{name!r} cannot be reached by Tab on {page.url}")


def paired(
    demo: Demo, desktop: BrowserContext, phone: BrowserContext, guardian: str, teen: str, age: int
) -> tuple[Page, Page]:
    """A guardian at a desktop and a teen with a phone, paired by the QR code."""
    parent = join(desktop, demo, guardian, 41, checked=True)
    child = join(phone, demo, teen, age)
    parent.get_by_role("link", name="Family").click()
    question = f"You are {guardian}. Is that you?"
    expect(parent.get_by_role("heading", name=question, exact=True)).to_be_visible()
    checked(parent)
    press(parent, "Yes, that is me")
    parent.get_by_role("link", name="Pair with a teen").click()
    checked(parent)
    press(parent, "I am a guardian: create a code for my teen")
    expect(parent.get_by_role("heading", name="Your code")).to_be_visible()
    checked(parent)
    child.goto(scan(parent))
    expect(child.get_by_role("heading", name=f"You are {teen}. Is that you?")).to_be_visible()
    checked(child)
    press(child, "Yes, that is me")
    expect(child.get_by_text(f"{guardian} would like to be your guardian here.")).to_be_visible()
    expect(child.get_by_role("heading", name="What a guardian never sees")).to_be_visible()
    checked(child)
    press(child, "I agree")
    expect(child.get_by_text("You are now paired.", exact=True).first).to_be_visible()
    parent.goto(f"{demo.console}/family")
    parent.get_by_role("link", name=teen).click()
    expect(parent.get_by_role("heading", name=teen, level=1)).to_be_visible()
    return parent, child


def eventually(page: Page, url: str, text: str) -> None:
    """A page says something after a while; a page that does not change by itself is read again."""
    for _ in range(20):
        page.goto(url)
        if page.get_by_text(text).count():
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{text!r} is not on {url}:\n{page.inner_text('main')}")


def test_a_limit_is_set_met_and_opened_and_the_pairing_ends(
    demo: Demo, desktop: BrowserContext, phone: BrowserContext
) -> None:
    parent, child = paired(demo, desktop, phone, "heron", "sandpiper", 15)
    checked(parent)
    checked(child)
    # The guardian sets a limit, with the keyboard alone; the teen sees it and who set it.
    press(parent, "Change: Time per day")
    for day in range(7):
        parent.locator(f"#setting-session\\.time input[name=day{day}]").fill("20")
    press(parent, "Save")
    expect(parent.get_by_text("Saved.")).to_be_visible()
    setting = parent.get_by_role("article", name="Time per day")
    expect(setting).to_contain_text("20 minutes")
    expect(setting).to_contain_text("Set by you")
    child.goto(f"{demo.console}/family")
    expect(child.get_by_role("article", name="Time per day")).to_contain_text("Set by heron")
    # The teen meets it in the community.
    use(demo, "sandpiper", 20)
    child.goto(demo.community)
    expect(child.get_by_text("Your time for today is used up.")).to_be_visible()
    assert child.locator("[data-post]").count() == 0
    # They ask from there; the guardian's page shows it by itself.
    waiting = phone.new_page()
    waiting.goto(demo.community)
    child.get_by_role("link", name="Ask for more time").click()
    more = child.get_by_role("region", name="Ask for more time today")
    more.get_by_label("Reason").fill("The quiz ends at eight")
    press(child, "30 minutes")
    expect(child.get_by_text("We have asked your guardians.")).to_be_visible()
    checked(child)
    ask = parent.get_by_role("article", name="30 more minutes today")
    expect(ask).to_contain_text("The quiz ends at eight", timeout=3_000)
    checked(parent)
    # Granted, and seen on both of the teen's pages in under two seconds.
    expect(child.get_by_text("0 of 20 minutes left")).to_be_visible()
    began = time.monotonic()
    ask.get_by_role("button", name="Yes").press("Enter")
    expect(child.get_by_text("30 of 50 minutes left")).to_be_visible(timeout=2_000)
    expect(waiting.locator("[data-post]").first).to_be_visible(timeout=2_000)
    took = time.monotonic() - began
    print(f"granted and seen in the community after {took:.2f} s")
    waiting.close()
    # The community itself is open again, and says who gave the minutes.
    eventually(child, f"{demo.community}/account", "heron said yes: 30 more minutes today")
    # The teen ends the pairing; the guardian is told, and it goes on for the notice.
    child.goto(f"{demo.console}/family")
    child.get_by_role("article", name="heron").get_by_text("End this pairing").click()
    expect(
        child.get_by_text("They are told now, and the pairing ends in 48 hours.")
    ).to_be_visible()
    child.get_by_role("button", name="Yes, end it").press("Enter")
    expect(child.get_by_text("The pairing will end after the notice period.")).to_be_visible()
    expect(parent.get_by_text("sandpiper has ended your pairing.")).to_be_visible(timeout=3_000)
    eventually(parent, f"{demo.community}/account", "sandpiper has ended your pairing.")
    kinds = {row[0] for row in demo.database("SELECT kind FROM ledger_entry")}
    assert {"pairing.started", "choice.made", "ask.made", "ask.yes", "pairing.ending"} <= kinds


def pair_again(demo: Demo, parent: Page, child: Page, teen: str) -> None:
    """Pair a guardian, who is on a visit already, with another teen."""
    parent.goto(f"{demo.console}/family/pair")
    parent.get_by_role("button", name="I am a guardian: create a code for my teen").click()
    child.goto(scan(parent))
    expect(child.get_by_role("heading", name=f"You are {teen}. Is that you?")).to_be_visible()
    child.get_by_role("button", name="Yes, that is me").click()
    child.get_by_role("button", name="I agree").click()
    expect(child.get_by_text("You are now paired.", exact=True).first).to_be_visible()


def test_two_asks_of_two_children_are_answered_in_two_taps_from_the_notice(
    demo: Demo, desktop: BrowserContext, phone: BrowserContext, browser: Browser
) -> None:
    """The guardian holds a phone. The children are at two other devices."""
    parent = join(phone, demo, "petrel", 41, checked=True)
    parent.get_by_role("link", name="Family").click()
    parent.get_by_role("button", name="Yes, that is me").click()
    expect(parent.get_by_role("heading", name="Your family")).to_be_visible()
    other = browser.new_context(viewport=PHONE, timezone_id=noon())
    children = []
    for context, teen, minutes in ((desktop, "avocet", 30), (other, "turnix", 15)):
        child = join(context, demo, teen, 14)
        pair_again(demo, parent, child, teen)
        child.goto(f"{demo.console}/family")
        more = child.get_by_role("region", name="Ask for more time today")
        more.get_by_role("button", name=f"{minutes} minutes").click()
        expect(child.get_by_text("We have asked your guardians.")).to_be_visible()
        children.append((child, f"{teen} asks for: {minutes} more minutes today", 60 + minutes))
    # The first screen of the guardian begins with both asks.
    parent.goto(f"{demo.console}/family")
    waiting = parent.get_by_role("region", name="Waiting for your answer")
    expect(waiting.get_by_role("article")).to_have_count(2)
    checked(parent)
    # So do the notices in the app, each with its buttons. Two taps answer both.
    for _, asks, _ in children:
        eventually(parent, f"{demo.community}/account", asks)
    checked(parent)
    for child, asks, allowed in children:
        buttons = parent.get_by_role("form", name=asks)
        expect(buttons.get_by_role("button")).to_have_text(["Yes", "Let\u2019s talk", "No"])
        buttons.get_by_role("button", name="Yes").tap()
        expect(parent.get_by_text(f"Your answer has been sent: {asks}")).to_be_visible()
        expect(buttons).to_have_count(0)
        expect(child.get_by_text(f"of {allowed} minutes left")).to_be_visible()
    parent.goto(f"{demo.console}/family")
    expect(parent.get_by_role("heading", name="Your family")).to_be_visible()
    expect(waiting).to_have_count(0)
    other.close()


def test_at_sixteen_it_ends_at_once_and_nothing_is_left_to_see(
    demo: Demo, desktop: BrowserContext, phone: BrowserContext
) -> None:
    parent, child = paired(demo, desktop, phone, "egret", "dunlin", 16)
    at = parent.url
    child.goto(f"{demo.console}/family")
    child.get_by_role("article", name="egret").get_by_text("End this pairing").click()
    child.get_by_role("button", name="Yes, end it").click()
    expect(child.get_by_text("The pairing has ended.")).to_be_visible()
    expect(child.get_by_text("You have no guardian here yet.")).to_be_visible()
    answer = parent.goto(at)
    assert answer is not None
    assert answer.status == 403
    expect(parent.get_by_role("heading", name="These accounts are not paired")).to_be_visible()
    checked(parent)


def test_this_is_not_my_guardian(
    demo: Demo, desktop: BrowserContext, phone: BrowserContext
) -> None:
    parent, child = paired(demo, desktop, phone, "gannet", "fulmar", 14)
    child.goto(f"{demo.console}/family")
    child.get_by_role("article", name="gannet").get_by_text("This is not my guardian").click()
    child.get_by_label("Pause now").check()
    child.get_by_label("How and when can we reach you safely? (optional)").fill("At school")
    checked(child)
    child.get_by_role("button", name="Tell a person").click()
    # The teen is where help is, with a quick way out; nothing of it is on the guardian's page.
    expect(child.get_by_role("heading", name="If home is not safe")).to_be_visible()
    expect(child.get_by_role("link", name="Leave this page quickly")).to_be_visible()
    checked(child)
    parent.goto(f"{demo.console}/family")
    expect(parent.get_by_text("paused while a person reviews it").first).to_be_visible()
    assert parent.get_by_role("link", name="fulmar").count() == 0
    checked(parent)
    (row,) = demo.database(
        "SELECT c.priority FROM casebook_case c JOIN people_account a ON a.id = c.account_id"
        f" WHERE a.platform_id = '{account_of(demo, 'gannet')}'"
    )
    assert row == (True,)


def test_somebody_reports_a_picture(
    demo: Demo, desktop: BrowserContext, phone: BrowserContext
) -> None:
    page = join(phone, demo, "turnstone", 15)
    page.get_by_role("link", name="Report the picture of").first.click()
    page.get_by_role("button", name="Yes, that is me").click()
    checked(page)
    page.get_by_label("An adult is approaching a child").check()
    page.get_by_label("Anything that helps us").fill("They asked for secrets.")
    press(page, "Send the report")
    expect(page.get_by_text("Thank you. We have received your report").first).to_be_visible()
    expect(page.get_by_role("heading", name="Help right now")).to_be_visible()
    expect(page.get_by_text("a person will review it").first).to_be_visible()
    checked(page)


def test_every_page_at_both_sizes(
    demo: Demo, desktop: BrowserContext, phone: BrowserContext
) -> None:
    parent, child = paired(demo, desktop, phone, "osprey", "whimbrel", 15)
    teen_page = parent.url
    groups = "?group={}"
    paths = {
        parent: [teen_page, *(teen_page + groups.format(each) for each in ("people", "content"))],
        child: [f"{demo.console}/family{groups.format(each)}" for each in ("people", "spending")],
    }
    for page, own in paths.items():
        common = ("/family", "/family/pair", "/family/safe", "/family/report", "/family/digest")
        for address in (*own, *(demo.console + each for each in common)):
            for size in (PHONE, DESKTOP):
                page.set_viewport_size(size)
                page.goto(address)
                checked(page)
    parent.goto(teen_page)
    press(parent, "Show today\u2019s codes")
    expect(parent.get_by_role("heading", name="Today\u2019s codes")).to_be_visible()
    checked(parent)
    child.goto(f"{demo.console}/family/safe")
    press(child, "Create a code for an adult I trust")
    expect(child.get_by_role("heading", name="Your code")).to_be_visible()
    checked(child)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_safety_center_stands_without_scripts(
    demo: Demo, browser: Browser, size: ViewportSize
) -> None:
    context = browser.new_context(viewport=size, locale="de-DE")
    page = context.new_page()
    page.goto(f"{demo.console}/safety")
    assert page.url.endswith("/safety/de")
    for name in ("", "/parents", "/teens", "/settings", "/reporting", "/help", "/guidelines"):
        page.goto(f"{demo.console}/safety/de{name}")
        assert page.locator("script").count() == 0
        assert page.locator("html").get_attribute("lang") == "de"
        checked(page)
    context.close()
