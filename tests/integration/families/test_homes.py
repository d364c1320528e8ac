"""Homes that are apart: who says so, what ends it, whom an ask reaches, and what still binds.

`test_apart_twin.py` holds that a guardian notices nothing of another one.
"""

import base64
import json
from uuid import UUID

import pytest
from django.utils import timezone

from kinward.experience.live import load_states
from kinward.families.asks.answers import answer_ask
from kinward.families.asks.reading import open_asks
from kinward.families.asks.requests import ask_guardians
from kinward.families.errors import CodeRefused, NotPaired
from kinward.families.models import AskState, Pairing, Side
from kinward.families.pairing.homes import pairings_seen_by, say_homes
from kinward.families.pairing.invitations import accept_invitation, create_invitation
from kinward.families.screen_time.passcodes import (
    passcode_sheet,
    show_passcodes,
    use_passcode,
)
from kinward.ground.errors import Invalid
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.support.compared import gaps
from tests.support.families import choose_minutes, make_account, pair, told_of
from tests.support.visits import visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def egret(db: None) -> Account:
    return make_account("egret", 44)


@pytest.fixture
def homes(configure: Configure, teen: Account, heron: Account, egret: Account) -> list[Pairing]:
    """Two pairings of a teen, which are apart."""
    configure(policy_key="00" * 32)
    pairings = [pair(heron, teen), pair(egret, teen)]
    say_homes(account=teen, word="apart")
    return pairings


def seen_by(teen: Account, reader: Account) -> set[UUID] | None:
    seen = pairings_seen_by(teen, reader)
    return None if seen is None else set(seen)


def fresh(pairing: Pairing) -> Pairing:
    return Pairing.objects.get(pk=pairing.pk)


def test_one_word_of_the_teen_is_enough_and_nobody_is_told(
    teen: Account, heron: Account, egret: Account, homes: list[Pairing]
) -> None:
    assert seen_by(teen, heron) == {homes[0].pk}
    assert seen_by(teen, egret) == {homes[1].pk}
    assert seen_by(teen, teen) is None
    for guardian in (heron, egret):
        assert told_of(guardian) == ["paired"]
    assert gaps(("pairing",)) == []


def test_a_guardian_who_keeps_apart_is_unseen_and_the_others_still_see_each_other(
    configure: Configure, teen: Account, heron: Account, egret: Account
) -> None:
    third = make_account("third", 50)
    pairings = [pair(guardian, teen) for guardian in (heron, egret, third)]
    say_homes(account=heron, word="apart", pairing_id=pairings[0].pk)
    together = {pairings[1].pk, pairings[2].pk}
    assert seen_by(teen, heron) == {pairings[0].pk}
    assert seen_by(teen, egret) == seen_by(teen, third) == together


def test_to_be_seen_again_takes_the_teen_and_each_guardian(
    teen: Account, heron: Account, egret: Account, homes: list[Pairing]
) -> None:
    say_homes(account=teen, word="together")
    assert all(fresh(pairing).apart for pairing in homes)
    say_homes(account=heron, word="together", pairing_id=homes[0].pk)
    assert seen_by(teen, heron) == {homes[0].pk}, "the other has not agreed"
    assert seen_by(teen, egret) == {homes[1].pk}
    say_homes(account=egret, word="together", pairing_id=homes[1].pk)
    assert seen_by(teen, heron) is None
    say_homes(account=egret, word="apart", pairing_id=homes[1].pk)
    assert seen_by(teen, heron) == {homes[0].pk}
    assert gaps(("pairing",)) == []


def test_guardians_who_agree_do_not_undo_the_teen_s_word(
    teen: Account, heron: Account, egret: Account, homes: list[Pairing]
) -> None:
    for guardian, pairing in ((heron, homes[0]), (egret, homes[1])):
        say_homes(account=guardian, word="together", pairing_id=pairing.pk)
    assert seen_by(teen, heron) == {homes[0].pk}


def test_nobody_speaks_for_a_pairing_of_others(
    teen: Account, heron: Account, homes: list[Pairing], other: tuple[Account, Account]
) -> None:
    stranger = other[0]
    for account, pairing in ((heron, homes[1]), (stranger, homes[0])):
        with pytest.raises(NotPaired):
            say_homes(account=account, word="together", pairing_id=pairing.pk)
    with pytest.raises(NotPaired):
        say_homes(account=stranger, word="apart")


def test_who_is_paired_later_is_apart_too(teen: Account, homes: list[Pairing]) -> None:
    third = make_account("third", 50)
    made = pair(third, teen)
    assert made.apart
    assert seen_by(teen, third) == {made.pk}


def test_an_ask_reaches_the_one_guardian_whom_the_teen_picks(
    teen: Account, heron: Account, egret: Account, homes: list[Pairing]
) -> None:
    with pytest.raises(Invalid):
        ask_guardians(teen=teen, capability="session.time", reason="please", minutes=15)
    ask = ask_guardians(
        teen=teen, capability="session.time", reason="please", minutes=15, to=homes[0].pk
    )
    assert [view.ask.pk for view in open_asks(heron)] == [ask.pk]
    assert open_asks(egret) == []
    assert "asked" not in told_of(egret)
    with pytest.raises(NotPaired):
        answer_ask(guardian=egret, ask_id=ask.pk, said="no")
    assert answer_ask(guardian=heron, ask_id=ask.pk, said="yes").state == AskState.GRANTED


def test_a_grant_of_one_home_stays_within_what_the_other_chose(
    teen: Account, heron: Account, egret: Account, homes: list[Pairing]
) -> None:
    choose_minutes(heron, teen, 120)
    choose_minutes(egret, teen, 45)
    ask = ask_guardians(teen=teen, capability="session.time", reason="", value=90, to=homes[0].pk)
    answered = answer_ask(guardian=heron, ask_id=ask.pk, said="yes")
    assert answered.state == AskState.GRANTED
    state = load_states([teen.platform_id])[teen.platform_id]
    assert state.guardian["session.time"] == 45
    assert not {"yes.heard", "yes.needed", "differ"} & {*told_of(heron), *told_of(egret)}


def test_a_device_offline_gives_no_more_than_the_other_home_chose(
    teen: Account, heron: Account, egret: Account, homes: list[Pairing]
) -> None:
    choose_minutes(heron, teen, 120)
    choose_minutes(egret, teen, 45)
    seen = show_passcodes(guardian=heron, teen_id=teen.platform_id)
    assert len(seen) == 3, "as if there were nobody else"
    sheet = json.loads(base64.b64decode(passcode_sheet(teen, timezone.now())["body"]))
    assert [row["minutes"] for row in sheet["codes"]] == [15, 15, 30], "of the one who chose 45"
    used = use_passcode(account=teen, code=seen[0].code, at=timezone.now())
    assert used.allowed == 45


def test_a_fifth_guardian_does_not_learn_how_many_there_are(
    teen: Account, homes: list[Pairing]
) -> None:
    for name in ("third", "fourth"):
        pair(make_account(name, 50), teen)
    code, _ = create_invitation(maker=teen, side=Side.TEEN)
    with pytest.raises(CodeRefused):
        accept_invitation(account=make_account("fifth", 50), typed=code)


def test_both_say_so_on_their_pages(
    teen: Account, heron: Account, egret: Account, configure: Configure
) -> None:
    configure(policy_key="00" * 32)
    pairings = [pair(heron, teen), pair(egret, teen)]
    hers, his = visitor(teen), visitor(heron)
    assert hers.post("/family/homes", {"word": "near"}).status_code == 422
    assert hers.post("/family/homes", {"word": "apart"}).status_code == 302
    page = hers.get("/family").content.decode()
    assert "Whom do you ask?" in page
    assert "Your homes are apart" in page
    assert all(fresh(pairing).apart for pairing in pairings)
    where = f"/family/teens/{pairings[0].pk}"
    assert "You keep your home apart" not in his.get(where).content.decode(), "the teen's word"
    assert his.post(f"{where}/homes", {"word": "apart"}).status_code == 302
    assert "You keep your home apart" in his.get(where).content.decode()
    assert his.post(f"/family/teens/{pairings[1].pk}/homes", {"word": "apart"}).status_code == 403
