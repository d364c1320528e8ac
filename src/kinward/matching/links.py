"""URLs: one normal form, and every form under which a list may name a page.

A list names a whole host (`example.org`), a part of it (`example.org/a`), or one page. The normal
form omits scheme, user, `www.`, a default port, fragment and trailing slash. Hosts are written as
the WHATWG URL standard does, so `EXAMPLE.org`, `example.org.` and both spellings of an IDN are one.
"""

from typing import Final
from urllib.parse import quote, unquote

import ada_url

MAX_URL: Final = 2083
MAX_PARTS: Final = 6  # of a host, counted from its end, and of a path, from its beginning


def normal_form(text: str) -> str:
    """Return the normal form of a URL, `host/path?query`. Raises `ValueError` with the reason.

    >>> normal_form("HTTPS://me@www.Example.org:443/a/%7Eb/?q=1#top")
    'example.org/a/~b?q=1'
    >>> normal_form("example.org/")
    'example.org'
    """
    host, path, query = _parts(text)
    return host + path + query


def forms(text: str) -> list[str]:
    """Return every normal form that covers a URL: itself, without query, its parents, its hosts.

    >>> forms("http://a.example.org/x/y?z")[:3]
    ['a.example.org/x/y?z', 'a.example.org/x/y', 'a.example.org/x']
    >>> forms("http://a.example.org/x/y?z")[-1]
    'example.org'
    """
    host, path, query = _parts(text)
    steps = path.split("/")[:MAX_PARTS]
    paths = ["/".join(steps[:count]) for count in range(len(steps), 0, -1)]
    if path not in paths:
        paths.insert(0, path)
    endings = [path + query, *paths] if query else paths
    return [name + ending for name in _hosts(host) for ending in endings]


def _hosts(host: str) -> list[str]:
    if ":" in host or host.replace(".", "").isdigit():
        return [host]
    labels = host.split(".")
    shorter = [".".join(labels[-count:]) for count in range(min(len(labels), MAX_PARTS), 1, -1)]
    return shorter if host in shorter else [host, *shorter]


def _parts(text: str) -> tuple[str, str, str]:
    text = text.strip()
    if not text or len(text) > MAX_URL:
        raise ValueError(f"a URL has 1 to {MAX_URL} characters")
    try:
        url = ada_url.URL(text if "://" in text else f"http://{text}")
    except ValueError:
        raise ValueError("not a URL") from None
    host = url.hostname.rstrip(".").removeprefix("www.")
    if not host or url.protocol not in ("http:", "https:", "ftp:"):
        raise ValueError("not the URL of a page")
    port = f":{url.port}" if url.port else ""
    path = quote(unquote(url.pathname), safe="/~!$&'()*+,;=:@")
    while "//" in path:
        path = path.replace("//", "/")
    return host + port, path.rstrip("/"), url.search
