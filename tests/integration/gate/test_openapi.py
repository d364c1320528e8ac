"""A real gate on loopback against its OpenAPI document, and the document against its standard."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import requests
import schemathesis
from django.db import connection
from hypothesis import HealthCheck, Phase, given, seed, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import APIOperation, Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    status_code_conformance,
)

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.consents.sandbox import Signer
from kinward.matching.models import Bank
from kinward.people.models import Account
from tests.support.contract import DOCUMENT, check_documented
from tests.support.deep import DEEP
from tests.support.helpers import quarantined

pytestmark = pytest.mark.django_db(transaction=True)

SEED: Final = int(os.environ.get("KINWARD_TEST_SEED", "20261125"))
EXAMPLES: Final = 50 if DEEP else 3  # of each kind, for each operation
START_SECONDS: Final = 60.0
SESSION: Final = requests.Session()
SESSION.trust_env = False  # no proxy stands before loopback


def schema_conformance(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """The body and the error code are as documented.

    Schemathesis 4.32 writes `prefixItems` of an answer as an older draft's `items`, and then finds
    that invalid. So its own `response_schema_conformance` cannot judge a document with tuples.
    """
    media_type = response.headers.get("content-type", [""])[0]
    operation = case.operation
    check_documented(
        operation.path, operation.method, response.status_code, media_type, response.content
    )


def no_server_error(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Kinward has no fault. 501 says which part of another protocol is not offered."""
    if response.status_code != 501:
        not_a_server_error(context, response, case)


CHECKS: Final = [
    no_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    schema_conformance,
]


def test_the_document_is_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


@pytest.fixture
def gate(db: None, tmp_path: Path) -> Iterator[str]:
    """The address of a gate that another process serves, over the database of this test."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    database = urlsplit(os.environ["KINWARD_DATABASE_URL"])
    name = str(connection.settings_dict["NAME"])
    environment = os.environ | {
        "KINWARD_DATABASE_URL": database._replace(path=f"/{name}").geturl(),
        "KINWARD_DATA_DIR": os.environ["KINWARD_DATA_DIR"],
        "KINWARD_POLICY_KEY": "22" * 32,
        "KINWARD_PORT": str(port),
        "KINWARD_APP_STORE_BUNDLE": "example.tidepool",
        "KINWARD_APP_STORE_ENVIRONMENT": "Sandbox",
        "KINWARD_APP_STORE_ROOTS": str(Signer(tmp_path / "app-store").root),
        "KINWARD_SSO_ISSUER": "https://login.example.org",  # whose people SCIM adds
        "KINWARD_REFUSED_PER_MINUTE": "0",  # what it sends to Apple's door is all refused
    }
    command = [sys.executable, "-m", "kinward", "serve"]
    output = tmp_path / "gate.out"
    with output.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for_gate(address, process, output)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def wait_for_gate(address: str, process: "subprocess.Popen[bytes]", output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/healthz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"The gate did not start:\n{output.read_text()}")


def aim(case: Case[Any], names: random.Random) -> None:
    """Let most cases be about the account that there is; generated ids would all be unknown."""
    for part in (case.path_parameters, case.body):
        if isinstance(part, dict) and "account_id" in part and names.random() < 0.8:
            part["account_id"] = "member-1"


def call_and_check(case: Case[Any], gate: str, headers: dict[str, str]) -> Any:
    if case.operation.path.startswith("/hma/"):
        case.path_parameters["key"] = headers.get("Authorization", "Bearer none")[7:]
    response = case.call(base_url=gate, headers=headers, session=SESSION, timeout=30)
    case.validate_response(response, checks=CHECKS)
    return response


def explore(operation: APIOperation[Any, Any, Any, Any], gate: str, key: str) -> int:
    """Call one operation with good and bad data; returns how many calls were made."""
    calls, names = 0, random.Random(SEED)
    raw = operation.definition.raw
    needs_key = bool(raw["security"]) and {} not in raw["security"]
    guarded = needs_key or "{key}" in operation.path
    modes = [GenerationMode.POSITIVE]
    if raw["parameters"] or "requestBody" in raw:  # else there is nothing to send wrongly
        modes.append(GenerationMode.NEGATIVE)
    for mode in modes:

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def run(case: Case[Any]) -> None:
            nonlocal calls
            calls += 1
            aim(case, names)
            if calls == 1:
                status = call_and_check(case, gate, {}).status_code
                assert (status == 401) == guarded, (operation.label, status)
            call_and_check(case, gate, {"Authorization": f"Bearer {key}"})

        run()
    return calls


def test_every_endpoint_answers_as_documented(gate: str, bank: Bank, account: Account) -> None:
    print(f"seed {SEED}; KINWARD_TEST_SEED sets another")
    quarantined(account)
    key = create_key(name="all", scopes=SCOPES, actor=Actor.system("test"))
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) == sum(len(methods) for methods in DOCUMENT["paths"].values())
    calls = {operation.label: explore(operation, gate, key) for operation in operations}
    assert all(calls.values()), calls


def test_a_wrong_method_is_told_the_right_ones(gate: str) -> None:
    for path, methods in DOCUMENT["paths"].items():
        wrong = "TRACE" if "delete" in methods else "DELETE"
        answer = httpx.request(wrong, f"{gate}{path}", trust_env=False)
        assert answer.status_code == 405
        assert answer.headers["allow"] == ", ".join(sorted(name.upper() for name in methods))
