"""Keys that change, keys of a service, a store beyond the database, and bytes that rot.

KMS and S3 are moto's server on loopback: boto3 and s3fs talk to it over HTTP as to AWS.
"""

import socket
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.cli.doctor import examine
from kinward.evidence import care, storage
from kinward.evidence import services as vault
from kinward.evidence.keys import KeysUnreachable, keys
from kinward.evidence.models import Evidence
from kinward.evidence.sealing import CannotUnseal, new_key
from kinward.evidence.tasks import delete_object
from kinward.ground.config import config
from kinward.ground.errors import NotConfigured
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from kinward.matching.models import Bank, Check
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.support.custody import end_term
from tests.support.helpers import (
    KNOWN,
    due_jobs,
    listening,
    quarantined,
    rotten,
    run_jobs,
)
from tests.support.key_services import GCP_KEY, VAULT_TOKEN, KeyServices

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def evidence(bank: Bank, account: Account) -> Evidence:
    quarantined(account)
    return Evidence.objects.get()


def again(evidence: Evidence) -> Evidence:
    return Evidence.objects.get(pk=evidence.pk)


def opened(evidence: Evidence) -> bytes:
    return vault.read_for_report(evidence=again(evidence), report_id=uuid4())


def test_a_new_key_wraps_everything_again(evidence: Evidence, configure: Configure) -> None:
    old, new = config().evidence_key, new_key()
    assert care.rewrap_keys() == 0
    configure(evidence_key=new)
    with pytest.raises(CannotUnseal):
        opened(evidence)
    assert "Bring that key back" in examine()["evidence"].text
    configure(evidence_key=f"{new}\n{old}")
    assert "rewrap" in examine()["evidence"].text
    before = again(evidence)
    done: list[int] = []
    assert care.rewrap_keys(done.append) == 1
    assert done == [1]
    after = again(evidence)
    assert bytes(after.ciphertext or b"") == bytes(before.ciphertext or b""), "only the key moved"
    configure(evidence_key=new)
    assert opened(evidence) == KNOWN
    assert examine()["evidence"].level == "ok"
    entry = Entry.objects.filter(kind="evidence.rewrapped").latest("seq")
    assert entry.data["after"] == keys().current


@pytest.fixture(autouse=True)
def _own_key(configure: Configure, tmp_path: Path) -> None:
    """The tests' evidence key, given in the settings as the file would give it."""
    configure(evidence_key=new_key())


def test_keys_in_aws_kms(bank: Bank, account: Account, aws: str, configure: Configure) -> None:
    client = boto3.client("kms", endpoint_url=aws)
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName="alias/kinward", TargetKeyId=key_id)
    quarantined(account)
    evidence = Evidence.objects.get()
    in_a_file = evidence.key_id
    configure(evidence_keys="aws-kms:alias/kinward")
    assert keys().current == "aws-kms:alias/kinward"
    assert care.rewrap_keys() == 1
    assert again(evidence).key_id == "aws-kms:alias/kinward"
    assert opened(evidence) == KNOWN
    quarantined(account, content_id="post-2")
    second = Evidence.objects.latest("sealed_at")
    assert second.key_id == "aws-kms:alias/kinward"
    # A wrapped key opens the evidence that it was wrapped for, and no other.
    other = bytes(again(evidence).wrapped_key or b"")
    with pytest.raises(CannotUnseal, match="InvalidCiphertext"):
        keys().unwrap(other, second.key_id, second.pk)
    assert examine()["keys"].level == "ok"
    configure(evidence_keys="file")
    assert opened(evidence) == KNOWN, "what was wrapped says by which key"
    Evidence.objects.filter(pk=second.pk).delete()
    assert care.rewrap_keys() == 1
    assert again(evidence).key_id == in_a_file


def test_a_key_service_that_is_away_seals_nothing_and_loses_nothing(
    bank: Bank, account: Account, aws: str, configure: Configure
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    configure(evidence_keys="aws-kms:alias/kinward", aws_endpoint=f"http://127.0.0.1:{port}")
    with pytest.raises(KeysUnreachable):
        quarantined(account)
    assert not Check.objects.exists(), "the upload as a whole is to be sent again"
    configure(evidence_keys="aws-kms:alias/nobody", aws_endpoint=aws)
    with pytest.raises(CannotUnseal, match="NotFound"):
        quarantined(account)


@pytest.mark.parametrize("which", ["vault:transit/kinward", f"gcp-kms:{GCP_KEY}"])
def test_keys_in_vault_and_in_cloud_kms(
    bank: Bank, account: Account, configure: Configure, which: str
) -> None:
    quarantined(account)
    evidence = Evidence.objects.get()
    with listening(KeyServices()) as services:
        right = {
            "vault_url": f"{services.url}/",
            "vault_token": VAULT_TOKEN,
            "gcp_kms_url": services.url,
            "gcp_metadata_url": services.url,
        }
        configure(evidence_keys=which, **right)
        assert care.rewrap_keys() == 1
        assert again(evidence).key_id == which
        assert opened(evidence) == KNOWN
        quarantined(account, content_id="post-2")
        second = Evidence.objects.latest("sealed_at")
        assert opened(second) == KNOWN
        assert services.tokens <= 2, "fetched by what wraps and by what opens, and kept"
        assert examine()["keys"].level == "ok"
        # A wrapped key opens the evidence that it was wrapped for, and no other.
        other = bytes(again(evidence).wrapped_key or b"")
        with pytest.raises(CannotUnseal, match="400"):
            keys().unwrap(other, second.key_id, second.pk)
        configure(evidence_keys=f"{which}-not")
        with pytest.raises(CannotUnseal, match="404"):
            quarantined(account, content_id="post-3")
        configure(evidence_keys=which)
    configure(evidence_keys=which, **right)
    with pytest.raises(KeysUnreachable):
        opened(evidence)
    for wrong in ("http://keys.example", "ftp://127.0.0.1"):
        configure(evidence_keys=which, vault_url=wrong, gcp_kms_url=wrong)
        with pytest.raises(NotConfigured, match="must be https"):
            keys()


@pytest.mark.parametrize("which", ["vault:transit/kinward", f"gcp-kms:{GCP_KEY}"])
@pytest.mark.parametrize(
    "nonsense",
    [
        b"<html>Sign in to this network</html>",
        b"[]",
        b'"ok"',
        b"{}",
        b'{"data": null, "plaintext": null}',
        b'{"data": {"plaintext": 7}, "plaintext": 7}',
        b'{"data": {"plaintext": "!"}, "plaintext": "!"}',
        b'{"data": {"plaintext": "/w=="}, "plaintext": "/w=="}',
    ],
)
def test_a_key_service_that_answers_nonsense_is_away(
    evidence: Evidence, configure: Configure, which: str, nonsense: bytes
) -> None:
    with listening(KeyServices()) as services:
        configure(
            evidence_keys=which,
            vault_url=services.url,
            vault_token=VAULT_TOKEN,
            gcp_kms_url=services.url,
            gcp_metadata_url=services.url,
        )
        assert care.rewrap_keys() == 1
        services.nonsense = nonsense
        with pytest.raises(KeysUnreachable):
            opened(again(evidence))
        if b"plaintext" not in nonsense:
            with pytest.raises(KeysUnreachable):
                keys().wrap("a key", evidence.id)
        services.nonsense = None
        assert opened(again(evidence)) == KNOWN


def test_a_token_of_vault_that_is_renewed_is_read_anew(
    evidence: Evidence, configure: Configure, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir()
    token = tmp_path / "secrets" / "vault_token"
    token.write_text("s.old")
    with listening(KeyServices()) as services:
        configure(evidence_keys="vault:transit/kinward", vault_url=services.url, data_dir=tmp_path)
        with pytest.raises(CannotUnseal, match="403"):
            keys().wrap("a key", evidence.id)
        token.write_text(VAULT_TOKEN)
        wrapped = keys().wrap("a key", evidence.id)
        assert keys().unwrap(wrapped, keys().current, evidence.id) == "a key"


@pytest.mark.parametrize("where", ["file", "s3"])
def test_the_bytes_move_to_a_store_and_back(
    evidence: Evidence, aws: str, configure: Configure, tmp_path: Path, where: str
) -> None:
    if where == "s3":
        boto3.client("s3", endpoint_url=aws).create_bucket(Bucket="vault")
        store = "s3://vault/evidence"
    else:
        store = f"file://{tmp_path}/vault"
    assert not care.store_next_file()
    configure(evidence_store=store)
    assert care.store_next_file()
    assert not care.store_next_file()
    moved = again(evidence)
    assert (moved.ciphertext, moved.location) == (None, f"{store}/{evidence.id}.age")
    assert KNOWN[100:140] not in storage.read_object(moved.location)
    assert opened(evidence) == KNOWN
    assert care.scrub_evidence() == 0
    assert verify_ledger().ok
    # Destroyed, the object goes as well.
    end_term(moved, timezone.now() - timedelta(days=1))
    assert vault.destroy_expired_evidence(timezone.now()) == 1
    run_jobs()
    with pytest.raises(storage.StoreUnreachable, match="not there"):
        storage.read_object(moved.location)
    delete_object(moved.location)  # a job may run twice
    with pytest.raises(vault.EvidenceGone):
        opened(evidence)


def test_a_store_that_is_away_leaves_the_bytes_where_they_are(
    evidence: Evidence, configure: Configure, tmp_path: Path
) -> None:
    blocked = tmp_path / "vault"
    blocked.write_text("a file where a folder should be")
    configure(evidence_store=f"file://{blocked}/deeper")
    with pytest.raises(storage.StoreUnreachable):
        care.store_next_file()
    assert again(evidence).ciphertext is not None
    assert opened(evidence) == KNOWN


def test_a_move_that_was_cut_off_is_done_again(
    evidence: Evidence, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(evidence_store=f"file://{tmp_path}")
    with monkeypatch.context() as patch:
        patch.setattr(Evidence, "save", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            care.store_next_file()
    assert (tmp_path / f"{evidence.id}.age").exists()
    assert again(evidence).ciphertext is not None
    assert care.store_next_file()
    assert opened(evidence) == KNOWN


@pytest.mark.parametrize("where", ["database", "store"])
def test_bytes_that_rot_are_found_without_opening_anything(
    evidence: Evidence, configure: Configure, tmp_path: Path, where: str
) -> None:
    if where == "store":
        configure(evidence_store=f"file://{tmp_path}")
        care.store_next_file()
        path = tmp_path / f"{evidence.id}.age"
        path.write_bytes(rotten(path.read_bytes()))
    else:
        whole = bytes(again(evidence).ciphertext or b"")
        Evidence.objects.update(ciphertext=rotten(whole))
    assert care.scrub_evidence() == 1
    assert care.scrub_evidence() == 1
    assert Entry.objects.filter(kind="evidence.damaged").count() == 1, "said once"
    assert not Entry.objects.filter(kind__in=("evidence.read", "evidence.viewed")).exists()
    assert examine()["vault"].level == "fault"


def test_what_is_nowhere_cannot_be(evidence: Evidence) -> None:
    with pytest.raises(IntegrityError, match="is_somewhere"), transaction.atomic():
        Evidence.objects.update(ciphertext=None)


def test_the_worker_looks_after_the_vault(
    evidence: Evidence, configure: Configure, tmp_path: Path
) -> None:
    from kinward.evidence.tasks import check, store

    configure(evidence_store=f"file://{tmp_path}")
    store(0)
    check(0)
    now = again(evidence)
    assert now.location
    assert now.scrubbed_at
    assert not now.damaged_at
    assert "evidence.delete_object" not in due_jobs()
