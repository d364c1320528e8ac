"""Holds what the gate answers to its own OpenAPI document."""

import json
from functools import cache
from typing import Any, Final

import httpx
from openapi_schema_validator import OAS31Validator

from kinward.gate.hma import is_hma
from kinward.gate.http import CODE, SCIM, TEXT
from kinward.gate.routes import ROUTES, openapi
from kinward.gate.routing import Router

DOCUMENT: Final[dict[str, Any]] = json.loads(openapi())
ROUTER: Final = Router(ROUTES)

# A value for each parameter of a path, so that a test can call every route.
PATH_PARAMETERS: Final = {
    "account_id": "member-1",
    "action_id": "00000000-0000-4000-8000-000000000000",
    "capability": "session.time",
    "day": "2026-01-01",
    "first": "x000",
    "fourth": "001.p",
    "guardian_id": "member-2",
    "intake_id": "00000000-0000-4000-8000-000000000000",
    "key": "kw_guess",
    "level": "0",
    "name": "User",
    "proof_id": "00000000-0000-4000-8000-000000000000",
    "resource_id": "00000000-0000-4000-8000-000000000000",
    "second": "x001",
    "report_id": "00000000-0000-4000-8000-000000000000",
    "receipt_id": "00000000-0000-4000-8000-000000000000",
    "statement_id": "00000000-0000-4000-8000-000000000000",
    "third": "000",
}


def check_answer(response: httpx.Response) -> None:
    """Assert that the document has this status, media type, code and body for this call."""
    request = response.request
    raw = request.url.raw_path.partition(b"?")[0].decode()
    found = ROUTER.find(request.url.path, raw)
    media_type = response.headers.get("content-type", "")
    if media_type == SCIM and response.status_code >= 400:
        assert json.loads(response.content)["status"] == str(response.status_code)
        assert CODE in response.headers
    if is_hma(request.url.path) and response.status_code != 200:
        assert media_type == TEXT
        assert request.method == "HEAD" or response.headers[CODE] in response.text
    if found is None and is_hma(request.url.path):
        assert response.status_code in (401, 403, 429, 501, 503)
        return
    if found is None or request.method not in found.address.methods:
        assert response.status_code == (404 if found is None else 405)
        return
    check_documented(
        found.address.template,
        request.method,
        response.status_code,
        media_type,
        response.content,
    )


def check_documented(
    template: str, method: str, status: int, media_type: str, content: bytes
) -> None:
    """Assert that the document has this answer of one operation."""
    about = (method, template, status)
    if status == 204:
        answer = DOCUMENT["paths"][template][method.lower()]["responses"]["204"]
        assert (content, media_type, "content" in answer) == (b"", "", False), about
        return
    validator = _validator(template, method.lower(), status, media_type)
    assert validator is not None, f"{about} {media_type} is not documented"
    if "json" in media_type:
        faults = [fault.message for fault in validator.iter_errors(json.loads(content))]
        assert not faults, (about, faults)


@cache
def _validator(template: str, method: str, status: int, media_type: str) -> OAS31Validator | None:
    answer = DOCUMENT["paths"][template][method]["responses"].get(str(status))
    if answer is not None and "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    if answer is None or media_type not in answer["content"]:
        return None
    schema = answer["content"][media_type].get("schema", {})
    return OAS31Validator({**schema, "components": DOCUMENT["components"]})
