"""Routes, and the router that finds the route of a request."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Final, NamedTuple
from urllib.parse import unquote
from uuid import UUID

import msgspec

from kinward.access.api import ApiKey, KeyExpired, KeyRefused, ScopeMissing
from kinward.entrance import TooLarge, TooSlow, Unavailable
from kinward.gate.calls import Call
from kinward.gate.http import PROBLEM, WrongType, decode, decode_once
from kinward.gate.idempotency import KeyReused
from kinward.gate.limits import AccountLimit, AddressLimit, KeyLimit
from kinward.ground.errors import (
    Invalid,
    KinwardError,
    NotConfigured,
    NotFound,
    NotInstalled,
    SettingWrong,
)
from kinward.ground.multipart import Malformed
from kinward.ground.text import MAX_ID, storable
from kinward.media import Busy, DecoderLost, Unwalled

MAX_JSON: Final = 64 * 1024
KEY: Final = "key"  # the path parameter that holds an API key
ACCOUNT: Final = "account_id"  # the parameter or field that names an account
V1: Final = "/v1/"


class Parameter(msgspec.Struct, frozen=True):
    """A type of path parameter: its reader, its schema, and the error that its reader raises."""

    read: Callable[[str], Any]
    schema: dict[str, Any]
    error: type[KinwardError] | None = None


def _read_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("Write the day like this: 2026-01-31.") from error


PARAMETERS: Final = {
    "": Parameter(str, {"type": "string", "minLength": 1, "maxLength": MAX_ID}),
    "uuid": Parameter(_read_uuid, {"type": "string", "format": "uuid"}, NotFound),
    "date": Parameter(_read_date, {"type": "string", "format": "date"}, Invalid),
}


class Form(msgspec.Struct, frozen=True):
    """A multipart body: its text fields, and the names that the part with the file can have."""

    files: tuple[str, ...]
    fields: type[msgspec.Struct] | None = None


class Fast(msgspec.Struct, frozen=True):
    """How a route answers on the event loop.

    `at_hand` answers from memory, or returns None if the answer needs the database.
    `unreachable` answers if the database cannot even confirm the API key.
    """

    at_hand: Callable[[Any], Any | None]
    unreachable: Callable[[Any], Any]


class Route(msgspec.Struct, frozen=True, dict=True):
    """One endpoint. An empty `scope` means that no key is needed.

    `line` is a method and a template. In a template `{account_id}` is text, and `{report_id:uuid}`
    and `{day:date}` have a type of `PARAMETERS`. `answer` is the type of a JSON answer, or a media
    type. `errors` lists the errors of the handler. Errors of keys, bodies and
    parameters are derived.
    """

    line: str
    scope: str
    handler: Callable[..., Any]
    answer: Any
    body: type[msgspec.Struct] | Form | None = None
    query: type[msgspec.Struct] | None = None
    statuses: tuple[int, ...] = (200,)
    headers: tuple[tuple[str, str], ...] = ()  # of its answers: the name, and what it says
    errors: tuple[type[KinwardError], ...] = ()
    limit: int = MAX_JSON  # bytes of a JSON body
    read: Callable[[bytes], Any] | None = None  # reads a JSON body in place of `decode`
    once: bool = False  # whether a JSON body with a name twice is refused
    fast: Fast | None = None
    # Answers many calls with one transaction; None for a call that `handler` must answer.
    together: Callable[[Sequence[Call[Any]]], Sequence[Any]] | None = None
    slot: bool = False  # whether it needs one of the slots for files
    charged: bool = False  # whether it counts towards its account's limit
    # How many calls a decoded body counts as for its key: one for each thing that it asks or tells.
    parts: Callable[[Any], int] | None = None
    # How often a decoded body names each account, whose limit then counts it if `charged`.
    accounts: Callable[[Any], Mapping[str, int]] | None = None
    shared: float = 0.0  # seconds for which one answer is given to all
    idempotent: bool = False  # whether it accepts an `Idempotency-Key`
    errors_as: str = PROBLEM  # the media type of its errors, which is their shape
    takes: str = ""  # a media type of its JSON body beside `application/json`
    unless_local: str = ""  # the scope that a caller from another machine needs
    urlencoded: bool = False  # whether its body is a form of texts instead of JSON

    @cached_property
    def method(self) -> str:
        """The method, such as `PUT`."""
        return self.line.partition(" ")[0]

    @cached_property
    def path(self) -> str:
        """The template of the path, with the types of its parameters."""
        return self.line.partition(" ")[2]

    @cached_property
    def sentence(self) -> str:
        """The summary of the endpoint: the first line of its handler's docstring."""
        return (self.handler.__doc__ or "").strip().splitlines()[0]

    @cached_property
    def template(self) -> str:
        """The path without the types of its parameters, for OpenAPI and metrics."""
        return "/".join(_without_type(step) for step in self.path.split("/"))

    @cached_property
    def parameters(self) -> tuple[tuple[str, Parameter], ...]:
        """The path's parameters in order."""
        steps = [step[1:-1] for step in self.path.split("/") if step.startswith("{")]
        named = [step.partition(":") for step in steps]
        return tuple((name, PARAMETERS[kind]) for name, _, kind in named)

    @cached_property
    def pays(self) -> int | None:
        """The place of the account among the path's parameters, if there is one."""
        names = [name for name, _ in self.parameters]
        return names.index(ACCOUNT) if ACCOUNT in names else None

    @cached_property
    def key_in_path(self) -> bool:
        """Whether the API key is the first parameter of the path."""
        return any(name == KEY for name, _ in self.parameters)

    @cached_property
    def is_open(self) -> bool:
        """Whether anybody may send it a body, so that what it refuses counts for the address."""
        return not self.scope and self.body is not None

    @cached_property
    def possible_errors(self) -> tuple[type[KinwardError], ...]:
        """All errors that the endpoint can answer with, ordered by status and code."""
        errors: set[type[KinwardError]] = {KinwardError, *self.errors}
        errors |= {kind.error for _, kind in self.parameters if kind.error is not None}
        if self.scope or self.unless_local:
            errors |= {KeyRefused, KeyExpired, ScopeMissing, KeyLimit, AddressLimit}
        if self.is_open:
            errors.add(AddressLimit)
        if self.fast is None:
            errors |= {Unavailable, Busy}
        if self.slot:
            errors |= {DecoderLost, Unwalled}
        if self.idempotent:
            errors.add(KeyReused)
        if NotConfigured in errors:
            errors |= {SettingWrong, NotInstalled}
        if self.scope and (self.slot or self.charged or self.pays is not None):
            errors.add(AccountLimit)
        if self.body is not None:
            errors |= {TooLarge, TooSlow, WrongType, Malformed, Busy}
        if self.query is not None or (self.body is not None and self.read is None):
            errors.add(Invalid)
        return tuple(sorted(errors, key=lambda error: (error.status, error.code)))

    def read_body(self, body: bytes) -> Any:
        """Decode a JSON body to this route's type."""
        if self.read is not None:
            return self.read(body)
        if not isinstance(self.body, type):
            return None
        return (decode_once if self.once else decode)(body, self.body)

    def run(
        self,
        *,
        texts: Sequence[str],
        query: Mapping[str, str],
        body: Any,
        key: ApiKey | None,
        idempotency_key: str,
        if_match: str = "",
        spent: frozenset[str] = frozenset(),
    ) -> Any:
        """Answer a call. `texts` has the path's parameters.

        `body`: the bytes, a form's parts, or what was decoded.
        """
        pairs = zip(self.parameters, texts, strict=True)
        arguments = {name: kind.read(text) for (name, kind), text in pairs if name != KEY}
        if self.query is not None:
            arguments["query"] = _convert(query, self.query)
        if isinstance(body, bytes | bytearray):
            body = self.read_body(bytes(body))
        return self.handler(Call(body, key, idempotency_key, if_match, spent), **arguments)


def _without_type(step: str) -> str:
    return step.partition(":")[0] + "}" if ":" in step else step


def _convert(query: Mapping[str, str], kind: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.convert(query, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"{error}.") from error


class Address(msgspec.Struct, frozen=True):
    """A path, and the route of each method."""

    template: str
    methods: dict[str, Route]


class _Step:
    """A node of the tree of paths."""

    __slots__ = ("address", "any", "steps")

    def __init__(self) -> None:
        self.steps: dict[str, _Step] = {}
        self.any: _Step | None = None
        self.address: Address | None = None


class Target(NamedTuple):
    """The address of a request, and the texts of its path's parameters."""

    address: Address
    texts: Sequence[str]


class Router:
    """Finds routes: a fixed path with one look-up, any other path along a tree of segments.

    Outside `/v1/`, empty segments are skipped, because tools may join URLs with two slashes. A path
    that needs no key and has no parameters must match exactly, so that a proxy's block of that path
    cannot be evaded.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, Target] = {}
        self._v1, self._others = _Step(), _Step()
        addresses: dict[str, Address] = {}
        for route in routes:
            new = Address(route.template, {})
            address = addresses.setdefault(route.template, new)
            if route.method in address.methods:
                raise ValueError(f"{route.method} {route.template} is in the table twice")
            address.methods[route.method] = route
            if not route.parameters:
                self._fixed[route.path] = Target(address, ())
            if route.parameters or (route.scope and not route.path.startswith(V1)):
                self._plant(route, address)

    def _plant(self, route: Route, address: Address) -> None:
        step = self._v1 if route.path.startswith(V1) else self._others
        for name in route.path.strip("/").split("/"):
            if name.startswith("{"):
                step.any = step.any or _Step()
                step = step.any
            else:
                step = step.steps.setdefault(name, _Step())
        step.address = address

    def find(self, path: str, raw_path: str) -> Target | None:
        """Return the address of a path, or None. `raw_path` is still percent-encoded."""
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed
        names = raw_path.strip("/").split("/")
        step = self._v1
        if not path.startswith(V1):
            names, step = [name for name in names if name], self._others
        texts = []
        for name in names:
            text = unquote(name) if "%" in name else name
            following = step.steps.get(text)
            if following is None:
                following = step.any
                if following is None or not text:
                    return None
                texts.append(storable(text))
            step = following
        return None if step.address is None else Target(step.address, texts)


def prefixes(routes: Iterable[Route]) -> tuple[str, ...]:
    """Return the prefixes of the routes' paths, so that a caller can send requests here."""
    firsts = {route.path.split("/", 2)[1] for route in routes if route.path.count("/") > 1}
    fixed = {route.path for route in routes if route.path.count("/") == 1}
    return (*sorted(f"/{first}/" for first in firsts), *sorted(fixed))
