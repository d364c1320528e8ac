"""A backup is restored into a cluster whose ids of transactions are lower, and the log goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

from kinward.evidence.sealing import new_key, public_half
from tests.support.places import Place, reachable

pytestmark = pytest.mark.django_db  # the places have databases of their own

SET_UP = """
from kinward.cli.main import set_up_django
set_up_django()
from django.db import connection
from kinward.ledger.models import Entry, Leaf, Log
from kinward.ledger.sequencing import sequence, sequence_all
from kinward.ledger.signing import publish_checkpoint
from kinward.ledger.verification import verify_ledger
from tests.support.ledgers import write

def xid():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        return int(cursor.fetchone()[0])

def each_has_one_leaf():
    placed = list(Leaf.objects.exclude(entry_id=None).values_list("entry_id", flat=True))
    assert sorted(placed) == sorted(Entry.objects.values_list("seq", flat=True)), "one leaf each"
"""
# Thousands of transactions, and entries of which some have no leaf when the backup is made.
FILL = (
    SET_UP
    + """
for _ in range(5000):
    xid()
write(6)
sequence_all()
assert publish_checkpoint() is not None
print(xid())
"""
)
# Somebody writes for long, and holds back whoever comes later.
HOLD = (
    SET_UP
    + """
from django.db import transaction
with transaction.atomic():
    xid()
    import threading
    def later():
        print(write(4))
        connection.close()
    thread = threading.Thread(target=later)
    thread.start()
    thread.join()
    print("ready", flush=True)
    input()
"""
)
GO_ON = (
    SET_UP
    + """
before = xid()
highest = max(Entry.objects.values_list("xid", flat=True))
each_has_one_leaf()
write(5)
sequence_all()
each_has_one_leaf()
# What runs now passes the ids that the backup had. Nothing gets a second leaf, or none.
while xid() <= highest:
    if xid() % 500 < 2:
        write(1)
        sequence()
write(5, together=True)
sequence_all()
each_has_one_leaf()
log = Log.objects.get()
assert log.position_xid > highest, (log.position_xid, highest)
log.signed_at = None
log.save(update_fields=["signed_at"])
publish_checkpoint()
found = verify_ledger()
assert found.ok, found.fault
assert found.signed == found.head.size
print(before, highest)
"""
)


def test_the_log_goes_on_in_a_cluster_with_lower_ids_of_transactions(
    tmp_path: Path, cluster: Path
) -> None:
    reachable(tmp_path)
    identity, own = tmp_path / "identity.txt", new_key()
    identity.write_text(own)
    one = Place(tmp_path / "one")
    filled = one.fill(FILL, cluster)
    assert filled.returncode == 0, filled.stderr
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=one.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        waiting = holder.stdout.readline()
        assert holder.stdout.readline() == "ready\n"
        made = one.kinward("backup", str(tmp_path / "backups"), "--recipient", public_half(own))
        assert made.returncode == 0, made.stderr
        holder.communicate("\n", timeout=120)
    vkey = one.kinward("ledger", "key").stdout.strip()
    assert waiting.count(",") == 3, "four entries had no leaf when the backup was made"
    (directory,) = (tmp_path / "backups").iterdir()

    two = Place(tmp_path / "two")
    words = ("--identity", str(identity), "--signed-by", vkey)
    back = two.kinward("restore", str(directory), *words)
    assert back.returncode == 0, back.stderr
    gone_on = two.run("-c", GO_ON)
    assert gone_on.returncode == 0, gone_on.stderr
    before, highest = map(int, gone_on.stdout.split())
    assert before < highest, "the new cluster counted from far below"
