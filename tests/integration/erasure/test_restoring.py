"""A backup from before an erasure serves nothing until the erasure is carried out again."""

import shutil
from pathlib import Path

from kinward.evidence.sealing import new_key, public_half
from tests.support.places import Place, reachable

FILL = """
from kinward.access.actor import Actor
from kinward.people.services import Profile, delete_account, put_account
for name in ("goes", "stays"):
    put_account(platform_id=name, profile=Profile(screen_name=name.title()))
delete_account(platform_id="goes", actor=Actor.system("test"))
"""
ERASE = """
from kinward.cli.main import set_up_django
set_up_django()
from kinward.access.actor import Actor
from kinward.erasure.api import decide_erasure, request_erasure
one, two = Actor.operator("one"), Actor.operator("two")
row = request_erasure(account_id="goes", why="They asked.", staff=one)
decide_erasure(erasure_id=row.pk, approve=True, staff=two)
"""
LOOK = """
from kinward.cli.main import set_up_django
set_up_django()
from kinward.people.models import Account
print(*Account.objects.order_by("pk").values_list("platform_id", flat=True))
"""
SERVE = """
from kinward.cli.main import set_up_django
set_up_django()
import kinward.project.asgi
kinward.project.asgi.application
"""


FORGE = """
from kinward.cli.main import set_up_django
set_up_django()
from uuid import uuid4
from kinward.erasure.list import append
append(uuid4(), "stays")
"""


def forged_lines_erase_nobody(one: Place) -> None:
    """Whoever can write into the list, with its key, erases nobody alone."""
    listed = one.directory / "ledger" / "erasures.jsonl"
    assert one.run("-c", FORGE).returncode == 0
    refused = one.kinward("erase", "--replay")
    assert refused.returncode == 1
    assert "was not set back" in refused.stderr
    listed.write_text(listed.read_text().replace('"hour": "2', '"hour": "1'))
    broken = one.kinward("erase", "--replay")
    assert "does not follow from the one before it" in broken.stderr
    assert one.run("-c", LOOK).stdout.split() == ["goes", "stays"]
    listed.unlink()


def test_an_old_backup_is_erased_again_before_anything_serves(
    tmp_path: Path, cluster: Path
) -> None:
    reachable(tmp_path)
    identity, own = tmp_path / "identity.txt", new_key()
    identity.write_text(own)
    one = Place(tmp_path / "one")
    filled = one.fill(FILL, cluster)
    assert filled.returncode == 0, filled.stderr
    forged_lines_erase_nobody(one)
    _, restore = one.back_up(tmp_path / "backups", public_half(own))
    erased = one.run("-c", ERASE)
    assert erased.returncode == 0, erased.stderr
    assert one.run("-c", LOOK).stdout.split() == ["stays"]
    listed = tmp_path / "one" / "ledger" / "erasures.jsonl"
    assert "goes" not in listed.read_text()

    # Without the list nobody knows, so nothing serves. With it, no service starts and no command
    # serves before the erasure was carried out again.
    two = Place(tmp_path / "two")
    back = two.kinward(*restore, "--identity", str(identity))
    assert back.returncode == 0, back.stderr
    assert "Nothing serves until you bring each list" in back.stderr
    assert two.run("-c", LOOK).stdout.split() == ["goes", "stays"]
    shown = (
        *(("agree",), ("ledger", "show", "account:goes"), ("erase",)),
        ("policy", "simulate", "teen-accounts", "tiktok-2021"),
        ("package", "make", "none", "--out", "-h"),
        ("key", "trace", "app", "--entries"),
    )
    for command in (("worker",), ("up",), *shown):
        refused = two.kinward(*command)
        assert refused.returncode == 1, command
        assert "nobody knows who was erased since" in refused.stderr
    assert "ListNeeded" in two.run("-c", SERVE).stderr
    assert "nobody knows who was erased since" in two.kinward("erase", "--replay").stderr
    (tmp_path / "two" / "ledger").mkdir(exist_ok=True)
    shutil.copy(listed, tmp_path / "two" / "ledger" / listed.name)
    for command in (("worker",), ("up",)):
        refused = two.kinward(*command)
        assert refused.returncode == 1, command
        assert "1 erasure is newer than this database" in refused.stderr
    served = two.run("-c", SERVE)
    assert "ErasuresWait" in served.stderr
    replayed = two.kinward("erase", "--replay")
    assert replayed.returncode == 0, replayed.stderr
    assert "1 erasure again" in replayed.stdout
    assert two.run("-c", LOOK).stdout.split() == ["stays"]
    assert two.run("-c", SERVE).returncode == 0
    assert two.kinward("ledger", "verify").returncode == 0

    # The command for it does all of this by itself.
    three = Place(tmp_path / "three")
    whole = three.kinward(*restore, "--identity", str(identity), "--erasures", str(listed))
    assert whole.returncode == 0, whole.stderr
    assert "Carried out 1 erasure that is newer than the backup" in whole.stdout
    assert three.run("-c", LOOK).stdout.split() == ["stays"]
