"""A key has a purpose, an owner and an end, and one that leaked says what it did."""

import base64
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from django.utils import timezone

from kinward.access import services
from kinward.access.actor import Actor
from kinward.access.keycare import keys_in_need
from kinward.access.models import ApiKey, KeyUse, Staff
from kinward.access.purposes import PURPOSES
from kinward.access.services import (
    KeyExpired,
    KeyRefused,
    KeyRotating,
    ScopeMissing,
    authenticate,
    authenticate_known,
    change_key,
    create_key,
    last_known,
    live_keys,
    revoke_key,
    rotate_key,
    was_live,
)
from kinward.access.staff import create_staff, end_staff
from kinward.access.uses import last_uses, tally_uses, trace_key
from kinward.cli.doctor import CHECKS
from kinward.cli.keys import key as command
from kinward.ground.errors import Invalid, NotFound
from kinward.ledger.models import Entry
from kinward.people.models import Account
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.operator("kim")
WEEK = timedelta(days=7)


def run(*arguments: str, said: str = "", fails: bool = False) -> Any:
    result = CliRunner().invoke(command, arguments, input=said)
    assert (result.exit_code != 0) == fails, f"{result.output} {result.exception}"
    return result


def make(name: str = "app", **more: Any) -> str:
    return f"Bearer {create_key(name=name, **({'purposes': ['uploads']} | more), actor=ACTOR)}"


def shift(**changes: Any) -> None:
    """Move a key in time, as a trigger tells every process."""
    ApiKey.objects.update(**changes)
    live_keys.cache_clear()


def test_a_key_asks_what_it_is_for_and_gets_only_that() -> None:
    result = run("create", "app", said="portal, actions\n")
    assert "What is the key for?" in result.stderr
    for name, purpose in PURPOSES.items():
        assert name in result.stderr
        assert purpose.words in result.stderr
    assert result.stdout.startswith("kw_")
    secret = result.stdout.strip()
    assert "\n" not in secret
    row = ApiKey.objects.get()
    assert (row.purposes, row.scopes) == (["actions", "portal"], ["actions:pull", "portal:open"])
    authenticate(f"Bearer {secret}", "portal:open")
    with pytest.raises(ScopeMissing):
        authenticate(f"Bearer {secret}", "accounts:write")


def test_a_key_without_a_purpose_is_not_made() -> None:
    refused = run("create", "app", said="", fails=True)
    assert isinstance(refused.exception, Invalid)
    assert "--for" in str(refused.exception)
    assert isinstance(run("create", "app", said="all\n", fails=True).exception, Invalid)
    assert not ApiKey.objects.exists()


def test_a_key_has_an_owner_and_a_year() -> None:
    run("create", "app", "--for", "gate", "--owner", "Upload service")
    run("create", "short", "--for", "hma", "--days", "30", "--scope", "text:check")
    assert "short  live  hma, text:check  owner" in run("list").stdout
    app, short = ApiKey.objects.order_by("name")
    assert app.owner == "Upload service"
    assert short.owner  # whoever made it
    for row, days in ((app, 365), (short, 30)):
        assert row.expires_at is not None
        assert abs(row.expires_at - timezone.now() - timedelta(days=days)) < timedelta(hours=1)
    entry = Entry.objects.get(subject="key:app")
    assert (entry.data["purposes"], entry.data["owner"]) == (["gate"], "Upload service")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"name": "a\u202eb"},
        {"owner": "x" * 151},
        {"owner": "a\nb"},
        {"days": 0},
        {"days": 3651},
        {"purposes": ["everything"]},
    ],
)
def test_what_a_key_says_of_itself_is_bounded(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        sound: dict[str, Any] = {"name": "app", "purposes": ["gate"], "actor": ACTOR}
        create_key(**(sound | wrong))


def test_what_a_key_says_of_itself_may_be_as_long_as_the_bounds() -> None:
    for name, owner, days in (("a", "b", 1), ("x" * 80, "y" * 150, 3650)):
        header = make(name=name, owner=owner, days=days)
        row = authenticate(header, "media:check")
        assert (row.name, row.owner) == (name, owner)
    change_key(name="a", owner="z", actor=ACTOR)
    assert ApiKey.objects.get(name="a").owner == "z"
    entry = Entry.objects.get(kind="key.changed")
    assert (entry.actor, entry.subject, entry.data["owner"]) == (str(ACTOR), "key:a", "z")


def test_a_secret_has_256_random_bits() -> None:
    first, second = make(), make(name="other")
    for header in (first, second, f"Bearer {rotate_key(name='app', overlap=WEEK, actor=ACTOR)}"):
        secret = header.removeprefix("Bearer kw_")
        assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert first != second


def test_a_key_expires_also_in_memory_and_says_so() -> None:
    header = make()
    authenticate(header, "media:check")
    shift(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(KeyExpired, match="rotate"):
        authenticate(header, "media:check")
    answer = Caller(header.removeprefix("Bearer "))("POST", "/v1/media/hashes", json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "key.expired")


def test_a_key_that_was_cached_before_it_expired_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    header = make(days=1)
    deadline = time.monotonic() + 30
    while live_keys().peek() is None and time.monotonic() < deadline:
        authenticate(header, "media:check")
    assert authenticate_known(header, "media:check")
    assert last_known(header, "media:check")
    later = datetime.now(UTC) + timedelta(days=2)

    clock = SimpleNamespace(now=lambda zone: later, fromisoformat=datetime.fromisoformat)
    monkeypatch.setattr(services, "datetime", clock)
    for check in (authenticate, last_known):
        with pytest.raises(KeyExpired):
            check(header, "media:check")
    assert not was_live(header)


def test_a_rotated_key_has_two_secrets_for_a_while() -> None:
    old = make()
    new = f"Bearer {rotate_key(name='app', overlap=WEEK, actor=ACTOR)}"
    assert authenticate(old, "media:check").pk == authenticate(new, "media:check").pk
    with pytest.raises(KeyRotating):
        rotate_key(name="app", overlap=WEEK, actor=ACTOR)
    shift(previous_until=timezone.now())
    with pytest.raises(KeyExpired):
        authenticate(old, "media:check")
    authenticate(new, "media:check")
    newest = f"Bearer {rotate_key(name='app', overlap=WEEK, actor=ACTOR)}"
    for header in (new, newest):
        authenticate(header, "media:check")
    with pytest.raises(KeyRefused):
        authenticate(old, "media:check")
    assert Entry.objects.filter(kind="key.rotated").count() == 2


def test_a_rotation_at_once_ends_every_earlier_secret() -> None:
    first = make()
    second = f"Bearer {rotate_key(name='app', overlap=WEEK, actor=ACTOR)}"
    third = f"Bearer {rotate_key(name='app', overlap=timedelta(), actor=ACTOR)}"
    for header in (first, second):
        with pytest.raises(KeyRefused):
            authenticate(header, "media:check")
    authenticate(third, "media:check")


def test_a_rotation_never_prolongs_the_secret_before() -> None:
    old = make(days=2)
    rotate_key(name="app", overlap=WEEK, actor=ACTOR)
    row = ApiKey.objects.get()
    assert row.previous_until is not None
    assert row.previous_until < timezone.now() + timedelta(days=3)
    shift(previous_until=None, previous_digest=None, expires_at=timezone.now() - WEEK)
    new = f"Bearer {rotate_key(name='app', overlap=WEEK, actor=ACTOR)}"
    authenticate(new, "media:check")
    with pytest.raises(KeyRefused):
        authenticate(old, "media:check")


def test_revoking_ends_both_secrets() -> None:
    old = make()
    new = f"Bearer {rotate_key(name='app', overlap=WEEK, actor=ACTOR)}"
    revoke_key(name="app", actor=ACTOR)
    for header in (old, new):
        with pytest.raises(KeyRefused):
            authenticate(header, "media:check")
    with pytest.raises(NotFound):
        rotate_key(name="app", overlap=WEEK, actor=ACTOR)


def test_a_key_is_narrowed_without_a_new_secret() -> None:
    header = make(purposes=["gate", "portal"])
    run("change", "app", "--for", "portal", "--owner", "Portal service", "--days", "10")
    assert authenticate(header, "portal:open").owner == "Portal service"
    with pytest.raises(ScopeMissing):
        authenticate(header, "accounts:write")
    assert Entry.objects.get(kind="key.changed").data["scopes"] == ["portal:open"]
    run("change", "app", fails=True)


def test_the_use_of_a_key_is_counted_and_written_once_in_a_while(
    account: Account,
) -> None:
    call = Caller(make(purposes=["gate"]).removeprefix("Bearer "))
    asked = {"capability": "dm.send", "actor": {"id": account.platform_id}}
    for _ in range(3):
        call("POST", "/v1/decide", json=asked)
    assert not KeyUse.objects.exists()
    call("GET", "/v1/accounts/nobody")
    tally_uses().write()
    tally_uses().count((timezone.now().date(), 0, "POST /v1/decide"))  # a key that is gone
    tally_uses().write()
    counts = dict(KeyUse.objects.values_list("endpoint", "count"))
    assert counts == {"POST /v1/decide": 3, "GET /v1/accounts/{account_id}": 1}
    assert timezone.now() - last_uses()["app"] < timedelta(minutes=5)
    assert f"used {timezone.now():%Y-%m-%d}" in run("list").stdout


def test_old_uses_are_forgotten() -> None:
    make()
    key = ApiKey.objects.get()
    long_ago = timezone.now() - timedelta(days=500)
    KeyUse.objects.create(key=key, day=long_ago.date(), endpoint="x", last_at=long_ago)
    tally_uses().count((timezone.now().date(), key.pk, "y"))
    tally_uses().write()
    assert list(KeyUse.objects.values_list("endpoint", flat=True)) == ["y"]


def test_a_key_that_leaked_says_what_it_did_and_what_to_look_at() -> None:
    call = Caller(make(purposes=["gate", "consent"]).removeprefix("Bearer "))
    call("PUT", "/v1/accounts/wren", json={})
    call("PUT", "/v1/accounts/wren/consent", json={"state": "withdrawn"})
    tally_uses().write()
    told = run("revoke", "app", "--compromised").stdout
    assert "PUT /v1/accounts/{account_id}  1 call" in told
    assert "PUT /v1/accounts/{account_id}/consent  1 call" in told
    assert "consent.withdrawn  1 entry" in told
    for scope in PURPOSES["gate"].scopes | PURPOSES["consent"].scopes:
        assert f"{scope}: " in told
    assert "hashes:look-up" not in told
    assert call("GET", "/v1/accounts/wren").status_code == 401
    entry = Entry.objects.get(kind="key.revoked")
    assert (entry.subject, entry.data) == ("key:app", {"compromised": True})
    assert "app  compromised 2" in run("list").stdout
    assert "consent.withdrawn  account:wren" in run("trace", "app", "--entries").stdout
    assert "PUT /v1/accounts/{account_id}" in run("trace", "app").stdout
    run("trace", "nobody", fails=True)


def test_that_a_key_leaked_may_turn_out_later() -> None:
    make()
    revoke_key(name="app", actor=ACTOR)
    first = ApiKey.objects.get().revoked_at
    revoke_key(name="app", compromised=True, actor=ACTOR)
    row = ApiKey.objects.get()
    assert (row.revoked_at, row.compromised) == (first, True)
    for compromised in (False, True):
        with pytest.raises(NotFound):
            revoke_key(name="app", compromised=compromised, actor=ACTOR)
    assert trace_key("app").calls == []


def test_keys_whose_owner_left_or_whose_end_is_near_are_shown(operator: Staff) -> None:
    create_staff(username="robin", password="x9" * 9, roles=["auditor"], actor=Actor.system("demo"))
    make("fine", owner="Upload service")
    make("orphan", owner="Robin")
    assert keys_in_need() == []
    assert CHECKS["API key"]().level == "ok"
    end_staff(username="robin", actor=ACTOR)
    make("short", days=20)
    make("over", days=1)
    ApiKey.objects.filter(name="over").update(expires_at=timezone.now() - WEEK)
    ApiKey.objects.create(name="before", digest=b"0" * 32, scopes=["media:check"])
    found = {need.key: need.what for need in keys_in_need()}
    assert found == {"before": "purpose", "orphan": "owner", "over": "expired", "short": "expires"}
    result = CHECKS["API key"]()
    assert result.level == "warning"
    assert "orphan: Its owner Robin left on" in result.text
    page = signed_in(operator).get("/operations").content.decode()
    assert "API keys that need somebody" in page
    assert "Its owner Robin left on" in page
    listed = run("list").stdout
    assert "never expires" in listed
    assert "It expired on" in listed
    revoke_key(name="orphan", actor=ACTOR)
    assert "orphan" not in {need.key for need in keys_in_need()}
    change_key(name="over", days=100, actor=ACTOR)
    assert "over" not in {need.key for need in keys_in_need()}
