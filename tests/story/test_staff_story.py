"""The life of a colleague in a real browser: invited, confirmed, at work, suspended."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from kinward.cli.demo import one_time_code
from tests.story.conftest import Demo, assert_accessible, sign_in

PASSWORD = "a long test word"


@pytest.fixture(scope="module")
def sasha(browser: Browser, demo: Demo) -> Iterator[Page]:
    page, _ = sign_in(browser, demo, "sasha")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def robin(browser: Browser, demo: Demo) -> Iterator[Page]:
    page, _ = sign_in(browser, demo, "robin")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def nils(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_somebody_is_invited_and_sets_up_a_password_and_a_second_factor(
    demo: Demo, sasha: Page, nils: Page
) -> None:
    sasha.goto(f"{demo.console}/staff")
    sasha.get_by_text("Invite somebody").click()
    sasha.get_by_label("Username").fill("nils")
    sasha.get_by_label("reviewer", exact=True).check()
    sasha.get_by_role("button", name="Invite").click()
    link = sasha.locator("section code").inner_text()
    assert_accessible(sasha)
    nils.goto(link)
    assert_accessible(nils)
    nils.get_by_label("Password, at least").fill(PASSWORD)
    nils.get_by_label("The same password again").fill(PASSWORD)
    nils.get_by_role("button", name="Join").click()
    expect(nils.get_by_text("Your password is set")).to_be_visible()
    nils.get_by_label("Username").fill("nils")
    nils.get_by_label("Password").fill(PASSWORD)
    nils.get_by_role("button", name="Sign in", exact=True).click()
    expect(nils.get_by_text("Set up a second factor first")).to_be_visible()
    nils.get_by_role("link", name="Activate").click()
    if nils.get_by_label("Password").count():
        nils.get_by_label("Password").fill(PASSWORD)
        nils.get_by_role("button", name="Confirm").click()
    secret = nils.locator("input#authenticator_secret").input_value()
    nils.locator("input[name=code]").fill(one_time_code(secret))
    nils.get_by_role("button", name="Activate").click()
    nils.goto(demo.console)
    expect(nils.get_by_role("heading", name="Your role waits for a colleague")).to_be_visible()
    sasha.goto(link)
    expect(sasha.get_by_text("This invitation has been used")).to_be_visible()


def test_a_present_reviewer_confirms_and_the_newcomer_works(
    demo: Demo, sasha: Page, robin: Page, nils: Page
) -> None:
    sasha.goto(f"{demo.console}/staff")
    expect(sasha.get_by_role("heading", name="Roles that wait")).to_be_visible()
    assert sasha.get_by_role("button", name="Confirm").count() == 0, "who invited does not confirm"
    robin.goto(demo.console)
    robin.get_by_role("link", name="Staff 1 to confirm").click()
    assert_accessible(robin)
    robin.get_by_role("button", name="Confirm nils as reviewer").click()
    expect(robin.get_by_text("nils has the role of reviewer.")).to_be_visible()
    nils.goto(f"{demo.console}/queue")
    nils.keyboard.press("n")
    expect(nils.get_by_role("heading", name="Your verdict")).to_be_visible()
    assert demo.database("SELECT count(*) FROM casebook_case WHERE leased_until > now()") == [(1,)]


def test_a_suspension_ends_the_open_page_and_the_lease(
    demo: Demo, sasha: Page, robin: Page, nils: Page
) -> None:
    case = nils.url
    sasha.goto(f"{demo.console}/staff")
    row = sasha.get_by_role("row", name="nils")
    row.get_by_text("Change nils").click()
    row.get_by_role("button", name="Suspend").click()
    expect(sasha.get_by_text("nils is suspended")).to_be_visible()
    robin.goto(case)
    robin.get_by_role("button", name="Take this case").click()
    expect(robin.get_by_role("heading", name="Your verdict")).to_be_visible()
    expect(nils.get_by_role("heading", name="Sign in")).to_be_visible()  # nobody touched the page
    nils.goto(case)
    expect(nils.get_by_role("heading", name="Sign in")).to_be_visible()
