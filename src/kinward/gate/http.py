"""The gate's HTTP: bounded request bodies, JSON answers and problem documents."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from kinward.entrance import Bounds, Receive, Scope, Send, caller_of, read_body, retry_after
from kinward.gate.calls import Content, Created, Encoded, Headed
from kinward.gate.limits import Header
from kinward.ground.addresses import is_this_machine
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.multipart import Form, Malformed, Part
from kinward.ground.text import storable, storable_json

T = TypeVar("T")

JSON: Final = b"application/json"
URLENCODED: Final = "application/x-www-form-urlencoded"
# The shapes of errors. The last two are those of other protocols, HMA's and SCIM's …
PROBLEM: Final = "application/problem+json"
TEXT: Final = "text/plain; charset=utf-8"
SCIM: Final = "application/scim+json"
SCIM_TYPES: Final = {"name.taken": "uniqueness"}  # of errors that are not from its library
SCIM_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
CODE: Final = "Kinward-Error"  # … where this header has the error's code
# Bad syntax, bad UTF-8, or too deeply nested.
NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What proxies add. Whoever passes on requests of others without any of these publishes /metrics.
PASSED_ON: Final = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
AT_ONCE: Final = 16 * 1024  # bytes of JSON that are read between two other calls
FORM_OVERHEAD: Final = 64 * 1024  # bytes that the other fields may add to a file


class WrongType(KinwardError):
    """This endpoint does not accept this type of body."""

    code = "body.type_unsupported"
    status = 415


class MethodNotAllowed(KinwardError):
    """This address does not accept that method."""

    code = "method_not_allowed"
    status = 405

    def __init__(self, detail: str, allow: str) -> None:
        super().__init__(detail)
        self.allow = allow  # the accepted methods, as in the header `Allow`


class Request:
    """A request: its method, path and headers, and methods to read its body within limits."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._raw_path: bytes = scope.get("raw_path") or self.path.encode()
        self._query: bytes = scope.get("query_string", b"")
        self._headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        self._scope, self._receive = scope, receive
        self.grow: Callable[[int], None] = lambda count: None  # counts the bytes of the body
        self.limits: list[Header] = []  # of the answer

    @property
    def raw_path(self) -> str:
        """The path as sent. It is still percent-encoded, so that a segment can contain a slash."""
        return bytes(self._raw_path).partition(b"?")[0].decode("latin-1")

    @property
    def query(self) -> dict[str, str]:
        """The query parameters. If one is repeated, the last value counts."""
        try:
            pairs = parse_qsl(self._query.decode("latin-1"), max_num_fields=20)
        except ValueError as error:
            raise Invalid("Send at most 20 parameters.") from error
        return {name: storable(value) for name, value in pairs}

    @property
    def address(self) -> str:
        """The caller's address, as limits count it."""
        return caller_of(self._scope)

    @property
    def is_local(self) -> bool:
        """Whether a program on this machine asks for itself: no proxy has passed the request on."""
        peer = (self._scope.get("client") or ("",))[0]
        return is_this_machine(peer) and not self._headers.keys() & PASSED_ON

    def header(self, name: str) -> str:
        """Return a header by its lower-case name, or an empty text."""
        return bytes(self._headers.get(name, b"")).decode("latin-1")

    async def json(self, *, limit: int, seconds: float, also: str = "") -> bytes:
        """Read a JSON body without decoding it. Raises `WrongType`, `TooLarge` and `TooSlow`.

        `also`: the media type of a protocol, which may stand in place of `application/json`.
        """
        sent = self.header("content-type").partition(";")[0].strip().lower()
        if sent != "application/json" and (not also or sent != also):
            raise WrongType(f"Send Content-Type: {also or 'application/json'}.")
        body = bytearray()
        await self._read(body.extend, limit, seconds)
        if len(body) > AT_ONCE:  # so many escapes may take seconds
            return await asyncio.to_thread(storable_json, bytes(body))
        return storable_json(bytes(body))

    async def fields(self, *, limit: int, seconds: float) -> bytes:
        """Read an urlencoded form as JSON with its texts. Raises as `json` does, and `Invalid`."""
        if self.header("content-type").partition(";")[0].strip().lower() != URLENCODED:
            raise WrongType(f"Send Content-Type: {URLENCODED}.")
        body = bytearray()
        await self._read(body.extend, limit, seconds)
        try:
            pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20)
        except (ValueError, UnicodeDecodeError) as error:
            raise Invalid("Send at most 20 fields, percent-encoded.") from error
        return msgspec.json.encode({name: storable(value) for name, value in pairs})

    async def form(self, *, limit: int, seconds: float) -> dict[str, Part]:
        """Read a multipart form into memory. Raises `WrongType`, `TooLarge` and `TooSlow`."""
        if not self.header("content-type").lower().startswith("multipart/form-data"):
            raise WrongType("Send multipart/form-data with a part named `file`.")
        form = Form(self.header("content-type"))
        await self._read(form.feed, limit, seconds)
        return form.finish()

    async def _read(self, take: Callable[[bytes], None], limit: int, seconds: float) -> None:
        def grown(chunk: bytes) -> None:
            self.grow(len(chunk))
            take(chunk)

        bounds = Bounds(limit, seconds, config().body_rate)
        await read_body(self._receive, self.header("content-length"), bounds, grown)


def decode(body: bytes, kind: type[T]) -> T:
    """Decode a JSON body. Raises `Invalid` for a wrong value, and `Malformed` if it is not JSON."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"{error}.") from error
    except NOT_JSON as error:
        raise no_json(error) from error


def decode_once(body: bytes, kind: type[T]) -> T:
    """Decode a JSON body as `decode` does. Raises `Invalid` if an object has a name twice, too.

    Of two values under one name a reader takes either. So such a body contradicts itself.
    """
    value = decode(body, kind)
    try:
        json.loads(body, object_pairs_hook=_refuse_twice)
    except (ValueError, RecursionError) as error:
        raise no_json(error) from error
    return value


def _refuse_twice(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Invalid(f"The body has {twice[:60]!r} twice. Send each field once.")


def no_json(error: Exception) -> Malformed:
    """Return the error for a body that is not JSON."""
    return Malformed(f"The body is not JSON: {error}.")


async def send_answer(send: Send, answer: object, extra: Sequence[Header] = ()) -> None:
    """Send the value that an endpoint returned, with further headers."""
    if isinstance(answer, Content):
        media_type, cache = answer.media_type.encode(), answer.cache_control.encode()
        more = [*extra, *_encoded(answer.headers)]
        await send_body(send, answer.status, answer.data, media_type, more, cache=cache)
    elif isinstance(answer, Headed):
        more = [*extra, *_encoded(answer.headers)]
        await send_body(send, 200, msgspec.json.encode(answer.value), JSON, more)
    elif isinstance(answer, Encoded):
        await send_body(send, 200, answer.data, JSON, extra)
    elif isinstance(answer, Created):
        await send_body(send, 201, msgspec.json.encode(answer.value), JSON, extra)
    else:
        await send_body(send, 200, msgspec.json.encode(answer), JSON, extra)


def _encoded(headers: Mapping[str, str]) -> list[Header]:
    return [(name.lower().encode(), text.encode()) for name, text in headers.items()]


async def send_problem(
    send: Send, error: KinwardError, further: Sequence[Header] = (), *, shape: str = PROBLEM
) -> None:
    """Send an error in one of the shapes: a problem document of RFC 9457, or another protocol's."""
    extra = [*further]
    if (seconds := retry_after(error)) is not None:
        extra.append((b"retry-after", str(seconds).encode()))
    if error.status == 401:
        extra.append((b"www-authenticate", b'Bearer realm="kinward"'))
    if isinstance(error, MethodNotAllowed):
        extra.append((b"allow", error.allow.encode()))
    if shape != PROBLEM:
        extra.append((CODE.lower().encode(), error.code.encode()))
    if shape == TEXT:
        body = f"Error {error.code}: {error}\n".encode()
    elif shape == SCIM:
        body = msgspec.json.encode(_scim_error(error))
    else:
        body = msgspec.json.encode(error.problem())
    await send_body(send, error.status, body, shape.encode(), extra)


def _scim_error(error: KinwardError) -> dict[str, Any]:
    """Return an error in the shape of RFC 7644, section 3.12."""
    scim_type = error.members.get("scimType", SCIM_TYPES.get(error.code, ""))
    told = {"scimType": scim_type} if scim_type else {}
    return {"schemas": [SCIM_ERROR], "status": str(error.status), **told, "detail": str(error)}


async def send_body(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes,
    extra: Sequence[Header] = (),
    cache: bytes = b"no-store",
) -> None:
    """Send bytes. `cache` is the `Cache-Control` header, by default `no-store`."""
    headers = [(b"cache-control", cache), *extra]
    if status != 204:  # which has no body, and so neither a type nor a length
        length = str(len(body)).encode()
        headers = [(b"content-type", content_type), (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
