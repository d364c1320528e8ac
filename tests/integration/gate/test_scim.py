"""SCIM, as a provider speaks it: people, groups, what it cannot do, and how far it reaches."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from django.test import Client
from scim2_client import BaseSyncSCIMClient
from scim2_tester import Status, check_server

from kinward.access.actor import Actor
from kinward.access.appointments import appointments_for, decide_appointment
from kinward.access.models import Staff
from kinward.access.purposes import PROVISION, PURPOSES
from kinward.access.services import create_key
from kinward.cli.demo import give_second_factor
from kinward.gate.app import Gate
from kinward.gate.routes import ROUTES
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.review.lease import take_case, take_next_case
from tests.integration.conftest import Configure
from tests.support.contract import check_answer
from tests.support.helpers import quarantined
from tests.support.pages import page_in_parts

pytestmark = pytest.mark.django_db(transaction=True)
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
REFUSED: Final = "scim.refused"
ISSUER: Final = "https://login.example.org"
ROLES: Final = {
    "root": "administrator",
    "leads": "senior reviewer",
    "safety": "reviewer",
    "audit": "auditor",
}


class Provider:
    """The provider of single sign-on, which calls the gate in this process with its key."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.together([(method, path, body)], headers)[0]

    def together(
        self, calls: list[tuple[str, str, Any]], headers: dict[str, str] | None = None
    ) -> list[httpx.Response]:
        """Call one gate, all at once. Each answer is held to the OpenAPI document."""
        own = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/scim+json"}
        own |= headers or {}

        async def run() -> list[httpx.Response]:
            transport = httpx.ASGITransport(Gate())
            async with httpx.AsyncClient(transport=transport, base_url="http://gate") as http:

                async def call(method: str, path: str, body: Any) -> httpx.Response:
                    content = None if body is None else json.dumps(body).encode()
                    url = f"/scim/v2{path}"
                    return await http.request(method, url, content=content, headers=own)

                return await asyncio.gather(*(call(*one) for one in calls))

        answers = asyncio.run(run())
        for answer in answers:
            check_answer(answer)
        return answers


class Engine(BaseSyncSCIMClient):
    """The client of `scim2-client`, which sends its calls as the provider does."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self._caller = provider

    def request(self, method: str, url: str, **given: Any) -> httpx.Response:
        query = httpx.QueryParams(given.get("params") or {})
        path = f"/{url.lstrip('/')}" + (f"?{query}" if query else "")
        return self._caller(method, path, given.get("json"), **(given.get("headers") or {}))

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return True


@pytest.fixture
def provider(db: None, configure: Configure) -> Provider:
    configure(sso_issuer=ISSUER, sso_roles=json.dumps(ROLES))
    return Provider(create_key(name="idp", purposes=["scim"], actor=Actor.operator("kim")))


def test_it_is_scim_as_another_client_judges_it(provider: Provider) -> None:
    results = check_server(Engine(provider))
    failed = {f"{one.title}: {one.reason}" for one in results if one.status == Status.ERROR}
    # Whether somebody is active stays until the provider says otherwise: no silence opens or ends.
    assert failed == {"check_remove_attribute: Attribute 'active' was not removed"}
    assert sum(one.status == Status.SUCCESS for one in results) > 20


def person(provider: Provider, name: str, more: dict[str, Any] | None = None) -> str:
    said = {"schemas": [USER], "userName": name, "externalId": f"id-{name}", "active": True}
    said |= more or {}
    answer = provider("POST", "/Users", said)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def group(provider: Provider, name: str, *people: str) -> str:
    said = {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in people]}
    answer = provider("POST", "/Groups", said)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def confirmed(name: str) -> Staff:
    """Let a present holder confirm the role that waits for somebody."""
    ada = Staff.objects.filter(username="ada").first()
    if ada is None:
        ada = Staff.objects.create_user("ada", password="a long test word", roles=["administrator"])
    for waiting in appointments_for(ada):
        decide_appointment(appointment_id=waiting.pk, approve=True, staff=ada)
    return Staff.objects.get(username=name)


# How a provider ends somebody's work: of Entra, of Okta, by the letter, and by a group.
ENDINGS: Final[dict[str, Callable[[Provider, str, str], httpx.Response]]] = {
    "a text for false": lambda provider, one, _: provider(
        "PATCH", f"/Users/{one}", patch({"op": "Replace", "path": "active", "value": "False"})
    ),
    "without a path": lambda provider, one, _: provider(
        "PATCH", f"/Users/{one}", patch({"op": "replace", "value": {"active": False}})
    ),
    "among much else": lambda provider, one, _: provider(
        "PUT",
        f"/Users/{one}",
        {
            "schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "userName": "another name",
            "externalId": "another id",
            "active": False,
            "name": {"familyName": "B"},
            "emails": [{"value": "b@example.org", "primary": True}],
        },
    ),
    "deleted": lambda provider, one, _: provider("DELETE", f"/Users/{one}"),
    "removed by value": lambda provider, one, safety: provider(
        "PATCH",
        f"/Groups/{safety}",
        patch({"op": "Remove", "path": "members", "value": [{"value": one}]}),
    ),
    "removed by filter": lambda provider, one, safety: provider(
        "PATCH",
        f"/Groups/{safety}",
        patch({"op": "remove", "path": f'members[value eq "{one}"]'}),
    ),
    "replaced": lambda provider, _, safety: provider(
        "PUT", f"/Groups/{safety}", {"schemas": [GROUP], "displayName": "safety"}
    ),
    "renamed": lambda provider, _, safety: provider(
        "PATCH",
        f"/Groups/{safety}",
        patch({"op": "replace", "path": "displayName", "value": "knitting"}),
    ),
    "without a group": lambda provider, _, safety: provider("DELETE", f"/Groups/{safety}"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_next_request_and_the_lease_end_with_it(
    provider: Provider, bank: Bank, account: Account, second_reviewer: Staff, ending: str
) -> None:
    one = person(provider, "robin")
    safety = group(provider, "safety", one)
    robin = confirmed("robin")
    give_second_factor(robin)
    client = Client()
    client.force_login(robin)
    assert client.get("/queue").status_code == 200
    case = take_case(case=quarantined(account), staff=robin)
    answer = ENDINGS[ending](provider, one, safety)
    assert answer.status_code in (200, 204), answer.text
    assert client.get("/queue")["Location"].startswith("/account/login/")
    assert not Staff.objects.get(username="robin").actor.permissions
    assert take_next_case(staff=second_reviewer) == case
    assert Entry.objects.filter(subject="staff:robin").latest("seq").actor == "key:idp"


@pytest.mark.parametrize("ending", ["deleted", "removed by value"])
def test_a_running_download_ends_with_it(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr("kinward.entrance.pages.ASK_SECONDS", 0.0)
    Staff.objects.bulk_create(
        Staff(username=f"person {n}", roles=["auditor"], added_by="x" * 200) for n in range(200)
    )
    one = person(provider, "robin")
    root = group(provider, "root", one)
    robin = confirmed("robin")
    give_second_factor(robin)
    client = Client()
    client.force_login(robin)
    came, whole = page_in_parts(client, lambda: ENDINGS[ending](provider, one, root))
    assert (came, whole > 3) == (1, True)


def test_what_is_asked_for_is_found_a_page_at_a_time(provider: Provider) -> None:
    people = [person(provider, f"p{n}@example.org") for n in range(3)]
    safety = group(provider, "safety", *people)
    page = provider("GET", "/Users?startIndex=2&count=1").json()
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (3, 2, 1)
    assert [one["id"] for one in page["Resources"]] == [people[1]]
    for path, asked, found in (
        ("/Users", 'userName eq "P1@EXAMPLE.ORG"', [people[1]]),
        ("/Users", 'externalId eq "id-p2@example.org"', [people[2]]),
        ("/Users", 'externalId eq "ID-p2@example.org"', []),
        ("/Users", f'id eq "{people[0]}"', [people[0]]),
        ("/Users", 'id eq "nothing"', []),
        ("/Groups", 'displayName eq "Safety"', [safety]),
    ):
        answer = provider("GET", f"{path}?{httpx.QueryParams({'filter': asked})}").json()
        assert [one["id"] for one in answer.get("Resources", [])] == found, asked
    for asked in ('userName sw "p"', 'userName eq "a" or id eq "b"', "userName eq", "(" * 99):
        answer = provider("GET", f"/Users?{httpx.QueryParams({'filter': asked})}")
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter"), asked
    assert "members" not in provider("GET", f"/Groups/{safety}?excludedAttributes=members").json()


def test_nothing_of_a_person_is_kept_or_told_beside_names_and_groups(provider: Provider) -> None:
    further = {
        "password": "of-the-provider",
        "emails": [{"value": "robin@example.org"}],
        "name": {"givenName": "Robin"},
    }
    one = person(provider, "robin", further)
    group(provider, "audit", one)
    robin = Staff.objects.get(username="robin")
    give_second_factor(robin)
    told = provider("GET", f"/Users/{one}").json()
    assert set(told) == {"schemas", "id", "externalId", "userName", "active", "groups", "meta"}
    assert (robin.has_usable_password(), robin.email, robin.first_name) == (False, "", "")
    everything = json.dumps(list(Entry.objects.values("data"))) + provider("GET", "/Users").text
    for secret in ("of-the-provider", "robin@example.org", "Robin"):
        assert secret not in everything


def test_errors_have_the_shape_of_scim_and_a_code(provider: Provider) -> None:
    one = person(provider, "robin")
    taken = {"schemas": [USER], "userName": "ROBIN", "externalId": "x"}
    nobody = "00000000-0000-4000-8000-000000000000"
    for method, path, body, status, scim_type, code in (
        ("POST", "/Users", taken, 409, "uniqueness", "name.taken"),
        ("POST", "/Users", {"schemas": [USER], "userName": "x"}, 400, "invalidValue", REFUSED),
        ("POST", "/Users", taken | {"userName": "a\u202eb"}, 400, "invalidValue", REFUSED),
        ("POST", "/Users", [], 400, "invalidSyntax", REFUSED),
        ("PATCH", f"/Users/{one}", patch({"op": "move"}), 400, "invalidValue", REFUSED),
        ("GET", f"/Users/{nobody}", None, 404, None, "not_found"),
        ("GET", "/Users/robin", None, 404, None, "not_found"),
        ("GET", "/Schemas/x", None, 404, None, "not_found"),
        ("GET", "/Users?sortBy=userName", None, 501, None, "scim.unsupported"),
        ("DELETE", "/Users", None, 405, None, "method_not_allowed"),
        ("GET", "/Me", None, 404, None, "not_found"),
    ):
        answer = provider(method, path, body)
        about = (method, path, answer.text)
        assert answer.status_code == status, about
        assert answer.headers["content-type"] == "application/scim+json", about
        assert answer.headers["Kinward-Error"] == code, about
        told = answer.json()
        assert (told["schemas"], told["status"]) == ([ERROR], str(status)), about
        assert told.get("scimType") == scim_type, about


def test_only_a_key_for_it_is_let_in_and_that_key_does_nothing_else(provider: Provider) -> None:
    others = sorted(set(PURPOSES) - {"scim"})
    for purpose in others:
        secret = create_key(name=purpose, purposes=[purpose], actor=Actor.operator("kim"))
        refused = Provider(secret)("GET", "/Users")
        assert refused.headers["Kinward-Error"] == "key.scope_missing", purpose
    stranger = Provider("kw_" + "x" * 43)("GET", "/Users")
    assert (stranger.status_code, stranger.json()["status"]) == (401, "401")
    for route in ROUTES:
        assert route.scope != PROVISION or route.template.startswith("/scim/v2/")


def test_a_body_has_bounds_that_no_spelling_evades(provider: Provider) -> None:
    safety = group(provider, "safety")
    path = f"/Groups/{safety}"
    many = [{"value": str(n)} for n in range(1001)]
    step = {"op": "remove", "path": "members", "value": []}
    for name in ("Operations", "operations", "OPERATIONS"):
        answer = provider("PATCH", path, {"schemas": [PATCH], name: [step] * 101})
        assert "at most 100 operations" in answer.text
        answer = provider("PATCH", path, {"schemas": [PATCH], name: [step | {"value": many}]})
        assert "at most 1,000 items" in answer.text
    long = f'members[value eq "{"x" * 500}"]'
    for operation in (step | {"path": long}, {"op": "add", "value": {long: "x"}}):
        assert "at most 500 characters" in provider("PATCH", path, patch(operation)).text
    for filters in (f"/Users?filter={'x' * 501}",):
        assert "at most 500 characters" in provider("GET", filters).text
    searched = {"schemas": [SEARCH], "filter": "x" * 501}
    assert "at most 500 characters" in provider("POST", "/Users/.search", searched).text
    large = provider("PUT", path, {"schemas": [GROUP], "displayName": "x" * 300_000})
    assert (large.status_code, large.headers["Kinward-Error"]) == (413, "body.too_large")
    crowd = [{"value": str(UUID(int=n))} for n in range(501)]
    full = provider("PUT", path, {"schemas": [GROUP], "displayName": "x", "members": crowd})
    assert (full.status_code, full.headers["Kinward-Error"]) == (409, "scim.too_many")
    text = provider("POST", "/Users", {}, **{"Content-Type": "text/plain"})
    assert text.status_code == 415


def test_a_version_that_was_read_before_another_change_is_refused(provider: Provider) -> None:
    one = person(provider, "robin")
    read = provider("GET", f"/Users/{one}").headers["ETag"]
    change = patch({"op": "replace", "path": "userName", "value": "robin.b"})
    assert provider("PATCH", f"/Users/{one}", change, **{"If-Match": read}).status_code == 204
    for method, body in (("PATCH", change), ("DELETE", None)):
        stale = provider(method, f"/Users/{one}", body, **{"If-Match": read})
        assert (stale.status_code, stale.headers["Kinward-Error"]) == (412, "scim.changed")
    assert provider("GET", f"/Users/{one}").json()["userName"] == "robin.b"


def test_no_call_undoes_another_that_came_at_the_same_time(provider: Provider) -> None:
    """Each of many calls removes one person and adds one. Nobody who was removed is back."""
    leaving = [person(provider, f"leaving {n}") for n in range(6)]
    coming = [person(provider, f"coming {n}") for n in range(6)]
    audit = group(provider, "audit", *leaving)
    answers = provider.together(
        [
            (
                "PATCH",
                f"/Groups/{audit}",
                patch(
                    {"op": "remove", "path": f'members[value eq "{one}"]'},
                    {"op": "add", "path": "members", "value": [{"value": two}]},
                ),
            )
            for one, two in zip(leaving, coming, strict=True)
        ]
    )
    assert [answer.status_code for answer in answers] == [204] * 6
    members = provider("GET", f"/Groups/{audit}").json()["members"]
    assert {one["value"] for one in members} == set(coming)
    auditors = Staff.objects.filter(roles=["auditor"]).values_list("username", flat=True)
    assert sorted(auditors) == [f"coming {n}" for n in range(6)]


def test_without_the_extra_or_a_provider_it_says_what_to_do(
    provider: Provider, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(sso_issuer="")
    assert "KINWARD_SSO_ISSUER" in provider("GET", "/Users").text
    monkeypatch.setitem(sys.modules, "scim2_server.handler", None)
    answer = provider("GET", "/ServiceProviderConfig")
    assert (answer.status_code, answer.headers["Kinward-Error"]) == (503, "not_installed")
    assert "kinward[scim]" in answer.text
