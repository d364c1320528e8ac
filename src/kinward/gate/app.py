"""The gate as an ASGI application: it routes, authenticates, limits, parses, calls and answers."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NoReturn, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections

from kinward.access.api import ApiKey, authenticate, authenticate_known
from kinward.entrance import Disconnected, Receive, Scope, Send, Unavailable
from kinward.experience.api import tally_shadow
from kinward.gate.calls import Call
from kinward.gate.health import ANSWERS, SECONDS
from kinward.gate.hma import NotServed, is_hma, key_in
from kinward.gate.http import (
    FORM_OVERHEAD,
    MethodNotAllowed,
    Request,
    send_answer,
    send_problem,
)
from kinward.gate.routes import LOOK_UP, ROUTES
from kinward.gate.routing import Fast, Form, Route, Router, Target, prefixes
from kinward.ground.config import config
from kinward.ground.errors import KinwardError, NotFound
from kinward.media import Busy

log = structlog.get_logger(__name__)

R = TypeVar("R")

SHADOW_SECONDS: Final = 1.0  # between two writes of shadow mode's differences
SPARE_THREADS: Final = 4  # answer health and accounts while all uploads are being decoded
PATHS: Final = (*prefixes(ROUTES), "//")  # some tools join URLs with two slashes

_router = Router(ROUTES)


def is_for_gate(path: str) -> bool:
    """Return whether the gate answers a path, and not the pages."""
    return path.startswith(PATHS) or is_hma(path)


class Gate:
    """The application. Blocking work runs in threads, and only `max_uploads` uploads at a time."""

    def __init__(self) -> None:
        chosen = config()
        self._threads = ThreadPoolExecutor(chosen.max_uploads + SPARE_THREADS, "gate")
        self._uploads = asyncio.Semaphore(chosen.max_uploads)
        self._seconds = chosen.body_seconds
        self._limit = chosen.max_body + FORM_OVERHEAD
        self._background: set[asyncio.Future[None]] = set()
        self._shadow_written = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, began = Request(scope, receive), time.perf_counter()
        target = _router.find(request.path, request.raw_path)
        endpoint = target.address.template if target else ""
        plain = is_hma(request.path)
        try:
            await send_answer(send, await self._answer(request, target))
            ANSWERS.labels(endpoint, "ok").inc()
        except Disconnected:
            ANSWERS.labels(endpoint, "disconnected").inc()
        except KinwardError as error:
            ANSWERS.labels(endpoint, error.code).inc()
            await send_problem(send, error, plain=plain)
        except (DatabaseError, InterfaceError) as error:
            log.error("gate.database", error=str(error).split("\n")[0])
            ANSWERS.labels(endpoint, Unavailable.code).inc()
            await send_problem(send, Unavailable(), plain=plain)
        except Exception:
            log.exception("gate.failed", endpoint=endpoint)
            ANSWERS.labels(endpoint, KinwardError.code).inc()
            fault = KinwardError("The error was logged. Hold the upload back.")
            await send_problem(send, fault, plain=plain)
        finally:
            SECONDS.labels(endpoint).observe(time.perf_counter() - began)

    async def _answer(self, request: Request, target: Target | None) -> Any:
        if target is None:
            if is_hma(request.path):
                await self._refuse_unserved(request)
            raise NotFound(f"No endpoint {request.path[:80]!r}. The API is under /v1.")
        methods = target.address.methods
        route = methods.get(request.method)
        if route is None:
            detail = f"{request.method} {request.path[:80]}"
            raise MethodNotAllowed(detail, allow=", ".join(sorted(methods)))
        if route.fast is not None:
            return await self._answer_fast(route, route.fast, request)
        key = await self._key(route, request, target)
        if route.body is not None:  # before it waits for a slot
            request.refuse_larger(self._limit if isinstance(route.body, Form) else route.limit)
        async with self._slot(route):
            body = await self._body(route, request)
            return await self._in_thread(
                lambda: route.run(
                    texts=target.texts,
                    query=request.query if route.query else {},
                    body=body,
                    key=key,
                    idempotency_key=request.header("idempotency-key"),
                )
            )

    async def _answer_fast(self, route: Route, fast: Fast, request: Request) -> Any:
        """Answer from memory if possible, else from the database, and protectively without it."""
        reachable = True
        try:
            key = await self._authenticate(request.header("authorization"), route.scope)
        except (DatabaseError, InterfaceError) as error:
            log.error("gate.database", error=str(error).split("\n")[0])
            key, reachable = None, False
        read = route.read_body(await request.json(limit=route.limit, seconds=self._seconds))
        if not reachable:
            return fast.unreachable(read)
        answer = fast.at_hand(read)
        if answer is None:
            answer = await self._in_thread(lambda: route.handler(Call(read, key)))
        self._write_shadow()
        return answer

    async def _refuse_unserved(self, request: Request) -> NoReturn:
        """Raise `NotServed` to a caller that may look up. Coop deletes its bank on a 404."""
        key = key_in(request.raw_path)
        header = request.header("authorization") if key is None else f"Bearer {key}"
        await self._authenticate(header, LOOK_UP)
        raise NotServed

    async def _key(self, route: Route, request: Request, target: Target) -> ApiKey | None:
        if not route.scope:
            return None
        if route.key_in_path:
            return await self._authenticate(f"Bearer {target.texts[0]}", route.scope)
        return await self._authenticate(request.header("authorization"), route.scope)

    async def _authenticate(self, header: str, scope: str) -> ApiKey:
        key = authenticate_known(header, scope)
        if key is None:
            key = await self._in_thread(lambda: authenticate(header, scope))
        return key

    async def _body(self, route: Route, request: Request) -> Any:
        if route.body is None:
            return b""
        if isinstance(route.body, Form):
            return await request.form(limit=self._limit, seconds=self._seconds)
        return await request.json(limit=route.limit, seconds=self._seconds)

    @contextlib.asynccontextmanager
    async def _slot(self, route: Route) -> AsyncIterator[None]:
        """Wait for a slot. Slots limit memory: no file is read without one. Raises `Busy`."""
        if not route.slot:
            yield
            return
        try:
            await asyncio.wait_for(self._uploads.acquire(), self._seconds)
        except TimeoutError as error:
            raise Busy from error
        try:
            yield
        finally:
            self._uploads.release()

    def _write_shadow(self) -> None:
        """Write shadow mode's differences in a thread, at most once in `SHADOW_SECONDS`."""
        if time.monotonic() - self._shadow_written < SHADOW_SECONDS:
            return
        self._shadow_written = time.monotonic()
        writing = asyncio.ensure_future(self._in_thread(tally_shadow().write))
        self._background.add(writing)
        writing.add_done_callback(self._shadow_done)

    def _shadow_done(self, writing: asyncio.Future[None]) -> None:
        self._background.discard(writing)
        if not writing.cancelled() and (error := writing.exception()):
            log.warning("shadow.not_written", error=str(error).split("\n")[0])

    async def _in_thread(self, work: Callable[[], R]) -> R:
        def run() -> R:
            close_old_connections()
            try:
                return work()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)
