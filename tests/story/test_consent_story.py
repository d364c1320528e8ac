"""A guardian withdraws consent in the store, and gives it again, as it is seen in Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.story.conftest import Demo, assert_accessible, noon
from tests.story.test_family_story import DESKTOP, PHONE, eventually, paired


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


def decisions(demo: Demo, page: Page) -> set[str]:
    """The effects that Tidepool shows for a member."""
    page.goto(f"{demo.community}/account")
    rows = page.locator("[data-capability]")
    assert rows.count() > 10
    return {row.get_attribute("data-effect") or "" for row in rows.all()}


def decide_on_phone(demo: Demo, page: Page, button: str, withdrawn: str) -> None:
    page.goto(f"{demo.community}/account")
    page.get_by_role("link", name="Practice: the phone of my guardian").click()
    assert_accessible(page)
    page.get_by_role("button", name=button).click()
    expect(page.locator(f"[data-withdrawn={withdrawn}]")).to_be_visible()


def test_withdrawn_consent_closes_the_account_and_given_again_opens_it(
    demo: Demo, desktop: BrowserContext, phone: BrowserContext
) -> None:
    parent, child = paired(demo, desktop, phone, "dipper", "stint", 15)
    guardians_view = parent.url
    before = decisions(demo, child)
    assert before - {"deny"}

    decide_on_phone(demo, child, "Withdraw consent", "yes")

    assert decisions(demo, child) == {"deny"}
    expect(child.get_by_text("When they give it again, this opens again.").first).to_be_visible()
    child.goto(demo.community)
    expect(child.locator("[data-closed]")).to_be_visible()
    expect(child.get_by_text("The consent of your parent or guardian")).to_be_visible()
    # The family pages stay open, and both see why.
    child.get_by_role("link", name="Family", exact=True).click()
    expect(child.locator("[data-consent=withdrawn]")).to_be_visible()
    assert_accessible(child)
    parent.goto(guardians_view)
    expect(parent.locator("[data-consent=withdrawn]")).to_be_visible()
    eventually(child, f"{demo.community}/account", "Your pages for family, help and reports")
    eventually(parent, f"{demo.community}/account", "so the account is closed for now")

    decide_on_phone(demo, child, "Give consent again", "no")

    assert decisions(demo, child) == before
    child.goto(demo.community)
    expect(child.locator("[data-closed]")).to_have_count(0)
    parent.goto(guardians_view)
    expect(parent.locator("[data-consent=withdrawn]")).to_have_count(0)
    eventually(child, f"{demo.community}/account", "You can use the app again")
    facts = demo.database("SELECT kind, actor FROM ledger_entry WHERE kind LIKE 'consent.%'")
    assert sorted(facts) == [
        ("consent.given", "key:tidepool"),
        ("consent.withdrawn", "system:app-store"),
    ]
