"""A restore writes nothing that was not sealed here, and nothing uses half of one."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from kinward.cli import backup as command
from kinward.cli.backups.manifest import BackupFailed, Manifest
from kinward.cli.backups.objects import put_objects
from kinward.cli.first_run import check_erasures, check_tables
from kinward.evidence import care
from kinward.evidence.models import Evidence
from kinward.ground.restoring import BEGIN, END, RestoreUnfinished
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from tests.integration.conftest import Configure
from tests.support.helpers import KNOWN, quarantined

pytestmark = pytest.mark.django_db(transaction=True)


def listing(directory: Path) -> Manifest:
    files = {
        f"objects/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (directory / "objects").iterdir()
    }
    return Manifest(3, "1", datetime.now(UTC), 1, "", "", files)


def test_swapped_objects_change_nothing_in_the_store(
    bank: Bank, account: Account, configure: Configure, tmp_path: Path
) -> None:
    """A restore may use the store that is in use: what is true there stays true."""
    other = put_account(platform_id="member-2", profile=Profile())[0]
    quarantined(account)
    quarantined(other, data=KNOWN + b"more")
    store, saved = tmp_path / "store", tmp_path / "backup"
    configure(evidence_store=f"file://{store}")
    while care.store_next_file():
        pass
    one, two = sorted(store.glob("*.age"))
    before = {path.name: path.read_bytes() for path in (one, two)}
    (saved / "objects").mkdir(parents=True)
    (saved / "objects" / one.name).write_bytes(before[two.name])
    (saved / "objects" / two.name).write_bytes(before[two.name])
    assert put_objects(saved, listing(saved)) == 1
    assert {path.name: path.read_bytes() for path in (one, two)} == before
    one.unlink()
    (saved / "objects" / one.name).write_bytes(before[one.name])
    assert put_objects(saved, listing(saved)) == 2
    assert {path.name: path.read_bytes() for path in (one, two)} == before
    assert care.scrub_evidence() == 0
    (saved / "objects" / one.name).write_bytes(b"x" * 10_000_000)
    with pytest.raises(BackupFailed, match="more than"):
        put_objects(saved, listing(saved))
    assert Evidence.objects.filter(damaged_at=None).count() == 2


def test_nothing_uses_a_restore_that_was_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    check_tables()
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
    try:
        for serve in (check_tables, check_erasures):
            with pytest.raises(RestoreUnfinished):
                serve()
        name = connection.settings_dict["NAME"]
        url = psycopg.conninfo.make_conninfo(
            dbname=str(name),
            host=connection.settings_dict["HOST"],
            port=connection.settings_dict["PORT"] or None,
            user=connection.settings_dict["USER"],
            password=connection.settings_dict["PASSWORD"],
        )
        monkeypatch.setenv("KINWARD_DATABASE_URL", url)
        with pytest.raises(BackupFailed, match="was cut short"):
            command._begin()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(END)
    check_tables()
    with pytest.raises(BackupFailed, match="is not empty"):
        command._begin()
