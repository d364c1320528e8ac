"""Bounds of the partners' own clients, which call with `requests`.

While a sync runs, each session of `requests` in its context calls through `ground.calls_out`: those
that `threatexchange` opens, and those that an extension opens. So nobody has to remember to bound
one. An extension that calls in another way is still held to the time of the sync.
"""

import io
import queue
import threading
from collections.abc import Iterator
from contextvars import copy_context
from time import sleep
from typing import Any, Final

import requests
from requests.adapters import BaseAdapter
from requests.exceptions import HTTPError
from requests.structures import CaseInsensitiveDict

from kinward.exchanges.bounds import READING, Reading
from kinward.ground.calls_out import (
    AddressRefused,
    Answer,
    AnswerUnreadable,
    Caller,
    Limits,
    NotSent,
    Reach,
    Redirected,
    check_document,
    origin_of,
)
from kinward.ground.config import config

__all__ = ["HTTPError", "bound_sessions", "is_gone", "pages_of"]

AGAIN: Final = {429, 500, 502, 503, 504}  # worth another try, if the call only reads
WAITS: Final = (0.2, 0.4, 0.8, 1.6)  # seconds; a partner's own `retry-after` is not obeyed
NOT_GONE: Final = {401, 403, 408, 429}  # a mark is good, although the call was refused
# Of the charsets that an answer may name. In each of them, markup and brackets are ASCII.
CHARSETS: Final = {"utf-8", "utf8", "us-ascii", "iso-8859-1", "latin-1", "windows-1252"}
OWN_HEADERS: Final = {"accept-encoding", "connection", "content-length", "user-agent", "host"}


def is_gone(error: HTTPError) -> bool:
    """Return whether a partner no longer has the page that a mark names."""
    status = 0 if error.response is None else error.response.status_code
    return 400 <= status < 500 and status not in NOT_GONE


def bound_sessions() -> None:
    """Give each session in the context of a sync the bounded adapter. Idempotent."""
    usual = requests.Session.get_adapter
    if getattr(usual, "bounded", False):
        return

    def get_adapter(session: requests.Session, url: str) -> BaseAdapter:
        reading = READING.get(None)
        return usual(session, url) if reading is None else _Adapter(reading)

    vars(get_adapter)["bounded"] = True
    setattr(requests.Session, "get_adapter", get_adapter)  # noqa: B010  a method, for mypy


class _Adapter(BaseAdapter):
    """Sends a request of `requests` through `ground.calls_out`."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading

    def send(self, request: Any, *_arguments: Any, **_options: Any) -> requests.Response:
        """Send a prepared request, and return its answer, which is read already."""
        answer = _fetch(self._reading, request)
        if answer.redirects:
            raise Redirected(f"To {answer.headers.get('location', 'nowhere')[:100]}.")
        response = requests.Response()
        response.status_code, response._content = answer.status, answer.body
        response.headers = CaseInsensitiveDict(answer.headers)
        response.encoding = _charset(response.headers)
        response.url, response.request, response.raw = request.url, request, io.BytesIO()
        response._content_consumed = True
        return response

    def close(self) -> None:
        """Close nothing: the connections are the sync's."""


def _charset(headers: CaseInsensitiveDict[str]) -> str | None:
    """Return the charset that an answer names.

    Raises `AnswerUnreadable` for one that hides what `check_document` looks for, such as UTF-7.
    """
    named = requests.utils.get_encoding_from_headers(headers)
    if named and named.lower() not in CHARSETS:
        raise AnswerUnreadable(f"It is in {named[:20]!r}, and not in UTF-8.")
    return named


def _fetch(reading: Reading, request: Any) -> Answer:
    reading.turn_page(request.method, request.url)
    headers = {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower() not in OWN_HEADERS
    }
    about: dict[str, Any] = {"headers": headers, "content": _body_of(request)}
    for wait in (*WAITS, None):
        limits = Limits(
            seconds=min(config().call_seconds, reading.seconds()),
            answer_bytes=config().exchange_page_bytes,
        )
        last = wait is None or request.method not in ("GET", "HEAD")
        try:
            answer = _caller(reading).call(request.method, request.url, limits=limits, **about)
        except NotSent as error:
            if last or isinstance(error, AddressRefused):
                raise
        else:
            reading.count_bytes(len(answer.body))
            if last or answer.status not in AGAIN:
                break
        sleep(min(wait or 0, reading.seconds()))
    if 200 <= answer.status < 300:
        check_document(answer.body)
    return answer


def _body_of(request: Any) -> bytes:
    body = request.body or b""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)


def _caller(reading: Reading) -> Caller:
    """Return the client of a sync. It keeps connections as long as the sync lasts."""
    if reading.caller is None:
        limits = Limits(seconds=config().call_seconds, answer_bytes=config().exchange_page_bytes)
        reading.caller = Caller(
            limits=limits,
            reach=Reach.STRANGERS,
            base=reading.address,
            named=reading.named,
            origins=frozenset(filter(None, [origin_of(reading.address)])),
            open_text=not reading.address,  # an extension's interface may be of this network
        )
    return reading.caller


def pages_of(api: Any, checkpoint: Any, reading: Reading) -> Iterator[Any]:
    """Yield the parts of a feed. Raises `SyncBounded` when the time of the sync is over.

    They are read in a thread of their own: what an extension waits for cannot be interrupted, but
    the worker goes on.
    """
    asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
    given: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def read() -> None:
        parts = api.fetch_iter((), checkpoint)
        while asked.get():
            try:
                given.put((next(parts), None))
            except BaseException as error:
                given.put((None, error))
                return

    context = copy_context()
    context.run(READING.set, reading)
    threading.Thread(target=context.run, args=(read,), daemon=True, name="feed").start()
    try:
        while True:
            asked.put(True)
            part, error = _taken(given, reading)
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield part
    finally:
        asked.put(False)


def _taken(given: queue.SimpleQueue[Any], reading: Reading) -> Any:
    while True:
        try:
            return given.get(timeout=reading.seconds())
        except queue.Empty:
            reading.seconds()
