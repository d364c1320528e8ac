"""Whoever may loosen a setting: the person it is about may always protect themselves more."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.html import escape
from django.utils.translation import gettext, override

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.experience.live import live, load_states
from kinward.experience.settings import decide_afresh, holds
from kinward.families.errors import SettingLocked
from kinward.families.settings import choices
from kinward.families.visits.page import Row, groups_for
from kinward.people.models import Account
from kinward.policy.ages import AgeRange
from kinward.policy.bounds import bounds_in_general
from kinward.policy.opening import ALWAYS_OPEN
from kinward.policy.question import Person
from tests.integration.gate.test_gate import Caller
from tests.integration.portal.test_pages import visiting
from tests.support.families import make_account, pair

pytestmark = pytest.mark.django_db(transaction=True)

# As in the Safety Center: "You can set yourself a limit, quiet hours and breaks."
PROMISED = {"session.time": 30, "session.hours": "08:00-20:00", "session.break": "15 minutes"}
PROMISED |= {"notify.push": "10:00-12:00"}


@pytest.fixture
def call(db: None) -> Caller:
    return Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))


@pytest.fixture
def teen(db: None) -> Account:
    return make_account("wren", 14, place="DE")


def row_of(teen: Account, capability: str) -> Row:
    groups = groups_for(teen, reader=teen, pairing=None)
    return next(row for group in groups for row in group.rows if row.capability == capability)


@pytest.mark.parametrize(
    ("capability", "value"),
    [*PROMISED.items(), ("comment.receive", "nobody"), ("search.use", "off")],
)
def test_a_teen_of_14_makes_their_account_safer(
    call: Caller, teen: Account, capability: str, value: Any
) -> None:
    path = f"/v1/accounts/wren/settings/{capability}"
    answer = call("PUT", path, json={"layer": "self", "value": value}).json()
    assert (answer["value"], answer["layer"], answer["holds"]) == (value, "self", True)
    assert row_of(teen, capability).moves, "the page offers it"
    choices.choose_for_self(account=teen, capability=capability, value=None)
    choices.choose_for_self(account=teen, capability=capability, value=value)
    assert decide_afresh(teen, capability).value == value


def test_a_value_that_does_not_hold_is_answered_as_such(call: Caller, teen: Account) -> None:
    """No road takes a value in silence: the API says `holds`, the teen's page refuses."""
    path = "/v1/accounts/wren/settings/session.time"
    answer = call("PUT", path, json={"layer": "self", "value": 90})
    assert answer.status_code == 200
    assert (answer.json()["value"], answer.json()["holds"]) == (60, False)
    week = [30, 30, 30, 30, 30, 90, 90]
    assert call("PUT", path, json={"layer": "self", "value": week}).json()["holds"] is False
    week[5:] = [60, 60]
    assert call("PUT", path, json={"layer": "self", "value": week}).json()["holds"] is True
    assert call("PUT", path, json={"layer": "self", "value": None}).json()["holds"] is True
    for value in (90, tuple([30] * 6 + [61])):
        with pytest.raises(SettingLocked):
            choices.choose_for_self(account=teen, capability="session.time", value=value)
    assert choices.own_settings(teen) == {}, "what is refused changes nothing"


def test_what_a_guardian_gave_can_be_given_back_in_part(teen: Account) -> None:
    guardian = make_account("heron", 40)
    pair(guardian, teen)
    give: dict[str, Any] = {"guardian": guardian, "teen_id": "wren"}
    choices.choose_setting(**give, capability="session.time", value=120)
    assert row_of(teen, "session.time").allowed.endswith("to “120 minutes”.")
    choices.choose_for_self(account=teen, capability="session.time", value=90)
    assert decide_afresh(teen, "session.time").value == 90
    choices.choose_setting(**give, capability="session.time", value=45)
    assert decide_afresh(teen, "session.time").value == 45
    with pytest.raises(SettingLocked):
        choices.choose_for_self(account=teen, capability="session.time", value=60)
    choices.choose_for_self(account=teen, capability="session.time", value=5)
    assert decide_afresh(teen, "session.time").value == 5, "a guardian's floor binds guardians"


def test_a_guardian_is_told_when_a_choice_does_not_hold(teen: Account) -> None:
    first, second = make_account("heron", 40), make_account("egret", 44)
    pair(first, teen)
    made = pair(second, teen)
    choices.choose_setting(
        guardian=first, teen_id="wren", capability="comment.receive", value="nobody"
    )
    page, path = visiting(second), f"/family/teens/{made.pk}/settings/comment.receive"
    said = page.post(path, {"value": "followers"}, follow=True).content.decode()
    assert "a more protective choice applies" in said
    said = page.post(path, {"value": "nobody"}, follow=True).content.decode()
    assert "Saved." in said
    assert "a more protective choice applies" not in said


def test_the_safety_center_keeps_its_word_to_every_teen() -> None:
    """The sentence is on the page, and the rules in force make it true at each age and place."""
    pack = live().in_force().for_account(None)
    assert pack is not None
    for place in ("", *pack.places):
        for age in range(13, 18):
            person = Person(AgeRange(age, age + 1, "test", "verified"), place)
            for capability, value in PROMISED.items():
                kind = pack.capabilities[capability].kind
                bounds = bounds_in_general(pack.ruling, capability, person)
                assert bounds is not None
                code = kind.strictest(kind.code_on(value, None), bounds.self_cap)
                assert kind.clamp(code, bounds.self_floor, bounds.self_cap) == code
                assert code != bounds.default, (place, age, capability)
    promise = "You can set yourself a limit, quiet hours and breaks."
    assert promise in Client().get("/safety/en/teens").content.decode()


def test_the_settings_page_says_who_can_make_it_stricter() -> None:
    for language, _name in settings.LANGUAGES:
        page = Client().get(f"/safety/{language}/settings").content.decode()
        with override(language):
            said = gettext("a guardian can change this, and the teen can make it stricter")
        assert escape(said) in page


def test_holds_is_about_every_day_and_knows_what_it_does_not(teen: Account) -> None:
    assert holds(teen, "session.time", 60)
    assert holds(teen, "session.time", (60,) * 7)
    assert not holds(teen, "session.time", (60,) * 6 + (30,))
    assert not holds(teen, "new.thing", "allow")
    Account.objects.filter(pk=teen.pk).update(consent_withdrawn=True)
    assert holds(teen, "session.time", 60), "consent is another matter"
    assert load_states(["wren"])["wren"].self_ == {}


@pytest.mark.parametrize("hours", ["never", "06:00-08:00", "20:00-22:00"])
def test_a_guardian_cannot_lock_a_teen_out(call: Caller, teen: Account, hours: str) -> None:
    guardian = make_account("heron", 40)
    pair(guardian, teen)
    sent = {"layer": "guardian", "guardian_id": "heron", "value": hours}
    answer = call("PUT", "/v1/accounts/wren/settings/session.hours", json=sent)
    assert (answer.status_code, answer.json()["code"]) == (403, "setting.locked")
    assert decide_afresh(teen, "session.hours").value == "07:00-22:00"
    time = call("GET", "/v1/accounts/wren/screen-time").json()
    assert time["always_open"] == list(ALWAYS_OPEN)
    question = {"capability": "session.time", "actor": {"id": "wren"}}
    decision = call("POST", "/v1/decide", json=question).json()
    assert decision["always_open"] == decision["time"]["always_open"] == list(ALWAYS_OPEN)


def test_two_guardians_whose_hours_never_meet_leave_the_lower_bound(teen: Account) -> None:
    for name, hours in (("heron", "07:00-18:00"), ("egret", "16:00-22:00")):
        guardian = make_account(name, 40)
        pair(guardian, teen)
        choices.choose_setting(
            guardian=guardian, teen_id="wren", capability="session.hours", value=hours
        )
    assert decide_afresh(teen, "session.hours").value == "16:00-18:00"
