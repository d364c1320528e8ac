"""Five hundred URLs are compared as Chromium opens them."""

import random
from typing import Final

from playwright.sync_api import Browser

from kinward.matching import links

COUNT: Final = 500
SCHEMES: Final = ("http", "https", "HTTP", "ht\ntp", "ws", "wss", "ftp")
SLASHES: Final = ("://", ":\\\\", ":/", ":", ":///", ":/\\", "://\t")
USERS: Final = ("", "", "", "me@", "me:word@", "other.example@", "a%40b:@")
HOSTS: Final = (
    *("example.org", "EXAMPLE.org.", "www.example.org", "ex\u00e4mple.org", "xn--exmple-cua.org"),
    *("exam\u00adple.org", "\uff45xample\u3002org", "example%2eorg", "192.0.2.7", "0xC0000207"),
    *("0300.0.02.07", "3221225991", "192.0.519", "[2001:db8::1]", "[::ffff:192.0.2.7]", "ex ample"),
    *("localhost", "a_b.example", "example..org", "[::1", "256.1.1.1", "fa\u00df.example"),
)
PORTS: Final = ("", "", "", ":80", ":443", ":8443", ":", ":0080", ":99999", ":x")
PATHS: Final = (
    *(
        "",
        "/",
        "/a/b",
        "\\a\\b",
        "/a/../b",
        "/%2e%2E/b",
        "/a//b/",
        "/\u00fc",
        "/%7Ea",
        "/a b",
        "/a\tb",
    ),
    *("/a;b=c", "/a%2Fb", "/a%zz", "/./a/.", "/A", "/a|b^c", "/%C3%BC"),
)
QUERIES: Final = ("", "", "?", "?a=1&b=2", "?q=a b", "?q='x'", "?u=http://b.example/", "?a?b")
FRAGMENTS: Final = ("", "", "#", "#top", "#?a=1")


def urls() -> list[str]:
    """So many URLs, each of pieces that parsers disagree about."""
    dice = random.Random(16)
    parts = (SCHEMES, SLASHES, USERS, HOSTS, PORTS, PATHS, QUERIES, FRAGMENTS)
    made: dict[str, None] = {}
    while len(made) < COUNT:
        made["".join(map(dice.choice, parts))] = None
    return list(made)


READ: Final = """texts => texts.map(text => {
    try { const url = new URL(text); return [url.href, url.hostname]; } catch { return null; }
})"""


def forms(url: str) -> set[str]:
    """All that covers a URL; nothing if it is no page."""
    try:
        return set(links.forms(url))
    except ValueError:
        return set()


def test_chromium_opens_what_is_compared(browser: Browser) -> None:
    asked = urls()
    opened = browser.new_page().evaluate(READ, asked)
    wrong = [
        (text, seen, sorted(forms(text))[-1:])
        for text, seen in zip(asked, opened, strict=True)
        if forms(text) != (forms(seen[0]) if seen else set())
    ]
    assert wrong == []
    assert sum(seen is not None for seen in opened) > COUNT / 3
