"""The gate as an ASGI application: it routes, authenticates, limits, parses, calls and answers."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, NoReturn, TypeVar

import msgspec
import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections

from kinward.access.api import (
    ApiKey,
    KeyRefused,
    ScopeMissing,
    count_refusal,
    count_use,
    log_refusal,
    tally_refusals,
    tally_uses,
)
from kinward.entrance import Disconnected, Receive, Scope, Send, TooLarge, TooSlow, Unavailable
from kinward.experience.api import tally_shadow
from kinward.gate.admission import Admission
from kinward.gate.bodies import Bodies
from kinward.gate.calls import Call
from kinward.gate.health import ANSWERS, SECONDS
from kinward.gate.hma import NotServed, is_hma, key_in
from kinward.gate.http import (
    AT_ONCE,
    FORM_OVERHEAD,
    PROBLEM,
    SCIM,
    TEXT,
    MethodNotAllowed,
    Request,
    send_answer,
    send_problem,
)
from kinward.gate.idempotency import usable
from kinward.gate.limits import AccountLimit, AddressLimit, KeyLimit
from kinward.gate.routes import ROUTES
from kinward.gate.routes_hma import LOOK_UP
from kinward.gate.routing import ACCOUNT, Fast, Form, Route, Router, Target, prefixes
from kinward.gate.slots import (
    BATCHES,
    CALLS,
    CHECKS,
    FETCHES,
    PARTS,
    Slots,
    slots_for_calls,
    slots_for_checks,
    slots_for_files,
)
from kinward.gate.together import AT_ONCE as GROUPS
from kinward.gate.together import Together
from kinward.ground.config import config
from kinward.ground.errors import KinwardError, NotFound
from kinward.ground.text import MAX_ID
from kinward.ground.turns import Payer, Turn
from kinward.media import Busy, price_of_head

log = structlog.get_logger(__name__)

R = TypeVar("R")

SHADOW_SECONDS: Final = 1.0  # between two writes of shadow mode's differences
SPARE_THREADS: Final = 4  # answer health and accounts while all uploads are being decoded
WRITERS: Final = 2  # threads that write what was counted
BATCH_BYTE: Final = 2e-7  # the price of a byte of questions, in seconds
PART_BYTE: Final = 5e-7  # the price of a byte of checks or accounts, in seconds
CHECK: Final = 0.01  # the price of a call that is answered with others, in seconds
CALL: Final = 0.01  # the price of a call that needs only the database, in seconds
FETCH: Final = 1.0  # the price of a file that Kinward fetches or unseals, in seconds
UNSERVED: Final = "HMA: an endpoint that Kinward has not"  # where a key's use is counted
SCIM_PREFIX: Final = "/scim/"
PATHS: Final = (*prefixes(ROUTES), "//")  # some tools join URLs with two slashes
# What is counted as refused: calls of strangers, and calls over a bound or a share.
REFUSALS: Final = (
    *(KeyRefused, ScopeMissing, KeyLimit, AccountLimit, AddressLimit),
    *(TooLarge, TooSlow, Busy),
)

_router = Router(ROUTES)


def is_for_gate(path: str) -> bool:
    """Return whether the gate answers a path, and not the pages."""
    return path.startswith(PATHS) or is_hma(path)


class _About(msgspec.Struct):
    """The account that a JSON body names."""

    account_id: str = ""


class Gate:
    """The application. Blocking work runs in threads, when it is its turn.

    A call holds a slot only once its body has arrived.
    """

    def __init__(self) -> None:
        chosen = config()
        self._files = slots_for_files(chosen.max_uploads, chosen.decoders, chosen.queue_seconds)
        self._calls = slots_for_calls(SPARE_THREADS, chosen.queue_seconds)
        self._checks = slots_for_checks(chosen.queue_seconds)
        self._together = {
            route.line: Together(route.together, self._in_thread)
            for route in ROUTES
            if route.together is not None
        }
        threads = self._files.most + SPARE_THREADS + GROUPS * len(self._together) + WRITERS
        self._threads = ThreadPoolExecutor(threads, "gate")
        self._bodies = Bodies(chosen.bodies_memory, self._files.wait)
        self._admission = Admission(chosen, self._in_thread)
        self._shared: dict[str, tuple[float, asyncio.Future[Any]]] = {}
        self._seconds = chosen.body_seconds
        self._limit = chosen.max_body + FORM_OVERHEAD
        self._background: set[asyncio.Future[None]] = set()
        self._shadow_written = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, began = Request(scope, receive), time.perf_counter()
        target = _router.find(request.path, request.raw_path)
        endpoint = target.address.template if target else ""
        shape = _shape_of_errors(request.path)
        try:
            answer = await self._answer(request, target)
            await send_answer(send, answer, request.limits)
            ANSWERS.labels(endpoint, "ok").inc()
        except Disconnected:
            ANSWERS.labels(endpoint, "disconnected").inc()
        except KinwardError as error:
            ANSWERS.labels(endpoint, error.code).inc()
            if isinstance(error, REFUSALS):
                count_refusal(error.code)
                log_refusal(code=error.code, who=request.address, where=endpoint)
            await send_problem(send, error, request.limits, shape=shape)
        except (DatabaseError, InterfaceError) as error:
            log.error("gate.database", error=str(error).split("\n")[0])
            ANSWERS.labels(endpoint, Unavailable.code).inc()
            await send_problem(send, Unavailable(), shape=shape)
        except Exception:
            log.exception("gate.failed", endpoint=endpoint)
            ANSWERS.labels(endpoint, KinwardError.code).inc()
            fault = KinwardError("The error was logged. Hold the upload back.")
            await send_problem(send, fault, shape=shape)
        finally:
            SECONDS.labels(endpoint).observe(time.perf_counter() - began)
            self._write_tallies()

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
        if route.unless_local and not request.is_local:
            header = request.header("authorization")
            count_use(await self._admission.admit(request, header, route.unless_local), route.line)
        if route.shared:
            return await self._answer_all(route)
        key = await self._key(route, request, target)
        if not route.is_open:
            return await self._answer_in_turn(route, request, target, key)
        await self._admission.require_unspent(request)
        try:
            return await self._answer_in_turn(route, request, target, key)
        except KinwardError:
            await self._admission.count_stranger(request)
            raise

    async def _answer_in_turn(
        self, route: Route, request: Request, target: Target, key: ApiKey | None
    ) -> Any:
        """Read the body, wait for a slot, and answer in a thread."""
        name = key.name if key else ""
        slots: Slots = self._calls
        turn: Turn | None = None
        spent = frozenset[str]()
        with self._bodies.body(name) as held:
            request.grow = held.grow
            try:
                async with held.waiting():
                    body = await self._body(route, request)
                    payer = Payer(name, _account(route, target, body))
                    held.arrived(payer)
                    if route.charged and payer.account:
                        self._admission.count_account(request, name, payer.account)
                    slots, lane, price = self._work(route, request, body)
                    turn = await slots.take(lane, payer, price)
                if key is not None and route.parts is not None:
                    body = await self._in_thread(partial(route.read_body, body))
                    self._count_parts(route, request, key, body)
                    if route.charged and route.accounts is not None:
                        spent = self._admission.count_accounts(key.name, route.accounts(body))
                if slots is self._checks:
                    body = route.read_body(bytes(body))
                    call = Call(body, key, usable(request.header("idempotency-key")))
                    answer = await self._together[route.line].ask(call)
                    if answer is not None:
                        return answer
                    slots.leave(turn)
                    turn, slots = None, self._calls
                    turn = await slots.take(CALLS, payer, CALL)
                return await self._in_thread(
                    lambda: route.run(
                        texts=target.texts,
                        query=request.query if route.query else {},
                        body=body,
                        key=key,
                        idempotency_key=request.header("idempotency-key"),
                        if_match=request.header("if-match"),
                        spent=spent,
                    )
                )
            finally:
                if turn is not None:
                    slots.leave(turn)

    def _work(self, route: Route, request: Request, body: Any) -> tuple[Slots, str, float]:
        """Return the slots for a call, its lane in these, and its price."""
        if route.together is not None and len(body) <= AT_ONCE:
            return self._checks, CHECKS, CHECK
        if route.accounts is not None:
            return self._calls, PARTS, PART_BYTE * len(body)
        if not route.slot:
            return self._calls, CALLS, CALL
        if isinstance(route.body, Form):
            file = max((part.data for part in body.values()), key=len, default=bytearray())
            price = price_of_head(file)
            return self._files, price.lane, price.seconds
        if is_hma(request.path) and not request.query.get("url"):
            return self._calls, CALLS, CALL
        return self._files, FETCHES, FETCH

    async def _answer_all(self, route: Route) -> Any:
        """Answer a call that needs no key: at most one such answer is made at a time."""
        now = time.monotonic()
        until, answering = self._shared.get(route.line, (0.0, None))
        if answering is None or (answering.done() and (now >= until or answering.exception())):
            work = self._in_thread(lambda: route.handler(Call(None)))
            answering = asyncio.ensure_future(work)
            self._shared[route.line] = (now + route.shared, answering)
        return await asyncio.shield(answering)

    async def _answer_fast(self, route: Route, fast: Fast, request: Request) -> Any:
        """Answer from memory if possible, else from the database, and protectively without it."""
        reachable, header = True, request.header("authorization")
        try:
            key = await self._admission.admit(request, header, route.scope)
        except (DatabaseError, InterfaceError) as error:
            log.error("gate.database", error=str(error).split("\n")[0])
            key = await self._admission.admit_unchecked(request, header, route.scope)
            reachable = False
        count_use(key, route.line)
        with self._bodies.body(key.name) as held:
            request.grow = held.grow
            async with held.waiting():
                body = await request.json(limit=route.limit, seconds=self._seconds)
            if len(body) > AT_ONCE:
                async with self._calls.taken(BATCHES, Payer(key.name), BATCH_BYTE * len(body)):
                    read = await self._in_thread(partial(route.read_body, body))
                    self._count_parts(route, request, key, read)
                    return await self._in_thread(
                        lambda: _answer_batch(route, fast, read, key, reachable=reachable)
                    )
            read = route.read_body(body)
        self._count_parts(route, request, key, read)
        if not reachable:
            return fast.unreachable(read)
        answer = fast.at_hand(read)
        if answer is None:
            answer = await self._in_thread(lambda: route.handler(Call(read, key)))
        return answer

    def _count_parts(self, route: Route, request: Request, key: ApiKey, body: Any) -> None:
        if route.parts is not None:
            self._admission.count_parts(request, key.name, route.parts(body))

    async def _refuse_unserved(self, request: Request) -> NoReturn:
        """Raise `NotServed` to a caller that may look up. Coop deletes its bank on a 404."""
        key = key_in(request.raw_path)
        header = request.header("authorization") if key is None else f"Bearer {key}"
        count_use(await self._admission.admit(request, header, LOOK_UP), UNSERVED)
        raise NotServed

    async def _key(self, route: Route, request: Request, target: Target) -> ApiKey | None:
        if not route.scope:
            return None
        header = request.header("authorization")
        if route.key_in_path:
            header = f"Bearer {target.texts[0]}"
        key = await self._admission.admit(request, header, route.scope)
        count_use(key, route.line)
        return key

    async def _body(self, route: Route, request: Request) -> Any:
        if route.body is None:
            return b""
        if isinstance(route.body, Form):
            return await request.form(limit=self._limit, seconds=self._seconds)
        if route.urlencoded:
            return await request.fields(limit=route.limit, seconds=self._seconds)
        return await request.json(limit=route.limit, seconds=self._seconds, also=route.takes)

    def _write_tallies(self) -> None:
        """Write in threads what was counted: shadow mode's differences, refusals, uses of keys."""
        if time.monotonic() - self._shadow_written >= SHADOW_SECONDS:
            self._shadow_written = time.monotonic()
            self._write(tally_shadow().write)
        for tally in (tally_refusals(), tally_uses()):
            if tally.due:
                self._write(tally.write)

    def _write(self, write: Callable[[], None]) -> None:
        writing = asyncio.ensure_future(self._in_thread(write))
        self._background.add(writing)
        writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Future[None]) -> None:
        self._background.discard(writing)
        if not writing.cancelled() and (error := writing.exception()):
            log.warning("gate.tally_not_written", error=str(error).split("\n")[0])

    async def _in_thread(self, work: Callable[[], R]) -> R:
        def run() -> R:
            close_old_connections()
            try:
                return work()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)


def _answer_batch(route: Route, fast: Fast, read: Any, key: ApiKey, *, reachable: bool) -> Any:
    """Answer many questions in a thread, so that they do not delay a single one."""
    if not reachable:
        return fast.unreachable(read)
    answer = fast.at_hand(read)
    return route.handler(Call(read, key)) if answer is None else answer


def _shape_of_errors(path: str) -> str:
    """Return the media type of errors at a path: each protocol has a shape of its own."""
    if is_hma(path):
        return TEXT
    return SCIM if path.startswith(SCIM_PREFIX) else PROBLEM


def _account(route: Route, target: Target, body: Any) -> str:
    """Return the account that a call names in its path or its body, or an empty text."""
    if route.pays is not None:
        return str(target.texts[route.pays])
    if isinstance(route.body, Form):
        part = body.get(ACCOUNT)
        return part.data[:MAX_ID].decode("utf-8", "replace").strip() if part else ""
    if not route.charged or route.accounts is not None:
        return ""
    try:
        return msgspec.json.decode(body, type=_About).account_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""  # whoever reads the body says what is wrong with it
