"""No age and no place changes without a trace, and no weaker word makes anybody older."""

import ast
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.services import create_key
from kinward.cli.doctor import CHECKS
from kinward.enforcement.tasks import grow_up
from kinward.experience.live import live
from kinward.ground.errors import Invalid
from kinward.ground.watch import PULSE
from kinward.ledger.api import record
from kinward.ledger.models import Entry
from kinward.ledger.words import says
from kinward.people import waves
from kinward.people.ages import set_age
from kinward.people.consent import withdraw_consent
from kinward.people.locks import lock_account
from kinward.people.models import Account, Change, ChangeWave, ConsentSource
from kinward.people.services import AgeSignal, Profile, put_account
from kinward.people.waves import NoWave, end_wave, open_waves
from kinward.policy import AgeRange
from kinward.policy.ages import ASSURANCES
from kinward.policy.borders import STRENGTHS
from kinward.policy.question import Person
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in

pytestmark = pytest.mark.django_db(transaction=True)
WREN = "/v1/accounts/wren"


@pytest.fixture
def call(db: None) -> Caller:
    return Caller(create_key(name="app", purposes=["gate"], actor=Actor.system("test")))


def age(lower: int, upper: int, assurance: str = "declared", source: str = "form") -> Any:
    return {"age": {"lower": lower, "upper": upper, "assurance": assurance, "source": source}}


def put(call: Caller, body: Any, path: str = WREN) -> Any:
    answer = call("PUT", path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["age_kept"]


def stored() -> tuple[int, int, str]:
    found = Account.objects.get(platform_id="wren").age
    return found.lower, found.upper, found.assurance


def entries(kind: str) -> list[Entry]:
    return list(Entry.objects.filter(kind=kind).order_by("seq"))


def test_a_fourteen_year_old_becomes_thirty_with_a_trace(call: Caller) -> None:
    put(call, age(14, 15))
    assert entries("account.age_changed") == []
    put(call, age(30, 31))
    (entry,) = entries("account.age_changed")
    assert (entry.actor, entry.subject) == ("key:app", "account:wren")
    assert entry.data == {
        "was": [14, 15],
        "age": [30, 31],
        "source_was": "form",
        "source": "form",
        "assurance_was": "declared",
        "assurance": "declared",
        "borders": [15, 16, 17, 18, 19, 20, 21],
    }


def test_what_crosses_no_border_leaves_no_entry(call: Caller) -> None:
    for years in (34, 35, 35):
        put(call, age(years, years + 1))
    put(call, age(22, 150))
    assert entries("account.age_changed") == []


# Each road of a platform's word about age, as a body that makes wren 18 or older.
ROADS = {
    "age": age(30, 31),
    "birth_date": {"age_signal": {"birth_date": "1990-01-01"}},
    "estimate": {"age_signal": {"estimate": [30.0, 2.0]}},
    "guardian": {"age_signal": {"guardian": [18, 30]}},
    "apple": {"age_signal": {"apple": {"lowerBound": 18}}},
    "google_play": {"age_signal": {"google_play": {"userStatus": "VERIFIED"}}},
    "openid4vp": {"age_signal": {"openid4vp": {"age_over_18": True}}},
}


def test_every_road_of_the_api_is_here() -> None:
    assert set(ROADS) == {"age", *AgeSignal.__struct_fields__}


@pytest.mark.parametrize("road", ROADS)
def test_every_road_of_the_api_leaves_an_entry(call: Caller, road: str) -> None:
    put(call, age(14, 15, "none"))
    assert put(call, ROADS[road]) is None
    (entry,) = entries("account.age_changed")
    assert (entry.actor, entry.data["was"]) == ("key:app", [14, 15])
    assert entry.data["age"][0] >= 18
    assert entry.data["source"] == Account.objects.get(platform_id="wren").age_source


@pytest.mark.parametrize("road", ROADS)
def test_no_road_of_the_api_goes_round_a_verified_age(call: Caller, road: str) -> None:
    put(call, age(14, 15, "verified", "passport"))
    kept = put(call, ROADS[road])
    if road in ("google_play", "openid4vp"):  # which are verified too
        assert kept is None
        return
    assert kept == {
        "lower": 14,
        "upper": 15,
        "source": "passport",
        "assurance": "verified",
        "changes_on": None,
        "leap_day": False,
    }
    assert stored() == (14, 15, "verified")
    (entry,) = entries("account.age_kept")
    assert (entry.actor, entry.data["age"]) == ("key:app", [14, 15])
    assert entry.data["sent"][0] >= 18
    put(call, ROADS[road])  # the same again says nothing new
    assert len(entries("account.age_kept")) == 1
    assert entries("account.age_changed") == []


@pytest.mark.parametrize("known", STRENGTHS)
@pytest.mark.parametrize("sent", STRENGTHS)
def test_only_a_word_that_is_as_strong_makes_older(call: Caller, known: str, sent: str) -> None:
    put(call, age(13, 16, known))
    kept = put(call, age(15, 18, sent))
    may = STRENGTHS.index(sent) >= STRENGTHS.index(known)
    assert stored() == ((15, 18, sent) if may else (13, 16, known))
    assert (kept is None) == may
    assert len(entries("account.age_kept")) == (not may)


def test_the_strengths_are_those_that_there_are() -> None:
    assert set(STRENGTHS) == set(ASSURANCES)


def test_two_weak_words_do_no_more_than_one(call: Caller) -> None:
    put(call, age(13, 16, "guardian"))
    assert put(call, age(9, 10)) is None  # younger may always be said
    assert stored() == (9, 10, "declared")
    assert put(call, age(30, 31)) is not None
    put(call, {})  # nothing is known
    assert stored() == (0, 150, "none")
    assert put(call, age(30, 31)) is not None
    put(call, {"age_signal": {"apple": {"declined": True}}})
    assert put(call, age(30, 31)) is not None
    assert stored() == (0, 150, "none")
    put(call, age(13, 16, "guardian"))
    assert stored() == (13, 16, "guardian")


def test_what_is_given_up_is_given_up_on_the_record(call: Caller) -> None:
    put(call, age(13, 16, "guardian"))
    assert put(call, age(0, 150, "none")) is None
    assert put(call, age(15, 16)) is None
    gave_up, said = entries("account.age_changed")
    assert (gave_up.data["assurance_was"], gave_up.data["assurance"]) == ("guardian", "none")
    assert (said.data["was"], said.data["age"]) == ([0, 150], [15, 16])


def test_an_age_from_before_the_upgrade_is_as_strong_as_it_was(call: Caller) -> None:
    put(call, age(13, 16, "guardian"))
    Account.objects.update(age_strength="")
    assert put(call, age(30, 31)) is not None
    assert stored() == (13, 16, "guardian")


def test_a_birthday_is_no_change(call: Caller) -> None:
    yesterday = timezone.now().date() - timedelta(days=2)
    body = age(15, 16)
    put(
        call,
        body
        | {"age": body["age"] | {"changes_on": str(timezone.now().date() + timedelta(days=9))}},
    )
    Account.objects.update(age_changes_on=yesterday)
    grow_up(0)
    assert stored()[:2] == (16, 17)
    assert len(entries("account.grown")) == 1
    assert entries("account.age_changed") == []
    put(call, age(16, 17))  # as the platform counts it too
    assert entries("account.age_changed") == []


def test_every_place_that_changes_is_an_entry(call: Caller) -> None:
    put(call, {"jurisdiction": "DE"})
    assert entries("account.moved") == []
    for place in ("DE", "US-CA", ""):
        put(call, {"jurisdiction": place})
    found = [
        (entry.actor, entry.data["was"], entry.data["place"]) for entry in entries("account.moved")
    ]
    assert found == [("key:app", "DE", "US-CA"), ("key:app", "US-CA", "")]


def test_an_answer_of_two_at_once_crosses_no_border_unseen(call: Caller) -> None:
    bodies = [age(14, 15, "guardian"), age(30, 31)] * 4
    call.together([("PUT", WREN, {"json": body}) for body in bodies])
    lower = stored()[0]
    assert lower == 14 or entries("account.age_changed")
    assert lower == 14  # a guardian's word was among them, in whatever order


# Who may write an age: each is a road that the tests above and those of its room take.
WRITERS = {
    "people/ages.py": "put_age, for the two that follow",
    "people/services.py": "put_account: the API",
    "ages/services.py": "set_age: wallets and age keys, verified here",
    "experience/birthdays.py": "set_age: a birthday that was known",
}


def writes_an_age(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).split(".")[-1] in ("set_age", "put_age")
    if isinstance(node, ast.Attribute):
        return isinstance(node.ctx, ast.Store) and node.attr.startswith("age_")
    return isinstance(node, ast.keyword) and node.arg in ("age_lower", "age_upper")


def test_there_is_no_other_road_to_an_age() -> None:
    root = Path("src/kinward")
    found = set()
    for path in root.rglob("*.py"):
        if {"migrations", "demo"} & set(path.parts):
            continue
        if any(map(writes_an_age, ast.walk(ast.parse(path.read_text())))):
            found.add(path.relative_to(root).as_posix())
    assert found == set(WRITERS)


def test_a_settled_age_has_its_entry_too(call: Caller) -> None:
    put(call, age(14, 15))
    proof = AgeRange(18, 150, "eu-wallet", "verified")
    with transaction.atomic():
        account = lock_account(Account.objects.get().pk)
        set_age(account=account, age=proof, actor=account.actor)
    (entry,) = entries("account.age_changed")
    assert (entry.actor, entry.data["source"]) == ("account:wren", "eu-wallet")
    assert not Change.objects.exists()  # nobody forges a wallet's proof by a key
    assert put(call, age(30, 31)) is not None


def test_no_platform_has_proven_an_age_as_kinward_does(call: Caller, configure: Configure) -> None:
    configure(wave_accounts=1)
    for number in range(3):
        path = f"/v1/accounts/member-{number}"
        put(call, age(14, 15), path)
        put(call, age(18, 150, "verified", "eu-wallet"), path)
    assert {account.age_source for account in Account.objects.all()} == {"platform"}
    assert {entry.data["source"] for entry in entries("account.age_changed")} == {"platform"}
    assert open_waves()  # the key's changes count, whatever it calls them


def test_a_proof_that_is_sent_back_stays_a_proof(call: Caller) -> None:
    put(call, age(14, 15))
    proof = AgeRange(18, 150, "eu-wallet", "verified")
    with transaction.atomic():
        account = lock_account(Account.objects.get().pk)
        set_age(account=account, age=proof, actor=account.actor)
    put(call, age(18, 150, "verified", "eu-wallet"))
    assert Account.objects.get().age == proof
    put(call, age(17, 18, "verified", "eu-wallet"))
    assert Account.objects.get().age_source == "platform"


def test_a_change_is_known_here_before_the_database_tells_of_it(call: Caller) -> None:
    """Of the account's trigger nothing is heard. Each road tells this process itself."""
    put(call, age(14, 15))

    def known() -> Person:
        """What is known here, kept for the next question after all news has been heard."""
        deadline, person = time.monotonic() + 30, live().states.get(["wren"])["wren"].person
        while time.monotonic() < deadline:
            time.sleep(2 * PULSE)
            if live().states.peek(["wren"]) is not None:
                break
            live().states.get(["wren"])
        return person

    assert known().age.lower == 14
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_account DISABLE TRIGGER people_account_changed")
    try:
        put_account(platform_id="wren", profile=Profile(age=AgeRange(16, 17)))
        assert known().age.lower == 16
        with transaction.atomic():
            account = lock_account(Account.objects.get().pk)
            proof = AgeRange(18, 150, "eu-wallet", "verified")
            set_age(account=account, age=proof, actor=account.actor)
        assert known().age.lower == 18
        with transaction.atomic():
            account = lock_account(Account.objects.get().pk)
            now, platform = timezone.now(), ConsentSource.PLATFORM
            withdraw_consent(account=account, source=platform, at=now, actor=account.actor)
        assert known().consent_withdrawn
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE people_account ENABLE TRIGGER people_account_changed")


# -- waves -----------------------------------------------------------------------------------------


def grow(call: Caller, count: int, first: int = 0) -> None:
    """Create accounts of 14 years, and make them 30."""
    for number in range(first, first + count):
        path = f"/v1/accounts/member-{number}"
        put(call, age(14, 15), path)
        put(call, age(30, 31), path)


def test_a_sudden_wave_is_an_alarm_until_somebody_looked(
    call: Caller, operator: Staff, configure: Configure
) -> None:
    configure(wave_accounts=3)
    grow(call, 3)
    assert not open_waves()
    assert CHECKS["waves"]().level == "ok"
    assert "kinward_waves 0.0" in call("GET", "/metrics").text
    grow(call, 3, first=3)
    (wave,) = open_waves()
    assert (wave.actor, wave.changes) == ("key:app", 6)
    (began,) = entries("wave.began")
    assert (began.subject, began.data) == ("key:app", {"accounts": 4})
    assert CHECKS["waves"]().level == "fault"
    assert "key:app (6)" in CHECKS["waves"]().text
    page = signed_in(operator)
    told = page.get("/operations").content.decode()
    assert "Many ages or places changed at once" in told
    assert "key:app" in told
    assert page.post(f"/operations/waves/{wave.pk}/end", {"note": " "}).status_code == 422
    assert page.post(f"/operations/waves/{wave.pk}/end", {"note": "Our import."}).status_code == 302
    assert not open_waves()
    (ended,) = entries("wave.ended")
    assert ended.actor == "staff:ola"
    assert says(ended.data["note"], "Our import.")
    with pytest.raises(NoWave):
        end_wave(wave_id=wave.pk, note="Again.", staff=operator)
    with pytest.raises(Invalid):
        end_wave(wave_id=wave.pk, note="x" * 501, staff=operator)
    grow(call, 1, first=6)  # counts from when somebody looked
    assert not open_waves()
    grow(call, 3, first=7)
    assert len(open_waves()) == 1


def test_of_two_who_end_an_alarm_at_once_one_is_told_so(
    call: Caller, operator: Staff, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(wave_accounts=1)
    grow(call, 2)
    (wave,) = open_waves()

    def meanwhile(**entry: Any) -> Any:
        ChangeWave.objects.filter(pk=wave.pk).update(looked_at=timezone.now())
        return record(**entry)

    monkeypatch.setattr(waves, "record", meanwhile)
    with pytest.raises(NoWave):
        end_wave(wave_id=wave.pk, note="Our import.", staff=operator)
    assert entries("wave.ended") == []


def test_a_wave_counts_accounts_and_each_key_for_itself(call: Caller, configure: Configure) -> None:
    configure(wave_accounts=3)
    other = Caller(create_key(name="other", purposes=["gate"], actor=Actor.system("test")))
    for number in range(6):  # one account that goes to and fro
        put(call, age(14 + number % 2, 15 + number % 2))
    grow(call, 1)
    grow(other, 3, first=3)
    assert not open_waves()
    assert Change.objects.count() == 5


def test_a_wave_of_long_ago_is_none(call: Caller, configure: Configure) -> None:
    configure(wave_accounts=3)
    grow(call, 3)
    Change.objects.update(at=timezone.now() - timedelta(minutes=61))
    grow(call, 1, first=3)
    assert not open_waves()
    Change.objects.update(at=timezone.now() - timedelta(days=2))
    grow(call, 1, first=4)
    assert Change.objects.count() == 1


def test_a_wave_of_moves_is_one_too(call: Caller, configure: Configure) -> None:
    configure(wave_accounts=2)
    for number in range(3):
        for place in ("DE", "US-CA"):
            put(call, {"jurisdiction": place}, f"/v1/accounts/member-{number}")
    assert ChangeWave.objects.count() == 1


def test_a_new_account_is_no_change(configure: Configure) -> None:
    configure(wave_accounts=1)
    for number in range(3):
        profile = Profile(age=AgeRange(30, 31), jurisdiction="DE")
        assert put_account(platform_id=f"m{number}", profile=profile).new
    assert not Change.objects.exists()
    assert not Entry.objects.exists()
