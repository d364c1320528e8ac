"""A backup of everything, sealed; brought back elsewhere, and proved whole. As a newcomer would."""

import re
from pathlib import Path

import pytest

from kinward.evidence.sealing import new_key, public_half
from tests.support.helpers import rotten
from tests.support.places import Place, reachable

pytestmark = pytest.mark.django_db  # the places have databases of their own

FILL = """
from django.utils import timezone
from tests.support.helpers import KNOWN, quarantined
from kinward.access.actor import Actor
from kinward.evidence.care import store_next_file
from kinward.media import digest_bytes
from kinward.matching.services import add_hashes, create_bank, file_hashes
from kinward.people.services import Profile, put_account
from kinward.access.services import create_key
from kinward.access.staff import create_staff
for name, role in (("ada", "administrator"), ("robin", "reviewer")):
    system = Actor.system("test")
    create_staff(username=name, password="a long test word", roles=[role], actor=system)
create_key(name="app", purposes=["gate"], actor=Actor.system("test"))
bank = create_bank(name="known", confidence="verified", actor=Actor.system("test"))
hashes = file_hashes(digest_bytes(KNOWN), None)
add_hashes(bank=bank, hashes=hashes, provenance="p", actor=Actor.system("test"))
account = put_account(platform_id="member-1", profile=Profile())[0]
quarantined(account)
quarantined(account, content_id="post-2")
assert store_next_file()
"""
LOOK = """
from kinward.cli.main import set_up_django
set_up_django()
from uuid import uuid4
from kinward.evidence.models import Evidence
from kinward.evidence.services import read_for_report
from tests.support.helpers import KNOWN
for each in Evidence.objects.all():
    assert read_for_report(evidence=each, report_id=uuid4()) == KNOWN
    print("location", each.location or "database")
"""


def test_everything_comes_back_and_is_proved(tmp_path: Path, cluster: Path) -> None:
    reachable(tmp_path)
    identity, own = tmp_path / "identity.txt", new_key()
    identity.write_text(f"# kept elsewhere\n{own}\n")
    one = Place(tmp_path / "one", KINWARD_EVIDENCE_STORE=f"file://{tmp_path}/store")
    filled = one.fill(FILL, cluster)
    assert filled.returncode == 0, filled.stderr
    nobody = one.kinward("backup", str(tmp_path / "backups"), "--recipient", "age1nonsense")
    assert "age recipient" in nobody.stderr
    directory, restore = one.back_up(tmp_path / "backups", public_half(own))
    names = {each.relative_to(directory).as_posix() for each in directory.rglob("*.*")}
    assert names >= {"database.age", "secrets.tar.age", "manifest.json", "manifest.note"}
    assert sum(name.startswith("objects/") for name in names) == 1
    key = (tmp_path / "one" / "secrets" / "evidence_key").read_bytes().strip()
    for each in directory.rglob("*"):
        if each.is_file():
            assert key not in each.read_bytes(), each
            assert b"CREATE TABLE" not in each.read_bytes(), each

    # Since then one person has left, and a key was revoked.
    assert one.kinward("staff", "end", "robin", "--yes").returncode == 0
    assert one.kinward("key", "revoke", "app").returncode == 0
    listed = str(tmp_path / "one" / "ledger" / "power.jsonl")

    # Brought back to a place without a store: what was in the old one is in the database now.
    two = Place(tmp_path / "two")
    stranger = tmp_path / "stranger.txt"
    stranger.write_text(new_key())
    alone = two.kinward("restore", str(directory), "--identity", str(identity))
    assert (alone.returncode, "Add `--signed-by`" in alone.stderr) == (1, True)
    wrong = two.kinward(*restore, "--identity", str(stranger))
    assert (wrong.returncode, "does not open the backup" in wrong.stderr) == (1, True)
    back = two.kinward(*restore, "--identity", str(identity), "--power", listed)
    assert back.returncode == 0, back.stderr
    assert "of the ledger. Restored 1 object." in back.stdout
    assert "Signed out 2 people, and ended open invitations." in back.stdout
    assert "robin has left since, and has left again." in back.stdout
    assert "robin  reviewer  ended" in two.kinward("staff", "list").stdout
    assert "The key app was revoked" in back.stdout
    looked = two.run("-c", LOOK)
    assert looked.returncode == 0, looked.stderr
    assert looked.stdout.splitlines() == ["location database"] * 2
    settled = two.kinward("erase", "--replay", "--no-list", "Nobody was ever erased.")
    assert settled.returncode == 0, settled.stderr
    begun = two.kinward("ledger", "show", f"backup:{directory.name}").stdout
    assert "backup.begun" in begun, "also in what was brought back"
    assert "backup.restored" in begun
    assert public_half(own) in begun
    verified = two.kinward("ledger", "verify")
    assert verified.returncode == 0, verified.stdout
    assert re.search(r"/ledger/2-[0-9a-f]{8}\. Tell whoever verifies it\.", back.stdout)
    again = two.kinward(*restore, "--identity", str(identity))
    assert (again.returncode, "database is not empty" in again.stderr) == (1, True)

    # A backup that was changed is not believed.
    sealed = directory / "database.age"
    sealed.write_bytes(rotten(sealed.read_bytes()))
    three = Place(tmp_path / "three")
    changed = three.kinward(*restore, "--identity", str(identity))
    assert "database.age has changed since the backup" in changed.stderr
    assert not (tmp_path / "three" / "secrets").exists()
