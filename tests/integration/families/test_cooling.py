"""After a teen's step away from a guardian, that guardian does not tighten alone for a while."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.experience.settings import decide_afresh
from kinward.families.asks import answers, requests
from kinward.families.errors import GuardianCooling
from kinward.families.models import Pairing
from kinward.families.pairing import disputes, ending
from kinward.families.settings import choices
from kinward.people.models import Account
from tests.integration.gate.test_gate import Caller
from tests.support.families import make_account, pair
from tests.support.visits import visitor

pytestmark = pytest.mark.django_db
REVIEWER = Actor.stored("staff:robin")


@pytest.fixture
def pairing(teen: Account, heron: Account) -> Pairing:
    return pair(heron, teen)


def chooses(pairing: Pairing, capability: str, value: Any) -> None:
    choices.choose_setting(
        guardian=pairing.guardian,
        teen_id=pairing.teen.platform_id,
        capability=capability,
        value=value,
    )


def gives_notice(pairing: Pairing) -> None:
    ending.end_pairing(account=pairing.teen, pairing_id=pairing.pk)


def stays_after_notice(pairing: Pairing) -> None:
    gives_notice(pairing)
    ending.stay_paired(account=pairing.teen, pairing_id=pairing.pk)


def is_restored(pairing: Pairing, *, quiet: bool = False) -> None:
    disputes.pause_disputed_pairing(teen=pairing.teen, pairing_id=pairing.pk, quiet=quiet)
    disputes.settle_pairing_dispute(pairing_id=pairing.pk, ends=False, actor=REVIEWER)


def pairs_again_after_notice(pairing: Pairing) -> None:
    gives_notice(pairing)
    Pairing.objects.filter(pk=pairing.pk).update(ends_at=timezone.now() - timedelta(seconds=1))
    ending.end_due_pairings(pairing.teen_id)
    pair(pairing.guardian, pairing.teen)


STEPS = [gives_notice, stays_after_notice, is_restored, pairs_again_after_notice]


def later(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(days=days))


@pytest.mark.parametrize("step", STEPS)
def test_a_guardian_does_not_tighten_time_or_contact_alone(
    teen: Account, heron: Account, pairing: Pairing, step: Any
) -> None:
    step(pairing)
    week = (60, 60, 60, 60, 60, 60, 15)
    for capability, value in (
        *(("session.time", 15), ("session.time", week), ("session.hours", "15:00-18:30")),
        *(("session.break", "15 minutes"), ("comment.receive", "nobody")),
    ):
        before = decide_afresh(teen, capability).value
        with pytest.raises(GuardianCooling):
            chooses(pairing, capability, value)
        assert decide_afresh(teen, capability).value == before
    chooses(pairing, "session.time", 90)  # loosening
    chooses(pairing, "content.mature", "off")  # neither time nor contact
    # With the teen's yes.
    proposal = requests.propose_setting(
        guardian=heron, teen_id="sandpiper", capability="session.time", value=45, reason="exams"
    )
    answers.answer_proposal(teen=teen, ask_id=proposal.pk, said="yes")
    assert decide_afresh(teen, "session.time").value == 45


def test_taking_back_a_looser_choice_tightens_and_a_stricter_one_does_not(
    teen: Account, pairing: Pairing
) -> None:
    chooses(pairing, "session.time", 120)
    chooses(pairing, "comment.receive", "nobody")
    gives_notice(pairing)
    with pytest.raises(GuardianCooling):
        chooses(pairing, "session.time", None)
    chooses(pairing, "comment.receive", None)


def test_time_that_was_granted_is_not_taken_back(
    teen: Account, heron: Account, pairing: Pairing
) -> None:
    ask = requests.ask_guardians(teen=teen, capability="session.time", reason="please", minutes=30)
    answers.answer_ask(guardian=heron, ask_id=ask.pk, said="yes")
    gives_notice(pairing)
    with pytest.raises(GuardianCooling):
        answers.answer_ask(guardian=heron, ask_id=ask.pk, said="no")


@pytest.mark.parametrize("step", [stays_after_notice, is_restored])
def test_it_is_over_after_fourteen_days(
    monkeypatch: pytest.MonkeyPatch, pairing: Pairing, step: Any
) -> None:
    step(pairing)
    later(monkeypatch, 13.9)
    with pytest.raises(GuardianCooling):
        chooses(pairing, "session.time", 15)
    later(monkeypatch, 0.2)
    chooses(pairing, "session.time", 15)


def test_another_guardian_is_not_concerned(teen: Account, pairing: Pairing) -> None:
    other = pair(make_account("egret", 44), teen)
    gives_notice(pairing)
    chooses(other, "session.time", 30)
    assert decide_afresh(teen, "session.time").value == 30


def test_after_a_quiet_dispute_it_looks_done_and_holds_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, teen: Account, heron: Account, pairing: Pairing
) -> None:
    is_restored(pairing, quiet=True)
    pairing.refresh_from_db()
    chooses(pairing, "session.time", 15)
    chooses(pairing, "purchase.make", "allow")
    assert decide_afresh(teen, "session.time").value == 60
    assert decide_afresh(teen, "purchase.make").effect == "allow"
    assert choices.decide_as_shown(teen, "session.time", heron).value == 15
    assert disputes.end_quiet_cooling() == 0
    later(monkeypatch, 14.1)
    assert disputes.end_quiet_cooling(teen.pk) == 1
    assert decide_afresh(teen, "session.time").value == 15
    pairing.refresh_from_db()
    assert not pairing.quiet


def test_nobody_ends_and_pairs_again_to_tighten(
    teen: Account, heron: Account, pairing: Pairing
) -> None:
    is_restored(pairing, quiet=True)
    ending.end_pairing(account=heron, pairing_id=pairing.pk)
    again = pair(heron, teen)
    chooses(again, "session.time", 15)
    assert decide_afresh(teen, "session.time").value == 60
    assert choices.decide_as_shown(teen, "session.time", heron).value == 15


@pytest.mark.parametrize("quiet", [False, True])
def test_a_quiet_dispute_changes_no_answer_during_a_notice(
    heron: Account, pairing: Pairing, quiet: bool
) -> None:
    gives_notice(pairing)
    if quiet:
        disputes.pause_disputed_pairing(teen=pairing.teen, pairing_id=pairing.pk, quiet=True)
    with pytest.raises(GuardianCooling):
        chooses(pairing, "session.time", 15)


@pytest.mark.django_db(transaction=True)
def test_every_road_says_so(heron: Account, pairing: Pairing) -> None:
    gives_notice(pairing)
    call = Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))
    sent = {"layer": "guardian", "guardian_id": "heron", "value": "15:00-18:30"}
    answer = call("PUT", "/v1/accounts/sandpiper/settings/session.hours", json=sent)
    assert (answer.status_code, answer.json()["code"]) == (409, "guardian.cooling")
    browser = visitor(heron)
    hours = {"opens": "15:00", "closes": "18:30"}
    page = browser.post(f"/family/teens/{pairing.pk}/settings/session.hours", hours)
    assert page.status_code == 409
    assert "Suggest it, and your teen decides." in page.content.decode()
