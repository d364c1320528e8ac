"""The gate as one ASGI application: route, authenticate, bound, parse, call, answer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from prometheus_client import Counter, Gauge, Histogram, generate_latest

from kinward.access.models import ApiKey
from kinward.access.services import authenticate, authenticate_known
from kinward.cases.queries import overdue, parked
from kinward.config import config
from kinward.errors import KinwardError, NotFound
from kinward.experience.shadowing import tally
from kinward.gate import actions, hma
from kinward.gate.decide import (
    MAX_BATCH_BODY,
    Read,
    at_hand,
    looked_up,
    read_many,
    read_one,
    unreachable,
)
from kinward.gate.http import (
    FORM_OVERHEAD,
    Created,
    Disconnected,
    Receive,
    Request,
    Scope,
    Send,
    decode,
    send_body,
    send_json,
    send_problem,
)
from kinward.gate.media import Hashes, check_file, check_hashes
from kinward.gate.routes import DECIDE, MAX_JSON, ROUTES, Call, Route, endpoint
from kinward.jobs import fail_often
from kinward.media import Busy

log = structlog.get_logger(__name__)

R = TypeVar("R")
Handler = Callable[[Request, Send], Awaitable[None]]

MAX_HASHES: Final = 128 * 1024  # with those of a video's frames
SHADOW_SECONDS: Final = 1.0  # between two writings of where the shadow differed
SPARE_THREADS: Final = 4  # so that health and accounts answer while every upload is decoding
PATHS: Final = ("/v1/", "/hma/", "/h/", "/m/", "//", "/healthz", "/metrics")

ANSWERS = Counter("kinward_gate_answers", "Answers of the gate", ["endpoint", "answer"])
OVERDUE = Gauge("kinward_cases_overdue", "Cases that should have been decided by now")
FAILING = Gauge("kinward_jobs_failing", "Jobs that failed ten times or more and are tried again")
PARKED = Gauge("kinward_parked", "Actions and reports that wait for a person", ["what"])
SECONDS = Histogram("kinward_gate_seconds", "Seconds to an answer", ["endpoint"])


class Unavailable(KinwardError):
    """Kinward cannot reach its database. Hold the upload back and try again."""

    code = "state.unavailable"
    status = 503


class MethodNotAllowed(KinwardError):
    """This address does not take that method."""

    code = "method_not_allowed"
    status = 405


class Gate:
    """The application. What blocks runs in threads; so many uploads at a time, and no more."""

    def __init__(self) -> None:
        chosen = config()
        self._threads = ThreadPoolExecutor(chosen.max_uploads + SPARE_THREADS, "gate")
        self._uploads = asyncio.Semaphore(chosen.max_uploads)
        self._seconds = chosen.body_seconds
        self._limit = chosen.max_body + FORM_OVERHEAD
        self._background: set[asyncio.Future[None]] = set()
        self._shadow_written = 0.0
        self._handlers: dict[tuple[str, str], Handler] = {
            ("GET", "healthz"): self._health,
            ("GET", "metrics"): self._metrics,
            ("POST", "decide"): self._decide,
            ("POST", "decide/batch"): self._decide_batch,
            ("GET", "actions/file"): self._file,
            ("POST", "media"): self._media,
            ("POST", "media/hashes"): self._hashes,
            ("GET", "hma"): self._hma,
            ("POST", "hma"): self._hma,
            **{named: partial(self._plain, route) for named, route in ROUTES.items()},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        endpoint, began = _endpoint(request), time.perf_counter()
        try:
            await self._answer(request, endpoint, send)
            ANSWERS.labels(endpoint, "ok").inc()
        except Disconnected:
            ANSWERS.labels(endpoint, "disconnected").inc()
        except KinwardError as error:
            ANSWERS.labels(endpoint, error.code).inc()
            await send_problem(send, error)
        except (DatabaseError, InterfaceError) as error:
            log.error("gate.database", error=str(error).split("\n")[0])
            ANSWERS.labels(endpoint, Unavailable.code).inc()
            await send_problem(send, Unavailable())
        except Exception:
            log.exception("gate.failed", endpoint=endpoint)
            ANSWERS.labels(endpoint, KinwardError.code).inc()
            await send_problem(send, KinwardError("It was logged. Hold the upload back."))
        finally:
            SECONDS.labels(endpoint).observe(time.perf_counter() - began)

    async def _answer(self, request: Request, endpoint: str, send: Send) -> None:
        if not endpoint:
            raise NotFound(f"No endpoint {request.path[:80]!r}. The API is under /v1.")
        handler = self._handlers.get((request.method, endpoint))
        if handler is None:
            raise MethodNotAllowed(f"{request.method} {request.path[:80]}")
        await handler(request, send)

    async def _health(self, request: Request, send: Send) -> None:
        await self._in_thread(_ping)
        await send_json(send, 200, {"status": "ok"})

    async def _metrics(self, request: Request, send: Send) -> None:
        body = await self._in_thread(_metrics)
        await send_body(send, 200, body, b"text/plain; version=0.0.4")

    async def _decide(self, request: Request, send: Send) -> None:
        body = await request.json(limit=MAX_JSON, seconds=self._seconds)
        (answer,) = await self._decisions(request, [read_one(body)])
        await send_body(send, 200, bytes(answer), b"application/json")

    async def _decide_batch(self, request: Request, send: Send) -> None:
        body = await request.json(limit=MAX_BATCH_BODY, seconds=self._seconds)
        answers = await self._decisions(request, read_many(body))
        joined = b'{"decisions":[' + b",".join(map(bytes, answers)) + b"]}"
        await send_body(send, 200, joined, b"application/json")

    async def _decisions(self, request: Request, read: Sequence[Read]) -> list[msgspec.Raw]:
        """The answers from memory if it can be trusted, else from the database, else protective."""
        header = request.header("authorization")
        try:
            if authenticate_known(header, DECIDE) is None:
                await self._key(request, DECIDE)
        except (DatabaseError, InterfaceError) as error:
            log.error("gate.database", error=str(error).split("\n")[0])
            return unreachable(read)
        answers = at_hand(read)
        if answers is None:
            answers = await self._in_thread(lambda: looked_up(read))
        self._write_shadow()
        return answers

    def _write_shadow(self) -> None:
        """Now and then, write down where the shadow differed."""
        if time.monotonic() - self._shadow_written < SHADOW_SECONDS:
            return
        self._shadow_written = time.monotonic()
        writing = asyncio.ensure_future(self._in_thread(tally().write))
        self._background.add(writing)
        writing.add_done_callback(self._shadow_done)

    def _shadow_done(self, writing: asyncio.Future[None]) -> None:
        self._background.discard(writing)
        if not writing.cancelled() and (error := writing.exception()):
            log.warning("shadow.not_written", error=str(error).split("\n")[0])

    async def _file(self, request: Request, send: Send) -> None:
        """The bytes of what is given back, for the platform that sent them."""
        key = await self._key(request, "actions:pull")
        async with self._slot():
            data = await self._in_thread(lambda: actions.file(request.segments[2], key.actor))
            await send_body(send, 200, data, b"application/octet-stream")

    async def _plain(self, route: Route, request: Request, send: Send) -> None:
        """Answer by a route: its key, its body, and what it says, in a thread."""
        key = await self._key(request, route.scope)
        body = b""
        if request.method != "GET":
            body = await request.json(limit=route.limit, seconds=self._seconds)
        call = Call(request.segments, request.query, body, key.actor)
        answer = await self._in_thread(lambda: route.answer(call))
        if isinstance(answer, Created):
            await send_json(send, 201, answer.value)
        else:
            await send_json(send, 200, answer)

    async def _media(self, request: Request, send: Send) -> None:
        api_key = await self._key(request, "media:check")
        async with self._slot():
            parts = await request.form(limit=self._limit, seconds=self._seconds)
            key = request.header("idempotency-key")
            answer = await self._in_thread(
                lambda: check_file(api_key=api_key, key=key, parts=parts)
            )
        await send_json(send, 200, answer)

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """A slot is what bounds memory: no file is read or fetched before there is one."""
        try:
            await asyncio.wait_for(self._uploads.acquire(), self._seconds)
        except TimeoutError as error:
            raise Busy from error
        try:
            yield
        finally:
            self._uploads.release()

    async def _hma(self, request: Request, send: Send) -> None:
        name, key = hma.route(request)
        header = f"Bearer {key}" if key else request.header("authorization")
        await self._in_thread(lambda: authenticate(header, hma.SCOPE))
        given, parts = request.query, None
        async with self._slot():
            if request.method == "POST":
                parts = await request.form(limit=self._limit, seconds=self._seconds)
            answer = await self._in_thread(lambda: hma.answer(name, given, parts))
        await send_json(send, 200, answer)

    async def _hashes(self, request: Request, send: Send) -> None:
        api_key = await self._key(request, "media:check")
        body = await request.json(limit=MAX_HASHES, seconds=self._seconds)
        hashes = decode(body, Hashes)
        key = request.header("idempotency-key")
        answer = await self._in_thread(
            lambda: check_hashes(api_key=api_key, key=key, hashes=hashes)
        )
        await send_json(send, 200, answer)

    async def _key(self, request: Request, scope: str) -> ApiKey:
        header = request.header("authorization")
        return await self._in_thread(lambda: authenticate(header, scope))

    async def _in_thread(self, work: Callable[[], R]) -> R:
        def run() -> R:
            close_old_connections()
            try:
                return work()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)


def _endpoint(request: Request) -> str:
    """The name of an endpoint, for routing and for metrics; empty when there is none."""
    if request.path in ("/healthz", "/metrics"):
        return request.path[1:]
    if request.path.startswith("/v1/"):
        return endpoint(request.path, request.segments)
    return "hma" if hma.route(request)[0] else ""


def _metrics() -> bytes:
    for what, count in parked().items():
        PARKED.labels(what).set(count)
    OVERDUE.set(overdue().count())
    FAILING.set(sum(fail_often().values()))
    return generate_latest()


def _ping() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
