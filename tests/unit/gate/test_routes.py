"""The table of routes is what its handlers, the reference, the document and the tests go by."""

import inspect
import re
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from kinward.access.purposes import ALL_SCOPES, PURPOSES, SCOPES
from kinward.gate.app import PATHS
from kinward.gate.calls import Call, Content, Created, Encoded, Headed
from kinward.gate.routes import ROUTES, openapi
from kinward.gate.routing import KEY, Form, Route, Router
from kinward.ground.multipart import Part
from tests.support.contract import PATH_PARAMETERS

REFERENCE = Path("docs/reference")
ROUTER = Router(ROUTES)


def label(path: str) -> str:
    """The template that a path is found under; what is not encoded is sent as it is."""
    decoded = path.replace("%2F", "/").replace("%20", " ")
    found = ROUTER.find(decoded, path)
    return found.address.template if found else ""


def test_the_reference_names_each_route_with_its_scope() -> None:
    named: dict[str, set[str]] = {}
    for section in re.split(r"^## ", (REFERENCE / "api.md").read_text(), flags=re.MULTILINE)[1:]:
        scope = re.search(r"^(?:Scope `([a-z:-]+)`|(No key))\.", section, re.MULTILINE)
        assert scope is not None, section.splitlines()[0]
        heading = "| " + section  # a heading, or the first cell of a row
        for line in re.findall(r"^\| `([A-Z]+ /[^`?]*)", heading, re.MULTILINE):
            named.setdefault(line, set()).add(scope[1] or "")
    assert named == {
        f"{route.method} {route.template}": {route.scope or route.unless_local} for route in ROUTES
    }


def test_the_document_in_the_reference_is_current() -> None:
    current = msgspec.json.format(openapi(), indent=2) + b"\n"
    assert (REFERENCE / "openapi.json").read_bytes() == current, "run scripts/openapi"


def test_every_scope_of_a_route_can_be_given_and_each_is_of_use() -> None:
    scopes = {scope for route in ROUTES for scope in (route.scope, route.unless_local)}
    assert scopes - {""} == SCOPES


# Endpoints without a scope, and what stands in for a key.
KEYLESS = {
    "POST /v1/stores/apple": "Apple's signature",
    "POST /v1/age-proofs/wallet": "the wallet's signature over a number that Kinward gave out once",
    "GET /healthz": "it says nothing but that the database answers",
    "GET /metrics": "it has counts, and is kept inside one's own network",
    "GET /v1/openapi.json": "the document is public",
    "GET /transparency/checkpoint": "everybody should keep one",
    "GET /transparency/cosigned": "everybody should keep one",
    "GET /transparency/rotations": "whoever verifies a checkpoint has to know its key",
    "GET /transparency/receipt/{receipt_id:uuid}": "whoever was told knows the random id",
    **{
        f"GET /transparency/tile/{{level}}/{steps}": "hashes say nothing"
        for steps in (
            "{first}",
            "{first}/{second}",
            "{first}/{second}/{third}",
            "{first}/{second}/{third}/{fourth}",
        )
    },
}


def test_every_endpoint_has_a_scope_or_is_known_to_need_none() -> None:
    assert {route.line for route in ROUTES if not route.scope} == set(KEYLESS)
    assert max(len(route.line) for route in ROUTES) <= 120, "where uses of keys are counted"


def test_every_scope_belongs_to_a_purpose_and_no_purpose_has_another() -> None:
    assert set().union(*(purpose.scopes for purpose in PURPOSES.values())) == SCOPES
    for purpose in PURPOSES.values():
        assert purpose.words
        assert purpose.scopes
    for scope, about in ALL_SCOPES.items():
        assert about.allows, scope
        assert about.leaked.endswith("."), scope


def test_what_opens_an_account_or_shows_hashes_is_a_purpose_of_its_own() -> None:
    for scope in ("consents:write", "hashes:look-up"):
        holding = [purpose for purpose in PURPOSES.values() if scope in purpose.scopes]
        assert [purpose.scopes for purpose in holding] == [frozenset({scope})]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.line)
def test_a_handler_takes_and_gives_what_the_table_says(route: Route) -> None:
    hints = get_type_hints(route.handler)
    given = {name: kind for name, kind in hints.items() if name not in ("call", "return")}
    wanted: dict[str, Any] = {
        name: get_type_hints(kind.read)["return"] if inspect.isfunction(kind.read) else str
        for name, kind in route.parameters
        if name != KEY
    }
    if route.query is not None:
        wanted["query"] = route.query
    assert given == wanted
    (body,) = get_args(hints["call"])
    assert get_origin(hints["call"]) is Call
    assert body == body_of(route)
    if hints["return"] is Content:  # which is bytes, and so of no type
        assert isinstance(route.answer, str) or route.line == "GET /v1/openapi.json"
    else:
        documented = {(route.answer, status) for status in route.statuses}
        assert answers_of(hints["return"]) == documented
    assert route.sentence.endswith(".")


def body_of(route: Route) -> Any:
    if route.read is not None:
        return get_type_hints(route.read)["return"]
    if isinstance(route.body, Form):
        return dict[str, Part]
    return type(None) if route.body is None else route.body


def answers_of(kind: Any) -> set[tuple[Any, int]]:
    """Each type of answer in a handler's annotation, with its status."""
    if get_origin(kind) is Created:
        return {(get_args(kind)[0], 201)}
    if get_origin(kind) in (Encoded, Headed):
        return {(get_args(kind)[0], 200)}
    parts = get_args(kind)
    if parts and any(get_origin(part) is Created for part in parts):
        return set().union(*map(answers_of, parts))
    return {(kind, 200)}


def test_every_parameter_of_a_path_has_a_value_for_the_tests() -> None:
    names = {name for route in ROUTES for name, _ in route.parameters}
    assert names == set(PATH_PARAMETERS)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.line)
def test_each_route_is_found_by_its_path(route: Route) -> None:
    path = route.template.format(**PATH_PARAMETERS)
    found = ROUTER.find(path, path)
    assert found is not None
    assert found.address.methods[route.method] is route
    assert path.startswith(PATHS)


def test_a_part_of_a_path_may_hold_a_slash_but_not_be_empty() -> None:
    found = ROUTER.find("/v1/accounts/a/b/experience", "/v1/accounts/a%2Fb/experience")
    assert found is not None
    assert list(found.texts) == ["a/b"]
    assert label("/v1/accounts/a/b/experience") == ""
    assert label("/v1/accounts//experience") == ""
    assert label("/v1/accounts/") == ""


def test_tools_may_join_addresses_but_a_path_without_a_key_is_exact() -> None:
    assert label("//m//lookup/") == "/m/lookup"
    assert label("/hma/kw_x//m/lookup") == "/hma/{key}/m/lookup"
    for path in ("//healthz", "/healthz/", "//metrics", "/metrics/", "/v1/openapi.json/"):
        assert label(path) == "", path
    assert label("//v1/media") == ""


def test_a_route_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Router([ROUTES[0], ROUTES[0]])
