"""Consent as a state of the account: who may withdraw it, who may give it, and what follows."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinward.access.actor import Actor
from kinward.access.purposes import scopes_of
from kinward.access.services import create_key
from kinward.experience.live import decide_all, live
from kinward.experience.population import stored_people
from kinward.experience.settings import decide_as_it_stands, decide_everything
from kinward.families.asks import answers, requests
from kinward.families.models import Notice
from kinward.families.notices import notice_sentence
from kinward.ledger.models import Entry
from kinward.people.consent import CONSENT_CHANGED, give_consent, withdraw_consent
from kinward.people.locks import lock_account
from kinward.people.models import Account, Consent, ConsentSource
from kinward.people.services import AgeSignal, Profile, put_account
from kinward.policy import About, Person, Request, load_pack
from kinward.policy.simulate import simulate_change
from tests.integration.gate.test_gate import Caller, problem
from tests.support.families import make_account, pair
from tests.support.helpers import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/v1/accounts/wren/consent"
APP = Actor.key("app")
DENIED = {"userStatus": "SUPERVISED_APPROVAL_DENIED", "ageLower": 13, "ageUpper": 15}


def words(call: Caller) -> dict[str, dict[str, Any]]:
    return {word["source"]: word for word in call("GET", PATH).json()["words"]}


def google(answer: dict[str, Any] | None = None, name: str = "wren", **more: Any) -> Account:
    """Let the platform pass on an answer of Play Age Signals."""
    sent = {"ageLower": 13, "ageUpper": 15, **(answer or {}), **more}
    signal = AgeSignal(google_play=sent)
    return put_account(platform_id=name, profile=Profile(age_signal=signal))[0]


def is_closed(name: str = "wren") -> bool:
    """By the decision of this process, from its caches."""
    request = Request(capability="feed.endless", actor=About(id=name))
    (decision,) = live().decide([request])
    return decision.reasons[0].code in {"consent.withdrawn", "consent.asked", "consent.refused"}


def test_the_platform_withdraws_and_gives(call: Caller, teen: Account) -> None:
    assert call("GET", PATH).json() == {
        "account_id": "wren",
        "withdrawn": False,
        "change": None,
        "words": [],
    }
    before = call("GET", "/v1/accounts/wren/experience").json()["decisions"]
    answer = call("PUT", PATH, json={"state": "withdrawn"}).json()
    assert answer["withdrawn"]
    (word,) = answer["words"]
    assert (word["source"], word["state"]) == ("platform", "withdrawn")
    decisions = call("GET", "/v1/accounts/wren/experience").json()["decisions"]
    assert {decision["effect"] for decision in decisions.values()} == {"deny"}
    assert {decision["reasons"][0]["code"] for decision in decisions.values()} == {
        "consent.withdrawn"
    }
    # Said once more, it is the same withdrawal.
    assert call("PUT", PATH, json={"state": "withdrawn"}).json()["words"] == [word]
    given_again = {"state": "given", "basis": "guardian", "answers": [word["id"]]}
    answer = call("PUT", PATH, json=given_again).json()
    assert (answer["withdrawn"], answer["words"][0]["state"]) == (False, "given")
    assert call("GET", "/v1/accounts/wren/experience").json()["decisions"] == before
    kinds = Entry.objects.filter(kind__startswith="consent.").order_by("seq")
    assert [(entry.kind, entry.actor) for entry in kinds] == [
        ("consent.withdrawn", "key:app"),
        ("consent.given", "key:app"),
    ]
    last = kinds.last()
    assert last is not None
    assert last.data == {"source": "platform", "over": ["platform"], "basis": "guardian"}


def test_a_withdrawal_counts_after_a_wrong_clock(call: Caller, teen: Account) -> None:
    """A year ahead, consent was withdrawn and given. Then somebody set the clock."""
    now = timezone.now()
    with transaction.atomic():
        account, ahead = lock_account(teen.pk), now + timedelta(days=365)
        source = ConsentSource.PLATFORM
        withdraw_consent(account=account, source=source, at=ahead, actor=APP)
    given = {"state": "given", "basis": "guardian", "answers": [words(call)["platform"]["id"]]}
    assert call("PUT", PATH, json=given).json()["withdrawn"] is False
    assert call("PUT", PATH, json={"state": "withdrawn"}).json()["withdrawn"] is True
    assert is_closed()


def test_consent_on_every_road_to_a_decision(call: Caller, teen: Account) -> None:
    other = make_account("tern", 15)
    call("PUT", PATH, json={"state": "withdrawn"})
    pack = load_pack("teen-accounts")
    teen.refresh_from_db()
    for name in pack.capabilities:
        question = {"capability": name, "actor": {"id": "wren"}}
        at = question | {"at": "2026-11-26T12:00:00"}
        to = {"capability": name, "actor": {"id": "tern"}, "target": {"id": "wren"}}
        batch = {"questions": [question, at, to]}
        said = call("POST", "/v1/decide/batch", json=batch).json()["decisions"]
        said.append(call("POST", "/v1/decide", json=question).json())
        codes = [decision["reasons"][0]["code"] for decision in said]
        expected = ["consent.withdrawn"] * 2 + ["target.closed", "consent.withdrawn"]
        assert codes == expected, name
        assert {decision["effect"] for decision in said} == {"deny"}
    for decided in (decide_as_it_stands(teen, pack), decide_everything(teen, pack)):
        assert {decision.reasons[0].code for decision in decided.values()} == {"consent.withdrawn"}
    own = Request(capability="live.watch", actor=About(id="wren"), self_="allow", pack=pack.label)
    states = live().look_up([own]).states
    assert isinstance(states["wren"].person, Person)
    in_force = live().in_force()
    assert decide_all(in_force, [own], states)[0].effect == "deny"
    assert not is_closed(other.platform_id)


def test_a_simulation_counts_nobody_whom_every_pack_refuses(call: Caller, teen: Account) -> None:
    make_account("tern", 15)
    before, after = load_pack("tiktok-2021"), load_pack("teen-accounts")
    both = simulate_change(before.ruling, after.ruling, stored_people(before))
    assert (both.accounts, both.touched) == (2, 2)
    call("PUT", PATH, json={"state": "withdrawn"})
    one = simulate_change(before.ruling, after.ruling, stored_people(before))
    assert (one.accounts, one.touched) == (2, 1)


def test_screen_time_and_settings_open_nothing(
    call: Caller, teen: Account, guardian: Account
) -> None:
    ask = requests.ask_guardians(
        teen=teen, capability="session.time", value=None, minutes=30, reason="please"
    )
    call("PUT", PATH, json={"state": "withdrawn"})
    answers.answer_ask(guardian=guardian, ask_id=ask.id, said="yes")
    time = call("GET", "/v1/accounts/wren/screen-time").json()
    assert (time["left"], time["allowed"], time["closed"]) == (0, 0, True)
    assert "consent" in time["sentence"]
    setting = {"layer": "guardian", "value": "allow", "guardian_id": "heron"}
    decision = call("PUT", "/v1/accounts/wren/settings/live.watch", json=setting).json()
    assert decision["effect"] == "deny"


def test_the_family_is_told_each_time(call: Caller, teen: Account, guardian: Account) -> None:
    second = make_account("coot", 41, language="de")
    pair(second, teen)
    Notice.objects.all().delete()
    word = call("PUT", PATH, json={"state": "withdrawn"}).json()["words"][0]["id"]
    call("PUT", PATH, json={"state": "withdrawn"})
    run_jobs()
    told = {notice.account.platform_id: notice_sentence(notice) for notice in Notice.objects.all()}
    assert set(told) == {"wren", "heron", "coot"}
    assert "was withdrawn" in told["wren"]
    assert "Wren" in told["heron"]
    assert "zurückgezogen" in told["coot"]
    Notice.objects.all().delete()
    call("PUT", PATH, json={"state": "given", "basis": "guardian", "answers": [word]})
    run_jobs()
    assert Notice.objects.count() == 3
    assert "open again" in notice_sentence(Notice.objects.get(account=guardian))
    assert CONSENT_CHANGED.jobs == ["families.tell_consent"]


def test_a_store_is_answered_by_name_only(call: Caller, teen: Account) -> None:
    withdraw_consent(
        account=lock_account_now(teen), source=ConsentSource.APPLE, at=timezone.now(), actor=APP
    )
    call("PUT", PATH, json={"state": "withdrawn"})
    ids = {source: word["id"] for source, word in words(call).items()}
    for answers_ in ([], [ids["platform"]], [ids["apple"]], [*ids.values(), str(uuid4())]):
        sent = {"state": "given", "basis": "store", "answers": answers_}
        assert call("PUT", PATH, json=sent).json()["code"] == "consent.unanswered", answers_
        assert is_closed()
    sent = {"state": "given", "basis": "store", "answers": list(ids.values())}
    # Between reading and answering, Apple withdrew once more.
    later = timezone.now() + timedelta(seconds=1)
    withdraw_consent(
        account=lock_account_now(teen), source=ConsentSource.APPLE, at=later, actor=APP
    )
    problem(call("PUT", PATH, json=sent), 409, "consent.unanswered")
    assert is_closed()
    sent["answers"] = [word["id"] for word in words(call).values()]
    assert not call("PUT", PATH, json=sent).json()["withdrawn"]
    assert not is_closed()
    assert Entry.objects.filter(kind="consent.given").get().data["over"] == ["apple", "platform"]


def lock_account_now(account: Account) -> Any:
    """An account, for a service that locks it by itself in a test without other writers."""
    from django.db import transaction

    with transaction.atomic():
        return lock_account(account.pk)


@pytest.mark.parametrize(
    "sent",
    [
        {"state": "given"},
        {"state": "given", "basis": "trust me"},
        {"state": "given", "basis": None, "answers": []},
        {"state": "unknown", "basis": "store"},
        {"state": None},
        {},
        {"state": "given", "basis": "store", "source": "apple"},
        {"state": "given", "basis": "store", "answers": ["one"]},
        {"state": "given", "basis": "store", "answers": [str(uuid4()) for _ in range(11)]},
    ],
)
def test_a_word_that_is_not_plain_changes_nothing(
    call: Caller, teen: Account, sent: dict[str, Any]
) -> None:
    call("PUT", PATH, json={"state": "withdrawn"})
    assert call("PUT", PATH, json=sent).status_code == 422
    assert is_closed()


def test_only_a_key_with_the_scope_speaks_of_consent(call: Caller, teen: Account) -> None:
    plain = Caller(create_key(name="plain", scopes=scopes_of(["gate"]), actor=Actor.system("test")))
    for state in ("withdrawn", "given"):
        problem(plain("PUT", PATH, json={"state": state}), 403, "key.scope_missing")
    assert plain("GET", PATH).status_code == 200
    # What a profile says, or leaves out, gives nothing back.
    call("PUT", PATH, json={"state": "withdrawn"})
    for body in ({}, {"age": {"lower": 30, "upper": 31, "assurance": "verified"}}):
        plain("PUT", "/v1/accounts/wren", json=body)
        assert is_closed()
    problem(plain("PUT", "/v1/accounts/wren", json={"consent_withdrawn": False}), 422, "invalid")


def test_google_denies_and_approves(call: Caller, teen: Account) -> None:
    google(userStatus="SUPERVISED", mostRecentApprovalDate="2026-03-01")
    assert words(call)["google-play"]["state"] == "given"
    assert google(DENIED).change_consent == "refused"
    assert is_closed()
    entries = Entry.objects.filter(kind__startswith="consent.")
    google(DENIED)
    assert entries.count() == 2
    # What waits, what is missing, and an answer from before the denial open nothing.
    google(userStatus="SUPERVISED_APPROVAL_PENDING")
    google(userStatus="SUPERVISED")
    google(userStatus="SUPERVISED", mostRecentApprovalDate="2026-03-01")
    google(userStatus="VERIFIED", ageLower=None, ageUpper=None)
    google(userStatus="SUPERVISED", mostRecentApprovalDate="2099-01-01")
    google(userStatus="SUPERVISED", mostRecentApprovalDate="2030-01-01", approval="no")
    put_account(platform_id="wren", profile=Profile())
    assert is_closed()
    google(userStatus="SUPERVISED", mostRecentApprovalDate="2026-11-30")
    assert not is_closed()


def test_google_s_newer_interface_leads_to_the_same_state(call: Caller, teen: Account) -> None:
    shared = {"ageSignalsStatus": "SHARED", "ageRangeSource": "TIER_B"}
    google(shared, significantChangeStatus="DECLINED")
    assert is_closed()
    google(shared, significantChangeStatus="APPROVED")
    google(shared, significantChangeStatus="APPROVED", significantChangeApprovalDate="2020-01-01")
    assert is_closed()
    tomorrow = (timezone.now() + timedelta(days=1)).date().isoformat()
    google(shared, significantChangeStatus="APPROVED", significantChangeApprovalDate=tomorrow)
    assert not is_closed()


def test_a_new_account_that_google_denies_begins_closed(db: None) -> None:
    assert google(DENIED, "dunlin").change_consent == "refused"
    assert is_closed("dunlin")


def test_one_source_does_not_speak_for_another(call: Caller, teen: Account) -> None:
    withdraw_consent(
        account=lock_account_now(teen), source=ConsentSource.APPLE, at=timezone.now(), actor=APP
    )
    google(userStatus="SUPERVISED", mostRecentApprovalDate="2030-01-01")
    assert is_closed()
    google(DENIED)
    (apple,) = (word["id"] for source, word in words(call).items() if source == "apple")
    sent = {"state": "given", "basis": "store", "answers": [apple]}
    problem(call("PUT", PATH, json=sent), 409, "consent.unanswered")
    assert is_closed()


def test_a_stores_withdrawal_is_news_once_and_only_if_it_is_newer(teen: Account) -> None:
    account, now = lock_account_now(teen), timezone.now()

    def withdraw(source: ConsentSource, seconds: int) -> bool:
        at = now + timedelta(seconds=seconds)
        return withdraw_consent(account=account, source=source, at=at, actor=APP)

    apple, platform = ConsentSource.APPLE, ConsentSource.PLATFORM
    assert [withdraw(apple, seconds) for seconds in (0, 0, -1)] == [True, False, False]
    assert [withdraw(platform, seconds) for seconds in (0, 1)] == [True, False]
    answered = list(Consent.objects.values_list("word", flat=True))
    give_consent(account=account, answers=answered, basis="store", actor=APP)
    assert [withdraw(apple, seconds) for seconds in (-1, 0)] == [False, False], "it was answered"
    assert not is_closed()
    assert withdraw(platform, -3600), "its clock may have been wrong"
    assert is_closed()
    assert withdraw(apple, 1)
    assert Entry.objects.filter(kind="consent.withdrawn").count() == 4


answer_words = st.fixed_dictionaries(
    {},
    optional={
        "userStatus": st.sampled_from(["SUPERVISED", "VERIFIED", "DECLARED", "NEW", 1, 2, 9, None]),
        "ageSignalsStatus": st.sampled_from(["SHARED", "NOT_SHARED", "NEW", 1, None]),
        "ageRangeSource": st.sampled_from(["TIER_B", "TIER_D", "TIER_X", 2, None]),
        "significantChangeStatus": st.sampled_from(["APPROVED", "PENDING", "LATER", 1, None]),
        "significantChangeApprovalDate": st.sampled_from(["2026-03-01", "x", 7, None]),
        "mostRecentApprovalDate": st.sampled_from(["2026-03-01", "", False, None]),
        "approval": st.sampled_from(["APPROVED", True]),
    },
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(answer_words)
def test_no_answer_without_a_newer_approval_ends_a_denial(
    teen: Account, answer: dict[str, Any]
) -> None:
    if not Consent.objects.filter(account=teen, withdrawn=True).exists():
        google(DENIED | {"mostRecentApprovalDate": "2026-03-01"})
    google(answer)
    assert Account.objects.get(pk=teen.pk).change_consent == "refused"


def test_the_services_refuse_what_the_api_refuses(teen: Account) -> None:
    from kinward.people.consent import ConsentUnanswered

    account = lock_account_now(teen)
    withdraw_consent(account=account, source=ConsentSource.PLATFORM, at=timezone.now(), actor=APP)
    with pytest.raises(ConsentUnanswered):
        give_consent(account=account, answers=[], basis="adult", actor=APP)
    assert is_closed()
