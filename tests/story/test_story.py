"""The whole story in a real browser: from an upload to a filed report, and back again."""

import time
from collections.abc import Iterator

import httpx
import pytest
from lxml import etree
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kinward.demo import pictures
from tests.story.conftest import Demo, assert_accessible, noon, sign_in

SETTLE_SECONDS = 20.0


@pytest.fixture(scope="module")
def console(browser: Browser, demo: Demo) -> Iterator[Page]:
    """The console, with robin signed in."""
    page, problems = sign_in(browser, demo, "robin")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    yield page
    page.context.close()
    # What is refused is an answer like any other, but a browser writes it down. An open page asks
    # whether its session lives, too, while the last test here starts the demo anew.
    known = ("Failed to load resource", "htmx:sendError", "htmx:afterRequest")
    assert [each for each in problems if not any(words in each for words in known)] == []


@pytest.fixture
def member(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, timezone_id=noon())
    yield context
    context.close()


def join_and_post(
    context: BrowserContext, demo: Demo, handle: str, age: int, name: str, data: bytes
) -> Page:
    """Sign up, post a picture, and end on the member's own page."""
    page = context.new_page()
    page.goto(f"{demo.community}/join")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Age:", exact=True).fill(str(age))
    page.get_by_role("main").get_by_role("button", name="Join").click()
    page.goto(f"{demo.community}/mine")
    page.get_by_label("Picture", exact=True).set_input_files(
        {"name": name, "mimeType": "image/jpeg", "buffer": data}
    )
    page.get_by_role("button", name="Post").click()
    return page


def take_case_of(console: Page, demo: Demo, handle: str) -> None:
    """Take the open case of a member."""
    console.goto(f"{demo.console}/queue")
    console.get_by_role("row", name=account_of(demo, handle)).get_by_role("link").click()
    console.get_by_role("button", name="Take this case").click()
    expect(console.get_by_role("heading", name="Your verdict")).to_be_visible()


def decide(console: Page, key: str, outcome: str) -> None:
    """Choose by keyboard, write a note, and give the verdict."""
    console.keyboard.press(key)
    assert console.locator(f"input[value={outcome}]").is_checked()
    if outcome == "confirmed":
        console.get_by_role("radio", name="CS-1").check()
    console.get_by_label("What you saw").fill("Generated shapes, as the story goes.")
    console.get_by_role("button", name="See what follows").click()
    console.get_by_role("button", name="Give this verdict").click()
    expect(console.get_by_text(f"Verdict recorded: {outcome}.")).to_be_visible()


def account_of(demo: Demo, handle: str) -> str:
    ((number,),) = demo.database(
        f"SELECT id FROM demo_member WHERE handle = '{handle}'", "kinward_demo"
    )
    return f"member-{number}"


def wait_for(page: Page, text: str, *, gone: bool = False) -> None:
    """Reload until the page says so (or no longer does): webhooks arrive when they arrive."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (page.get_by_text(text).count() > 0) == gone and time.monotonic() < deadline:
        time.sleep(0.2)
        page.reload()
    assert (page.get_by_text(text).count() > 0) != gone, text


def state_of_case(console: Page, state: str) -> None:
    for _ in range(60):
        console.reload()
        if console.locator("h1 .badge").inner_text() == state:
            return
        time.sleep(0.25)
    raise AssertionError(f"the case is {console.locator('h1 .badge').inner_text()}, not {state}")


def test_a_known_picture_never_appears_and_its_account_is_closed_and_reported(
    demo: Demo, console: Page, member: BrowserContext, browser: Browser
) -> None:
    before = len(demo.reports())
    reencoded = pictures.encode(pictures.draw(903), "JPEG", quality=55)
    resized = pictures.encode(pictures.draw(903).resize((480, 360)), "JPEG", quality=90)
    page = join_and_post(member, demo, "ripple", 15, "IMG_7.jpg", reencoded)
    expect(page.get_by_role("status").first).to_contain_text("Your picture is being checked")
    post = page.locator("li[data-post]")
    expect(post).to_have_attribute("data-state", "held")
    expect(page.locator("main img")).to_have_count(0)
    wait_for(page, "This account is paused")
    held = post.first.get_attribute("data-post")
    page.goto(demo.community)
    expect(page.get_by_role("heading", name="Feed")).to_be_visible()
    assert page.locator(f"[data-post='{held}']").count() == 0

    # The same picture resized, from another device before the suspension arrived there.
    second = browser.new_context(timezone_id=noon())
    other = join_and_post(second, demo, "ripple2", 15, "small.jpg", resized)
    expect(other.locator("li[data-post]")).to_have_attribute("data-state", "held")
    second.close()

    take_case_of(console, demo, "ripple")
    expect(console.get_by_text("Looks the same as an entry of the verified bank")).to_be_visible()
    veil = console.locator("figure img")
    expect(veil).to_be_visible()
    console.keyboard.press("s")
    expect(console.locator("figure .shown img")).to_be_visible()
    expect(console.locator("figcaption")).to_contain_text("seen by a person")
    decide(console, "c", "confirmed")
    state_of_case(console, "reported")
    expect(console.get_by_role("region", name="Report").get_by_text("finished")).to_be_visible()

    page.goto(f"{demo.community}/mine")
    wait_for(page, "This account is closed")
    expect(page.get_by_role("button", name="Post")).to_be_disabled()

    reports = demo.reports()
    assert len(reports) == before + 1
    report = reports[-1]
    assert report["state"] == "finished"
    document = etree.fromstring(report["xml"])
    assert document.findtext("personOrUserReported/espIdentifier") == account_of(demo, "ripple")
    (file,) = report["files"]
    details = etree.fromstring(file["details"])
    hashes = {e.get("hashType"): e.text for e in details.findall("originalFileHash")}
    assert hashes["MD5"] == file["md5"]
    assert hashes["SHA256"] == file["sha256"]
    assert set(hashes) == {"MD5", "SHA1", "SHA256", "PDQ"}
    assert details.findtext("fileViewedByEsp") == "true"

    # The other account's picture is not confirmed without a look.
    take_case_of(console, demo, "ripple2")
    console.keyboard.press("c")
    console.get_by_role("radio", name="CS-1").check()
    console.get_by_role("button", name="See what follows").click()
    expect(console.get_by_text("Nobody does this unseen.")).to_be_visible()
    expect(console.get_by_role("button", name="Give this verdict")).to_have_count(0)
    console.keyboard.press("s")
    expect(console.locator("figcaption")).to_contain_text("seen by a person")
    decide(console, "c", "confirmed")
    state_of_case(console, "reported")
    assert len(demo.reports()) == before + 2


def test_a_dismissed_case_gives_the_account_and_the_picture_back(
    demo: Demo, console: Page, member: BrowserContext
) -> None:
    picture = pictures.encode(pictures.draw(904).resize((700, 525)), "JPEG", quality=80)
    page = join_and_post(member, demo, "eddy", 15, "sea.jpg", picture)
    post = page.locator("li[data-post]")
    expect(post).to_have_attribute("data-state", "held")
    wait_for(page, "This account is paused")
    before = len(demo.reports())
    take_case_of(console, demo, "eddy")
    decide(console, "d", "dismissed")
    state_of_case(console, "dismissed")
    wait_for(page, "Being checked", gone=True)
    expect(post).to_have_attribute("data-state", "published")
    expect(page.get_by_text("This account is paused")).to_have_count(0)
    expect(page.get_by_role("button", name="Post")).to_be_enabled()
    page.goto(demo.community)
    expect(page.locator("main img").first).to_be_visible()
    assert len(demo.reports()) == before


def test_an_unknown_picture_appears_at_once(demo: Demo, member: BrowserContext) -> None:
    data = pictures.encode(pictures.draw(77), "JPEG")
    page = join_and_post(member, demo, "plover", 17, "a.jpg", data)
    expect(page.locator("li[data-post]")).to_have_attribute("data-state", "published")
    assert_accessible(page)
    page.goto(demo.community)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def test_a_picture_that_is_none_is_refused_with_a_sentence(
    demo: Demo, member: BrowserContext
) -> None:
    page = join_and_post(member, demo, "sandpiper", 17, "a.jpg", b"not a picture")
    expect(page.get_by_role("status")).to_contain_text("Only pictures and videos")
    expect(page.locator("li[data-post]")).to_have_count(0)


def test_the_console_works_on_a_phone(demo: Demo, console: Page) -> None:
    console.set_viewport_size({"width": 390, "height": 844})
    console.goto(f"{demo.console}/queue")
    a_case = console.locator("td a").first.get_attribute("href") or ""
    for path in ("/queue", "/account/2fa/", "/banks", "/banks/of/demo-generated", a_case):
        console.goto(demo.console + path)
        assert console.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        assert_accessible(console)
    console.set_viewport_size({"width": 1280, "height": 900})


def test_a_webhook_delivered_twice_has_one_effect(demo: Demo) -> None:
    import json
    from datetime import UTC, datetime

    from standardwebhooks.webhooks import Webhook

    ((action_id, number, account, content, case),) = demo.database(
        "SELECT a.id, a.number, p.platform_id, a.target, a.case_id FROM enforcement_action a "
        "JOIN people_account p ON p.id = a.account_id WHERE a.effect = 'quarantine' "
        "AND a.state = 'delivered' ORDER BY a.number LIMIT 1"
    )
    body = json.dumps(
        {
            "type": "content.quarantine",
            "data": {
                "action_id": str(action_id),
                "number": number,
                "effect": "quarantine",
                "target": "content",
                "account_id": account,
                "content_id": content,
                "case_id": str(case),
            },
        }
    )
    now = datetime.now(UTC)
    signature = Webhook(demo.secret("webhook_secret")).sign(str(action_id), now, body)
    headers = {
        "webhook-id": str(action_id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    url = f"{demo.community}/webhooks/kinward"
    state = f"SELECT state FROM demo_post WHERE id = '{content}'"
    before = demo.database(state, "kinward_demo")
    answer = httpx.post(url, content=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()) == (200, {"applied": False})
    assert demo.database(state, "kinward_demo") == before
    forged = headers | {"webhook-signature": "v1,AAAA"}
    assert httpx.post(url, content=body, headers=forged, trust_env=False).status_code == 401


def test_a_ten_gigabyte_body_and_a_huge_picture_are_refused_at_once(demo: Demo) -> None:
    import http.client

    headers = {
        "Authorization": f"Bearer {demo.secret('demo_api_key')}",
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": str(10 * 2**30),
    }
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=20)
    connection.request("POST", "/v1/media", body=b"--x", headers=headers)
    answer = connection.getresponse()
    assert (answer.status, b"body.too_large" in answer.read()) == (413, True)
    assert time.monotonic() - began < 5


def test_the_same_directory_is_not_run_twice(demo: Demo) -> None:
    second = demo.kinward("up")
    assert second.returncode == 1
    assert "Kinward is already running in" in second.stderr


def test_the_doctor_finds_nothing_wrong_but_that_the_ledger_rests_on_one_machine(
    demo: Demo,
) -> None:
    said = demo.kinward("doctor")
    crosses = [line for line in said.stdout.splitlines() if line.startswith("✗")]
    assert [line[2:].split("  ")[0] for line in crosses] == ["ledger key", "witnesses"], said.stdout
    assert said.returncode == 1
    assert "A worker is alive." in said.stdout


def test_nothing_lies_about_in_clear(demo: Demo) -> None:
    """The bytes of a quarantined picture are in no file of Kinward's."""
    marker = pictures.encode(pictures.draw(903).resize((480, 360)), "JPEG", quality=90)[2000:2048]
    searched = 0
    for path in demo.directory.rglob("*"):
        # The community's own tables hold what its members uploaded; that is the community's affair.
        if path.is_file() and not path.is_relative_to(demo.directory / "postgres"):
            assert marker not in path.read_bytes(), path
            searched += 1
    assert searched > 5


def test_the_ledger_verifies_and_a_changed_byte_is_named(demo: Demo) -> None:
    said = demo.kinward("ledger", "verify")
    assert said.returncode == 0, said.stdout
    assert said.stdout.startswith("ok: ")
    head = said.stdout.split("Head: ")[1].split()[0]
    assert demo.kinward("ledger", "verify", "--head", head).returncode == 0
    assert demo.kinward("ledger", "verify", "--head", "ab" * 32).returncode == 1
    size = head.split("-")[0]
    assert demo.kinward("ledger", "verify", "--head", f"{size}-{'ab' * 32}").returncode == 1
    change = (
        "UPDATE ledger_entry SET actor = overlay(actor placing '{}' from 1 for 1) WHERE seq = 9"
    )
    ((original,),) = demo.database("SELECT actor FROM ledger_entry WHERE seq = 9")
    for letter, status in (("Z", 1), (original[0], 0)):
        demo.database("SET session_replication_role = replica; " + change.format(letter))
        said = demo.kinward("ledger", "verify")
        assert said.returncode == status
        assert ("Broken at entry 9" in said.stdout) == bool(status)


def test_a_second_run_finds_its_data(demo: Demo) -> None:
    before = demo.database("SELECT count(*) FROM casebook_case")
    assert demo.stop() == 0
    assert not list(demo.directory.glob("postgres/postmaster.pid"))
    assert "Tidepool" in demo.start()
    assert demo.database("SELECT count(*) FROM casebook_case") == before
