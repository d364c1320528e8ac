"""A client for addresses of one kind. Safe to share between threads."""

import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import closing
from enum import StrEnum
from functools import cache
from ipaddress import ip_address
from ssl import SSLContext
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
import httpx
import msgspec

from kinward.ground.calls_out.documents import read_json
from kinward.ground.calls_out.failures import (
    AddressRefused,
    AnswerTooLarge,
    AnswerUnreadable,
    CallFailed,
    CallTooSlow,
    NotSent,
)
from kinward.ground.calls_out.network import TRIP, PinnedBackend, Trip, is_inner, is_loopback
from kinward.ground.config import config

SLOWEST: Final = 100_000  # bytes a second: a large body gives its call more time
HEAD: Final = 256 * 1024  # bytes of an answer's head and of its framing
AGENT: Final = "kinward"


class Reach(StrEnum):
    """Whose machine it is. Only the operator's own may have an inner address."""

    OURS = "ours"
    STRANGERS = "strangers"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one call: seconds in all, and bytes of the answer once decompressed."""

    seconds: float
    answer_bytes: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def redirects(self) -> bool:
        """Whether it sends the caller elsewhere."""
        return self.status in (301, 302, 303, 307, 308)

    @property
    def text(self) -> str:
        """The body as UTF-8. What is not UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body's JSON. Raises `AnswerUnreadable`."""
        return read_json(self.body)


class Caller:
    """A client.

    `base`: what a relative address is relative to. `named`: hosts that the operator wrote into a
    setting, whose number or `localhost` stands for itself. `open_text`: whether plain http may
    leave this machine. `origins`: the only ones that are called, if there are any.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        reach: Reach,
        base: str = "",
        headers: Mapping[str, str] | None = None,
        named: frozenset[str] = frozenset(),
        origins: frozenset[str] = frozenset(),
        open_text: bool = False,
    ) -> None:
        self._limits, self._reach, self._base = limits, reach, base.rstrip("/")
        self._headers = {"user-agent": AGENT, "accept-encoding": "gzip", **(headers or {})}
        self._named = named | {_host_of(base)}
        self._origins, self._open_text = origins, open_text
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(), network_backend=PinnedBackend(), keepalive_expiry=5.0
        )

    def call(
        self, method: str, url: str, *, limits: Limits | None = None, cut: bool = False, **sent: Any
    ) -> Answer:
        """Make a call. `sent`: headers, params, and content, data, files or json.

        `cut`: a longer answer is cut off instead of refused. Raises `NotSent` if nothing can have
        arrived, else another `CallFailed`.
        """
        bounds = limits or self._limits
        request = self._request(method, url, sent)
        host = request.url.host
        seconds = bounds.seconds + len(request.content) / SLOWEST
        trip = Trip(
            ends=monotonic() + seconds,
            left=bounds.answer_bytes + bounds.answer_bytes // 4 + HEAD,
            may_reach=self._judge(request.url),
            advice="Name it in KINWARD_INNER_HOSTS if it is on your own network.",
        )
        mark = TRIP.set(trip)
        try:
            return self._exchange(request, bounds.answer_bytes, cut=cut, seconds=seconds)
        except CallFailed as error:
            if not error.detail:
                error = type(error)(_detail(error, host, seconds, bounds.answer_bytes))
            raise error from None
        except _NEVER_LEFT as error:
            raise NotSent(f"{host}: {str(error) or type(error).__name__}.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise CallFailed(f"{host}: {type(error).__name__}: {error}") from error
        finally:
            TRIP.reset(mark)

    def _request(self, method: str, url: str, sent: dict[str, Any]) -> httpx.Request:
        headers = {**self._headers, **sent.pop("headers", {})}
        full = url if "://" in url else f"{self._base}/{url.lstrip('/')}"
        try:
            request = httpx.Request(method, full, headers=headers, **sent)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise NotSent(f"Its address is not a URL: {error}.") from None
        request.read()
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise NotSent("Its address is neither http nor https.")
        _require_listed(request.url.host)
        if self._origins and origin_of(str(request.url)) not in self._origins:
            raise AddressRefused(
                f"It names {request.url.host}, and not {', '.join(sorted(self._origins))}."
            )
        return request

    def _judge(self, url: httpx.URL) -> Callable[[str], bool]:
        plain = url.scheme == "http" and not self._open_text
        host = _plain_host(url.host)
        ours = self._reach == Reach.OURS or host in _hosts(config().inner_hosts)

        def may_reach(address: str) -> bool:
            if plain and not is_loopback(address):
                return False
            if ours or not is_inner(address):
                return True
            if host not in self._named:
                return False
            return is_loopback(address) if host == "localhost" else _is_number(host, address)

        return may_reach

    def _exchange(self, request: httpx.Request, most: int, *, cut: bool, seconds: float) -> Answer:
        asked = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.content,
            extensions={"timeout": {"pool": seconds}},
        )
        with closing(self._pool.handle_request(asked)) as response:
            headers = {
                name.decode("ascii", "replace").lower(): value.decode("latin-1")
                for name, value in response.headers
            }
            size = headers.get("content-length", "")
            if not cut and size.isascii() and size.isdigit() and len(size) > len(str(most)):
                raise AnswerTooLarge
            body = _read(response, most, cut=cut)
        if request.method != "HEAD":
            body = _decompressed(body, headers.get("content-encoding", ""), most, cut=cut)
        return Answer(status=response.status, headers=headers, body=body)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._pool.close()

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_NEVER_LEFT: Final = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.PoolTimeout,
    httpcore.UnsupportedProtocol,
    httpcore.LocalProtocolError,
)


def basic_auth(user: str, password: str) -> dict[str, str]:
    """Return the header of HTTP's basic authentication."""
    return {"authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def origin_of(url: str) -> str:
    """Return the scheme, host and port of an address; empty if it has none.

    >>> origin_of("https://A.example/x"), origin_of("http://127.0.0.1:8703/y")
    ('https://a.example:443', 'http://127.0.0.1:8703')
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname else ""


@cache
def _tls() -> SSLContext:
    """Return one context for all callers: reading the certificates takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


def _hosts(listed: str) -> set[str]:
    return {_plain_host(host.strip()) for host in listed.split(",") if host.strip()}


def _plain_host(host: str) -> str:
    return host.strip("[]").lower().rstrip(".")


def _require_listed(host: str) -> None:
    """Raise `AddressRefused` for a host that is not in KINWARD_CALL_HOSTS, if that lists any.

    This machine is always listed, since Kinward's own processes are there.
    """
    listed, host = _hosts(config().call_hosts), _plain_host(host)
    if listed and host not in listed and not _is_here(host):
        raise AddressRefused(f"{host} is not in KINWARD_CALL_HOSTS, which lists all hosts to call.")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or is_loopback(host)
    except ValueError:
        return False  # a name


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_number(host: str, address: str) -> bool:
    try:
        return ip_address(host) == ip_address(address)
    except ValueError:
        return False


def _detail(error: CallFailed, host: str, seconds: float, most: int) -> str:
    if isinstance(error, CallTooSlow):
        return f"{host} had {seconds:.3g} s."
    if isinstance(error, AnswerTooLarge):
        return f"{host} sent more than {most:,} bytes."
    return f"{host}."


def _read(response: httpcore.Response, most: int, *, cut: bool) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > most:
            if cut:
                break
            raise AnswerTooLarge
    return bytes(body[: most if cut else None])


def _decompressed(body: bytes, encoding: str, most: int, *, cut: bool) -> bytes:
    """Return a body without its compression. Raises `AnswerTooLarge`, `AnswerUnreadable`."""
    name = encoding.strip().lower()
    if name in ("", "identity") or not body:
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise AnswerUnreadable(f"It is compressed as {name[:40]!r}, which was not asked for.")
    reader = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        whole = reader.decompress(body, most + 1)
    except zlib.error as error:
        raise AnswerUnreadable(f"Its compression is damaged: {error}.") from None
    if cut:
        return whole[:most]
    if len(whole) > most:
        raise AnswerTooLarge
    if not reader.eof or reader.unused_data:
        raise AnswerUnreadable("Its compression is cut off, or goes on after its end.")
    return whole
