"""The bodies and queries of SCIM: what the document says of them, and how much they may hold."""

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from kinward.gate.http import NOT_JSON, no_json
from kinward.ground.errors import KinwardError

MAX_BODY: Final = 256 * 1024
MAX_FILTER: Final = 500  # characters
MAX_OPERATIONS: Final = 100  # of one PATCH
MAX_ITEMS: Final = 1000  # of all lists of a body, since each is compared with each member


class ScimRefused(KinwardError):
    """This SCIM request cannot be carried out as it is."""

    code = "scim.refused"
    status = 400


class ScimChanged(KinwardError):
    """The resource has changed since you read it. Read it again."""

    code = "scim.changed"
    status = 412


class ScimUnsupported(KinwardError):
    """Kinward does not offer this part of SCIM."""

    code = "scim.unsupported"
    status = 501


class Query(msgspec.Struct, frozen=True, rename="camel"):
    """Which attributes an answer has, separated by commas."""

    attributes: str | None = None
    excluded_attributes: str | None = None


class SearchQuery(Query, frozen=True, rename="camel"):
    """Which resources are asked for. `filter`: one `eq` on an id or a name."""

    filter: str | None = None
    start_index: str | None = None
    count: str | None = None
    sort_by: str | None = None
    sort_order: str | None = None
    cursor: str | None = None


class SearchIn(msgspec.Struct, frozen=True, rename="camel"):
    """The same as a body, so that no name of a person is in an address."""

    schemas: list[str]
    attributes: list[str] | None = None
    excluded_attributes: list[str] | None = None
    filter: str | None = None
    start_index: int | None = None
    count: int | None = None


class UserIn(msgspec.Struct, frozen=True, rename="camel"):
    """A person, as the provider sends one. Further attributes are dropped."""

    schemas: list[str]
    user_name: str
    external_id: str
    active: bool = True


class Member(msgspec.Struct, frozen=True):
    """A member of a group: the id of a person."""

    value: str


class GroupBody(msgspec.Struct, frozen=True, rename="camel"):
    """A group, as the provider sends one. Its members replace those before."""

    schemas: list[str]
    display_name: str
    external_id: str = ""
    members: list[Member] = []


class PatchOperation(msgspec.Struct, frozen=True):
    """One change. Without a path, the value is an object of attributes."""

    op: Literal["add", "remove", "replace"]
    path: str | None = None
    value: Any = None


class PatchIn(msgspec.Struct, frozen=True):
    """Changes of a resource, which are made together or not at all."""

    schemas: list[str]
    operations: list[PatchOperation] = msgspec.field(name="Operations")


def read_body(body: bytes) -> bytes:
    """Return a body as `scim2-server` reads it. Raises `ScimRefused` for one that holds too much.

    It is encoded anew, so that nothing is in it that was not measured here.
    """
    try:
        sent = msgspec.json.decode(body)
    except NOT_JSON as error:
        raise no_json(error) from error
    operations = [*_values(sent, "operations")]
    if sum(len(part) for part in operations if isinstance(part, list)) > MAX_OPERATIONS:
        raise ScimRefused(f"Send at most {MAX_OPERATIONS} operations.")
    if sum(len(part) for part in _parts(sent) if isinstance(part, list)) > MAX_ITEMS:
        raise ScimRefused(f"Send at most {MAX_ITEMS:,} items in all lists, in several calls.")
    if any(len(text) > MAX_FILTER for text in _texts(sent, operations)):
        raise ScimRefused(f"A filter and a path have at most {MAX_FILTER} characters.")
    return msgspec.json.encode(sent)


def _values(thing: Any, name: str) -> Iterator[Any]:
    """Yield the values of an object under a name, in whatever case."""
    if isinstance(thing, dict):
        yield from (value for key, value in thing.items() if key.lower() == name)


def _texts(sent: Any, operations: list[Any]) -> Iterator[str]:
    """Yield the texts that are read as filters and paths: a name can be a path, too."""
    listed = [one for part in operations if isinstance(part, list) for one in part]
    found = [*_values(sent, "filter"), *(path for one in listed for path in _values(one, "path"))]
    yield from (text for text in found if isinstance(text, str))
    yield from (key for part in _parts(sent) if isinstance(part, dict) for key in part)


def _parts(thing: Any) -> Iterator[Any]:
    """Yield a document and everything inside it."""
    waiting = [thing]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
