"""An authority, a receiver, a key service and a file's host that answer as none should.

Each call ends in bounded time and memory, with a sentence, and what waits is tried again later.
"""

from typing import Any, Final
from uuid import uuid4

import pytest

from kinward.access.models import Staff
from kinward.enforcement.models import Action
from kinward.enforcement.services import deliver
from kinward.enforcement.webhook import KEPT, MOVED, Undelivered, send
from kinward.evidence.keys import KeysUnreachable
from kinward.evidence.keys_rest import GcpKms, VaultTransit
from kinward.evidence.sealing import CannotUnseal
from kinward.gate import fetching
from kinward.gate.fetching import FetchFailed, fetch
from kinward.ground.calls_out import Limits
from kinward.ground.config import config
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.redress import database
from kinward.redress.models import Statement
from kinward.reporting.authorities.cybertipline.sandbox import Sandbox
from kinward.reporting.authority import authority
from kinward.reporting.filing import Refused, TryLater
from kinward.reporting.models import Report
from kinward.reporting.services import file_report
from tests.integration.conftest import Configure
from tests.support import strangers
from tests.support.helpers import Receiver, confirmed, quarantined
from tests.support.strangers import HOSTILE, stranger

SLOW: Final = {"drips", "drips_its_head", "says_nothing"}
SAYS_302: Final = {"redirects", "redirects_inwards"}
DOCUMENTS: Final = {"nests_json", "nests_xml", "declares_entities"}
every_stranger = pytest.mark.parametrize("name", HOSTILE)


def seconds(name: str) -> float:
    return 0.4 if name in SLOW else 30.0


@every_stranger
def test_a_receiver_of_webhooks(name: str, configure: Configure) -> None:
    with stranger(HOSTILE[name]) as server:
        configure(webhook_url=server.url, webhook_seconds=seconds(name))
        if name in SLOW | {"sends_a_head_without_end", "sends_interim_answers", "packs_strangely"}:
            with pytest.raises(Undelivered) as failed:
                send(config(), message_id="m", payload={"type": "test"})
            assert failed.value.detail
        else:
            delivery = send(config(), message_id="m", payload={"type": "test"})
            assert len(delivery.body) <= max(KEPT, len(MOVED))
            assert delivery.accepted is (name not in SAYS_302)
            assert name not in SAYS_302 or delivery.body == MOVED
        assert server.asked == 1
        assert server.sent < 20_000_000


@pytest.mark.django_db
@every_stranger
def test_an_authority(name: str, configure: Configure) -> None:
    with stranger(HOSTILE[name]) as server:
        configure(
            cybertipline_url=f"{server.url}/ispws",
            cybertipline_username="esp",
            cybertipline_password="word",
            call_seconds=seconds(name),
        )
        with pytest.raises((TryLater, Refused)):
            authority("cybertipline").check()
        assert server.asked == 1
        assert server.sent < 20_000_000


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["drips", "sends_without_end", "redirects", "nests_xml"])
def test_a_report_waits_out_a_strange_authority_and_is_then_made_once(
    name: str,
    bank: Bank,
    account: Account,
    reviewer: Staff,
    sandbox: Sandbox,
    configure: Configure,
) -> None:
    real = f"http://127.0.0.1:{sandbox.server_port}/ispws"
    confirmed(account, reviewer, "CS-1")
    report = Report.objects.get()
    with stranger(HOSTILE[name]) as server:
        configure(cybertipline_url=f"{server.url}/ispws", call_seconds=seconds(name))
        with pytest.raises(TryLater):
            file_report(report.id)
        assert server.asked <= 10
    report.refresh_from_db()
    assert report.state == "waiting"
    assert report.problem
    configure(cybertipline_url=real, call_seconds=30.0)
    assert file_report(report.id).state == "finished"
    assert len(sandbox.state.all()) == 1


@pytest.mark.django_db
@every_stranger
def test_the_database_of_statements(name: str, reviewer: Staff, configure: Configure) -> None:
    profile = Profile(age=AgeRange(34, 35), jurisdiction="DE", language="de")
    confirmed(put_account(platform_id="heron", profile=profile)[0], reviewer, "SF-2")
    with stranger(HOSTILE[name]) as server:
        configure(dsa_url=server.url, dsa_token="t", call_seconds=seconds(name))
        with pytest.raises(database.DatabaseUnreachable):
            database.send_due_statements()
        assert server.asked == 1
    assert Statement.objects.filter(exported_at=None, export_problem="").exists()


@every_stranger
def test_a_key_service(name: str, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    from kinward.evidence import keys_rest

    limits = Limits(seconds=seconds(name), answer_bytes=100_000)
    monkeypatch.setattr(keys_rest, "LIMITS", limits)
    with stranger(HOSTILE[name]) as server:
        configure(vault_url=server.url, vault_token="t", gcp_metadata_url=server.url)
        made: list[Any] = [
            VaultTransit(config(), "transit/key"),
            GcpKms(config(), "projects/p/locations/l/keyRings/r/cryptoKeys/k"),
        ]
        for keys in made:
            with pytest.raises((KeysUnreachable, CannotUnseal)):
                keys.wrap("AGE-SECRET-KEY", uuid4())
        assert server.asked == 2


@every_stranger
def test_a_host_of_files(name: str, configure: Configure) -> None:
    with stranger(HOSTILE[name]) as server:
        configure(fetch_hosts="127.0.0.1", max_body=100_000, call_seconds=seconds(name))
        if name in DOCUMENTS:
            assert len(fetch(server.url)) < 100_000
        else:
            with pytest.raises(FetchFailed):
                fetch(server.url)
        assert server.asked == 1
        assert server.sent < 20_000_000


def test_a_host_of_files_that_leads_inside_is_not_called(configure: Configure) -> None:
    configure(fetch_hosts="localhost, localhost.localdomain, pictures.example")
    with stranger(strangers.packs_well) as server:
        assert fetch(f"http://localhost:{server.port}/")
    with pytest.MonkeyPatch.context() as patch:
        import socket

        real = socket.getaddrinfo
        lead = {"pictures.example": "169.254.169.254"}
        patch.setattr(socket, "getaddrinfo", lambda host, *more, **named: real(
            lead.get(host, host), *more, **named))  # fmt: skip
        with pytest.raises(FetchFailed, match="KINWARD_INNER_HOSTS"):
            fetch("http://pictures.example/a.jpg")
    assert fetching.FetchRefused.status == 403


@pytest.mark.django_db
def test_an_action_waits_for_a_strange_receiver_and_is_then_delivered(
    account: Account, bank: Bank, receiver: Receiver, configure: Configure
) -> None:
    quarantined(account)
    action = Action.objects.order_by("number")[0]
    real = config().webhook_url
    with stranger(strangers.drips_its_head) as server:
        configure(webhook_url=server.url, webhook_seconds=0.4)
        with pytest.raises(Undelivered, match="in time"):
            deliver(action.id)
    configure(webhook_url=real, webhook_seconds=10.0)
    deliver(action.id)
    action.refresh_from_db()
    assert action.state == "delivered"
