"""Grants while a quiet dispute waits: they look given, and go by the guardians with real power."""

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.utils import timezone

from kinward.experience.settings import decide_afresh
from kinward.families.asks import answers, reading, requests, taps
from kinward.families.models import Ask, AskState, ExtraMinutes, Notice, Pairing
from kinward.families.pairing import disputes
from kinward.families.screen_time import passcodes
from kinward.families.screen_time.usage import screen_time
from kinward.families.settings import choices
from kinward.families.settings.held import shown_values
from kinward.people.models import Account
from kinward.policy import Weekly
from tests.integration.conftest import Configure
from tests.support.families import make_account, pair

pytestmark = pytest.mark.django_db


@pytest.fixture
def heron(teen: Account) -> Pairing:
    """The pairing that the teen disputes quietly."""
    return pair(make_account("heron", 41), teen)


@pytest.fixture
def egret(teen: Account) -> Pairing:
    return pair(make_account("egret", 44), teen)


def quietly(pairing: Pairing) -> None:
    disputes.pause_disputed_pairing(teen=pairing.teen, pairing_id=pairing.pk, quiet=True)
    pairing.refresh_from_db()


def chooses(pairing: Pairing, minutes: Weekly) -> None:
    choices.choose_setting(
        guardian=pairing.guardian,
        teen_id=pairing.teen.platform_id,
        capability="session.time",
        value=minutes,
    )


def asks(teen: Account, **sent: Any) -> Ask:
    return requests.ask_guardians(teen=teen, capability="session.time", reason="", **sent)


def says(pairing: Pairing, ask: Ask, said: Any, days: int = 0) -> None:
    until = timezone.now() + timedelta(days=days) if days else None
    answers.answer_ask(guardian=pairing.guardian, ask_id=ask.pk, said=said, until=until)


def looks(pairing: Pairing, ask: Ask) -> tuple[str, str]:
    """The state and the step of an ask on a guardian's page."""
    fresh = Ask.objects.get(pk=ask.pk)
    view = reading.view_of_ask(fresh, reader=pairing.guardian, pairing=pairing)
    return view.state, view.step


def allowed(teen: Account, reader: Account | None = None) -> int | None:
    shown = None if reader is None else shown_values(teen, reader)
    return screen_time(teen, timezone.now(), shown).allowed


def test_a_held_yes_looks_given_and_leaves_the_ask_to_who_has_power(
    teen: Account, heron: Pairing, egret: Pairing
) -> None:
    quietly(heron)
    ask = asks(teen, minutes=30)
    says(heron, ask, "yes")
    assert looks(heron, ask) == ("granted", "stop")
    assert looks(egret, ask) == ("open", "answer")
    assert (allowed(teen), allowed(teen, heron.guardian)) == (60, 90)
    assert len(reading.open_asks(egret.guardian)) == 1
    taps.answer_by_tap(unquote(taps.tap_links(ask, egret)[0]["url"].rsplit("/", 1)[1]))
    assert (allowed(teen), allowed(teen, heron.guardian)) == (90, 90)
    assert ExtraMinutes.objects.get(ask=ask).held is False


def test_a_held_yes_agrees_to_nothing_for_real(
    teen: Account, heron: Pairing, egret: Pairing
) -> None:
    """The other guardian's choice binds. What the disputed one chose before sleeps."""
    chooses(heron, 30)
    chooses(egret, 40)
    quietly(heron)
    ask = asks(teen, value=60)
    says(heron, ask, "yes", days=3)
    assert looks(heron, ask) == ("open", "again")
    assert decide_afresh(teen, "session.time").value == 40
    says(egret, ask, "yes", days=3)
    assert looks(heron, ask) == ("granted", "stop")
    assert looks(egret, ask)[0] == "granted"
    assert decide_afresh(teen, "session.time").value == 60
    assert choices.decide_as_shown(teen, "session.time", heron.guardian).value == 60
    assert Notice.objects.filter(account=heron.guardian)[0].topic == "yes.heard"
    disputes.settle_pairing_dispute(pairing_id=heron.pk, ends=False, actor=egret.guardian.actor)
    assert decide_afresh(teen, "session.time").value == 60


def test_a_held_choice_makes_no_yes_missing_for_real(
    teen: Account, heron: Pairing, egret: Pairing
) -> None:
    quietly(heron)
    chooses(heron, 15)
    ask = asks(teen, value=90)
    says(egret, ask, "yes", days=3)
    assert decide_afresh(teen, "session.time").value == 90
    assert looks(heron, ask) == ("open", "answer")
    assert looks(egret, ask) == ("granted", "stop")
    assert choices.decide_as_shown(teen, "session.time", heron.guardian).value == 15
    says(heron, ask, "yes", days=3)
    assert looks(heron, ask) == ("granted", "stop")
    assert choices.decide_as_shown(teen, "session.time", heron.guardian).value == 90


def test_a_held_no_shuts_nobody_out_and_takes_nothing_back(
    teen: Account, heron: Pairing, egret: Pairing
) -> None:
    quietly(heron)
    first, second = asks(teen, minutes=30), asks(teen, minutes=15)
    says(egret, first, "yes")
    says(heron, first, "no")
    says(heron, second, "no")
    for ask in (first, second):
        assert looks(heron, ask) == ("refused", "")
    assert looks(egret, second) == ("open", "answer")
    heard = Notice.objects.filter(account=heron.guardian).count()
    says(egret, second, "yes")
    assert (allowed(teen), allowed(teen, heron.guardian)) == (105, 60)
    assert Notice.objects.filter(account=heron.guardian).count() == heard
    second.refresh_from_db()
    view = reading.view_of_ask(second, reader=heron.guardian, pairing=heron)
    assert [answer.answer for answer in view.answers] == ["no"]


def test_a_held_pass_code_uses_up_nobody_else_s(
    teen: Account, heron: Pairing, egret: Pairing, configure: Configure
) -> None:
    configure(policy_key="00" * 32)
    quietly(heron)
    theirs, mine = (
        passcodes.show_passcodes(guardian=pairing.guardian, teen_id=teen.platform_id)
        for pairing in (heron, egret)
    )
    now = timezone.now()
    assert passcodes.use_passcode(account=teen, code=theirs[0].code, at=now).allowed == 60
    assert allowed(teen, heron.guardian) == 75
    assert passcodes.use_passcode(account=teen, code=mine[0].code, at=now).allowed == 75
    assert allowed(teen, heron.guardian) == 75


def test_after_not_a_guardian_what_only_looked_granted_is_open_again(
    teen: Account, heron: Pairing, egret: Pairing
) -> None:
    quietly(heron)
    ask = asks(teen, minutes=30)
    says(heron, ask, "yes")
    disputes.settle_pairing_dispute(pairing_id=heron.pk, ends=True, actor=egret.guardian.actor)
    ask.refresh_from_db()
    assert (ask.state, ask.held) == (AskState.OPEN, False) or ask.state == AskState.ENDED
    assert allowed(teen) == 60
