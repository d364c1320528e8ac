"""Consent for a significant change of the app: what is open while it is asked, given or refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.purposes import scopes_of
from kinward.access.services import create_key
from kinward.cli.doctor.rules import check_age_signals, check_app_store
from kinward.experience.live import live
from kinward.experience.population import stored_people
from kinward.families.models import Notice
from kinward.families.notices import notice_sentence
from kinward.ledger.models import Entry
from kinward.people.models import Account, Consent, UnreadSignal
from kinward.people.services import AgeSignal, Profile, put_account
from kinward.policy import About, Request, load_pack
from kinward.policy.simulate import simulate_change
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller, problem
from tests.support.families import make_account
from tests.support.helpers import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/v1/accounts/wren/consent"
CHANGE = f"{PATH}/change"
ASKED = {"question": "q1", "apple": {"result": "askToApprove", "didSend": True}}
GIVEN = {"question": "q1", "apple": {"answer": "approval"}}
REFUSED = {"question": "q1", "apple": {"answer": "denial"}}
SHARED = {"ageSignalsStatus": "SHARED", "ageRangeSource": "TIER_B", "ageLower": 13, "ageUpper": 15}


def code(capability: str = "live.watch", name: str = "wren", target: str | None = None) -> str:
    """The first reason of a decision, from this process's caches."""
    other = None if target is None else About(id=target)
    request = Request(capability=capability, actor=About(id=name), target=other)
    (decision,) = live().decide([request])
    return decision.reasons[0].code


def google(status: str, approved_on: str | None = None) -> Account:
    """Let the platform pass on an answer of Play Age Signals."""
    answer = SHARED | {"significantChangeStatus": status}
    if approved_on:
        answer["significantChangeApprovalDate"] = approved_on
    signal = AgeSignal(google_play=answer)
    return put_account(platform_id="wren", profile=Profile(age_signal=signal))[0]


def test_what_a_change_brings_waits_for_the_guardian(
    call: Caller, teen: Account, configure: Configure
) -> None:
    make_account("tern", 15)
    configure(change_brings="live.watch, dm.send")
    before = {name: code(name) for name in ("live.watch", "dm.send", "feed.endless")}
    answer = call("PUT", CHANGE, json=ASKED).json()
    assert (answer["withdrawn"], answer["change"]) == (False, "asked")
    (word,) = answer["words"]
    assert (word["source"], word["change"], word["question"]) == ("apple", "asked", "q1")
    assert code("live.watch") == code("dm.send") == "consent.asked"
    assert code("dm.send", "tern", target="wren") == "target.closed"
    assert code("feed.endless") == before["feed.endless"]
    assert call("PUT", CHANGE, json=ASKED).json() == answer  # once more: the same question
    assert call("PUT", CHANGE, json=REFUSED).json()["change"] == "refused"
    assert code("live.watch") == "consent.refused"
    assert code("feed.endless") == before["feed.endless"]
    problem(call("PUT", CHANGE, json=GIVEN), 409, "consent.unanswered")  # a new question is needed
    call("PUT", CHANGE, json=ASKED | {"question": "q2"})
    problem(call("PUT", CHANGE, json=GIVEN), 409, "consent.unanswered")  # the earlier question's
    assert call("PUT", CHANGE, json=GIVEN | {"question": "q2"}).json()["change"] is None
    assert {name: code(name) for name in before} == before
    # A late copy of the question does not close what its answer opened.
    assert call("PUT", CHANGE, json=ASKED | {"question": "q2"}).json()["change"] is None
    entries = Entry.objects.filter(kind="consent.change").order_by("seq")
    assert [(entry.data["state"], entry.data["question"]) for entry in entries] == [
        *(("asked", "q1"), ("refused", "q1"), ("asked", "q2"), ("given", "q2"))
    ]
    assert {entry.actor for entry in entries} == {"key:app"}


@pytest.mark.parametrize("brings", ["", "live.wach"])
def test_a_change_of_which_nobody_says_what_it_brings_closes_all(
    call: Caller, teen: Account, configure: Configure, brings: str
) -> None:
    configure(change_brings=brings)
    call("PUT", CHANGE, json=ASKED)
    decisions = call("GET", "/v1/accounts/wren/experience").json()["decisions"]
    assert {decision["reasons"][0]["code"] for decision in decisions.values()} == {"consent.asked"}
    assert {decision["effect"] for decision in decisions.values()} == {"deny"}
    if brings:
        assert "live.wach" in check_app_store().text
        assert check_app_store().level == "warning"


def test_the_doctor_says_when_nobody_named_what_a_change_brings(
    call: Caller, teen: Account, configure: Configure
) -> None:
    assert check_app_store().level == "ok"
    call("PUT", CHANGE, json=ASKED)
    assert "KINWARD_CHANGE_BRINGS" in check_app_store().text
    configure(change_brings="live.watch")
    assert check_app_store().level == "ok"


@pytest.mark.parametrize("end", [GIVEN, REFUSED])
def test_an_earlier_question_and_its_answer_sent_again_open_nothing(
    call: Caller, teen: Account, end: dict[str, Any]
) -> None:
    call("PUT", CHANGE, json=ASKED)
    call("PUT", CHANGE, json=end)
    call("PUT", CHANGE, json=ASKED | {"question": "q2"})
    again = call("PUT", CHANGE, json=ASKED).json()
    assert [(word["question"], word["change"]) for word in again["words"]] == [("q2", "asked")]
    problem(call("PUT", CHANGE, json=GIVEN), 409, "consent.unanswered")
    assert code() == "consent.asked"
    assert call("PUT", CHANGE, json=GIVEN | {"question": "q2"}).json()["change"] is None


def test_an_answer_that_is_new_to_us_leaves_the_question_open(call: Caller, teen: Account) -> None:
    call("PUT", CHANGE, json=ASKED)
    odd = {"question": "q1", "apple": {"answer": "approveForAnHour"}}
    assert call("PUT", CHANGE, json=odd).json()["change"] == "asked"
    odd = {"question": "q1", "apple": {"answer": "approval", "until": "2027"}}
    assert call("PUT", CHANGE, json=odd).json()["change"] == "asked"
    assert sorted(row.words for row in UnreadSignal.objects.filter(source="permission-kit")) == [
        *("answer=approveForAnHour", "until")
    ]
    result = check_age_signals()
    assert result.level == "warning"
    assert "permission-kit" in result.text
    assert "approveForAnHour" in result.text
    # And an answer to a question that nobody had told of.
    make_account("tern", 15)
    path = "/v1/accounts/tern/consent/change"
    assert call("PUT", path, json=odd).json()["change"] == "asked"


def test_consent_in_person_needs_no_question_before(call: Caller, teen: Account) -> None:
    here = {"question": "q1", "apple": {"result": "approveInPerson", "approved": True}}
    assert call("PUT", CHANGE, json=here).json()["change"] is None
    assert call("PUT", CHANGE, json=REFUSED).json()["change"] == "refused"
    problem(call("PUT", CHANGE, json=here), 409, "consent.unanswered")


def test_the_platform_may_have_asked_the_guardian_itself(call: Caller, teen: Account) -> None:
    for state, change in (("asked", "asked"), ("refused", "refused")):
        answer = call("PUT", CHANGE, json={"question": "own", "state": state}).json()
        assert answer["change"] == change
    words = [word["id"] for word in call("GET", PATH).json()["words"]]
    given = {"state": "given", "basis": "guardian", "answers": words}
    answer = call("PUT", PATH, json=given).json()
    assert (answer["withdrawn"], answer["change"]) == (False, None)
    assert Entry.objects.get(kind="consent.given").data["over"] == ["platform change"]


def test_withdrawn_consent_closes_more_than_a_change(
    call: Caller, teen: Account, configure: Configure
) -> None:
    configure(change_brings="live.watch")
    call("PUT", PATH, json={"state": "withdrawn"})
    call("PUT", CHANGE, json=ASKED)
    call("PUT", CHANGE, json=GIVEN)  # consent for the change does not open the app
    assert code("feed.endless") == code("live.watch") == "consent.withdrawn"
    call("PUT", CHANGE, json=ASKED | {"question": "q2"})
    words = {word["id"]: word for word in call("GET", PATH).json()["words"]}
    app = [number for number, word in words.items() if word["change"] is None]
    given = {"state": "given", "basis": "guardian", "answers": app}
    problem(call("PUT", PATH, json=given), 409, "consent.unanswered")
    given["answers"] = [number for number, word in words.items() if word["state"] == "withdrawn"]
    assert call("PUT", PATH, json=given).json()["change"] is None


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"question": "q1"},
        {"question": "", "state": "asked"},
        {"question": "x" * 65, "state": "asked"},
        {"question": "a\nb", "state": "asked"},
        {"question": "q1", "state": "approved"},
        {"question": "q1", "state": "given", "apple": {"answer": "approval"}},
        {"question": "q1", "apple": []},
        {"question": "q1", "apple": {f"field{number}": 1 for number in range(60)}},
        {"question": "q1", "state": "asked", "source": "google-play"},
    ],
)
def test_a_word_that_is_not_plain_changes_nothing(
    call: Caller, teen: Account, sent: dict[str, Any]
) -> None:
    call("PUT", CHANGE, json=ASKED)
    assert call("PUT", CHANGE, json=sent).status_code == 422
    assert call("GET", PATH).json()["change"] == "asked"


def test_only_a_key_with_the_scope_speaks_of_a_change(call: Caller, teen: Account) -> None:
    plain = Caller(create_key(name="plain", scopes=scopes_of(["gate"]), actor=Actor.system("test")))
    problem(plain("PUT", CHANGE, json=ASKED), 403, "key.scope_missing")
    problem(call("PUT", "/v1/accounts/nobody/consent/change", json=ASKED), 404, "account.unknown")
    assert not Consent.objects.exists()


def test_the_family_is_told_of_a_change(call: Caller, teen: Account, guardian: Account) -> None:
    Notice.objects.all().delete()
    sent = [ASKED, REFUSED, ASKED | {"question": "q2"}, GIVEN | {"question": "q2"}]
    for word in sent:
        call("PUT", CHANGE, json=word)
        run_jobs()
    topics = [notice.topic for notice in Notice.objects.filter(account=teen).order_by("pk")]
    assert topics == ["change.asked", "change.refused", "change.asked", "change.given"]
    theirs = Notice.objects.filter(account=guardian)
    assert theirs.count() == 4
    for notice in theirs:
        assert "Wren" in notice_sentence(notice)


def test_a_simulation_counts_nobody_whom_a_change_closes(
    call: Caller, teen: Account, configure: Configure
) -> None:
    before, after = load_pack("tiktok-2021"), load_pack("teen-accounts")
    call("PUT", CHANGE, json=ASKED)
    assert simulate_change(before.ruling, after.ruling, stored_people(before)).touched == 0
    configure(change_brings="live.watch")
    some = simulate_change(before.ruling, after.ruling, stored_people(before))
    assert some.touched == 1
    assert "live.watch" not in {change.capability for change in some.changes}


# -- Google Play's significant change is the same concept


def test_google_asks_and_approves(call: Caller, teen: Account, configure: Configure) -> None:
    configure(change_brings="live.watch")
    before = code("live.watch")
    assert google("PENDING").change_consent == "asked"
    assert code("live.watch") == "consent.asked"
    assert code("feed.endless") != "consent.asked"
    google("APPROVED")  # without a day, it may be from before
    assert code("live.watch") == "consent.asked"
    # The change may count from a day before the question. Google had named no approval until then.
    assert google("APPROVED", "2026-03-01").change_consent == ""
    assert code("live.watch") == before
    # An answer from before the approval, of another device, closes nothing.
    assert google("PENDING").change_consent == ""
    assert google("PENDING", "2026-02-01").change_consent == ""
    # A newer change. It is approved once there is a newer approval, and not by the last one.
    assert google("PENDING", "2026-03-01").change_consent == "asked"
    assert google("APPROVED", "2026-03-01").change_consent == "asked"
    assert google("DECLINED", "2026-03-01").change_consent == "refused"
    assert code("live.watch") == "consent.refused"
    # A refusal stays one while Google asks again, and the last approval does not end it.
    assert google("PENDING", "2026-03-01").change_consent == "refused"
    assert google("APPROVED", "2026-03-01").change_consent == "refused"
    later = (timezone.now() + timedelta(days=1)).date().isoformat()
    assert google("APPROVED", later).change_consent == ""
    assert code("live.watch") == before


@pytest.mark.parametrize("day", ["soon", "2099-01-01", True, ""])
def test_a_pending_change_with_an_odd_day_closes_what_it_brings(
    call: Caller, teen: Account, day: Any
) -> None:
    google("APPROVED", "2026-03-01")
    answer = SHARED | {"significantChangeStatus": "PENDING", "significantChangeApprovalDate": day}
    profile = Profile(age_signal=AgeSignal(google_play=answer))
    assert put_account(platform_id="wren", profile=profile)[0].change_consent == "asked"
    assert google("APPROVED", "2026-03-01").change_consent == "asked"
    assert google("APPROVED", "2026-03-02").change_consent == ""


def test_the_doctor_says_so_before_google_asks(
    call: Caller, teen: Account, configure: Configure
) -> None:
    google("APPROVED", "2026-03-01")
    assert check_app_store().level == "warning"
    assert "KINWARD_CHANGE_BRINGS" in check_app_store().text
    configure(change_brings="live.watch")
    assert check_app_store().level == "ok"


def test_one_store_does_not_answer_for_another(call: Caller, teen: Account) -> None:
    google("PENDING")
    call("PUT", CHANGE, json=ASKED)
    call("PUT", CHANGE, json=GIVEN)
    assert code() == "consent.asked"
    google("APPROVED", "2026-03-01")
    assert code() != "consent.asked"


def test_what_google_denied_before_stays_closed_and_can_be_approved(
    call: Caller, teen: Account
) -> None:
    """An upgrade: until now, Google's denials were kept as withdrawn consent for the app."""
    tern = make_account("tern", 15)
    call_command("migrate", "people", "0005", verbosity=0)
    try:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE people_account SET consent_withdrawn = true")
            cursor.executemany(
                "INSERT INTO people_consent (account_id, source, withdrawn, word, since) "
                "VALUES (%s, %s, true, gen_random_uuid(), now())",
                [(teen.pk, "google-play"), (tern.pk, "google-play"), (tern.pk, "apple")],
            )
    finally:
        call_command("migrate", verbosity=0)  # every room: others lean on people
    accounts = Account.objects.order_by("pk").values_list("consent_withdrawn", "change_consent")
    assert list(accounts) == [(False, "refused"), (True, "refused")]
    decisions = call("GET", "/v1/accounts/wren/experience").json()["decisions"]
    assert {decision["effect"] for decision in decisions.values()} == {"deny"}
    later = (timezone.now() + timedelta(days=1)).date().isoformat()
    assert google("APPROVED", later).change_consent == ""
