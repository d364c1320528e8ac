"""Every address of the portal and of the API, walked by whoever has no business there.

A route that is added is walked as well: the list is read from the URLs, and from the gate.
What must hold: nothing of the family is on any page, and nothing of the family has changed.
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.experience.models import Setting
from kinward.families.asks import requests
from kinward.families.models import Notice, Side
from kinward.families.pairing import disputes, ending, invitations
from kinward.families.settings import choices, keywords
from kinward.families.visits.sessions import Start, open_portal
from kinward.gate.routes import ROUTES
from kinward.guidelines.queries import guidelines_in_force
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.portal.urls import urlpatterns
from kinward.redress.models import Statement
from kinward.redress.services import Facts, state_reasons
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.support.contract import PATH_PARAMETERS
from tests.support.factories import make_case
from tests.support.families import make_account, pair
from tests.support.visits import visitor

pytestmark = pytest.mark.django_db(transaction=True)

# What only the family knows, and what an attacker would like to change.
SECRETS = ("wren-the-teen", "heron-the-guardian", "zugzwang", "because of the exam", "SF-2")
FORMS: list[dict[str, str]] = [
    {},
    {"value": "everyone", "day0": "900", "said": "yes", "word": "changed", "way": "off"},
    {"minutes": "60", "capability": "session.time", "reason": "x", "remove": "1"},
    {"side": "guardian", "code": "22222222", "becomes": "ended"},
    {"text": "It was not me.", "way": "quiet", "reach": "by post"},
    {f"day{number}": "600" for number in range(7)},
]


class Family:
    """One family with a little of everything, and the ids that an attacker may have learned."""

    def __init__(self) -> None:
        self.teen = make_account("teen-1", 15)
        self.guardian = make_account("guardian-1", 41)
        Account.objects.filter(pk=self.teen.pk).update(screen_name="wren-the-teen")
        Account.objects.filter(pk=self.guardian.pk).update(screen_name="heron-the-guardian")
        self.pairing = pair(self.guardian, self.teen)
        about: dict[str, Any] = {"guardian": self.guardian, "teen_id": "teen-1"}
        choices.choose_setting(capability="session.time", value=45, **about)
        keywords.add_keyword(word="zugzwang", account=self.guardian, **about)
        reason = "because of the exam"
        self.ask = requests.ask_guardians(
            teen=self.teen, capability="session.time", reason=reason, minutes=30
        )
        adult = make_account("adult-2", 50)
        code, _ = invitations.create_invitation(maker=self.teen, side=Side.TRUSTING)
        trusted = invitations.accept_invitation(account=adult, typed=code)
        self.ids: dict[str, str] = {
            "statement_id": str(self._statement().id),
            "pairing_id": str(self.pairing.id),
            "ask_id": str(self.ask.id),
            "key": str(
                Notice.objects.filter(account=self.teen).values_list("receipt", flat=True)[0]
            ),
            "capability": "session.time",
            "trusted_id": str(trusted.pk),
            "secret": "a" * 43,
            "token": signing.dumps([str(self.ask.id), str(self.pairing.id), "yes"], salt="mine"),
            "language": "en",
            "name": "help",
        }

    def _statement(self) -> Statement:
        """A decision about the teen's account, which nobody else has a right to see."""
        facts = Facts(decisions=[{"effect": "warn"}], reported=True)
        guidelines = guidelines_in_force()
        return state_reasons(
            account=self.teen,
            case_id=make_case(self.teen).id,
            facts=facts,
            guidelines=guidelines,
            clause=guidelines.clauses["SF-2"],
        )

    def picture(self) -> Any:
        """Everything that is known of the family, whatever the tables are called."""
        found = {}
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                if table.startswith(WATCHED):
                    cursor.execute(f'SELECT * FROM "{table}"')
                    found[table] = sorted(map(repr, cursor.fetchall()))
        # An attacker's own visit, and what they tried in vain, are theirs.
        for own in ("families_portalsession", "families_wrongcode"):
            found.pop(own)
        return found


WATCHED = ("families_", "experience_setting", "people_", "cases_", "redress_")


@pytest.fixture
def family(db: None) -> Family:
    return Family()


def routes(ids: dict[str, str]) -> Iterator[str]:
    """Every address of the portal, filled in with the ids of a family."""
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        route = str(pattern.pattern)
        for name in pattern.pattern.converters:
            kind = route.split(f":{name}>", maxsplit=1)[0].rsplit("<", 1)[1]
            route = route.replace(f"<{kind}:{name}>", ids[name])
        yield f"/{route}"


def ended_guardian(family: Family) -> Account:
    other = make_account("guardian-9", 39)
    made = pair(other, family.teen)
    ending.end_pairing(account=other, pairing_id=made.pk)
    return other


def paused_guardian(family: Family) -> Account:
    other = make_account("guardian-8", 39)
    made = pair(other, family.teen)
    disputes.pause_disputed_pairing(teen=family.teen, pairing_id=made.pk)
    return other


def guardian_no_more_adult(family: Family) -> Account:
    other = make_account("guardian-7", 39)
    pair(other, family.teen)
    Account.objects.filter(pk=other.pk).update(age_assurance="declared")
    return other


ATTACKERS = {
    "nobody": lambda family: None,
    "another teen": lambda family: make_account("teen-2", 15),
    "an unpaired adult": lambda family: make_account("adult-3", 45),
    "the trusted adult": lambda family: Account.objects.get(platform_id="adult-2"),
    "an ended guardian": ended_guardian,
    "a disputed guardian": paused_guardian,
    "a guardian who is no adult": guardian_no_more_adult,
}


@pytest.mark.parametrize("who", ATTACKERS)
def test_nothing_leaks_and_nothing_changes(family: Family, who: str) -> None:
    account = ATTACKERS[who](family)
    before = family.picture()
    for address in routes(family.ids):
        for form in FORMS:
            client = visitor(account)
            answers = [client.get(address, form), client.post(address, form)]
            for answer in answers:
                assert answer.status_code < 500, address
                page = answer.content.decode(errors="replace") + str(dict(answer.headers))
                known = _may_know(who)
                leaked = [each for each in SECRETS if each in page and each not in known]
                assert not leaked, f"{address} tells {who} of {leaked}"
    after = family.picture()
    _leave_out_their_own(before, after, account)
    assert after == before


def _may_know(who: str) -> tuple[str, ...]:
    """Those who are or were in touch with the teen know what the teen is called, and no more."""
    once_paired = ("the trusted adult", "an ended guardian", "a disputed guardian")
    return ("wren-the-teen",) if who in (*once_paired, "a guardian who is no adult") else ()


def _leave_out_their_own(before: Any, after: Any, account: Account | None) -> None:
    """What an attacker did to themselves is not the family's: invitations, words, settings."""
    if account is None:
        return
    own = {
        "families_invitation": "maker_id",
        "families_keyword": "teen_id",
        "experience_setting": "account_id",
        "families_notice": "account_id",
        "families_pairing": "guardian_id",  # who was a guardian may always end it
    }
    with connection.cursor() as cursor:
        for table, column in own.items():
            cursor.execute(f'SELECT * FROM "{table}" WHERE "{column}" = %s', [account.pk])
            theirs = set(map(repr, cursor.fetchall()))
            after[table] = [each for each in after[table] if each not in theirs]
            before[table] = [each for each in before[table] if each not in theirs]
            if table == "families_pairing":
                before[table] = [each for each in before[table] if repr(account.pk) not in each]
                after[table] = [each for each in after[table] if repr(account.pk) not in each]


def test_ids_that_nobody_has_are_answered_like_those_of_others(family: Family) -> None:
    stranger = visitor(make_account("adult-3", 45))
    for route in ("/family/teens/{}", "/family/teens/{}/now"):
        theirs = stranger.get(route.format(family.pairing.id))
        nobodys = stranger.get(route.format(uuid4()))
        assert theirs.status_code == nobodys.status_code == 403
        assert theirs.content.split(b"csrf")[0] == nobodys.content.split(b"csrf")[0]
    for route in ("end", "stay", "dispute"):
        form = {"way": "quiet"}
        theirs = stranger.post(f"/family/pairings/{family.pairing.id}/{route}", form)
        nobodys = stranger.post(f"/family/pairings/{uuid4()}/{route}", form)
        assert theirs.status_code == nobodys.status_code == 403


def test_a_receipt_is_given_on_the_pages_of_whom_it_is_for(family: Family) -> None:
    """The key is random, and nobody else is shown it. Who has it nevertheless gets no file."""
    of_notice = family.ids["key"]
    of_statement = str(Statement.objects.get(account=family.teen).pk)
    Statement.objects.update(told_at=timezone.now())
    for who in (family.guardian, make_account("adult-3", 45)):
        for key in (of_notice, of_statement, str(uuid4())):
            answer = visitor(who).get(f"/family/receipt/{key}")
            assert answer.status_code == 404, (who, key)
    for key in (of_notice, of_statement):
        assert visitor(family.teen).get(f"/family/receipt/{key}").status_code in (200, 302)


# ---- links and visits


def test_a_link_opens_once_and_not_late(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, session = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
    assert Client().post(f"/family/enter/{secret}").status_code == 302
    for method in ("get", "post"):
        again = getattr(Client(), method)(f"/family/enter/{secret}")
        assert again.status_code == 403
        assert "Go back to the app" in again.content.decode()
        assert "kinward-family" not in again.cookies
    old, session = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
    type(session).objects.filter(pk=session.pk).update(link_expires_at=session.made_at)
    for method in ("get", "post"):
        assert getattr(Client(), method)(f"/family/enter/{old}").status_code == 403
        assert getattr(Client(), method)("/family/enter/guess").status_code == 403


def test_the_cookie_of_a_visit_is_bound_to_the_host_where_there_is_tls(
    family: Family, configure: Configure
) -> None:
    for url, name in (
        ("https://safety.example.org", "__Host-kinward-family"),
        ("http://127.0.0.1:8700", "kinward-family"),
    ):
        configure(public_url=url)
        secret, _ = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
        browser = Client()
        browser.post(f"/family/enter/{secret}", {"answer": "yes"})
        cookie = browser.cookies[name]
        assert (cookie["path"], cookie["domain"], cookie["httponly"]) == ("/", "", True)
        assert bool(cookie["secure"]) == url.startswith("https")
        assert browser.get("/family").status_code == 200


def test_a_link_asks_who_is_there_before_a_visit_begins(family: Family) -> None:
    secret, session = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
    browser = Client()
    for _ in range(2):  # reading it uses nothing up
        page = browser.get(f"/family/enter/{secret}")
        assert page.status_code == 200
        assert "You are wren-the-teen. Is that you?" in page.content.decode()
        assert "kinward-family" not in browser.cookies
    session.refresh_from_db()
    assert session.opened_at is None
    assert browser.get("/family").status_code == 401
    entered = browser.post(f"/family/enter/{secret}", {"answer": "yes"})
    assert entered["Location"] == "/family"
    # Whoever is on a visit has said who they are.
    more, _ = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
    assert browser.get(f"/family/enter/{more}").status_code == 302


def test_a_link_that_reached_somebody_else_is_closed_for_good(family: Family) -> None:
    secret, _ = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
    stranger = Client()
    read = answer_of(stranger.get(f"/family/enter/{secret}"))
    page = stranger.post(f"/family/enter/{secret}", {"answer": "no"})
    assert page.status_code == 200
    assert "This link is closed" in page.content.decode()
    assert "kinward-family" not in stranger.cookies
    for sent in ({"answer": "yes"}, {"answer": "yes", "read": read}, {"answer": "no"}):
        assert Client().post(f"/family/enter/{secret}", sent).status_code == 403
    refused = Entry.objects.filter(kind="portal.refused", subject="account:teen-1")
    assert refused.earliest("seq").data == {"why": "another person"}


def test_nobody_has_to_answer_in_a_hurry(family: Family) -> None:
    secret, session = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
    other, _ = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
    slow = Client()
    read = answer_of(slow.get(f"/family/enter/{secret}"))
    not_this = answer_of(slow.get(f"/family/enter/{other}"))
    type(session).objects.update(link_expires_at=session.made_at)
    for wrong in ("", "forged", not_this):
        sent = {"answer": "yes", "read": wrong}
        assert slow.post(f"/family/enter/{secret}", sent).status_code == 403
    sent = {"answer": "yes", "read": read}
    assert slow.post(f"/family/enter/{secret}", sent).status_code == 302


def answer_of(page: Any) -> str:
    """What the page sends back to say that it was read in time."""
    found = re.search(r'name="read" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def test_a_link_does_not_open_where_another_account_is_visiting(family: Family) -> None:
    browser = visitor(family.guardian)
    secret, _ = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
    for method in ("get", "post"):
        refused = getattr(browser, method)(f"/family/enter/{secret}")
        assert refused.status_code == 409
        assert "heron" not in refused.content.decode()
    browser.post("/family/leave")
    assert browser.get("/family").status_code == 401
    entered = browser.post(f"/family/enter/{secret}", {"answer": "yes"})
    assert entered.status_code == 302  # the link was not used up
    assert b"My settings" in browser.get("/family").content


def test_a_visit_ends(family: Family) -> None:
    browser = visitor(family.teen)
    assert browser.get("/family").status_code == 200
    from kinward.families.models import PortalSession

    PortalSession.objects.update(expires_at=family.pairing.started_at)
    assert browser.get("/family").status_code == 401


def test_forms_need_the_page_they_came_from(family: Family) -> None:
    strict = Client(enforce_csrf_checks=True)
    secret, _ = open_portal(account_id="teen-1", start=Start(), actor=Actor.key("app"))
    assert strict.post(f"/family/enter/{secret}", {"answer": "yes"}).status_code == 403
    page = strict.get(f"/family/enter/{secret}").content.decode()
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    sent = {"answer": "yes", "csrfmiddlewaretoken": token[1]}
    assert strict.post(f"/family/enter/{secret}", sent).status_code == 302
    assert strict.post(f"/family/pairings/{family.pairing.id}/end").status_code == 403
    family.pairing.refresh_from_db()
    assert family.pairing.ends_at is None


def test_the_guardian_s_pages_tell_nothing_of_the_safe_page(family: Family) -> None:
    teen = visitor(family.teen)
    teen.get("/family/safe")
    teen.post("/family/safe/call")
    page = visitor(family.guardian).get(f"/family/teens/{family.pairing.id}").content.decode()
    assert "wren-the-teen" in page
    for word in ("Adult-2", "adult-2", "trust", "not safe"):
        assert word not in page


# ---- the API


def test_the_api_needs_its_key_and_scope(family: Family) -> None:
    guarded = [route for route in ROUTES if route.scope and not route.key_in_path]
    before = family.picture()
    scopeless = create_key(name="nothing", scopes=frozenset(), actor=Actor.system("test"))
    for key, status in (("kw_guess", 401), ("", 401), (scopeless, 403)):
        for route in guarded:
            path = route.template.format(**PATH_PARAMETERS)
            # Neither a good body nor a wrong type may be looked at before the key.
            bodies: list[dict[str, Any]] = [{"json": {}}, {"content": b"no type"}]
            for sent in bodies:
                answer = Caller(key)(route.method, path, **sent)
                assert answer.status_code == status, (route.line, answer.text)
                assert not any(secret in answer.text for secret in SECRETS)
    assert family.picture() == before


def test_the_platform_names_a_guardian_who_is_one(family: Family) -> None:
    call = Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))
    make_account("adult-3", 45)
    path = "/v1/accounts/teen-1/settings/session.time"
    sent: dict[str, Any] = {"layer": "guardian", "value": 120}
    assert call("PUT", path, json=sent).status_code == 422
    for other in ("adult-3", "teen-1", "adult-2"):
        assert call("PUT", path, json=sent | {"guardian_id": other}).status_code == 403
    assert call("PUT", path, json=sent | {"guardian_id": "guardian-1"}).json()["value"] == 120
    assert Setting.objects.filter(ended_at=None).count() == 1


def test_what_the_platform_sends_has_bounds(family: Family) -> None:
    call = Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))
    bad: list[tuple[str, str, Any]] = [
        ("POST", "/v1/portal-sessions", {"account_id": "nobody"}),
        ("POST", "/v1/portal-sessions", {"account_id": "teen-1", "start": {"page": "admin"}}),
        ("POST", "/v1/portal-sessions", {"account_id": "teen-1", "start": {"code": "x" * 201}}),
        ("POST", "/v1/reports", {"account_id": "nobody", "category": "other"}),
        ("POST", "/v1/reports", {"account_id": "teen-1", "category": "guardian"}),
        ("POST", "/v1/reports", {"account_id": "teen-1", "category": "other", "text": "x" * 2001}),
        ("PUT", "/v1/accounts/teen-1/activity/yesterday", {}),
        ("PUT", "/v1/accounts/teen-1/activity/1999-01-01", {"posts": 1}),
        ("PUT", "/v1/accounts/teen-1/activity/2999-01-01", {"posts": 1}),
        ("POST", "/v1/accounts/teen-1/passcodes", {"code": "12345678"}),
        ("POST", "/v1/accounts/teen-1/passcodes", {"code": "1", "at": "2026-01-01T00:00:00"}),
    ]
    before = family.picture()
    for method, path, sent in bad:
        answer = call(method, path, json=sent)
        assert answer.status_code in (404, 422), (path, answer.text)
        assert answer.json()["title"]
    assert family.picture() == before
    good = {"account_id": "teen-1", "category": "other"}
    assert call("POST", "/v1/reports", json=good).status_code == 201
