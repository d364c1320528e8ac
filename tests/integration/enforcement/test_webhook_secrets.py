"""While the webhook's secret is rotated, a receiver may hold either secret."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from kinward.access.actor import Actor
from kinward.access.services import KeyRotating, create_key
from kinward.cli.doctor import CHECKS
from kinward.cli.webhook import webhook
from kinward.enforcement import webhook_secrets
from kinward.enforcement.webhook import sign_webhook
from kinward.enforcement.webhook_secrets import rotate_webhook_secret
from kinward.ground import config as settings
from kinward.ground.config import Config, config
from kinward.ground.errors import Invalid, SettingWrong
from kinward.ledger.models import Entry
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.integration.enforcement.test_enforcement import act
from tests.integration.gate.test_gate import Caller

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.operator("kim")
WEEK = timedelta(days=7)
FIRST = "whsec_" + "A" * 32
STRANGER = "whsec_" + "C" * 32
PAYLOAD = {"type": "account.suspend", "data": {"action_id": "one"}}


@pytest.fixture
def chosen(configure: Configure, tmp_path: Path) -> Config:
    changed = configure(
        data_dir=tmp_path, webhook_secret="", secret_key="a key of a test", actions="pull"
    )
    settings.write_secret(changed.secret_path("webhook_secret"), FIRST)
    return changed


def accepted(secret: str, message: Any = None) -> bool:
    signed = message or sign_webhook(config(), message_id="one", payload=PAYLOAD)
    try:
        Webhook(secret).verify(signed.body, signed.headers)
    except WebhookVerificationError:
        return False
    return True


def test_both_secrets_sign_for_the_overlap_and_no_longer(
    chosen: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert accepted(FIRST)
    new = rotate_webhook_secret(overlap=WEEK, actor=ACTOR)
    signed = sign_webhook(chosen, message_id="one", payload=PAYLOAD)
    parts = signed.headers["webhook-signature"].split(" ")
    assert [part.partition(",")[0] for part in parts] == ["v1", "v1"]
    assert accepted(new, signed)
    assert accepted(FIRST, signed)
    assert not accepted(STRANGER, signed)
    with pytest.raises(KeyRotating):
        rotate_webhook_secret(overlap=WEEK, actor=ACTOR)
    later = datetime.now(UTC) + WEEK + timedelta(minutes=1)

    clock = SimpleNamespace(now=lambda zone: later, fromisoformat=datetime.fromisoformat)
    monkeypatch.setattr(webhook_secrets, "datetime", clock)
    assert accepted(new)
    assert not accepted(FIRST)
    newest = rotate_webhook_secret(overlap=WEEK, actor=ACTOR)
    assert accepted(newest)
    assert Entry.objects.filter(kind="webhook.rotated", actor="operator:kim").count() == 2
    assert new not in str(list(Entry.objects.values("data")))


def test_a_leaked_secret_ends_at_once(chosen: Config) -> None:
    second = rotate_webhook_secret(overlap=WEEK, actor=ACTOR)
    third = rotate_webhook_secret(overlap=timedelta(), actor=ACTOR)
    assert [accepted(secret) for secret in (FIRST, second, third)] == [False, False, True]


def test_only_the_owner_reads_the_files(chosen: Config) -> None:
    rotate_webhook_secret(overlap=WEEK, actor=ACTOR)
    found = list(chosen.secret_path("webhook_secret").parent.iterdir())
    assert {path.name for path in found} == {"webhook_secret", "webhook_secret_before"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}


def test_a_crash_between_the_files_stops_nobody(
    chosen: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(path: Path, value: str) -> None:
        if path.name == "webhook_secret":
            raise OSError("the disk is full")
        settings.replace_secret(path, value)

    monkeypatch.setattr(webhook_secrets, "replace_secret", crash)
    with pytest.raises(OSError, match="full"):
        rotate_webhook_secret(overlap=WEEK, actor=ACTOR)
    assert accepted(FIRST)
    assert not Entry.objects.filter(kind="webhook.rotated").exists()


def test_settings_have_both_secrets_instead(configure: Configure) -> None:
    configure(webhook_secret=STRANGER, webhook_secret_before=FIRST)
    assert accepted(STRANGER)
    assert accepted(FIRST)
    with pytest.raises(Invalid, match="KINWARD_WEBHOOK_SECRET_BEFORE"):
        rotate_webhook_secret(overlap=WEEK, actor=ACTOR)


@pytest.mark.parametrize("text", ["", "whsec_AAAA", "whsec_AAAA soon", "whsec_AAAA 2026-12-01"])
def test_a_file_that_cannot_be_read_is_named(chosen: Config, text: str) -> None:
    chosen.secret_path("webhook_secret_before").write_text(text)
    with pytest.raises(SettingWrong, match="webhook_secret_before"):
        accepted(FIRST)


def test_an_overlap_is_bounded(chosen: Config) -> None:
    for days in (-1, 91):
        with pytest.raises(Invalid):
            rotate_webhook_secret(overlap=timedelta(days=days), actor=ACTOR)


def test_the_command_rotates_and_the_doctor_says_so(chosen: Config) -> None:
    run = CliRunner().invoke
    assert "One secret signs" in run(webhook, ["status"]).output
    made = run(webhook, ["rotate", "--overlap-days", "3"])
    assert accepted(made.stdout.strip())
    assert "Two secrets sign" in made.stderr
    assert "Two secrets sign" in run(webhook, ["status"]).output
    assert "Two secrets sign until" in CHECKS["webhook"]().text


def test_actions_that_are_fetched_have_both_signatures(chosen: Config, account: Account) -> None:
    act(account)
    rotate_webhook_secret(overlap=WEEK, actor=ACTOR)
    key = create_key(name="app", purposes=["actions"], actor=ACTOR)
    (message,) = Caller(key)("GET", "/v1/actions").json()["actions"]
    assert len(message["headers"]["webhook-signature"].split(" ")) == 2


# The demo's receiver has settings of its own. It verifies here, and carries nothing out.
ASK = """
import json, sys, django
django.setup()
from django.test import RequestFactory
from kinward.demo import webhooks
webhooks.carry_out = lambda action: action["action_id"] == "one"
sent = json.loads(sys.stdin.read())
headers = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in sent["headers"].items()}
request = RequestFactory().post("/", sent["body"], content_type="application/json", **headers)
print(webhooks.receive(request).status_code)
"""


def test_the_demos_receiver_accepts_either_secret(chosen: Config) -> None:
    new = rotate_webhook_secret(overlap=WEEK, actor=ACTOR)
    signed = sign_webhook(chosen, message_id="one", payload=PAYLOAD)
    message = json.dumps({"headers": signed.headers, "body": signed.body})
    answers = {}
    for secret in (FIRST, new, STRANGER):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "kinward.demo.settings",
            "DEMO_WEBHOOK_SECRET": secret,
        }
        command = [sys.executable, "-c", ASK]
        done = subprocess.run(
            command, input=message, env=environment, capture_output=True, text=True, check=True
        )
        answers[secret] = int(done.stdout)
    assert answers == {FIRST: 200, new: 200, STRANGER: 401}
