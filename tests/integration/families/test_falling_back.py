"""A guardian without power: nothing stays looser than without any guardian, and no time is lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.access.actor import Actor
from kinward.experience.live import live, person_of
from kinward.experience.settings import decide_afresh, decide_everything, holds
from kinward.families import tasks
from kinward.families.asks import answers, requests
from kinward.families.errors import PasscodeRefused
from kinward.families.models import Choice, Pairing
from kinward.families.pairing import disputes, ending
from kinward.families.screen_time import passcodes
from kinward.families.screen_time.extra import extras_at
from kinward.families.screen_time.usage import screen_time
from kinward.families.settings import choices, keywords
from kinward.families.settings.settlement import is_about_time, settle_all
from kinward.people.locks import lock_account
from kinward.people.models import Account, Standing
from kinward.people.services import set_standing
from kinward.policy.bounds import bounds_in_general
from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.decision import EFFECTS, Decision
from kinward.policy.pack import Pack
from kinward.policy.question import Person
from kinward.policy.request import State, decide_in_state
from tests.integration.conftest import Configure
from tests.support.families import make_account, pair
from tests.support.helpers import run_jobs
from tests.unit.policy.cases import packs, people, settings_of

pytestmark = pytest.mark.django_db(transaction=True)

# Hours never sleep: what limits time falls back to the default.
NOT_HOURS = sorted(name for name, known in CAPABILITIES.items() if known.kind.name != "hours")
JOIN = "account.join"  # consent is no setting: it ends with the pairing


def dispute(pairing: Pairing) -> None:
    disputes.pause_disputed_pairing(teen=pairing.teen, pairing_id=pairing.pk)


def dispute_quietly(pairing: Pairing) -> None:
    disputes.pause_disputed_pairing(teen=pairing.teen, pairing_id=pairing.pk, quiet=True)


def standing(standing: Standing) -> Callable[[Pairing], None]:
    def lose(pairing: Pairing) -> None:
        with transaction.atomic():
            set_standing(account=lock_account(pairing.guardian_id), standing=standing)
        run_jobs()

    return lose


def doubt(pairing: Pairing) -> None:
    """The guardian's age is known less surely now; the sweep notices it, whoever wrote it."""
    Account.objects.filter(pk=pairing.guardian_id).update(age_assurance="declared")
    tasks.tidy_all(0)


def end(pairing: Pairing) -> None:
    ending.end_pairing(account=pairing.guardian, pairing_id=pairing.pk)


WAYS: dict[str, Callable[[Pairing], None]] = {
    "disputed": dispute,
    "disputed quietly": dispute_quietly,
    "suspended": standing(Standing.SUSPENDED),
    "terminated": standing(Standing.TERMINATED),
    "no longer surely an adult": doubt,
    "ended": end,
}
LIVES = {"disputed", "disputed quietly", "suspended", "no longer surely an adult"}


@pytest.fixture
def teen(db: None) -> Account:
    return make_account("wren", 14, place="DE")


def no_looser(a: Decision, b: Decision) -> bool:
    assert a.kind is not None
    return (
        EFFECTS.index(a.effect) <= EFFECTS.index(b.effect)
        and a.kind.strictest(a.code, b.code) == a.code
    )


@pytest.mark.parametrize("way", WAYS)
def test_without_a_guardian_in_power_nothing_is_looser_and_no_time_is_lost(way: str) -> None:
    """For teens of each age group, and guardians who chose one end or the other of everything."""
    pack = live().in_force().for_account(None)
    assert pack is not None
    for number, (age, place, loose) in enumerate(
        (age, place, loose) for age, place in ((14, "DE"), (17, "BR")) for loose in (0, 1)
    ):
        teen = make_account(f"teen-{number}", age, place=place)
        twin = decide_everything(make_account(f"twin-{number}", age, place=place), pack)
        guardian = make_account(f"guardian-{number}", 40)
        pairing = pair(guardian, teen)
        chosen = choose_everything(pairing, pack, loose)
        guarded = decide_everything(teen, pack)
        assert any(not no_looser(guarded[name], twin[name]) for name in chosen) == bool(loose)
        WAYS[way](pairing)
        for name, found in decide_everything(teen, pack).items():
            if name == JOIN:
                continue
            kind = pack.capabilities[name].kind
            assert no_looser(found, twin[name]), (age, place, name)
            if is_about_time(name, kind) or way not in LIVES:
                assert found.code == twin[name].code, (age, place, name)
            elif name in chosen:
                assert found.code == kind.strictest(chosen[name], twin[name].code), name


def choose_everything(pairing: Pairing, pack: Pack, loose: int) -> dict[str, int]:
    """The guardian moves all that they may to one end; returns the codes."""
    chosen = {}
    for name, capability in pack.capabilities.items():
        bounds = bounds_in_general(pack.ruling, name, person_of(pairing.teen))
        if name != JOIN and bounds is not None and bounds.guardian_moves:
            chosen[name] = bounds.guardian_cap if loose else bounds.guardian_floor
            value = capability.kind.value(chosen[name])
            Choice.objects.create(pairing=pairing, capability=name, value=value)
    with transaction.atomic():
        settle_all(lock_account(pairing.teen_id), actor=Actor.system("test"))
    return chosen


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(packs()), people(), people(), st.sampled_from(NOT_HOURS), st.data())
def test_what_sleeps_only_tightens_in_every_pack_and_place(
    pack: Pack, actor: Person, other: Person, name: str, data: st.DataObject
) -> None:
    def drawn() -> dict[str, Any]:
        known = (name, CAPABILITIES[name].counterpart)
        return {each: data.draw(settings_of(CAPABILITIES[each].kind)) for each in known if each}

    def real(settings: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in settings.items() if value is not None}

    self_, asleep, theirs = real(drawn()), real(drawn()), real(drawn())
    target = data.draw(st.booleans())
    without = decide_in_state(
        pack, name, State(actor, self_=self_), target=State(other) if target else None
    )
    found = decide_in_state(
        pack,
        name,
        State(actor, self_=self_, asleep=asleep),
        target=State(other, asleep=theirs) if target else None,
    )
    assert no_looser(found, without)


@pytest.mark.parametrize("way", WAYS)
def test_minutes_grants_and_words_end_with_the_power_of_who_gave_them(
    teen: Account, heron: Account, configure: Configure, way: str
) -> None:
    configure(policy_key="11" * 32)
    pairing = pair(heron, teen)
    words: dict[str, Any] = {"teen_id": "wren", "account": heron, "guardian": heron}
    keywords.add_keyword(word="party", **words)
    ask = requests.ask_guardians(teen=teen, capability="session.time", reason="", minutes=60)
    answers.answer_ask(guardian=heron, ask_id=ask.id, said="yes")
    ask = requests.ask_guardians(
        teen=teen, capability="comment.receive", reason="", value="followers"
    )
    until = timezone.now() + timedelta(days=20)
    answers.answer_ask(guardian=heron, ask_id=ask.id, said="yes", until=until)
    code = passcodes.show_passcodes(guardian=heron, teen_id="wren")[0].code
    passcodes.use_passcode(account=teen, code=code, at=timezone.now())
    assert screen_time(teen, timezone.now()).allowed == 60 + 60 + 15
    assert decide_afresh(teen, "comment.receive").value == "followers"
    WAYS[way](pairing)
    assert keywords.keywords_of(teen) == []
    time = screen_time(teen, timezone.now())
    assert (time.allowed, time.extra) == (60, 0), "the default, and not a minute fewer"
    assert decide_afresh(teen, "comment.receive").value == "mutuals"
    # And what they left out is free for the teen to leave out themselves.
    keywords.add_keyword(word="Party", teen_id="wren", account=teen, guardian=None)
    assert [keyword.pairing for keyword in keywords.keywords_of(teen)] == [None]


def test_another_guardian_s_minutes_and_codes_stay(
    teen: Account, heron: Account, configure: Configure
) -> None:
    configure(policy_key="11" * 32)
    egret = make_account("egret", 44)
    gone, stays = pair(heron, teen), pair(egret, teen)
    now = timezone.now()

    def extra() -> int:
        return sum(given.minutes for given in extras_at(teen, now, now.date()))

    of_gone = passcodes.show_passcodes(guardian=heron, teen_id="wren")
    of_other = passcodes.show_passcodes(guardian=egret, teen_id="wren")
    assert {code.code for code in of_gone}.isdisjoint(code.code for code in of_other)
    passcodes.use_passcode(account=teen, code=of_gone[0].code, at=timezone.now())
    with pytest.raises(PasscodeRefused):  # a number works once, whoever's code
        passcodes.use_passcode(account=teen, code=of_other[0].code, at=timezone.now())
    passcodes.use_passcode(account=teen, code=of_other[2].code, at=timezone.now())
    assert extra() == 45
    end(gone)
    assert extra() == 30
    with pytest.raises(PasscodeRefused):  # who is gone still knows this one
        passcodes.use_passcode(account=teen, code=of_gone[1].code, at=timezone.now())
    passcodes.use_passcode(account=teen, code=of_other[1].code, at=timezone.now())
    assert extra() == 45
    assert stays.ended_at is None


def test_who_stays_in_power_decides_and_who_sleeps_still_protects(
    teen: Account, heron: Account
) -> None:
    egret = make_account("egret", 44)
    asleep = pair(heron, teen)
    pair(egret, teen)
    mine: dict[str, Any] = {"guardian": heron, "teen_id": "wren"}
    theirs: dict[str, Any] = {"guardian": egret, "teen_id": "wren"}
    choices.choose_setting(**mine, capability="session.time", value=15)
    choices.choose_setting(**mine, capability="comment.receive", value="nobody")
    choices.choose_setting(**mine, capability="location.share", value="family")
    dispute(asleep)
    choices.choose_setting(**theirs, capability="session.time", value=120)
    choices.choose_setting(**theirs, capability="comment.receive", value="followers")
    assert decide_afresh(teen, "session.time").value == 120, "the other home is not held to it"
    assert decide_afresh(teen, "comment.receive").value == "nobody", "a dispute opens nothing"
    assert decide_afresh(teen, "location.share").value == "nobody", "and keeps nothing open"
    assert not holds(teen, "comment.receive", "followers")
    disputes.settle_pairing_dispute(
        pairing_id=asleep.pk, ends=False, actor=Actor.stored("staff:robin")
    )
    assert decide_afresh(teen, "session.time").value == 15, "as it was, if the person says so"
    assert decide_afresh(teen, "location.share").value == "family"
    dispute(asleep)
    disputes.settle_pairing_dispute(
        pairing_id=asleep.pk, ends=True, actor=Actor.stored("staff:robin")
    )
    assert decide_afresh(teen, "session.time").value == 120
    assert decide_afresh(teen, "comment.receive").value == "followers"


def test_a_suspended_guardian_s_choices_sleep_and_wake(teen: Account, heron: Account) -> None:
    pairing = pair(heron, teen)
    for capability, value in (("session.time", 15), ("purchase.make", "allow")):
        choices.choose_setting(guardian=heron, teen_id="wren", capability=capability, value=value)
    standing(Standing.SUSPENDED)(pairing)
    assert decide_afresh(teen, "session.time").value == 60
    assert decide_afresh(teen, "purchase.make").value == "deny"
    standing(Standing.ACTIVE)(pairing)
    assert decide_afresh(teen, "session.time").value == 15
    assert decide_afresh(teen, "purchase.make").value == "allow"
    pairing.refresh_from_db()
    assert (pairing.asleep_since, pairing.ended_at) == (None, None)


def test_what_sleeps_follows_the_law_of_a_new_place(teen: Account, heron: Account) -> None:
    """Nothing is frozen: the default that counts is the one of the place and the age of now."""
    pairing = pair(heron, teen)
    choices.choose_setting(
        guardian=heron, teen_id="wren", capability="comment.receive", value="followers"
    )
    dispute(pairing)
    Account.objects.filter(pk=teen.pk).update(age_lower=9, age_upper=10)
    assert decide_afresh(teen, "comment.receive").value == "nobody"


def test_consent_to_the_account_outlives_a_dispute_and_not_the_pairing(heron: Account) -> None:
    """Else pressing "this is not my guardian" would close the account of whoever needs help."""
    teen = make_account("plover", 15, place="BR")
    assert decide_afresh(teen, JOIN).effect == "deny"
    pairing = pair(heron, teen)
    assert decide_afresh(teen, JOIN).effect == "allow"
    dispute(pairing)
    assert decide_afresh(teen, JOIN).effect == "allow"
    disputes.settle_pairing_dispute(
        pairing_id=pairing.pk, ends=True, actor=Actor.stored("staff:robin")
    )
    assert decide_afresh(teen, JOIN).effect == "deny"
