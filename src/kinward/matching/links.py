"""URLs: one normal form, and every form under which a list may name a page.

A list names a whole host (`example.org`), a part of it (`example.org/a`), or one page. A URL is
read as the URL standard says, so that what a browser opens is what is compared. Where text is no
URL by itself, such as `example.org/a` or `hxxp://example[.]org`, it is read as people write it.

The normal form omits scheme, user, `www.`, a default port, fragment and trailing slash. The parts
of a query are in order, and each form of a page with some of them covers it.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus, unquote_to_bytes

import ada_url

from kinward.matching import spelled

MAX_URL: Final = 2083
MAX_PARTS: Final = 10  # of a host, counted from its end
MAX_STEPS: Final = 40  # of a path, from its beginning
# Parts of a query: of so many at most, each choice is a form. Of more, each and all, and `pages`
# finds the rest. What comes after `MAX_QUERY` is not compared alone, so the URL is not `entire`.
MAX_CHOICES: Final = 5
MAX_QUERY: Final = 40
_EARLIER: Final = 20  # parts that an earlier version banked at most
MAX_CODED: Final = 5  # times that a URL in a URL is encoded
MAX_INSIDE: Final = 10  # URLs that one URL carries, one in the other or side by side
SCHEMES: Final = ("http:", "https:", "ftp:", "ws:", "wss:")
_DEFAULT_PORTS: Final = ("80", "443", "21")
_NO_PAGE: Final = frozenset(
    [
        "about",
        "bitcoin",
        "blob",
        "callto",
        "data",
        "file",
        "geo",
        "intent",
        "javascript",
        "magnet",
        "mailto",
        "news",
        "sip",
        "sips",
        "sms",
        "tel",
        "urn",
        "xmpp",
    ]
)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# The scheme and host of a URL that was written so that nobody opens it by mistake.
_WRITTEN: Final = re.compile(
    r"(?:(h[tx*]{2}p|fxp|ftp|wss?)(s?)(?:\[?:\]?|\[?://\]?)[/\\]*)?([^/?#\\]*)", re.IGNORECASE
)
_MARKS: Final = ('"', "'", "(", "{", "`")  # in a host that nobody wrote with a scheme
_POINTS: Final = re.compile(r"[\[({](?:\.|dot)[\])}]", re.IGNORECASE)
_SIGNS: Final = re.compile(r"\[([:@])\]")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_INSIDE: Final = re.compile(r"(?:https?|ftp|wss?):[/\\]{1,3}|//|www\.", re.IGNORECASE)
_IN_PATH: Final = re.compile(r"(?:https?|ftp|wss?):/{1,3}[^/]", re.IGNORECASE)


def normal_form(text: str) -> str:
    """Return the normal form of a URL, `host/path?query`. Raises `ValueError` with the reason.

    >>> normal_form("HTTPS://me@www.Example.org:443/a/%7Eb/?q=1#top")
    'example.org/a/~b?q=1'
    >>> normal_form("example.org/")
    'example.org'
    """
    host, port, path, query = _parts(text)
    return host + port + path + _sorted(query)


def listed_form(text: str) -> str:
    """Return the normal form of a URL for a list. Raises `ValueError` with the reason.

    One that names a page only by its fragment is refused, since it would cover the whole site. So
    is a path with a page behind `#!` or `#/`, which would cover all pages of that path.
    """
    normal, url = normal_form(text), _read(text)
    fragment = unquote(url.hash[1:]).strip()
    if fragment and (fragment[0] in "!/" or not (url.pathname.strip("/") or _sorted(url.search))):
        raise ValueError(
            "a URL that names its page only after # would cover the whole site: "
            "leave out # and the rest if all of it is meant"
        )
    return normal


def forms(text: str, *, inside: bool = False) -> list[str]:
    """Return every normal form that covers a URL: itself, with less query, its parents, its hosts.

    `inside`: also those of the URLs that it carries, as a redirector's does. Raises `ValueError`.

    >>> forms("http://a.example.org/x/y?z")[:3]
    ['a.example.org/x/y?z', 'a.example.org/x/y', 'a.example.org/x']
    >>> forms("http://a.example.org/x/y?z")[-1]
    'example.org'
    >>> forms("https://x.example/to?url=https%3A%2F%2Fexample.org", inside=True)[-1]
    'example.org'
    """
    found = _forms(text)
    for other in _carried(text)[0] if inside else ():
        found += _forms(other)
    return list(dict.fromkeys(found))


def _forms(text: str) -> list[str]:
    host, port, path, query = _parts(text)
    hosts = _hosts(host)
    if (written := _read(text).hostname).startswith("["):
        hosts.append(written)  # as an earlier version banked an IPv4 address that is in IPv6
    steps = path.split("/")[: MAX_STEPS + 1]
    paths = ["/".join(steps[:count]) for count in range(len(steps), 0, -1)]
    if path not in paths:
        paths.insert(0, path)
    endings = [*(path + some for some in _queries(query)), *paths]
    names = [name + shown for name in hosts for shown in ([port, ""] if port else [""])]
    return [name + ending for name in names for ending in endings]


def _queries(query: str) -> Iterator[str]:
    """Yield a query as it was asked, and with some of its parts in order."""
    if not query:
        return
    yield query
    yield _sorted(query)
    if query.count("&") >= _EARLIER:  # as an earlier version banked it
        yield _sorted("&".join(query.split("&")[:_EARLIER]))
    parts = _query_parts(query)[:MAX_QUERY]
    sizes = range(len(parts), 0, -1) if len(parts) <= MAX_CHOICES else (len(parts), 1)
    for size in sizes:
        for some in combinations(parts, size):
            yield "?" + "&".join(sorted(some))


def _sorted(query: str) -> str:
    parts = sorted(_query_parts(query))
    return "?" + "&".join(parts) if parts else ""


def _query_parts(query: str) -> list[str]:
    """Return the parts of a query as they come, each once and written in one way."""
    return list(dict.fromkeys(_rewritten(part) for part in query[1:].split("&") if part))


def _rewritten(part: str) -> str:
    name, equals, value = part.partition("=")
    return _respelled(name) + equals + _respelled(value)


def _respelled(text: str) -> str:
    """Return a text of a query in one spelling. Its bytes stay, also those that are no UTF-8."""
    return quote_plus(unquote_to_bytes(text.replace("+", " ")), "/~!$'()*,;:@?")


def _hosts(host: str) -> list[str]:
    if ":" in host or host.replace(".", "").isdigit():
        return [host]
    labels = host.split(".")
    shorter = [".".join(labels[-count:]) for count in range(min(len(labels), MAX_PARTS), 1, -1)]
    return shorter if host in shorter else [host, *shorter]


def _parts(text: str) -> tuple[str, str, str, str]:
    """Return the host, port, path and query of a URL, the last three with their marks or empty."""
    if not text.strip() or len(text) > MAX_URL:
        raise ValueError(f"a URL has 1 to {MAX_URL} characters")
    url = _read(text)
    host = _host(url.hostname)
    if not host:
        raise ValueError("not the URL of a page")
    port = f":{url.port}" if url.port and url.port not in _DEFAULT_PORTS else ""
    path = quote(unquote_to_bytes(url.pathname), safe="/~!$&'()*+,;=:@")
    if "/." in path:  # an encoded slash beside a dot, as servers read it
        plain = _standard("http://x" + path)
        path = plain.pathname if plain else path
    while "//" in path:
        path = path.replace("//", "/")
    return host, port, path.rstrip("/"), url.search


def _read(text: str) -> ada_url.URL:
    """Return a URL as a browser reads it, or else as people write it in a text."""
    url = _standard(text)
    meant = url is not None and url.protocol in SCHEMES and not _POINTS.search(url.hostname)
    if (
        url is not None
        and meant
        and not spelled.is_twice(text, url.hostname, url.port, url.pathname)
    ):
        return url
    try:
        return _as_seen(spelled.seen(text))
    except ValueError:
        return _as_seen(spelled.seen(text, joiners=False))


def _as_seen(text: str) -> ada_url.URL:
    """Return the URL that a person means. What stands unread before a scheme is no host."""
    plain = _opened(text)
    url = _standard(plain)
    if url is None or url.protocol not in SCHEMES:
        scheme = _SCHEME.match(plain)
        if scheme and (scheme[1].lower() in _NO_PAGE or plain.startswith("//", scheme.end())):
            raise ValueError("not the URL of a page")
        if spelled.has_host_before_scheme(plain):
            raise ValueError("not a URL")
        url = _standard("http://" + plain)
        if url is not None and url.hostname.startswith(_MARKS):
            raise ValueError("not a URL")
    if url is None or spelled.is_twice(plain, url.hostname, url.port, url.pathname):
        raise ValueError("not a URL")
    return url


def _opened(text: str) -> str:
    """Return a URL with the scheme and host that `hxxp://example[.]org` stands for."""
    written = _WRITTEN.match(text)
    if written is None:
        return text
    host = _SIGNS.sub(r"\1", _POINTS.sub(".", written[3]))
    scheme = "http://" if written[1] else ""
    return scheme + host + text[written.end() :]


def _standard(text: str) -> ada_url.URL | None:
    try:
        return ada_url.URL(text)
    except ValueError:
        return None


def _host(name: str) -> str:
    """Return a host without `www.` and trailing dots, and an IPv4 address as itself."""
    if name.endswith(".."):  # no browser finds it, but it says what is meant
        url = _standard(f"http://{name.rstrip('.')}")
        name = url.hostname if url else ""
    host = name.rstrip(".")
    while host.startswith("www."):
        host = host.removeprefix("www.")
    if not host.startswith("["):
        return host
    address = ipaddress.IPv6Address(host[1:-1])
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    if address in _NAT64:
        return str(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return host


def entire(text: str, *, inside: bool = False) -> bool:
    """Return whether `forms` has each form that a list may have. Raises `ValueError`.

    `inside`: also of the URLs that it carries, if all of those were found.
    """
    found, whole = _carried(text) if inside else ([], True)
    return whole and all(map(_is_entire, [text, *found]))


def _is_entire(text: str) -> bool:
    host, _, path, query = _parts(text)
    steps, parts = path.count("/"), len(_query_parts(query))
    return host.count(".") < MAX_PARTS and steps <= MAX_STEPS and parts <= MAX_QUERY


def _carried(text: str) -> tuple[list[str], bool]:
    """Return the URLs that a URL carries in its query, fragment or path, also in one another.

    And whether these are all.
    """
    found: dict[str, None] = {}
    waiting, whole = [text], True
    while waiting:
        inner, decoded = _inner(_read(waiting.pop(0)))
        whole = whole and decoded
        for other in inner:
            if other in found or not _is_readable(other):
                continue
            if len(found) == MAX_INSIDE:
                return list(found), False
            found[other] = None
            waiting.append(other)
    return list(found), whole


def _inner(url: ada_url.URL) -> tuple[list[str], bool]:
    """Return what may be URLs in a URL, and whether all of it was decoded to its end."""
    inner, whole = list[str](), True
    for part in [*url.search[1:].split("&"), *url.hash[1:].split("&")]:
        value = part.partition("=")[2] or part
        for place in _decoded(value, unquote_plus):
            written = [text for text in (place.strip(), spelled.seen(place)) if _INSIDE.match(text)]
            if written:
                inner.append(written[0])
                break
        else:
            whole = whole and place == unquote_plus(place)
    for path in _decoded(url.pathname, unquote):
        if match := _IN_PATH.search(path, 1):
            inner.append(path[match.start() :] + url.search)
            break
    else:
        whole = whole and path == unquote(path)
    return inner, whole


def _decoded(text: str, decode: Callable[[str], str]) -> Iterator[str]:
    """Yield a text decoded once, twice and so on, as long as that changes it."""
    for _ in range(MAX_CODED):
        text = decode(last := text)
        yield text
        if text == last:
            return


def _is_readable(text: str) -> bool:
    try:
        return bool(_parts(text))
    except ValueError:
        return False
