"""Single sign-on against a real OpenID provider over loopback: who gets in, as what, how long."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from kinward.access.actor import Actor
from kinward.access.appointments import (
    appointments_for,
    decide_appointment,
    waiting_appointments,
)
from kinward.access.groups import roles_of_groups
from kinward.access.models import Staff, StaffIdentity
from kinward.access.permissions import Permission
from kinward.access.provisioning import (
    GroupIn,
    PersonIn,
    end_person,
    provision_person,
    put_group,
)
from kinward.access.services import create_key
from kinward.access.staff import create_staff, end_staff, suspend_staff
from kinward.cli.demo import give_second_factor, one_time_code
from kinward.ground.errors import SettingWrong
from kinward.ledger.models import Entry
from tests.support.consoles import show_factor

pytestmark = pytest.mark.django_db
OPERATOR = Actor.operator("test")
PASSWORD = "a long test word"
ROLES = {"leads": "senior reviewer", "safety": "reviewer", "root": "administrator"}


class Provider:
    """The provider, with the groups of its people, and a person who signs in there."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def tell(self, subject: str, **claims: Any) -> None:
        httpx.put(f"{self.issuer}/users/{subject}", json=claims).raise_for_status()

    def answer(self, address: str, subject: str) -> str:
        """Sign in at the address to which a browser was sent; return where it is sent back to."""
        answer = httpx.post(address, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        there = urlsplit(answer.headers["location"])
        return f"{there.path}?{there.query}"


@pytest.fixture(scope="module")
def served() -> Iterator[Provider]:
    with oidc_provider_mock.run_server_in_thread() as server:
        yield Provider(f"http://127.0.0.1:{server.server_port}")


@pytest.fixture
def provider(served: Provider, configure: Any) -> Provider:
    settings(served, configure)
    return served


def settings(provider: Provider, configure: Any, **more: Any) -> None:
    configure(
        sso_issuer=provider.issuer,
        sso_client_id="kinward",
        sso_client_secret="of-the-client",
        sso_roles=json.dumps(ROLES),
        **more,
    )


def go(client: Client, provider: Provider, subject: str = "s-1") -> Any:
    """Press the button, sign in at the provider, and come back."""
    start = client.get("/account/sso/")
    assert start["Location"].startswith(f"{provider.issuer}/"), start["Location"]
    return client.get(provider.answer(start["Location"], subject), follow=True)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_new_person_has_an_account_at_once_with_the_role_of_their_group(
    provider: Provider,
) -> None:
    provider.tell("s-1", preferred_username="robin", groups=["all", "safety", "leads"])
    client = Client()
    assert "single sign-on" in client.get("/account/login/").content.decode()
    go(client, provider)
    staff = Staff.objects.get(username="robin")
    assert is_signed_in(client)
    assert (staff.roles, staff.has_usable_password()) == (["reviewer", "senior reviewer"], False)
    assert client.get("/queue")["Location"] == "/account/2fa/", "and needs a second factor here"
    said = Entry.objects.filter(subject="staff:robin").order_by("seq").values_list("kind", "actor")
    assert list(said) == [
        ("staff.created", "system:sso"),
        ("staff.linked", "system:sso"),
        ("staff.role_changed", "system:sso"),
        ("staff.signed_in", "staff:robin"),
    ]
    assert Entry.objects.get(kind="staff.signed_in").data == {"how": ["sso"], "known": False}


def test_the_second_factor_of_this_console_is_asked_for(provider: Provider) -> None:
    provider.tell("s-1", preferred_username="robin", groups=["safety"])
    go(Client(), provider)
    secret, client = give_second_factor(Staff.objects.get(username="robin")), Client()
    go(client, provider)
    assert not is_signed_in(client)
    client.post("/account/2fa/authenticate/", {"code": one_time_code(secret)})
    assert is_signed_in(client)
    assert client.get("/queue").status_code == 200


def test_a_removed_group_takes_role_and_sessions_and_a_new_one_gives_them(
    provider: Provider,
) -> None:
    provider.tell("s-1", preferred_username="robin", groups=["leads"])
    desk, phone = Client(), Client()
    go(desk, provider)
    provider.tell("s-1", preferred_username="robin", groups=["safety"])
    go(phone, provider)
    assert Staff.objects.get(username="robin").roles == ["reviewer"]
    assert desk.get("/queue")["Location"].startswith("/account/login/"), "at the next request"
    for groups in ([], ["all"]):
        provider.tell("s-1", preferred_username="robin", groups=groups)
        answer = go(Client(), provider)
        assert "give you no role" in answer.content.decode()
        assert not Staff.objects.get(username="robin").is_active
    assert phone.get("/queue")["Location"].startswith("/account/login/")
    provider.tell("s-1", preferred_username="robin", groups=["safety"])
    go(phone, provider)
    assert is_signed_in(phone)


def test_groups_alone_make_nobody_a_second_person(provider: Provider) -> None:
    """Whoever runs the provider could invent colleagues, so a present holder confirms them."""
    provider.tell("s-1", preferred_username="robin", groups=["safety"])
    go(Client(), provider)
    provider.tell("s-2", preferred_username="wren", groups=["safety"])
    go(Client(), provider, "s-2")
    robin, wren = (Staff.objects.get(username=name) for name in ("robin", "wren"))
    assert (robin.roles, wren.roles) == (["reviewer"], []), "only the very first has nobody to ask"
    (asked,) = appointments_for(robin)
    decide_appointment(appointment_id=asked.pk, approve=True, staff=robin)
    assert Staff.objects.get(username="wren").roles == ["reviewer"]
    provider.tell("s-2", preferred_username="wren", groups=["root"])
    go(Client(), provider, "s-2")
    assert Staff.objects.get(username="wren").roles == [], "the group of the former role is gone"


def test_the_provider_is_asked_again_within_the_hour(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.tell("s-1", preferred_username="robin", groups=["leads"])
    client, began = Client(), time.time()
    go(client, provider)
    for minutes, status in ((30, "/account/2fa/"), (59, "/account/2fa/"), (61, "/account/login/")):
        monkeypatch.setattr(time, "time", lambda now=began + minutes * 60: now)
        assert client.get("/queue")["Location"].split("?")[0] == status
    monkeypatch.undo()


@pytest.mark.parametrize("claims", [{}, {"groups": "leads"}, {"groups": {"leads": True}}])
def test_no_word_about_groups_lets_nobody_in_and_suspends_nobody(
    provider: Provider, claims: dict[str, Any]
) -> None:
    provider.tell("s-1", preferred_username="robin", groups=["leads"])
    go(Client(), provider)
    provider.tell("s-1", preferred_username="robin", **claims)
    client = Client()
    assert "named no groups" in go(client, provider).content.decode()
    assert not is_signed_in(client)
    assert Staff.objects.get(username="robin").is_active


def test_what_a_person_decided_here_stays(provider: Provider) -> None:
    provider.tell("s-1", preferred_username="robin", groups=["leads"])
    go(Client(), provider)
    for lose in (suspend_staff, end_staff):
        lose(username="robin", actor=OPERATOR)
        for groups in ([], ["leads"]):
            provider.tell("s-1", preferred_username="robin", groups=groups)
            client = Client()
            go(client, provider)
            assert not is_signed_in(client)
            assert not Staff.objects.get(username="robin").is_active


def test_a_name_takes_no_account_over_and_its_person_can_link_it(provider: Provider) -> None:
    staff = create_staff(
        username="robin", password=PASSWORD, roles=["auditor"], actor=Actor.system("demo")
    )
    provider.tell("s-1", preferred_username="Robin", email="robin", groups=["root"])
    stranger = Client()
    assert "on the staff already" in go(stranger, provider).content.decode()
    assert not is_signed_in(stranger)
    assert not StaffIdentity.objects.exists()
    person, form = Client(), {"login": "robin", "password": PASSWORD}
    person.post("/account/login/", form)
    refused = person.get("/account/sso/")
    assert refused["Location"] == "/account/login/", "only with a fresh factor"
    show_factor(person, staff)
    go(person, provider)
    assert StaffIdentity.objects.get().staff == staff
    client = Client()
    go(client, provider)
    assert is_signed_in(client)
    assert (Staff.objects.get().roles, waiting_appointments().get().role) == ([], "administrator")
    past = Client()
    past.post("/account/login/", form)
    assert not is_signed_in(past), "a linked account comes by the provider only"


def test_passwords_can_be_off_but_for_one_account(provider: Provider, configure: Any) -> None:
    for name in ("alex", "robin"):
        create_staff(
            username=name, password=PASSWORD, roles=["administrator"], actor=Actor.system("demo")
        )
    settings(provider, configure, sso_only=True, sso_break_glass="Alex")
    for name, gets_in in (("alex", True), ("robin", False)):
        client = Client()
        client.post("/account/login/", {"login": name, "password": PASSWORD})
        assert is_signed_in(client) == gets_in


def test_a_browser_that_did_not_ask_gets_nothing(provider: Provider) -> None:
    provider.tell("s-1", preferred_username="robin", groups=["root"])
    attacker, victim = Client(), Client()
    start = attacker.get("/account/sso/")["Location"]
    back = provider.answer(start, "s-1")
    for client, path in (
        (victim, back),  # somebody else's answer
        (attacker, back.replace("state=", "state=x")),
        (attacker, back),  # what was asked is used up
        (victim, "/account/sso/back/"),
    ):
        assert "did not ask" in client.get(path, follow=True).content.decode()
    assert parse_qs(urlsplit(start).query)["code_challenge_method"] == ["S256"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    other = Client()
    state = parse_qs(urlsplit(other.get("/account/sso/")["Location"]).query)["state"][0]
    answer = other.get(f"/account/sso/back/?code={code}&state={state}", follow=True)
    assert "belongs to another request" in answer.content.decode(), "the nonce is not this one's"
    assert not Staff.objects.exists()


@pytest.mark.parametrize(
    ("site", "starts"),
    [("cross-site", False), ("same-site", False), ("same-origin", True), ("none", True)],
)
def test_a_link_elsewhere_begins_no_session(provider: Provider, site: str, starts: bool) -> None:
    answer = Client().get("/account/sso/", headers={"Sec-Fetch-Site": site})
    assert answer["Location"].startswith(provider.issuer) == starts
    assert (answer["Location"] == "/account/login/") != starts


def test_a_provider_that_is_gone_says_so(configure: Any, free_port: int) -> None:
    configure(sso_issuer=f"http://127.0.0.1:{free_port}", sso_client_id="kinward")
    answer = Client().get("/account/sso/", follow=True)
    assert "did not work" in answer.content.decode()
    assert not Staff.objects.exists()


@pytest.fixture
def free_port() -> int:
    return 9  # discard: nothing listens there


@pytest.mark.parametrize("roles", ["reviewer", '{"a": "boss"}', '{"a": 1}', "[]"])
def test_a_mapping_that_cannot_be_read_is_named(configure: Any, roles: str) -> None:
    configure(sso_roles=roles)
    with pytest.raises(SettingWrong, match="KINWARD_SSO_ROLES"):
        roles_of_groups()


def test_whom_scim_added_signs_in_by_the_claim_that_is_their_id_there(
    provider: Provider, configure: Any
) -> None:
    settings(provider, configure, scim_claim="oid")
    create_key(name="idp", purposes=["scim"], actor=OPERATOR)
    key = Actor.key("idp").granted(Permission.MANAGE_STAFF).granted(Permission.END_STAFF)
    given = PersonIn(user_name="robin@example.org", external_id="object-1")
    person = provision_person(given=given, actor=key)
    provider.tell("s-1", preferred_username="robin", oid="object-1", groups=["root"])
    assert "give you no role" in go(Client(), provider).content.decode()
    members = frozenset({person.pk})
    put_group(group_id=None, given=GroupIn("safety", "", members), actor=key)
    client = Client()
    go(client, provider)
    assert is_signed_in(client)
    staff = Staff.objects.get()
    assert (staff.username, staff.roles) == ("robin@example.org", [])
    assert waiting_appointments().get().role == "reviewer", "the groups of SCIM, not of the token"
    past = Client()
    Staff.objects.update(password=make_password(PASSWORD))
    past.post("/account/login/", {"login": staff.username, "password": PASSWORD})
    assert not is_signed_in(past), "by the provider only"
    for claim in ("object-2", 7, ["object-1"]):
        provider.tell("s-2", preferred_username="wren", oid=claim, groups=["safety"])
        go(Client(), provider, "s-2")
        assert Staff.objects.get(identity__subject="s-2").username == "wren"
    end_person(person_id=person.pk, actor=key)
    last = Client()
    assert "ended your access" in go(last, provider).content.decode()
    assert not is_signed_in(last)
