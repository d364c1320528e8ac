"""Homes that are apart show no difference: a guardian, and a twin who is the only one.

Two families do the same, step by step at the same moments of a clock that stands still between
them. In one of them a second guardian lives apart, and is busy all the time: chooses what is
stricter and what is looser, is asked, answers, gives minutes, leaves words out, and goes. Whatever
the first guardian is shown, answered or told has to be the same text, once ids are taken out of it.
"""

import re
from typing import Any, Final

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.enforcement.models import Action
from kinward.experience.live import load_states
from kinward.families.models import Ask, Keyword, Notice
from kinward.families.pairing.ending import end_pairing
from kinward.families.pairing.gone import leave_families
from kinward.families.pairing.homes import say_homes
from kinward.families.settings.choices import choose_setting
from kinward.families.settings.keywords import add_keyword, keywords_of
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.support.families import make_account, pair
from tests.support.helpers import run_jobs
from tests.support.twins import Clock, Family, Step, by_api, sends, sets, uses_the_app
from tests.support.visits import visitor

pytestmark = pytest.mark.django_db(transaction=True)

NAME: Final = "Bittern"  # of the guardian who lives apart


class Second:
    """The guardian who lives apart, with a browser."""

    def __init__(self, family: Family) -> None:
        self.family, self.teen = family, family.teen
        self.account = make_account("second", 44)
        Account.objects.filter(pk=self.account.pk).update(screen_name=NAME)
        self.account.refresh_from_db()
        say_homes(account=self.teen, word="apart")
        self.pairing = pair(self.account, self.teen)
        self.browser = visitor(self.account)

    def chooses(self, capability: str, value: Any) -> None:
        choose_setting(
            guardian=self.account,
            teen_id=self.teen.platform_id,
            capability=capability,
            value=value,
        )

    def is_asked(self, said: str, length: str = "", **ask: Any) -> None:
        sent = {"reason": "dear Bittern", "to": str(self.pairing.pk), **ask}
        assert self.family.hers.post("/family/asks", sent).status_code == 302
        asked = Ask.objects.filter(teen=self.teen).latest("made_at")
        answer = {"said": said, "note": "from Bittern", "for": length}
        assert self.browser.post(f"/family/asks/{asked.pk}", answer).status_code == 302

    def suggests(self) -> None:
        about = {"capability": "comment.receive", "value": "nobody", "reason": "why not"}
        where = f"/family/teens/{self.pairing.pk}/propose"
        assert self.browser.post(where, about).status_code == 302

    def leaves_out(self, word: str) -> None:
        add_keyword(
            teen_id=self.teen.platform_id, word=word, guardian=self.account, account=self.account
        )

    def a_code_of_theirs_is_used(self) -> None:
        _use_a_code(self.family, self.browser, str(self.pairing.pk))

    def ends(self) -> None:
        end_pairing(account=self.account, pairing_id=self.pairing.pk)

    def pairs(self) -> None:
        self.pairing = pair(self.account, self.teen)

    def is_gone(self) -> None:
        Account.objects.filter(pk=self.account.pk).update(deleted_at=timezone.now())
        leave_families(self.account.pk)


def _use_a_code(family: Family, browser: Any, pairing_id: str) -> None:
    shown = browser.post(f"/family/teens/{pairing_id}/codes").content.decode()
    codes = re.findall(r"\b\d{8}\b", shown.replace(" ", ""))
    assert codes, shown
    path = f"/v1/accounts/{family.teen.platform_id}/passcodes"
    assert family.call("POST", path, json={"code": codes[0]}).status_code == 200


def asks(said: str, length: str = "", **ask: Any) -> Step:
    """The teen asks the first guardian, who answers."""

    def step(family: Family) -> None:
        assert family.live is not None
        sent = {"reason": "please", "to": str(family.live.pk), **ask}
        assert family.hers.post("/family/asks", sent).status_code == 302
        asked = Ask.objects.filter(teen=family.teen).latest("made_at")
        answer = {"said": said, "note": "ok", "for": length}
        family.post(family.his, f"/family/asks/{asked.pk}", **answer)

    return step


def leaves_out(text: str) -> Step:
    def step(family: Family) -> None:
        assert family.live is not None
        known = Keyword.objects.filter(pairing=family.live, word=text, ended_at=None).first()
        sent = {"word": text} if known is None else {"remove": known.pk}
        family.post(family.his, f"/family/teens/{family.live.pk}/words", **sent)

    return step


def a_code_is_used(family: Family) -> None:
    assert family.live is not None
    _use_a_code(family, family.his, str(family.live.pk))


def stops_what_he_gave(family: Family) -> None:
    given = Ask.objects.filter(teen=family.teen, granted_by=family.live, until__isnull=False)
    family.post(family.his, f"/family/asks/{given.latest('made_at').pk}", said="no")


def suggests(family: Family) -> None:
    assert family.live is not None
    about = {"capability": "comment.receive", "value": "nobody", "reason": "why not"}
    family.post(family.his, f"/family/teens/{family.live.pk}/propose", **about)


def keeps_apart(family: Family) -> None:
    assert family.live is not None
    family.post(family.his, f"/family/teens/{family.live.pk}/homes", word="apart")


WEEK: Final = {f"day{day}": "120" for day in range(7)}

# What the first guardian does in both families, and what the second one does before it.
DAYS: Final[list[tuple[str, tuple[Any, ...], Step]]] = [
    ("chooses", ("session.time", 30), sets("session.time", **WEEK)),
    ("chooses", ("comment.receive", "nobody"), uses_the_app),
    ("chooses", ("purchase.make", "allow"), sets("purchase.make", value="allow")),
    ("leaves_out", ("one",), leaves_out("one")),
    ("leaves_out", ("two",), leaves_out("two")),
    ("suggests", (), suggests),
    ("is_asked", ("yes", "week"), asks("yes", "week", capability="session.time", value="90")),
    ("chooses", ("session.time", 15), asks("yes", minutes="30")),
    ("is_asked", ("no",), asks("no", minutes="15")),
    ("a_code_of_theirs_is_used", (), a_code_is_used),
    ("chooses", ("session.time", 45), stops_what_he_gave),
    ("is_asked", ("talk",), asks("talk", capability="content.mature", value="mild")),
    ("chooses", ("profile.private", "private"), keeps_apart),
    ("leaves_out", ("three",), leaves_out("one")),
    ("ends", (), by_api("session.time", 60)),
    ("pairs", (), by_api("dm.receive", "nobody")),
    ("chooses", ("session.time", 20), sends("digest", way="off")),
    ("is_gone", (), sets("session.time", back="1")),
]
ASKED: Final[dict[str, dict[str, Any]]] = {
    "yes": {"capability": "session.time", "value": "60"},
    "no": {"minutes": "60"},
    "talk": {"minutes": "30"},
}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


def looks(family: Family) -> None:
    """The first guardian reads every page that he has."""
    assert family.live is not None
    teen = f"/family/teens/{family.live.pk}"
    for address in ("/family", teen, f"{teen}/now", "/family/pair", "/family/decisions"):
        family.page(family.his, address)


def told(family: Family) -> list[str]:
    """What the first guardian was told, on the pages and through the platform."""
    notices = Notice.objects.filter(account=family.guardian)
    texts = [f"{each.topic} {sorted(each.fill.items())} {each.at}" for each in notices]
    sent = Action.objects.filter(account=family.guardian).order_by("number")
    texts += [f"{action.effect} {action.notice} {action.state}" for action in sent]
    return [family.plain(text) for text in texts]


def test_apart_a_guardian_meets_what_the_only_guardian_of_a_twin_meets(
    clock: Clock, configure: Configure, receiver: object
) -> None:
    configure(policy_key="00" * 32)
    call = Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))
    apart, twin = Family("a", call), Family("b", call)
    second = Second(apart)
    for number, (verb, about, step) in enumerate(DAYS):
        clock.tick()
        getattr(second, verb)(*about, **(ASKED[about[0]] if verb == "is_asked" else {}))
        clock.tick()
        for family in (apart, twin):
            step(family)
            looks(family)
        assert len(apart.met) == len(twin.met)
        for ours, theirs in zip(apart.met, twin.met, strict=True):
            assert NAME not in ours, f"step {number}"
            assert ours == theirs, f"step {number}"
        apart.met.clear()
        twin.met.clear()
        if number == 1:
            _the_stricter_choice_holds(apart)
    run_jobs()
    assert told(apart) == told(twin)
    assert {word.word for word in keywords_of(apart.teen)} == {"two"}


def _the_stricter_choice_holds(family: Family) -> None:
    """What is shown is one thing. In force is the most protective choice of both homes."""
    state = load_states([family.teen.platform_id])[family.teen.platform_id]
    assert (state.guardian["session.time"], state.guardian["comment.receive"]) == (30, "nobody")
