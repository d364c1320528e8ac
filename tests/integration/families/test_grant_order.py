"""A grant never passes another guardian's standing choice, and everybody hears what it changes."""

import itertools
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinward.experience.live import decide_all, live, load_states
from kinward.families.asks import answers, requests
from kinward.families.errors import AskClosed, PasscodeRefused
from kinward.families.models import Ask, AskState, ExtraMinutes, Pairing
from kinward.families.pairing import ending
from kinward.families.screen_time import passcodes
from kinward.families.screen_time.usage import screen_time
from kinward.families.settings import choices
from kinward.ground.errors import KinwardError
from kinward.people.models import Account
from kinward.policy import Decision, Request, ids_of
from tests.integration.conftest import Configure
from tests.integration.portal.test_pages import visiting
from tests.support.deep import TIMES
from tests.support.families import make_account, pair, told

pytestmark = pytest.mark.django_db

TIME = "session.time"
MONTH = timedelta(days=30)


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decide without the caches, which hear of a change when it commits."""
    lasting = live()

    def decide(questions: Sequence[Request]) -> list[Decision]:
        return decide_all(lasting.in_force(), questions, load_states(ids_of(questions)))

    monkeypatch.setattr(lasting, "decide", decide)


@pytest.fixture
def teen(db: None) -> Account:
    return make_account("sam", 14)


@pytest.fixture
def ma(teen: Account) -> Account:
    return paired("ma", teen)


@pytest.fixture
def pa(teen: Account) -> Account:
    return paired("pa", teen)


def paired(name: str, teen: Account) -> Account:
    guardian = make_account(name, 41)
    pair(guardian, teen)
    return guardian


def choose(guardian: Account, value: Any, capability: str = TIME, teen_id: str = "sam") -> None:
    choices.choose_setting(guardian=guardian, teen_id=teen_id, capability=capability, value=value)


def ask_for(teen: Account, **what: Any) -> Ask:
    capability = what.pop("capability", TIME)
    return requests.ask_guardians(teen=teen, capability=capability, **({"reason": ""} | what))


def say(guardian: Account, ask: Ask, said: Any, for_: timedelta | None = None, **more: Any) -> Ask:
    until = None if for_ is None else timezone.now() + for_
    return answers.answer_ask(guardian=guardian, ask_id=ask.pk, said=said, until=until, **more)


def allowed(teen: Account) -> int | None:
    return screen_time(teen, timezone.now()).allowed


# ---- values


def test_a_yes_for_a_month_waits_for_the_guardian_whose_limit_it_exceeds(
    teen: Account, ma: Account, pa: Account
) -> None:
    choose(ma, 30)
    ask = ask_for(teen, value="unlimited")
    assert say(pa, ask, "yes", MONTH).state == AskState.OPEN
    assert allowed(teen) == 30
    assert told(ma)[0] == (
        "Another guardian of Sam said yes: Time per day: no limit. It needs your yes as well. "
        "Until then this applies: Time per day: 30 minutes."
    )
    assert told(teen)[0].startswith("Pa said yes, and it waits for another guardian's yes:")
    assert say(ma, ask, "yes", timedelta(days=7)).state == AskState.GRANTED
    assert allowed(teen) is None
    granted = Ask.objects.get(pk=ask.pk)
    assert granted.until is not None  # the first of the two ends
    assert granted.until < timezone.now() + timedelta(days=8)
    assert told(pa)[0] == (
        "Another guardian of Sam said yes: Time per day: no limit. "
        "What applies now: Time per day: no limit."
    )


def test_what_exceeds_nobody_s_choice_needs_one_yes_and_both_hear_of_it(
    teen: Account, ma: Account, pa: Account
) -> None:
    choose(ma, 120)
    choose(pa, 30)
    say(pa, ask_for(teen, value=90), "yes", MONTH)
    assert allowed(teen) == 90
    assert told(ma)[0] == (
        "Another guardian of Sam said yes: Time per day: 90 minutes. "
        "What applies now: Time per day: 90 minutes."
    )


def test_a_choice_that_is_made_later_bounds_the_grant(
    teen: Account, ma: Account, pa: Account
) -> None:
    say(pa, ask_for(teen, value="unlimited"), "yes", MONTH)
    assert allowed(teen) is None
    choose(ma, 30)
    assert allowed(teen) == 30
    choose(ma, (30,) * 5 + (90, 90))
    value = load_states(["sam"])["sam"].guardian[TIME]
    assert value == (30,) * 5 + (90, 90)
    choose(ma, None)
    assert allowed(teen) is None  # what was granted was never ended
    choose(pa, 45)  # a newer word of the guardian who granted it
    assert allowed(teen) == 45


def test_the_choice_of_a_guardian_who_joins_later_bounds_the_grant(
    teen: Account, pa: Account
) -> None:
    say(pa, ask_for(teen, value="unlimited"), "yes", MONTH)
    ma = paired("ma", teen)
    assert allowed(teen) is None
    choose(ma, 30)
    assert allowed(teen) == 30
    ending.end_pairing(account=ma, pairing_id=Pairing.objects.get(guardian=ma).pk)
    assert allowed(teen) is None


def test_a_yes_without_an_end_waits_too_and_then_both_have_chosen(
    teen: Account, ma: Account, pa: Account
) -> None:
    choose(ma, 30)
    ask = ask_for(teen, value=120)
    say(pa, ask, "yes")
    assert allowed(teen) == 30
    say(ma, ask, "yes")
    assert allowed(teen) == 120
    assert Ask.objects.get(pk=ask.pk).until is None
    choose(pa, 60)
    assert allowed(teen) == 60


def test_a_yes_that_ran_out_while_it_waited_counts_no_longer(
    teen: Account, ma: Account, pa: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(ma, 30)
    choose(pa, 30)
    ask = ask_for(teen, value=120)
    say(pa, ask, "yes", timedelta(hours=1))
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert say(ma, ask, "yes", MONTH).state == AskState.OPEN
    assert allowed(teen) == 30


def test_after_one_reversal_the_same_ask_needs_both(
    teen: Account, ma: Account, pa: Account
) -> None:
    first = ask_for(teen, value="unlimited")
    say(pa, first, "yes", MONTH)
    assert allowed(teen) is None
    say(ma, first, "no")
    assert allowed(teen) == 60
    assert told(pa)[0] == (
        "Another guardian of Sam ended this: Time per day: no limit. "
        "What applies now: Time per day: 60 minutes."
    )
    for value, until in (("unlimited", MONTH), (600, MONTH), (600, None)):
        again = ask_for(teen, value=value)
        assert say(pa, again, "yes", until).state == AskState.OPEN
        assert allowed(teen) == 60
        assert "It needs your yes as well." in told(ma)[0]
    say(ma, again, "yes", MONTH)
    assert allowed(teen) == 600
    # What nobody disagreed about needs one yes, as before.
    say(pa, ask_for(teen, capability="comment.receive", value="followers"), "yes")
    assert load_states(["sam"])["sam"].guardian["comment.receive"] == "followers"


@pytest.mark.parametrize("order", list(itertools.permutations(("ma yes", "pa yes", "kin no"))))
def test_two_yeses_and_a_no_in_any_order(
    teen: Account, ma: Account, pa: Account, order: tuple[str, ...]
) -> None:
    """The no wins wherever it comes: it refuses an open ask and takes a granted one back."""
    kin = paired("kin", teen)
    who = {"ma": ma, "pa": pa, "kin": kin}
    choose(ma, 30)
    ask = ask_for(teen, value="unlimited")
    for each in order:
        name, said = each.split()
        try:
            say(who[name], ask, said, MONTH)
        except AskClosed:
            assert said == "yes"
    assert allowed(teen) == 30
    assert Ask.objects.get(pk=ask.pk).state == AskState.REFUSED


@pytest.mark.django_db(transaction=True)
def test_two_yeses_and_a_no_at_once(teen: Account, ma: Account, pa: Account) -> None:
    kin = paired("kin", teen)
    choose(ma, 30)
    ask = ask_for(teen, value="unlimited")
    ready = threading.Barrier(3)
    wrong: list[BaseException] = []

    def answer(guardian: Account, said: str) -> None:
        try:
            ready.wait(60)
            say(guardian, ask, said, MONTH)
        except AskClosed:
            pass
        except BaseException as error:
            wrong.append(error)
        finally:
            close_old_connections()

    said = ((ma, "yes"), (pa, "yes"), (kin, "no"))
    threads = [threading.Thread(target=answer, args=each) for each in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert allowed(teen) == 30
    assert Ask.objects.get(pk=ask.pk).state == AskState.REFUSED


# ---- minutes


def test_three_times_an_hour_do_not_walk_past_the_other_s_limit(
    teen: Account, ma: Account, pa: Account
) -> None:
    choose(ma, 30)
    asks = [ask_for(teen, minutes=60) for _ in range(3)]
    for ask in asks:
        say(pa, ask, "yes")
    assert allowed(teen) == 30
    say(ma, asks[0], "yes")
    assert allowed(teen) == 90
    choose(ma, 15)
    assert allowed(teen) == 75  # the hour to which both agreed, and her newer limit
    ending.end_pairing(account=ma, pairing_id=Pairing.objects.get(guardian=ma).pk)
    assert allowed(teen) == 60  # what she granted last has ended with the pairing


def test_a_limit_that_is_lowered_later_bounds_the_extra_minutes(
    teen: Account, ma: Account, pa: Account
) -> None:
    say(pa, ask_for(teen, minutes=60), "yes")
    assert allowed(teen) == 120
    choose(ma, 30)
    time = screen_time(teen, timezone.now())
    assert (time.allowed, time.extra) == (30, 0)


@settings(
    max_examples=8 * TIMES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    moves=st.lists(
        st.one_of(
            st.tuples(st.just("choose"), st.integers(0, 1), st.sampled_from((15, 45, 120, None))),
            st.tuples(st.just("ask"), st.integers(0, 4), st.sampled_from((15, 60, 120))),
            st.tuples(st.sampled_from(("yes", "yes", "no")), st.integers(0, 1), st.integers(0, 4)),
        ),
        min_size=8,
        max_size=16,
    )
)
def test_minutes_never_exceed_a_choice_by_more_than_its_guardian_agreed_to(
    moves: list[tuple[str, int, Any]], db: None
) -> None:
    family = Account.objects.count()
    someone = make_account(f"teen-{family}", 14)
    guardians = [paired(f"{name}-{family}", someone) for name in ("ma", "pa")]
    asks: list[Ask] = []
    standing: dict[int, int] = {}
    agreed: dict[tuple[int, int], str] = {}
    for what, who, value in moves:
        try:
            if what == "choose":
                choose(guardians[who], value, teen_id=someone.platform_id)
                standing.pop(who, None)
                standing |= {} if value is None else {who: value}
            elif what == "ask":
                asks.append(ask_for(someone, minutes=value))
            elif asks:
                number = value % len(asks)
                say(guardians[who], asks[number], what)
                agreed[who, number] = what
        except KinwardError:
            continue
        limit = allowed(someone)
        assert limit is not None
        for name, chosen in standing.items():
            yeses = [ask for number, ask in enumerate(asks) if agreed.get((name, number)) == "yes"]
            assert limit <= chosen + sum(ask.minutes or 0 for ask in yeses)


# ---- pass-codes


def test_a_pass_code_gives_no_more_than_the_other_guardian_allows(
    teen: Account, ma: Account, pa: Account, configure: Configure
) -> None:
    configure(policy_key="11" * 32)
    codes = passcodes.show_passcodes(guardian=pa, teen_id="sam")
    assert [code.minutes for code in codes] == [15, 15, 30]
    choose(ma, 75)
    for code in codes:
        passcodes.use_passcode(account=teen, code=code.code, at=timezone.now())
    assert allowed(teen) == 75
    choose(ma, 30)
    assert allowed(teen) == 30


def test_codes_that_would_exceed_another_s_choice_are_not_shown_and_not_on_the_sheet(
    teen: Account, ma: Account, pa: Account, configure: Configure
) -> None:
    configure(policy_key="11" * 32)
    choose(ma, 80)
    choose(pa, 60)
    assert [each.minutes for each in passcodes.show_passcodes(guardian=pa, teen_id="sam")] == [15]
    assert [each.minutes for each in passcodes.show_passcodes(guardian=ma, teen_id="sam")] == []


def test_a_pass_code_is_its_guardian_s_and_ends_with_the_pairing(
    teen: Account, ma: Account, pa: Account, configure: Configure
) -> None:
    configure(policy_key="11" * 32)
    known = passcodes.show_passcodes(guardian=pa, teen_id="sam")
    others = passcodes.show_passcodes(guardian=ma, teen_id="sam")
    assert not {code.code for code in known} & {code.code for code in others}
    passcodes.use_passcode(account=teen, code=known[0].code, at=timezone.now())
    assert allowed(teen) == 75
    with pytest.raises(PasscodeRefused):  # a number gives its minutes once
        passcodes.use_passcode(account=teen, code=others[0].code, at=timezone.now())
    ending.end_pairing(account=pa, pairing_id=Pairing.objects.get(guardian=pa).pk)
    assert allowed(teen) == 60
    with pytest.raises(PasscodeRefused):
        passcodes.use_passcode(account=teen, code=known[1].code, at=timezone.now())
    passcodes.use_passcode(account=teen, code=others[1].code, at=timezone.now())
    assert ExtraMinutes.objects.filter(account=teen).count() == 2
    assert told(ma)[0] == "A pass-code gave Sam 15 more minutes today."


# ---- words, and whom they are for


def page(guardian: Account, teen: Account) -> str:
    pairing = Pairing.objects.get(guardian=guardian, teen=teen)
    return visiting(guardian).get(f"/family/teens/{pairing.pk}").content.decode()


def test_a_reason_and_a_note_are_read_only_by_whom_they_are_for(
    teen: Account, ma: Account, pa: Account
) -> None:
    pas = Pairing.objects.get(guardian=pa).pk
    ask = ask_for(teen, minutes=30, reason="grumble about ma", readers=[pas])
    say(pa, ask, "yes", note="a word for sam")
    assert "grumble about ma" in page(pa, teen)
    assert "a word for sam" in page(pa, teen)
    mas = page(ma, teen)
    assert "grumble" not in mas
    assert "a word for sam" not in mas
    assert "Pa:" not in mas
    assert "another guardian:" in mas
    own = visiting(teen).get("/family").content.decode()
    assert "grumble about ma" in own
    assert "a word for sam" in own
    assert "Read by Pa" in own


def test_a_reason_for_nobody_in_particular_is_read_by_the_only_guardian_or_by_none_of_several(
    teen: Account, ma: Account
) -> None:
    alone = ask_for(teen, minutes=15, reason="first words")
    assert "first words" in page(ma, teen)
    pa = paired("pa", teen)
    ask_for(teen, minutes=15, reason="second words")
    for guardian in (ma, pa):
        assert "second words" not in page(guardian, teen)
    assert "first words" not in page(pa, teen)
    assert "Only you can read this." in visiting(teen).get("/family").content.decode()
    assert alone.readers.count() == 1


def test_the_form_asks_who_may_read_the_reason(teen: Account, ma: Account, pa: Account) -> None:
    browser = visiting(teen)
    assert "Who may read the reason?" in browser.get("/family").content.decode()
    mas = str(Pairing.objects.get(guardian=ma).pk)
    sent = {"minutes": "15", "reason": "why not"}
    for reader, names in (("", set()), ("all", {"ma", "pa"}), (mas, {"ma"}), ("x", set())):
        browser.post("/family/asks", sent | {"reader": reader})
        ask = Ask.objects.latest("made_at")
        found = set(ask.readers.values_list("guardian__platform_id", flat=True))
        assert found == names


def test_a_suggestion_and_the_answer_to_it_are_between_two(
    teen: Account, ma: Account, pa: Account
) -> None:
    proposal = requests.propose_setting(
        guardian=ma, teen_id="sam", capability=TIME, reason="because of pa", value=45
    )
    answers.answer_proposal(teen=teen, ask_id=proposal.pk, said="no", note="not from you")
    assert "because of pa" in page(ma, teen)
    assert "not from you" in page(ma, teen)
    pas = page(pa, teen)
    assert "because of pa" not in pas
    assert "not from you" not in pas
    assert "suggested by another guardian" in pas
