"""The proxy files send each path to its door, and log no secret."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.urls import URLPattern

from kinward.gate.routes import ROUTES
from kinward.portal import urls as portal
from kinward.web import urls as console
from tests.support.contract import PATH_PARAMETERS

NGINX = Path("docs/how-to/proxy/nginx.conf")
CADDY = Path("docs/how-to/proxy/Caddyfile")
SECRETS = ("secret", "token")  # what a parameter of a path is called that opens something


def gate_patterns(file: Path) -> list[re.Pattern[str]]:
    """Every regular expression of a file that leads to the gate, or refuses it over http."""
    found = re.findall(r"\^/\+\(v1\|\S+", file.read_text())
    return [re.compile(text) for text in found]


def paths_of_the_gate() -> list[str]:
    shared = ("/healthz", "/metrics")  # of each process
    templates = {route.template.format(**PATH_PARAMETERS) for route in ROUTES}
    return sorted(path for path in templates if path not in shared)


@pytest.mark.parametrize("file", [NGINX, CADDY], ids=["nginx", "caddy"])
def test_each_path_of_the_gate_leads_to_the_gate(file: Path) -> None:
    patterns = gate_patterns(file)
    assert len(patterns) == 2, "over https, and the refusal over http"
    for path in paths_of_the_gate():
        assert all(pattern.search(path) for pattern in patterns), path
    for path in ("/", "/queue", "/family", "/safety/en", "/account/login/"):
        assert not any(pattern.search(path) for pattern in patterns), path


def unlogged() -> list[re.Pattern[str]]:
    """The paths that nginx does not log, from the map of its file."""
    found = re.search(r"map \$uri \$logged \{(.*?)\}", NGINX.read_text(), re.DOTALL)
    assert found is not None
    return [re.compile(text) for text in re.findall(r"~(\S+) 0;", found[1])]


def paths_with_a_secret() -> Iterable[str]:
    for patterns in (portal.urlpatterns, console.urlpatterns):
        for pattern in patterns:
            if isinstance(pattern, URLPattern) and set(pattern.pattern.converters) & set(SECRETS):
                yield "/" + re.sub(r"<[^>]+>", "a" * 43, str(pattern.pattern))
    yield from (f"/hma/kw_{'a' * 43}/m/lookup", f"//hma/kw_{'a' * 43}/h/hash")


def test_nginx_logs_no_path_with_a_secret() -> None:
    paths = list(paths_with_a_secret())
    assert len(paths) >= 5
    for path in paths:
        assert any(pattern.search(path) for pattern in unlogged()), path
    for path in ("/queue", "/family", "/account/login/", "/v1/media"):
        assert not any(pattern.search(path) for pattern in unlogged()), path


def test_nginx_logs_neither_queries_nor_the_page_before() -> None:
    """A query may hold a secret, and so may the address of the page that a request came from."""
    text = NGINX.read_text()
    formats = re.findall(r"log_format \w+ ([^;]+);", text)
    assert len(formats) == 1
    for name in ("$request ", '$request"', "$request_uri", "$args", "$query_string", "referer"):
        assert name not in formats[0], name
    assert re.findall(r"access_log \S+ (\w+) if=", text) == ["paths"]


def test_caddy_logs_nothing() -> None:
    assert not re.search(r"^\s*log\b", CADDY.read_text(), re.MULTILINE)
