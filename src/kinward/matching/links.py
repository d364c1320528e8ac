"""URLs: one normal form, and every form under which a list may name a page.

A list names a whole host (`example.org`), a part of it (`example.org/a`), or one page. A URL is
read as the URL standard says, so that what a browser opens is what is compared. Where text is no
URL by itself, such as `example.org/a` or `hxxp://example[.]org`, it is read as people write it.

The normal form omits scheme, user, `www.`, a default port, fragment and trailing slash. The parts
of a query are in order, and each form of a page with some of them covers it.
"""

import ipaddress
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import ada_url

from kinward.matching import spelled

MAX_URL: Final = 2083
MAX_PARTS: Final = 10  # of a host, counted from its end, and of a path, from its beginning
# Parts of a query: of so many at most, each choice is a form. Of more, each, each pair, all but one
# and all; of still more, no pair; and what comes after them is only compared as a whole.
MAX_CHOICES: Final = 5
MAX_PAIRS: Final = 8
MAX_QUERY: Final = 20
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
    for other in _carried(text) if inside else ():
        found += _forms(other)
    return list(dict.fromkeys(found))


def _forms(text: str) -> list[str]:
    host, port, path, query = _parts(text)
    hosts = _hosts(host)
    if (written := _read(text).hostname).startswith("["):
        hosts.append(written)  # as an earlier version banked an IPv4 address that is in IPv6
    steps = path.split("/")[:MAX_PARTS]
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
    parts = _query_parts(query)
    sizes = set(range(1, len(parts) + 1))
    if len(parts) > MAX_CHOICES:
        sizes = {len(parts), len(parts) - 1, 1} | ({2} if len(parts) <= MAX_PAIRS else set())
    for size in sorted(sizes, reverse=True):
        for some in combinations(parts, size):
            yield "?" + "&".join(some)


def _sorted(query: str) -> str:
    parts = _query_parts(query)
    return "?" + "&".join(parts) if parts else ""


def _query_parts(query: str) -> list[str]:
    """Return the parts of a query in order, each once and written in one way."""
    written = {_rewritten(part) for part in query[1:].split("&")[:MAX_QUERY] if part}
    return sorted(written)


def _rewritten(part: str) -> str:
    name, equals, value = part.partition("=")
    safe = "/~!$'()*,;:@?"
    return quote_plus(unquote_plus(name), safe) + equals + quote_plus(unquote_plus(value), safe)


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
    path = quote(unquote(url.pathname), safe="/~!$&'()*+,;=:@")
    while "//" in path:
        path = path.replace("//", "/")
    return host, port, path.rstrip("/"), url.search


def _read(text: str) -> ada_url.URL:
    """Return a URL as a browser reads it, or else as people write it in a text."""
    url = _standard(text)
    meant = url is not None and url.protocol in SCHEMES and not _POINTS.search(url.hostname)
    if url is not None and meant and not spelled.is_twice(text, url.hostname, url.pathname):
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
        plain = plain.lstrip("/\\")
        if spelled.has_host_before_scheme(plain):
            raise ValueError("not a URL")
        url = _standard("http://" + plain)
    if url is None or spelled.is_twice(plain, url.hostname, url.pathname):
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


def _carried(text: str) -> list[str]:
    """Return the URLs that a URL carries in its query, fragment or path, also in one another."""
    found: dict[str, None] = {}
    waiting = [text]
    while waiting and len(found) < MAX_INSIDE:
        url = _read(waiting.pop(0))
        places = [unquote_plus(part.partition("=")[2] or part) for part in _fields(url)]
        inner = [place.strip() for place in places if _INSIDE.match(place.strip())]
        path = unquote(url.pathname)
        if match := _IN_PATH.search(path, 1):
            inner.append(path[match.start() :] + url.search)
        for other in inner[: MAX_INSIDE - len(found)]:
            if other not in found and _is_readable(other):
                found[other] = None
                waiting.append(other)
    return list(found)


def _fields(url: ada_url.URL) -> list[str]:
    return [*url.search[1:].split("&"), *url.hash[1:].split("&")][:MAX_QUERY]


def _is_readable(text: str) -> bool:
    try:
        return bool(_parts(text))
    except ValueError:
        return False
