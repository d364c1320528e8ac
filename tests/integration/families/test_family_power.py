"""Who has no power over a teen: a guardian who lost their account, and nobody over an adult."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from kinward.experience.live import load_states
from kinward.experience.models import Layer, Setting
from kinward.families.asks import answers, requests
from kinward.families.errors import NeedsNoGuardian, NotPaired
from kinward.families.models import AskState, Choice, Pairing
from kinward.families.pairing import power
from kinward.families.settings import choices, settlement
from kinward.ground.errors import KinwardError
from kinward.ledger.models import Entry
from kinward.people.locks import lock_account
from kinward.people.models import Account, Standing
from kinward.people.services import set_standing
from tests.support.families import make_account, pair

pytestmark = pytest.mark.django_db

TIME = "session.time"


def choose(guardian: Account, teen: Account, value: int | None) -> None:
    choices.choose_setting(
        guardian=guardian, teen_id=teen.platform_id, capability=TIME, value=value
    )


def guardian_value(teen: Account) -> object:
    return load_states([teen.platform_id])[teen.platform_id].guardian.get(TIME)


def assert_powerless(guardian: Account, teen: Account, error: type[KinwardError]) -> None:
    """The pairing lives and gives its guardian nothing. What they chose sleeps after the job."""
    pairing = Pairing.objects.get(guardian=guardian, teen=teen)
    assert (pairing.ended_at, pairing.disputed_at) == (None, None)
    assert not power.has_power(pairing)
    with pytest.raises(error):
        power.check_power(pairing)
    with pytest.raises(error):
        power.require_power(guardian=guardian, teen_id=teen.platform_id)
    for value in (120, None):
        with pytest.raises(error):
            choose(guardian, teen, value)
    assert list(Choice.objects.values_list("value", "ended_at")) == [(60, None)]
    assert guardian_value(teen) == 60


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.TERMINATED])
def test_a_guardian_whose_account_is_suspended_or_terminated_has_no_power(
    teen: Account, heron: Account, standing: Standing
) -> None:
    pair(heron, teen)
    choose(heron, teen, 60)
    set_standing(account=lock_account(heron.pk), standing=standing)
    assert_powerless(heron, teen, NotPaired)
    set_standing(account=lock_account(heron.pk), standing=Standing.ACTIVE)
    choose(heron, teen, 120)
    assert guardian_value(teen) == 120


def test_a_suspended_teen_still_has_a_guardian(teen: Account, heron: Account) -> None:
    pair(heron, teen)
    set_standing(account=lock_account(teen.pk), standing=Standing.SUSPENDED)
    choose(heron, teen, 60)
    assert guardian_value(teen) == 60


def test_who_has_come_of_age_is_under_nobody_s_power_before_the_job_runs(
    teen: Account, heron: Account
) -> None:
    pair(heron, teen)
    choose(heron, teen, 60)
    Account.objects.filter(pk=teen.pk).update(age_lower=18, age_upper=19)
    assert_powerless(heron, teen, NeedsNoGuardian)


def test_each_family_s_choice_is_settled_against_its_own_setting(
    teen: Account, heron: Account
) -> None:
    plover, egret = make_account("plover", 15), make_account("egret", 44)
    pair(heron, teen)
    pair(egret, plover)
    choose(heron, teen, 60)
    choose(egret, plover, 60)
    assert (guardian_value(teen), guardian_value(plover)) == (60, 60)
    choose(egret, plover, None)
    assert (guardian_value(teen), guardian_value(plover)) == (60, None)
    choose(heron, teen, None)
    assert (guardian_value(teen), guardian_value(plover)) == (None, None)


def test_a_choice_is_settled_against_the_setting_that_lasts(teen: Account, heron: Account) -> None:
    """A grant for a time, and a setting that has ended, are no settings to compare with."""
    pair(heron, teen)
    choose(heron, teen, 90)
    choose(heron, teen, 60)
    Setting.objects.create(
        account=teen,
        layer=Layer.GUARDIAN,
        capability=TIME,
        value=90,
        until=timezone.now() + timedelta(hours=1),
    )
    choose(heron, teen, 90)
    lasting = Setting.objects.filter(account=teen, capability=TIME, ended_at=None, until=None)
    assert list(lasting.values_list("value", flat=True)) == [90]


def test_only_choices_and_grants_of_the_capabilities_named_end(
    teen: Account, heron: Account
) -> None:
    pair(heron, teen)
    choose(heron, teen, 60)
    asked = requests.ask_guardians(
        teen=teen, capability="purchase.make", reason="shoes", value="allow"
    )
    until = timezone.now() + timedelta(hours=2)
    answers.answer_ask(guardian=heron, ask_id=asked.id, said="yes", until=until)
    settlement.end_choices(lock_account(teen.pk), [TIME], "a test")
    asked.refresh_from_db()
    assert asked.state == AskState.GRANTED
    assert list(Choice.objects.filter(ended_at=None)) == []
    settlement.end_choices(lock_account(teen.pk), ["purchase.make"], "a test")
    asked.refresh_from_db()
    assert asked.state == AskState.ENDED


def test_a_guardian_of_two_has_power_over_the_one_they_name(teen: Account, heron: Account) -> None:
    plover = make_account("plover", 15)
    pairings = {one.platform_id: pair(heron, one) for one in (teen, plover)}
    for name, pairing in pairings.items():
        with transaction.atomic():
            found, locked = power.require_power(guardian=heron, teen_id=name)
        assert (found, locked.platform_id) == (pairing, name)


def test_the_ledger_tells_a_choice_from_its_end(teen: Account, heron: Account) -> None:
    pair(heron, teen)
    for value, kind in ((60, "choice.made"), (None, "choice.ended")):
        choose(heron, teen, value)
        entry = Entry.objects.filter(kind__startswith="choice.").latest("seq")
        assert entry.kind == kind
        assert entry.data["capability"] == TIME
        assert entry.data["value"] == value
