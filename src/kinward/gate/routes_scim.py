"""The rows of the table of routes that are SCIM's."""

from collections.abc import Callable
from typing import Any, Final

from kinward.access.api import PROVISION, LastAdministrator, NameTaken, TooManyProvisioned
from kinward.gate import scim
from kinward.gate import scim_bodies as bodies
from kinward.gate.http import SCIM
from kinward.gate.routing import Route
from kinward.ground.errors import NotConfigured, NotFound

# Errors that occur together
ASKED: Final = (NotConfigured, bodies.ScimRefused, bodies.ScimUnsupported)
FOUND: Final = (*ASKED, NotFound)
GIVEN: Final = (*ASKED, NameTaken, TooManyProvisioned)
CHANGED: Final = (*FOUND, bodies.ScimChanged)


def _route(line: str, handler: Callable[..., Any], **more: Any) -> Route:
    method, path = line.split(" ")
    if "body" in more:
        more |= {"takes": SCIM, "limit": bodies.MAX_BODY, "read": bodies.read_body}
    line = f"{method} {scim.SCIM}{path}"
    return Route(line, PROVISION, handler, answer=SCIM, errors_as=SCIM, **more)


SCIM_ROUTES: Final = (
    _route("GET /ServiceProviderConfig", scim.see_scim_config, errors=ASKED),
    _route("GET /ResourceTypes", scim.see_scim_types, errors=ASKED),
    _route("GET /ResourceTypes/{name}", scim.see_scim_type, errors=FOUND),
    _route("GET /Schemas", scim.see_scim_schemas, errors=ASKED),
    _route("GET /Schemas/{name}", scim.see_scim_schema, errors=FOUND),
    _route("POST /.search", scim.search_scim, body=bodies.SearchIn, errors=ASKED),
    _route("POST /Users/.search", scim.search_scim_people, body=bodies.SearchIn, errors=ASKED),
    _route("POST /Groups/.search", scim.search_scim_groups, body=bodies.SearchIn, errors=ASKED),
    _route("GET /Users", scim.find_scim_people, query=bodies.SearchQuery, errors=ASKED),
    _route("POST /Users", scim.add_scim_person, body=bodies.UserIn, statuses=(201,), errors=GIVEN),
    _route("GET /Users/{resource_id:uuid}", scim.see_scim_person, query=bodies.Query, errors=FOUND),
    _route(
        "PUT /Users/{resource_id:uuid}",
        scim.put_scim_person,
        query=bodies.Query,
        body=bodies.UserIn,
        errors=(*CHANGED, NameTaken, LastAdministrator),
    ),
    _route(
        "PATCH /Users/{resource_id:uuid}",
        scim.patch_scim_person,
        query=bodies.Query,
        body=bodies.PatchIn,
        statuses=(200, 204),
        errors=(*CHANGED, NameTaken, LastAdministrator),
    ),
    _route(
        "DELETE /Users/{resource_id:uuid}",
        scim.end_scim_person,
        statuses=(204,),
        errors=(*FOUND, bodies.ScimChanged, LastAdministrator),
    ),
    _route("GET /Groups", scim.find_scim_groups, query=bodies.SearchQuery, errors=ASKED),
    _route(
        "POST /Groups", scim.add_scim_group, body=bodies.GroupBody, statuses=(201,), errors=GIVEN
    ),
    _route("GET /Groups/{resource_id:uuid}", scim.see_scim_group, query=bodies.Query, errors=FOUND),
    _route(
        "PUT /Groups/{resource_id:uuid}",
        scim.put_scim_group,
        query=bodies.Query,
        body=bodies.GroupBody,
        errors=(*CHANGED, TooManyProvisioned),
    ),
    _route(
        "PATCH /Groups/{resource_id:uuid}",
        scim.patch_scim_group,
        query=bodies.Query,
        body=bodies.PatchIn,
        statuses=(200, 204),
        errors=(*CHANGED, TooManyProvisioned),
    ),
    _route(
        "DELETE /Groups/{resource_id:uuid}",
        scim.end_scim_group,
        statuses=(204,),
        errors=(*FOUND, bodies.ScimChanged),
    ),
)
