"""The OpenAPI 3.1 document for a table of routes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from kinward.gate.http import CODE, PROBLEM, SCIM, TEXT, URLENCODED
from kinward.gate.idempotency import MAX_KEY
from kinward.gate.routing import Form, Route
from kinward.ground.errors import KinwardError
from kinward.policy import About, Request

VERSION: Final = "1"  # of the API. A breaking change makes it 2, under /v2
REF: Final = "#/components/schemas/{name}"
INTRODUCTION: Final = (
    "The API for apps. Every error is an RFC 9457 problem document with a stable `code`. "
    "An unknown address answers 404 `not_found`, a wrong method 405 `method_not_allowed`. "
    "At the addresses of HMA, an error is plain text with its code in the header `Kinward-Error`, "
    "and an address that Kinward does not serve answers 501 `hma.not_served`. "
    "At the addresses of SCIM, an error has SCIM's own shape, and its code in the same header."
)
NAMES: Final = {Request: "Question", About: "Person"}  # clearer names than those of the code
SHAPES: Final = {PROBLEM: "", TEXT: "plain", SCIM: "scim"}  # how responses are named
RETRY: Final = ("Retry-After", "Seconds to wait before the next attempt.")
HEADERS: Final = {
    401: (("WWW-Authenticate", "How to send a key."),),
    429: (
        RETRY,
        ("RateLimit-Policy", "Each limit: its name, its quota `q`, and its window `w` in seconds."),
        ("RateLimit", "What is left of each limit: calls `r`, and seconds `t` until it is whole."),
    ),
    503: (RETRY,),
}


class Problem(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457). `code` is stable, `title` and `detail` are for people.

    `checked` is for a file that was refused: the kinds of hash that were looked up. `reason` is for
    a proof of age that was refused.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    checked: list[str] | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class ScimError(msgspec.Struct, frozen=True):
    """What went wrong, in the shape of RFC 7644."""

    schemas: list[str]
    status: str
    detail: str
    scimType: str | UnsetType = UNSET  # noqa: N815 - as SCIM has it


Schema = dict[str, Any]


class _Schemas:
    """The schemas of types, and the components that these refer to."""

    def __init__(self, kinds: Sequence[Any]) -> None:
        schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
        self._names = {kind.__name__: name for kind, name in NAMES.items()}
        self._kinds = [*kinds]
        self._schemas = [self._tidy(schema) for schema in schemas]
        self._components = {self._name(name): self._tidy(components[name]) for name in components}
        self._spread = set[
            str
        ]()  # components whose fields are listed singly as parameters or form fields

    def of(self, kind: Any) -> Schema:
        """Return the schema of a type, which is usually a reference to a component."""
        schema: Schema = self._schemas[self._kinds.index(kind)]
        return schema

    def fields(self, kind: type[msgspec.Struct]) -> tuple[dict[str, Schema], list[str]]:
        """Return the schemas of a struct's fields, and the names of the required fields."""
        name = self._name(kind.__name__)
        self._spread.add(name)
        return self._components[name]["properties"], self._components[name]["required"]

    @property
    def components(self) -> dict[str, Schema]:
        """The components that are referred to, by name."""
        return {
            name: schema
            for name, schema in sorted(self._components.items())
            if name not in self._spread
        }

    def _tidy(self, value: Any, key: str = "") -> Any:
        """Rename the components of a schema, and cut docstrings to their first paragraph."""
        if isinstance(value, dict):
            return {name: self._tidy(part, name) for name, part in value.items()}
        if isinstance(value, list):
            return [self._tidy(part) for part in value]
        if key == "$ref":
            return REF.format(name=self._name(value.rpartition("/")[2]))
        if key == "title":
            return self._name(value)
        if key == "description":
            return " ".join(value.partition("\n\n")[0].split())
        return value

    def _name(self, name: str) -> str:
        return self._names.get(name, name)


def document(table: Mapping[str, Iterable[Route]]) -> dict[str, Any]:
    """Return the document for a table that maps headings to routes."""
    tagged = [(heading, route) for heading, routes in table.items() for route in routes]
    schemas = _Schemas(_kinds(route for _, route in tagged))
    refusals: dict[str, Schema] = {}
    paths: dict[str, dict[str, Any]] = {}
    for heading, route in tagged:
        operation = _operation(heading, route, schemas, refusals)
        paths.setdefault(route.template, {})[route.method.lower()] = operation
    bearer = {
        "type": "http",
        "scheme": "bearer",
        "description": "Create a key with `kinward key create`.",
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kinward", "version": VERSION, "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": heading} for heading in table],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": dict(sorted(refusals.items())),
            "securitySchemes": {"key": bearer},
        },
    }


def _kinds(routes: Iterable[Route]) -> list[Any]:
    """Return every type that the routes use, without duplicates."""
    kinds: list[Any] = [Problem, ScimError]
    for route in routes:
        body = route.body.fields if isinstance(route.body, Form) else route.body
        answer = None if isinstance(route.answer, str) else route.answer
        for kind in (body, route.query, answer):
            if kind is not None and kind not in kinds:
                kinds.append(kind)
    return kinds


def _operation(
    heading: str, route: Route, schemas: _Schemas, refusals: dict[str, Schema]
) -> dict[str, Any]:
    name = route.handler.__name__ + ("_with_key_in_path" if route.key_in_path else "")
    operation: dict[str, Any] = {
        "operationId": name,
        "tags": [heading],
        "summary": route.sentence,
        "security": [],
        "parameters": _parameters(route, schemas),
        "responses": _answers(route, schemas) | _refusals(route, refusals),
    }
    if route.unless_local:
        scope = route.unless_local
        operation["description"] = f"Scope `{scope}`. On Kinward's own machine no key is needed."
        operation["security"] = [{}, {"key": [scope]}]
    if route.scope:
        operation["description"] = f"Scope `{route.scope}`."
        operation["security"] = [] if route.key_in_path else [{"key": [route.scope]}]
    if route.body is not None:
        operation["requestBody"] = _body(route, schemas)
    return operation


def _parameters(route: Route, schemas: _Schemas) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": kind.schema}
        for name, kind in route.parameters
    ]
    if route.query is not None:
        fields, required = schemas.fields(route.query)
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": schema}
            for name, schema in fields.items()
        ]
    if route.idempotent:
        schema = {"type": "string", "maxLength": MAX_KEY}
        header = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema}
        parameters.append(header)
    return parameters


def _body(route: Route, schemas: _Schemas) -> dict[str, Any]:
    if isinstance(route.body, Form):
        return {"required": True, "content": {"multipart/form-data": _form(route.body, schemas)}}
    kind = URLENCODED if route.urlencoded else "application/json"
    schema = {"schema": schemas.of(route.body)}
    return {
        "required": True,
        "description": f"At most {route.limit:,} bytes.",
        "content": {route.takes: schema} if route.takes else {kind: schema},
    }


def _form(form: Form, schemas: _Schemas) -> dict[str, Any]:
    """Return the media type of a form. A list is sent as JSON in one field."""
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    fields: dict[str, Schema] = {}
    required: list[str] = []
    if form.fields is not None:
        fields, required = schemas.fields(form.fields)
    properties = {name: _as_text(schema) for name, schema in fields.items()}
    properties |= dict.fromkeys(form.files, file)
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if len(form.files) == 1:
        required = [*required, *form.files]
    else:
        schema["oneOf"] = [{"required": [name]} for name in form.files]
    return {"schema": schema | {"required": required}}


def _as_text(schema: Schema) -> Schema:
    if schema.get("type") != "array":
        return schema
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}


def _answers(route: Route, schemas: _Schemas) -> dict[str, Any]:
    words = {200: "The answer.", 201: "Created.", 204: "Done."}
    if isinstance(route.answer, str):
        content: dict[str, Any] = {route.answer: {}}
    else:
        content = {"application/json": {"schema": schemas.of(route.answer)}}
    headers = {
        name: {"description": says, "schema": {"type": "string"}} for name, says in route.headers
    }
    return {
        str(status): {"description": words[status]}
        | ({"headers": headers} if headers else {})
        | ({"content": content} if status != 204 else {})
        for status in route.statuses
    }


def _refusals(route: Route, refusals: dict[str, Schema]) -> dict[str, Any]:
    """Return references to a route's error responses, by status. Adds these to `refusals`."""
    by_status: dict[int, list[type[KinwardError]]] = {}
    for error in route.possible_errors:
        by_status.setdefault(error.status, []).append(error)
    references = {}
    for status, errors in by_status.items():
        shape = SHAPES[route.errors_as]
        name = "-".join([shape] * bool(shape) + [error.code for error in errors])
        refusals[name] = _refusal(status, errors, route.errors_as)
        references[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return references


def _refusal(status: int, errors: Sequence[type[KinwardError]], shape: str) -> dict[str, Any]:
    codes = {"enum": [error.code for error in errors]}
    refusal: dict[str, Any] = {
        "description": "\n".join(f"- `{error.code}`: {error().sentence}" for error in errors),
    }
    headers: dict[str, Any] = {}
    for name, words in HEADERS.get(status, ()):
        headers[name] = {"description": words, "schema": {"type": "string"}}
    if shape != PROBLEM:
        headers[CODE] = {"description": "The code.", "schema": {"type": "string"} | codes}
    schemas: dict[str, Schema] = {
        TEXT: {"type": "string"},
        SCIM: {"$ref": REF.format(name=ScimError.__name__)},
        PROBLEM: {
            "allOf": [
                {"$ref": REF.format(name=Problem.__name__)},
                {"properties": {"code": codes}},
            ]
        },
    }
    refusal["content"] = {shape: {"schema": schemas[shape]}}
    return refusal | ({"headers": headers} if headers else {})
