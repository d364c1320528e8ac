"""SCIM 2.0 (RFC 7643 and 7644): the provider of single sign-on keeps the staff up to date.

`scim2-server` reads the calls and writes the answers. The rules are in `access`. What it refuses,
and what they refuse, is an error of Kinward, which the gate answers in SCIM's own shape.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from kinward.access import Actor, Permission
from kinward.gate.calls import Call, Content
from kinward.gate.http import SCIM as MEDIA
from kinward.gate.scim_bodies import (
    MAX_FILTER,
    Query,
    ScimChanged,
    ScimRefused,
    ScimUnsupported,
    SearchQuery,
)
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound, NotInstalled

if TYPE_CHECKING:
    from scim2_models import SCIMException

SCIM: Final = "/scim/v2"
SENT: Final = frozenset({"ETag", "Location"})  # headers of an answer
REFUSED: Final[Mapping[int, type[KinwardError]]] = {
    404: NotFound,
    412: ScimChanged,
    501: ScimUnsupported,
}


def see_scim_config(call: Call[None]) -> Content:
    """Return what Kinward's SCIM can do."""
    return _answer(call, "GET", "/ServiceProviderConfig")


def see_scim_types(call: Call[None]) -> Content:
    """Return the types of resources: people and groups."""
    return _answer(call, "GET", "/ResourceTypes")


def see_scim_type(call: Call[None], name: str) -> Content:
    """Return one type of resource."""
    return _answer(call, "GET", f"/ResourceTypes/{name}")


def see_scim_schemas(call: Call[None]) -> Content:
    """Return the schemas of people and groups."""
    return _answer(call, "GET", "/Schemas")


def see_scim_schema(call: Call[None], name: str) -> Content:
    """Return one schema."""
    return _answer(call, "GET", f"/Schemas/{name}")


def find_scim_people(call: Call[None], query: SearchQuery) -> Content:
    """Find people whom the provider added, a page at a time."""
    return _answer(call, "GET", "/Users", query)


def search_scim(call: Call[bytes]) -> Content:
    """Find people and groups, a page at a time."""
    return _answer(call, "POST", "/.search")


def search_scim_people(call: Call[bytes]) -> Content:
    """Find people, asked for in the body."""
    return _answer(call, "POST", "/Users/.search")


def search_scim_groups(call: Call[bytes]) -> Content:
    """Find groups, asked for in the body."""
    return _answer(call, "POST", "/Groups/.search")


def add_scim_person(call: Call[bytes]) -> Content:
    """Add a person to the staff, without a role and without a password."""
    return _answer(call, "POST", "/Users")


def see_scim_person(call: Call[None], resource_id: UUID, query: Query) -> Content:
    """Return a person whom the provider added."""
    return _answer(call, "GET", f"/Users/{resource_id}", query)


def put_scim_person(call: Call[bytes], resource_id: UUID, query: Query) -> Content:
    """Replace what is kept of a person. `active: false` ends all access at once."""
    return _answer(call, "PUT", f"/Users/{resource_id}", query)


def patch_scim_person(call: Call[bytes], resource_id: UUID, query: Query) -> Content:
    """Change a person. `active: false` ends all access at once."""
    return _answer(call, "PATCH", f"/Users/{resource_id}", query)


def end_scim_person(call: Call[None], resource_id: UUID) -> Content:
    """End a person's account for good."""
    return _answer(call, "DELETE", f"/Users/{resource_id}")


def find_scim_groups(call: Call[None], query: SearchQuery) -> Content:
    """Find groups of the provider, a page at a time."""
    return _answer(call, "GET", "/Groups", query)


def add_scim_group(call: Call[bytes]) -> Content:
    """Add a group. Its members have the role that it gives, once that is confirmed."""
    return _answer(call, "POST", "/Groups")


def see_scim_group(call: Call[None], resource_id: UUID, query: Query) -> Content:
    """Return a group of the provider."""
    return _answer(call, "GET", f"/Groups/{resource_id}", query)


def put_scim_group(call: Call[bytes], resource_id: UUID, query: Query) -> Content:
    """Replace a group and its members. Whoever is no member any more loses its role at once."""
    return _answer(call, "PUT", f"/Groups/{resource_id}", query)


def patch_scim_group(call: Call[bytes], resource_id: UUID, query: Query) -> Content:
    """Add and remove members. Whoever is removed loses the group's role at once."""
    return _answer(call, "PATCH", f"/Groups/{resource_id}", query)


def end_scim_group(call: Call[None], resource_id: UUID) -> Content:
    """Delete a group. Its members lose its role at once."""
    return _answer(call, "DELETE", f"/Groups/{resource_id}")


def _answer(call: Call[Any], method: str, path: str, query: Query | None = None) -> Content:
    """Have `scim2-server` answer a call. Raises what `access` raises, and the errors above."""
    asked = {name: text for name, text in msgspec.to_builtins(query or Query()).items() if text}
    if len(asked.get("filter", "")) > MAX_FILTER:
        raise ScimRefused(f"A filter has at most {MAX_FILTER} characters.")
    handler, request_of = _library()
    request = request_of(
        method=method,
        base_url=f"{config().url}{SCIM}",
        path=path,
        query=asked,
        headers={"Content-Type": MEDIA, "If-Match": call.if_match},
        body=call.body or b"",
    )
    with _refusals():
        answer = handler(
            _actor(call), writes=not (method == "GET" or path.endswith("/.search"))
        ).handle(request)
    headers = {name: text for name, text in answer.headers.items() if name in SENT}
    body = b"" if answer.body is None else msgspec.json.encode(answer.body)
    return Content(body, MEDIA, status=int(answer.status), headers=headers)


def _actor(call: Call[Any]) -> Actor:
    """Return the key as an actor that may add and end staff, which its scope says."""
    return call.actor.granted(Permission.MANAGE_STAFF).granted(Permission.END_STAFF)


def _library() -> tuple[Any, Any]:
    """Return what makes a handler, and the class of its requests. Raises `NotInstalled`."""
    try:
        from scim2_server.handler import ScimHandler
        from scim2_server.requests import ScimRequest
        from scim2_server.service import ScimService

        from kinward.gate.scim_models import described
        from kinward.gate.scim_storage import Directory
    except ImportError as error:
        raise NotInstalled("SCIM needs the extra: kinward[scim].") from error

    def handler(actor: Actor, *, writes: bool) -> Any:
        return ScimHandler(ScimService(described()), Directory(actor, writes=writes))

    return handler, ScimRequest


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise an error of Kinward for each of the library."""
    from scim2_models import SCIMException

    try:
        yield
    except SCIMException as error:
        raise _refused(error) from error
    except Invalid as error:
        refusal = ScimRefused(error.detail)
        refusal.members["scimType"] = "invalidValue"
        raise refusal from error


def _refused(error: "SCIMException") -> KinwardError:
    refusal = REFUSED.get(error.status, ScimRefused)(error.detail or "")
    if error.scim_type:
        refusal.members["scimType"] = error.scim_type
    return refusal
