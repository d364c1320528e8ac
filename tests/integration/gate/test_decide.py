"""The live decision: from memory while it can be trusted, from the database else, or closed."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import psycopg
import pytest
from django.db import OperationalError, connection

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.services import create_key, revoke_key
from kinward.experience.live import Live, in_share, live
from kinward.experience.models import Activation, Layer, PackVersion, Shadow
from kinward.experience.services import (
    NothingToRevert,
    RevertedAlready,
    can_revert,
    current_pack,
    revert_pack,
    start_shadow,
    store_pack,
)
from kinward.experience.settings import make_setting
from kinward.experience.shadow import tally_shadow
from kinward.families.screen_time.usage import ScreenTime, screen_time
from kinward.gate import decide
from kinward.ground.watch import PAUSE, TRUST, watch
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.policy.request import About, Request
from kinward.policy.sources import read_files
from tests.integration.gate.test_gate import Caller, problem
from tests.support.editions import shipped_pack, with_version
from tests.support.in_force import activate_pack

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(db: None) -> Caller:
    scopes = frozenset({"policy:decide", "accounts:write"})
    return Caller(create_key(name="app", scopes=scopes, actor=Actor.system("test")))


@pytest.fixture
def teen(db: None) -> Account:
    profile = Profile(age=AgeRange(15, 16), jurisdiction="DE", language="de")
    return put_account(platform_id="teen", profile=profile)[0]


def version(name: str = "tiktok-2021") -> PackVersion:
    return store_pack(files=read_files(name), actor=Actor.system("test"))


def minutes(account_id: str = "teen") -> Any:
    question = Request(capability="session.time", actor=About(id=account_id))
    return live().decide([question])[0].value


def test_attributes_inline(call: Caller) -> None:
    sent = {
        "capability": "dm.send",
        "actor": {"age": [13, 16]},
        "pack": "tiktok-2021",
        "language": "sv",
    }
    answer = call("POST", "/v1/decide", json=sent).json()
    assert answer["effect"] == "deny"
    assert answer["value"] == "nobody"
    assert answer["layer"] == "platform"
    assert answer["pack"] == shipped_pack("tiktok-2021")
    assert [reason["code"] for reason in answer["reasons"]] == ["platform.rule", "age.opens"]
    assert answer["reasons"][1]["text"] == "Det här ändras när du fyller 16."
    assert answer["obligations"] == []


@pytest.mark.parametrize(("hour", "effect"), [(12, "limit"), (23, "deny")])
def test_by_account_in_the_language_of_the_account(
    call: Caller, teen: Account, monkeypatch: pytest.MonkeyPatch, hour: int, effect: str
) -> None:
    def then(account: Account, now: datetime) -> ScreenTime:
        return screen_time(account, now.replace(hour=hour))

    monkeypatch.setattr(decide, "screen_time", then)
    sent = {"capability": "session.time", "actor": {"id": "teen"}}
    answer = call("POST", "/v1/decide", json=sent).json()
    assert (answer["effect"], answer["value"]) == (effect, 60)
    assert answer["sentence"].startswith("Zeit pro Tag: 60 Minuten.")


def test_two_people(call: Caller, teen: Account) -> None:
    put_account(platform_id="grown", profile=Profile(age=AgeRange(30, 31)))
    sent = {
        "capability": "dm.send",
        "actor": {"id": "grown"},
        "target": {"id": "teen"},
        "relationship": "stranger",
    }
    answer = call("POST", "/v1/decide", json=sent).json()
    assert answer["effect"] == "deny"
    assert [reason["code"] for reason in answer["reasons"]] == ["target.closed"]
    assert "15" not in str(answer)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"capability": "nothing.known", "actor": {"age": [30, 31]}}, "capability.unknown"),
        ({"capability": "dm.send", "actor": {"age": [-1, 31]}}, "age.invalid"),
        ({"capability": "dm.send", "actor": {"age": [31, 30]}}, "age.invalid"),
        ({"capability": "dm.send", "actor": {"age": [30]}}, "age.invalid"),
        ({"capability": "dm.send", "actor": {"age": "thirty"}}, "input.invalid"),
        ({"capability": "dm.send", "actor": {"age": [30, 31], "name": "x"}}, "input.invalid"),
        ({"capability": "dm.send"}, "input.invalid"),
        (
            {"capability": "dm.send", "actor": {"age": [30, 31], "jurisdiction": "Narnia"}},
            "jurisdiction.uncovered",
        ),
        ({"capability": "dm.send", "actor": {"id": "nobody-here"}}, "account.unknown"),
        (
            {"capability": "dm.send", "actor": {"age": [30, 31]}, "relationship": "nemesis"},
            "relationship.unknown",
        ),
        ({"capability": "dm.send", "actor": {"age": [30, 31]}, "guardian": "x"}, "setting.invalid"),
        (
            {"capability": "dm.send", "actor": {"age": [30, 31], "assurance": "sworn"}},
            "age.invalid",
        ),
    ],
)
def test_what_cannot_be_read_is_closed_and_never_an_error(
    call: Caller, sent: dict[str, Any], code: str
) -> None:
    response = call("POST", "/v1/decide", json=sent)
    assert response.status_code == 200
    answer = response.json()
    assert answer["effect"] == "deny"
    assert [reason["code"] for reason in answer["reasons"]] == ["state.unavailable", code]
    # In a batch, the others are answered all the same.
    good = {"capability": "live.watch", "actor": {"age": [30, 31]}}
    batch = call("POST", "/v1/decide/batch", json={"questions": [sent, good]}).json()
    assert [each["effect"] for each in batch["decisions"]] == ["deny", "allow"]


def test_a_pack_that_is_not_there_is_closed(call: Caller) -> None:
    sent = {"capability": "live.watch", "actor": {"age": [30, 31]}, "pack": "none-such"}
    answer = call("POST", "/v1/decide", json=sent).json()
    assert answer["effect"] == "deny"
    assert [reason["code"] for reason in answer["reasons"]] == ["pack.invalid"]


def test_a_stored_pack_that_was_tampered_with_is_closed(call: Caller) -> None:
    activate_pack(pack=version())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE experience_packversion SET files = jsonb_set(files, '{pack.toml}',"
            " to_jsonb(replace(files->>'pack.toml', 'private', 'public')))"
        )
    sent = {"capability": "live.watch", "actor": {"age": [30, 31]}}
    answer = call("POST", "/v1/decide", json=sent).json()
    assert [reason["code"] for reason in answer["reasons"]] == ["pack.invalid"]
    assert answer["effect"] == "deny"


def test_keys_and_bodies(call: Caller) -> None:
    sent = {"capability": "live.watch", "actor": {"age": [30, 31]}}
    assert call("POST", "/v1/decide", json=sent).status_code == 200
    revoke_key(name="app", actor=Actor.system("test"))
    wait_until(lambda: call("POST", "/v1/decide", json=sent).status_code == 401)
    call.key = create_key(
        name="media", scopes=frozenset({"media:check"}), actor=Actor.system("test")
    )
    problem(call("POST", "/v1/decide", json=sent), 403, "key.scope_missing")
    call.key = create_key(name="b", scopes=frozenset({"policy:decide"}), actor=Actor.system("test"))
    headers = {"Content-Type": "application/json"}
    broken = call("POST", "/v1/decide", content=b"{", headers=headers)
    problem(broken, 400, "body.malformed")
    deep = call("POST", "/v1/decide", content=b"[" * 50_000, headers=headers)
    assert deep.json()["effect"] == "deny"
    problem(call("POST", "/v1/decide/batch", json=[]), 422, "invalid")
    many = {"questions": [sent] * 10_001}
    detail = problem(call("POST", "/v1/decide/batch", json=many), 422, "invalid")
    assert "10,000" in detail
    answer = call("POST", "/v1/decide/batch", json={"questions": [sent] * 10_000}).json()
    assert len(answer["decisions"]) == 10_000
    big = call("POST", "/v1/decide/batch", content=b" " * (9 << 20), headers=headers)
    problem(big, 413, "body.too_large")


def test_everything_for_one_account(call: Caller, teen: Account) -> None:
    make_setting(
        account=teen,
        layer=Layer.GUARDIAN,
        capability="session.time",
        value=90,
        actor=Actor.system("test"),
    )
    answer = call("GET", "/v1/accounts/teen/experience").json()
    assert answer["pack"] == shipped_pack("teen-accounts")
    decisions = answer["decisions"]
    assert len(decisions) >= 28
    assert decisions["session.time"]["value"] == 90
    assert decisions["session.time"]["layer"] == "guardian"
    assert decisions["session.time"]["bounds"] == {
        "default": 60,
        "guardian": [15, 1440],
        "self": [0, 60],
    }
    problem(call("GET", "/v1/accounts/who/experience"), 404, "account.unknown")


def test_a_person_sets_something_and_takes_it_back(call: Caller) -> None:
    put_account(platform_id="a/b %", profile=Profile(age=AgeRange(17, 18)))
    path = "/v1/accounts/a%2Fb%20%25/settings/dm.receive"
    answer = call("PUT", path, json={"layer": "self", "value": "followers"}).json()
    assert (answer["value"], answer["layer"], answer["holds"]) == ("followers", "self", True)
    answer = call("PUT", path, json={"layer": "self", "value": "everyone"}).json()
    assert (answer["value"], answer["holds"]) == ("followers", False)
    assert "self.bounded" in [reason["code"] for reason in answer["reasons"]]
    answer = call("PUT", path, json={"layer": "self", "value": None}).json()
    assert (answer["value"], answer["layer"]) == ("mutuals", "platform")
    problem(call("PUT", path, json={"layer": "law", "value": None}), 422, "invalid")
    problem(call("PUT", path, json={"layer": "self", "value": "friends"}), 422, "invalid")
    problem(call("PUT", path + "x", json={"layer": "self", "value": "nobody"}), 422, "invalid")


# -- what is in force ------------------------------------------------------------------------------


def test_a_share_grows_and_keeps_who_is_in_it(teen: Account) -> None:
    ids = [f"member-{number}" for number in range(2000)]
    small, large = ({each for each in ids if in_share(each, "x", share)} for share in (5, 20))
    assert small < large
    assert 60 < len(small) < 140
    assert 320 < len(large) < 480
    activate_pack(pack=version(), share=5)
    in_force = live().in_force()
    assert in_force.pack is not None
    assert in_force.rest is not None
    assert (in_force.pack.name, in_force.rest.name) == ("tiktok-2021", "teen-accounts")
    packs = {each: in_force.for_account(each) for each in ids}
    inside = {each for each, pack in packs.items() if pack is in_force.pack}
    assert 60 < len(inside) < 140
    assert in_force.for_account(None) is in_force.rest


def test_a_contact_across_the_edge_of_a_share_gets_the_stricter_answer(db: None) -> None:
    # teen-accounts closes messages between a minor and a stranger who is an adult; the pack that is
    # staged would leave them to a choice of the minor's.
    looser = read_files("teen-accounts")
    text = with_version(looser["pack.toml"], "looser")
    start = text.index('[[rule]]\nid = "no-unknown-adults"')
    text = text[:start] + text[text.index("[[rule]]", start + 8) :]
    text = text.replace(
        'default = "mutuals"\nbounds = ["nobody", "followers"]\nmay = ["guardian", "self"]',
        'default = "everyone"\nmay = ["guardian", "self"]',
    )
    files = {
        "pack.toml": text.replace('"GB", ', ""),
        **{file: each for file, each in looser.items() if file not in ("pack.toml", "tests.toml")},
    }
    files.pop("overlays/GB.toml")
    staged = store_pack(files=files, actor=Actor.system("test"))
    activate_pack(pack=staged, share=50)
    share = {each: in_share(each, staged.digest, 50) for each in map(str, range(40))}
    inside = [each for each, is_in in share.items() if is_in]
    outside = [each for each, is_in in share.items() if not is_in]
    for name in (inside[0], outside[0]):
        put_account(platform_id=name, profile=Profile(age=AgeRange(30, 31)))
    for name in (inside[1], outside[1]):
        put_account(platform_id=name, profile=Profile(age=AgeRange(16, 17)))

    def effect(adult: str, minor: str) -> str:
        question = Request(
            capability="dm.send",
            actor=About(id=adult),
            target=About(id=minor),
            relationship="stranger",
        )
        return live().decide([question])[0].effect

    assert effect(inside[0], inside[1]) == "allow"
    assert effect(outside[0], outside[1]) == "deny"
    assert effect(inside[0], outside[1]) == "deny"
    assert effect(outside[0], inside[1]) == "deny"


def test_reverting_goes_back_step_by_step(db: None) -> None:
    tiktok, teens = version("tiktok-2021"), version("teen-accounts")
    activate_pack(pack=tiktok, share=10)
    activate_pack(pack=tiktok)
    seen = [(each.pack, each.share) for each in Activation.objects.order_by("number")]
    assert seen == [(teens, 100), (tiktok, 10), (tiktok, 100)]
    back = [revert_pack(actor=Actor.system("test")) for _ in range(2)]
    assert [(each.pack, each.rest, each.share) for each in back] == [
        (tiktok, teens, 10),
        (teens, None, 100),
    ]


def test_one_person_takes_back_the_newest_pack_and_nothing_before_it(db: None) -> None:
    tiktok, teens = version("tiktok-2021"), version("teen-accounts")
    for pack, share in ((tiktok, 100), (teens, 5), (teens, 100)):
        activate_pack(pack=pack, share=share)
    lead = Staff.objects.create_user(
        username="kai", password="a long test word", roles=["policy lead"]
    ).actor
    for expected in ((teens, 5), (tiktok, 100)):  # step by step, if the newest pack was staged
        assert can_revert()
        back = revert_pack(actor=lead)
        assert (back.pack, back.share) == expected
    assert not can_revert()
    with pytest.raises(RevertedAlready):
        revert_pack(actor=lead)
    assert current_pack().pack == tiktok
    activate_pack(pack=teens)
    assert revert_pack(actor=lead).pack == tiktok, "of a newer pack it can be done again"
    with pytest.raises(RevertedAlready):  # nor does an operator at the command line
        revert_pack(actor=Actor.operator("root"))
    assert current_pack().pack == tiktok


def test_the_first_pack_is_not_reverted(db: None) -> None:
    with pytest.raises(NothingToRevert):
        revert_pack(actor=Actor.operator("root"))


def test_the_shadow_counts_where_it_differs(call: Caller, teen: Account) -> None:
    start_shadow(pack=version("tiktok-2021"), actor=Actor.system("test"))
    sent = {"capability": "session.time", "actor": {"id": "teen"}}
    inline = {"capability": "live.host", "actor": {"age": [17, 18], "jurisdiction": "FR"}}
    same = {"capability": "account.join", "actor": {"id": "teen"}}
    wait_until(lambda: live().in_force_at_hand() is not None or bool(live().in_force().shadow))
    live().states.get(["teen"])
    for _ in range(3):
        call("POST", "/v1/decide/batch", json={"questions": [sent, inline, same]})
    tally_shadow().write()  # the gate's own writing may be under way beside this
    wait_until(lambda: Shadow.objects.get().asked == 9)
    shadow = Shadow.objects.get()
    found = {
        (each.capability, each.group, each.place, each.active, each.shadowed): each
        for each in shadow.differences.all()
    }
    assert {key: each.count for key, each in found.items()} == {
        ("session.time", "13 to 15", "DE", "limit: 60", "allow: 1440"): 3,
        ("live.host", "16 and 17", "FR", "deny: deny", "allow: allow"): 3,
    }
    assert found["session.time", "13 to 15", "DE", "limit: 60", "allow: 1440"].example == "teen"


# -- the cache, and losing it ----------------------------------------------------------------------


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> float:
    """Wait, and say how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not happen"
        time.sleep(0.01)
    return time.monotonic() - began


def test_a_change_in_another_process_is_seen_within_a_second(teen: Account) -> None:
    wait_until(watch().trusted)
    assert minutes() == 60
    assert live().states.peek(["teen"]) is not None
    other = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import django; django.setup()\n"
            "from kinward.access.actor import Actor\n"
            "from kinward.people.models import Account\n"
            "from kinward.experience.settings import make_setting\n"
            "account = Account.objects.get(platform_id='teen')\n"
            "input()\n"
            "make_setting(account=account, layer='guardian', capability='session.time',"
            " value=30, actor=Actor.system('test'))\n"
            "print('done', flush=True)",
        ],
        env=os.environ | {"KINWARD_DATABASE_URL": test_database()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    time.sleep(0.5)
    assert minutes() == 60
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "done\n"
    assert wait_until(lambda: minutes() == 30) < 1.0
    other.wait(10)
    # And what the operator puts in force.
    activate_pack(pack=version())
    assert wait_until(lambda: minutes() == 40) < 1.0


def test_database() -> str:
    settings = connection.settings_dict
    host = settings["HOST"]
    user = f"{settings['USER']}:{settings['PASSWORD']}".rstrip(":")
    if host.startswith("/"):
        return f"postgresql://{user}@/{settings['NAME']}?host={host}"
    return f"postgresql://{user}@{host}:{settings['PORT']}/{settings['NAME']}"


test_database.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture
def cut_channel(monkeypatch: pytest.MonkeyPatch, teen: Account) -> Iterator[None]:
    """The listening connection is killed, and cannot be made again."""
    wait_until(watch().trusted)
    minutes()

    def refuse(*arguments: Any, **options: Any) -> Any:
        raise psycopg.OperationalError("cut by the test")

    backend = watch().backend
    monkeypatch.setattr("kinward.ground.watch.connect", refuse)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    wait_until(lambda: not watch().trusted(), TRUST + 1)
    yield
    monkeypatch.undo()
    wait_until(watch().trusted, PAUSE + 2)


def test_without_the_channel_answers_come_from_the_database(
    cut_channel: None, teen: Account
) -> None:
    assert live().states.peek(["teen"]) is None
    assert minutes() == 60
    with connection.cursor() as cursor:  # a change that nobody can be told of
        cursor.execute("ALTER TABLE people_account DISABLE TRIGGER people_account_changed")
        cursor.execute("UPDATE people_account SET age_lower = 18, age_upper = 19")
        cursor.execute("ALTER TABLE people_account ENABLE TRIGGER people_account_changed")
    assert minutes() == 1440


def test_a_channel_that_hangs_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, teen: Account
) -> None:
    wait_until(watch().trusted)
    minutes()
    hanging = threading.Event()
    monkeypatch.setattr("kinward.ground.watch.select.select", lambda *_: hanging.wait(10))
    wait_until(lambda: not watch().trusted(), TRUST + 1)
    assert live().states.peek(["teen"]) is None
    hanging.set()
    monkeypatch.undo()
    wait_until(watch().trusted)


def test_without_the_database_answers_are_protective_until_it_is_back(
    cut_channel: None, call: Caller, teen: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*arguments: Any, **options: Any) -> Any:
        raise OperationalError("the server is gone")

    questions = [
        {"capability": "live.watch", "actor": {"id": "teen"}},
        {"capability": "live.watch", "actor": {"age": [30, 31]}},
    ]
    assert call("POST", "/v1/decide", json=questions[0]).json()["effect"] == "allow"
    with monkeypatch.context() as broken:
        broken.setattr("django.db.backends.utils.CursorWrapper.execute", down)
        for question in questions:
            response = call("POST", "/v1/decide", json=question)
            assert response.status_code == 200
            answer = response.json()
            assert answer["effect"] == "deny"
            assert [reason["code"] for reason in answer["reasons"]] == ["state.unavailable"]
        batch = call("POST", "/v1/decide/batch", json={"questions": questions}).json()
        assert {each["effect"] for each in batch["decisions"]} == {"deny"}
    for question in questions:
        assert call("POST", "/v1/decide", json=question).json()["effect"] == "allow"


def test_what_changes_while_it_is_read_is_not_kept(teen: Account) -> None:
    wait_until(watch().trusted)
    fresh = Live()
    read, changed = threading.Event(), threading.Event()
    original = fresh.states._load

    def slow(ids: Any) -> Any:
        found = original(ids)
        read.set()
        assert changed.wait(5)
        return found

    fresh.states._load = slow
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(fresh.states.get(["teen"])))
    thread.start()
    assert read.wait(5)
    version_before = fresh.states._version
    Account.objects.filter(platform_id="teen").update(age_lower=16, age_upper=17)
    wait_until(lambda: fresh.states._version != version_before)
    changed.set()
    thread.join(5)
    assert result[0]["teen"].person.age.lower == 15
    fresh.states._load = original
    assert fresh.states.peek(["teen"]) is None
    assert fresh.states.get(["teen"])["teen"].person.age.lower == 16


def test_the_gate_answers_from_memory_without_any_query(
    call: Caller, teen: Account, django_assert_num_queries: Any
) -> None:
    sent = {"capability": "session.time", "actor": {"id": "teen"}}
    wait_until(watch().trusted)
    call("POST", "/v1/decide", json=sent)
    calls: list[httpx.Response] = []
    with django_assert_num_queries(0):
        calls.append(call("POST", "/v1/decide", json=sent))
    assert calls[0].json()["value"] == 60
