"""Whose rows count in a family: this teen's and no other's, today's and none that has ended."""

import base64
import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.families.asks import answers, requests
from kinward.families.asks.wording import words_of_ask
from kinward.families.errors import AskClosed, NotPaired, PasscodeRefused
from kinward.families.models import (
    Activity,
    Answer,
    Ask,
    Choice,
    Pairing,
    TrustedAdult,
)
from kinward.families.pairing import disputes, power, trusted_adults
from kinward.families.screen_time import activity, passcodes
from kinward.families.settings import settlement
from kinward.ground.errors import Invalid, NotFound
from kinward.ledger.models import Entry
from kinward.people.locks import lock_account
from kinward.people.models import Account, Standing
from kinward.people.services import set_standing
from tests.support.families import choose_minutes, make_account, pair, told_of

pytestmark = pytest.mark.django_db

TIME = "session.time"
SYSTEM = Actor.system("test")


# ---- answers


def test_an_answer_is_a_known_word_with_a_note_and_an_end_within_bounds(
    teen: Account, heron: Account
) -> None:
    pair(heron, teen)
    ask = requests.ask_guardians(teen=teen, capability=TIME, reason="", value=90)
    now = timezone.now()
    wrong: list[dict[str, Any]] = [
        {"said": "maybe"},
        {"said": ""},
        {"said": "yes", "note": "x" * 501},
        {"said": "yes", "until": now},
        {"said": "yes", "until": now + timedelta(days=31, minutes=1)},
    ]
    for sent in wrong:
        with pytest.raises(Invalid):
            answers.answer_ask(guardian=heron, ask_id=ask.id, **sent)
    proposal = requests.propose_setting(
        guardian=heron, teen_id=teen.platform_id, capability=TIME, reason="", value=45
    )
    for sent in wrong[:3]:
        with pytest.raises(Invalid):
            answers.answer_proposal(teen=teen, ask_id=proposal.id, **sent)
    assert not Answer.objects.exists()
    until = timezone.now() + timedelta(days=31)
    answers.answer_ask(guardian=heron, ask_id=ask.id, said="yes", note="x" * 500, until=until)
    answers.answer_proposal(teen=teen, ask_id=proposal.id, said="no", note="x" * 500)
    assert Answer.objects.count() == 2


def test_a_proposal_is_answered_once_by_its_teen_while_its_guardian_has_power(
    teen: Account, heron: Account, other: tuple[Account, Account]
) -> None:
    pair(heron, teen)

    def propose() -> Ask:
        return requests.propose_setting(
            guardian=heron, teen_id=teen.platform_id, capability=TIME, reason="", value=45
        )

    refused, waiting = propose(), propose()
    answers.answer_proposal(teen=teen, ask_id=refused.id, said="no")
    with pytest.raises(AskClosed):
        answers.answer_proposal(teen=teen, ask_id=refused.id, said="yes")
    with pytest.raises(NotFound):
        answers.answer_proposal(teen=other[1], ask_id=waiting.id, said="yes")
    with pytest.raises(NotPaired):  # nor does a guardian answer it
        answers.answer_ask(guardian=heron, ask_id=waiting.id, said="yes")
    ask = requests.ask_guardians(teen=teen, capability=TIME, reason="", value=90)
    with pytest.raises(NotFound):
        answers.answer_proposal(teen=teen, ask_id=ask.id, said="yes")
    set_standing(account=lock_account(heron.pk), standing=Standing.SUSPENDED)
    with pytest.raises(AskClosed):
        answers.answer_proposal(teen=teen, ask_id=waiting.id, said="yes")
    assert not Choice.objects.exists()
    set_standing(account=lock_account(heron.pk), standing=Standing.ACTIVE)
    answers.answer_proposal(teen=teen, ask_id=waiting.id, said="talk")
    assert answers.answer_proposal(teen=teen, ask_id=waiting.id, said="yes").state == "granted"
    assert Choice.objects.get().value == 45


def test_an_ask_about_what_the_pack_has_never_heard_of_is_named_without_its_value(
    teen: Account,
) -> None:
    day = date(2026, 11, 26)
    known = Ask(teen=teen, capability=TIME, value=60, day=day)
    assert words_of_ask(known, "en").endswith(": 60 minutes")
    gone = Ask(teen=teen, capability="guild.create", value="small", day=day)
    assert words_of_ask(gone, "en") == "guild.create"
    assert words_of_ask(Ask(teen=teen, capability=TIME, minutes=15, day=day), "en").startswith("15")


# ---- pairings


def test_a_pairing_lives_until_its_end(teen: Account, heron: Account) -> None:
    pairing, now = pair(heron, teen), timezone.now()
    ends_at = now + timedelta(hours=1)
    Pairing.objects.filter(pk=pairing.pk).update(ends_at=ends_at)
    assert power.live_pairings().count() == 1
    assert power.live_pairings(ends_at - timedelta(seconds=1)).count() == 1
    assert power.live_pairings(ends_at).count() == 0
    choose_minutes(heron, teen, 60)
    assert settlement.choices_of(teen).keys() == {TIME}
    Pairing.objects.filter(pk=pairing.pk).update(ends_at=now)
    assert settlement.choices_of(teen) == {}
    Pairing.objects.filter(pk=pairing.pk).update(ends_at=None, ended_at=now)
    assert power.live_pairings(now - timedelta(days=1)).count() == 0


def test_only_a_dispute_that_lasts_can_be_settled(teen: Account, heron: Account) -> None:
    pairing = pair(heron, teen)
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(NotPaired):
        disputes.settle_pairing_dispute(pairing_id=unknown, ends=True, actor=SYSTEM)  # type: ignore[arg-type]
    settle: dict[str, Any] = {"pairing_id": pairing.pk, "actor": SYSTEM}
    with pytest.raises(Invalid):
        disputes.settle_pairing_dispute(ends=True, **settle)
    disputes.pause_disputed_pairing(teen=teen, pairing_id=pairing.pk)
    assert disputes.settle_pairing_dispute(ends=False, **settle).disputed_at is None
    with pytest.raises(Invalid):
        disputes.settle_pairing_dispute(ends=True, **settle)


def test_a_teen_removes_an_adult_they_trust_once_and_on_the_record(
    teen: Account, other: tuple[Account, Account]
) -> None:
    adult, now = make_account("gannet", 40), timezone.now()
    trusted = TrustedAdult.objects.create(teen=teen, adult=adult, confirmed_at=now)
    TrustedAdult.objects.create(teen=other[1], adult=adult, confirmed_at=now)
    called = [trusted_adults.call_trusted_now(one) for one in (other[1], teen, teen)]
    assert called == [1, 1, 0], "at most once an hour, for each teen"
    trusted_adults.remove_trusted_adult(teen=other[1], trusted_id=trusted.pk)
    trusted.refresh_from_db()
    assert trusted.ended_at is None, "somebody else's"
    for _ in range(2):
        trusted_adults.remove_trusted_adult(teen=teen, trusted_id=trusted.pk)
    trusted.refresh_from_db()
    assert trusted.ended_at is not None
    entry = Entry.objects.get(kind="trusted.ended")
    assert (entry.actor, entry.subject) == ("account:sandpiper", "account:sandpiper")
    trusted_adults.call_trusted(teen)
    assert told_of(adult).count("called") == 2, "nobody calls an adult who was removed"


# ---- time


def test_counts_add_up_over_the_days_that_are_asked_for(
    teen: Account, other: tuple[Account, Account]
) -> None:
    first = date(2026, 11, 20)
    for account, day, counts in (
        (teen, -1, {"posts": 100}),
        (teen, 0, {"posts": 2, "searches": 5}),
        (teen, 2, {"posts": 3}),
        (teen, 3, {"posts": 100}),
        (other[1], 1, {"posts": 100}),
    ):
        Activity.objects.create(account=account, day=first + timedelta(days=day), counts=counts)
    counted = activity.counts_of(teen, first, first + timedelta(days=2))
    assert counted == {"posts": 5, "searches": 5}


def test_a_pass_code_is_told_to_the_guardians_of_the_teen_who_used_it(
    teen: Account, heron: Account, other: tuple[Account, Account]
) -> None:
    pair(heron, teen)
    ibis = make_account("ibis", 39)
    pair(ibis, teen)
    code = passcodes.show_passcodes(guardian=heron, teen_id=teen.platform_id)[0]
    for _ in range(2):
        time = passcodes.use_passcode(account=teen, code=code.code, at=timezone.now())
        assert time.extra == code.minutes
    counted = [told_of(account).count("passcode") for account in (heron, ibis, teen, *other)]
    assert counted == [1, 1, 0, 0, 0]
    left = passcodes.show_passcodes(guardian=ibis, teen_id=teen.platform_id)
    assert [one.number for one in left] == [1, 2]
    assert len(passcodes.show_passcodes(guardian=other[0], teen_id="plover")) == 3
    entry = Entry.objects.get(kind="passcode.used")
    assert (entry.actor, entry.data) == ("account:sandpiper", {"minutes": code.minutes})


def test_without_a_guardian_of_ones_own_there_are_no_pass_codes(
    other: tuple[Account, Account],
) -> None:
    lonely, now = make_account("tern", 15), timezone.now()
    sheet = passcodes.passcode_sheet(lonely, now)
    assert json.loads(base64.b64decode(sheet["body"]))["codes"] == []
    theirs = Pairing.objects.get(guardian=other[0])
    code = passcodes.codes_of(theirs, now.date())[0].code
    with pytest.raises(PasscodeRefused):
        passcodes.use_passcode(account=lonely, code=code, at=now)
