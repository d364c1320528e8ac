"""The pages of the guides: the index, the search, and each guide in each language."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.utils.html import escape
from django.utils.translation import gettext, override

from kinward.experience.api import live
from kinward.portal.guides.catalogue import guides, text_of
from kinward.portal.guides.search import MAX_QUERY

pytestmark = pytest.mark.django_db

LANGUAGES = [code for code, _name in settings.LANGUAGES]
NOT_REVIEWED = "not yet reviewed by an outside expert"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_guide_has_its_page(language: str) -> None:
    with override(language):
        unread = escape(gettext(NOT_REVIEWED))
    for name, guide in guides().items():
        answer = Client().get(f"/safety/{language}/guides/{name}")
        assert answer.status_code == 200
        page = answer.content.decode()
        text = text_of(name, language)
        for part in (*text.prose(), *(saying.words for saying in text.say)):
            assert escape(part) in page or part == text.when, (name, language, part)
        assert page.count('hreflang="') == 2 * len(LANGUAGES)
        assert (unread in page) == (not guide.reviewer)
        assert all(escape(source) in page for source in guide.sources)


def test_every_link_within_the_guides_leads_somewhere() -> None:
    seen: set[str] = set()
    waiting = ["/safety/en/guides"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = Client().get(path)
        assert answer.status_code == 200, path
        if path.startswith("/safety/en/guides") and "?" not in path:
            links = re.findall(r'<a [^>]*href="(/[^"#]*)', answer.content.decode())
            waiting += [link for link in links if link.startswith("/safety/en")]
    assert {f"/safety/en/guides/{name}" for name in guides()} <= seen


def test_a_page_that_may_be_dangerous_to_be_seen_with_is_left_quickly_and_not_stored() -> None:
    for name, guide in guides().items():
        answer = Client().get(f"/safety/en/guides/{name}")
        page, text = answer.content.decode(), text_of(name, "en")
        title = page.split("<title>")[1].split("</title>")[0]
        assert ("data-exit" in page) == guide.discreet, name
        # The quick way out is a link. Its script only takes the page out of the history as well.
        assert page.count("<script") == page.count("portal/exit.js") == int(guide.discreet)
        assert (escape(text.title) in title) == (not guide.discreet)
        if guide.discreet:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert page.index('id="help"') < page.index("What you can say"), "help comes first"
            assert "Without speaking:" in page
        else:
            assert "public" in answer.headers["Cache-Control"]


def test_who_helps_follows_the_country() -> None:
    page = Client().get("/safety/en/guides/pictures?place=SE").content.decode()
    assert "Bris" in page
    assert '<a href="tel:112">112</a>' in page
    assert "Childline" not in page
    for strange in ("XX", "%3Cscript%3E", "SE%00", "S" * 500):
        page = Client().get(f"/safety/en/guides/pictures?place={strange}").content.decode()
        assert "Call the emergency number of your country." in page or strange == "SE%00"


def test_the_settings_in_a_guide_are_those_of_the_rules_in_force() -> None:
    pack = live().in_force().for_account(None)
    assert pack is not None
    for name, guide in guides().items():
        assert set(guide.settings) <= set(pack.capabilities), name
        page = Client().get(f"/safety/en/guides/{name}").content.decode()
        rows = page.count('<th scope="row">')
        assert rows == len(guide.settings), name


def test_the_index_is_by_reader_and_by_what_happened() -> None:
    everything = Client().get("/safety/en/guides").content.decode()
    for name in guides():
        assert f"/safety/en/guides/{name}" in everything
        assert escape(text_of(name, "en").when) in everything
    for reader in ("13-15", "16-17", "parent", "carer", "teacher"):
        page = Client().get(f"/safety/en/guides?for={reader}").content.decode()
        assert 'aria-current="page"' in page
        for name, guide in guides().items():
            assert (f"/safety/en/guides/{name}" in page) == (reader in guide.readers), (
                reader,
                name,
            )
    assert "/guides/pictures" in Client().get("/safety/en/guides?for=nobody").content.decode()


def test_a_search_is_bounded_and_leaves_no_trace_in_the_address() -> None:
    path = "/safety/en/guides"
    answer = Client(enforce_csrf_checks=True).post(path, {"q": "blackmail"})
    page = answer.content.decode()
    found = page.split('id="found"')[1].split("</section>")[0]
    assert "/safety/en/guides/pictures" in found
    assert answer.headers["Cache-Control"] == "no-store"
    assert not answer.cookies
    nothing = Client().post(path, {"q": "zzzz <script>" + "x" * 5000}).content.decode()
    assert "No guide has these words." in nothing
    assert "/safety/en/help" in nothing
    assert "<script" not in nothing
    assert "x" * MAX_QUERY not in nothing
    assert "blackmail" not in Client().get(f"{path}?q=blackmail").content.decode()
    assert 'id="found"' not in Client().post(path, {}).content.decode()


def test_what_is_not_there_is_not_found() -> None:
    for path in ("/safety/xx/guides", "/safety/en/guides/nothing", "/safety/xx/guides/pictures"):
        assert Client().get(path).status_code == 404
    assert Client().post("/safety/en/guides/pictures").status_code == 405
