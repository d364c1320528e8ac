"""Settings of a family: whose choice it is, which words are left out, and what a page offers."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.experience.models import Layer, Setting
from kinward.experience.settings import make_setting
from kinward.families.asks import answers, requests
from kinward.families.errors import PortalClosed
from kinward.families.models import (
    Ask,
    AskState,
    Choice,
    Keyword,
    Pairing,
)
from kinward.families.settings import choices, keywords, settlement
from kinward.families.visits import sessions
from kinward.families.visits.page import Row, groups_for
from kinward.ground.errors import Invalid
from kinward.ledger.models import Entry
from kinward.people.locks import lock_account
from kinward.people.models import Account
from tests.support.families import choose_minutes, make_account, pair, told_of

pytestmark = pytest.mark.django_db

TIME = "session.time"
SYSTEM = Actor.system("test")


# ---- settings


def test_what_a_person_set_for_themselves_is_theirs_lasts_and_is_the_newest(
    teen: Account, other: tuple[Account, Account]
) -> None:
    def own() -> dict[str, object]:
        return {name: setting.value for name, setting in choices.own_settings(teen).items()}

    for value in ("deny", "allow"):
        choices.choose_for_self(account=teen, capability="live.watch", value=value)
    choices.choose_for_self(account=teen, capability="comment.send", value="mutuals")
    choices.choose_for_self(account=other[1], capability="comment.send", value="nobody")
    make_setting(account=teen, layer=Layer.GUARDIAN, capability=TIME, value=45, actor=SYSTEM)
    Setting.objects.create(
        account=teen,
        layer=Layer.SELF,
        capability="comment.receive",
        value="nobody",
        until=timezone.now() + timedelta(hours=1),
    )
    assert own() == {"live.watch": "allow", "comment.send": "mutuals"}
    choices.choose_for_self(account=teen, capability="comment.send", value=None)
    assert own() == {"live.watch": "allow"}


def test_a_word_to_leave_out_has_bounds_and_is_told_and_recorded(
    teen: Account, heron: Account, other: tuple[Account, Account]
) -> None:
    pair(heron, teen)
    Keyword.objects.create(teen=other[1], word="sea wall")  # another teen's, which counts for none
    by_guardian: dict[str, Any] = {"teen_id": "sandpiper", "guardian": heron, "account": heron}
    by_teen: dict[str, Any] = {"teen_id": "sandpiper", "guardian": None, "account": teen}
    for word in ("", " \t ", "x" * 41, "a\x07b"):
        with pytest.raises(Invalid, match="1 to 40 characters"):
            keywords.add_keyword(word=word, **by_teen)
    keywords.add_keyword(word=" Sea  Wall ", **by_guardian)
    keywords.add_keyword(word="sea wall", **by_teen)  # it is there already
    keywords.add_keyword(word="x" * 40, **by_teen)
    assert [keyword.word for keyword in keywords.keywords_of(teen)] == ["sea wall", "x" * 40]
    entries = Entry.objects.filter(kind="keyword.added").order_by("seq")
    assert [(entry.actor, entry.subject) for entry in entries] == [
        ("account:heron", "account:sandpiper"),
        ("account:sandpiper", "account:sandpiper"),
    ]
    assert told_of(teen).count("keyword") == 1, "of what somebody else did"
    first, second = keywords.keywords_of(teen)
    keywords.remove_keyword(keyword_id=first.pk, **by_teen)  # a guardian's
    assert len(keywords.keywords_of(teen)) == 2
    for keyword in (first, second, second):
        keywords.remove_keyword(keyword_id=keyword.pk, **by_guardian)
    assert keywords.keywords_of(teen) == []
    assert Entry.objects.filter(kind="keyword.removed").count() == 2
    Keyword.objects.bulk_create([Keyword(teen=teen, word=f"word {n}") for n in range(49)])
    keywords.add_keyword(word="the fiftieth", **by_teen)
    with pytest.raises(Invalid, match="50 words already"):
        keywords.add_keyword(word="one more", **by_teen)


def test_when_a_teen_grows_up_the_choices_and_grants_of_no_other_family_end(
    teen: Account, heron: Account, other: tuple[Account, Account]
) -> None:
    egret, plover = other
    pair(heron, teen)
    choose_minutes(heron, teen, 45)
    choose_minutes(heron, teen, 60)
    choose_minutes(egret, plover, 60)
    asks = {}
    for guardian, account in ((heron, teen), (egret, plover)):
        asks[account.pk] = ask = requests.ask_guardians(
            teen=account, capability=TIME, reason="", value=90
        )
        until = timezone.now() + timedelta(hours=2)
        answers.answer_ask(guardian=guardian, ask_id=ask.id, said="yes", until=until)
    taken_back = requests.ask_guardians(teen=teen, capability=TIME, reason="", value=100)
    until = timezone.now() + timedelta(hours=2)
    for said in ("yes", "no"):
        extra: dict[str, Any] = {"until": until} if said == "yes" else {}
        answers.answer_ask(guardian=heron, ask_id=taken_back.id, said=said, **extra)
    waiting = requests.ask_guardians(teen=teen, capability=TIME, reason="", value=110)
    now = timezone.now()
    lasting = Ask.objects.create(
        teen=teen, capability=TIME, value=60, state="granted", day=now.date(), lapses_at=now
    )
    settlement.end_choices(lock_account(teen.pk), [TIME], "grown up")
    states = dict(Ask.objects.values_list("pk", "state"))
    assert states[asks[teen.pk].pk] == AskState.ENDED
    assert states[asks[plover.pk].pk] == AskState.GRANTED
    assert states[taken_back.pk] == AskState.REFUSED, "what was taken back stays so"
    assert states[waiting.pk] == AskState.OPEN
    assert states[lasting.pk] == AskState.GRANTED, "its choice has ended, and the answer was yes"
    assert Choice.objects.get(ended_at=None).pairing.teen == plover
    ended = Choice.objects.exclude(ended_at=None).order_by("made_at")
    assert [(choice.value, choice.ended_why) for choice in ended] == [
        (45, "replaced"),
        (60, "grown up"),
    ]


# ---- the page


def rows(teen: Account, reader: Account, pairing: Pairing | None) -> dict[str, Row]:
    groups = groups_for(teen, reader=reader, pairing=pairing)
    return {row.capability: row for group in groups for row in group.rows}


def test_each_guardian_sees_their_own_choice_as_theirs(teen: Account, heron: Account) -> None:
    ibis = make_account("ibis", 39)
    pairings = {heron.pk: pair(heron, teen), ibis.pk: pair(ibis, teen)}
    choose_minutes(heron, teen, 60)
    assert rows(teen, heron, pairings[heron.pk])[TIME].mine
    assert not rows(teen, ibis, pairings[ibis.pk])[TIME].mine
    choose_minutes(ibis, teen, 90)
    for guardian, minutes in ((heron, 60), (ibis, 90)):
        row = rows(teen, guardian, pairings[guardian.pk])[TIME]
        assert (row.mine, row.week) == (True, [minutes] * 7)
    assert not rows(teen, teen, None)[TIME].mine


def test_a_teen_may_ask_for_what_a_guardian_may_loosen_and_for_nothing_else(
    teen: Account, heron: Account
) -> None:
    pairing = pair(heron, teen)
    own, theirs = rows(teen, teen, None), rows(teen, heron, pairing)
    asked = {name for name, row in own.items() if row.asks}
    assert TIME in asked
    assert not [name for name, row in theirs.items() if row.asks], "a guardian sets it"
    for name in asked:
        _, bounds = choices.bounds_for(teen, name)
        assert bounds.guardian_moves, name
    fixed = [name for name in own if not choices.bounds_for(teen, name)[1].guardian_moves]
    assert fixed, "otherwise this shows nothing"
    assert not asked & set(fixed)


def test_a_visit_that_was_left_is_over_and_another_goes_on(teen: Account) -> None:
    keys = []
    for _ in range(2):
        start: dict[str, Any] = {"account_id": "sandpiper", "start": sessions.Start()}
        secret, _session = sessions.open_portal(actor=Actor.key("test"), **start)
        keys.append(sessions.enter_portal(secret, None)[0])
    sessions.leave_portal(sessions.current_visit(keys[0]))
    with pytest.raises(PortalClosed):
        sessions.current_visit(keys[0])
    assert sessions.current_visit(keys[1]).account == teen
