"""Go's own implementation verifies what a database has: entries of services, two keys, all proofs.

`make chaos` does it with 20,500 entries. `tests/unit/ledger/test_in_go.py` has as many from files.
"""

import os
import random
from pathlib import Path
from typing import Any, Final

import pytest

from kinward.ledger.exporting import export_log
from kinward.ledger.merkle import prove_consistency, prove_inclusion, root_at
from kinward.ledger.models import Leaf, Log
from kinward.ledger.signing import tile_reader
from tests.integration.conftest import Configure
from tests.support import golang
from tests.support.ledgers import write
from tests.support.rotated import grow, key_file, publish, rotate

pytestmark = pytest.mark.django_db(transaction=True)

ENTRIES: Final = int(os.environ.get("KINWARD_CHAOS_ENTRIES", "2000"))
INCLUSIONS: Final = 1_000
CONSISTENCIES: Final = 200
TOGETHER: Final = 500  # entries of one transaction


def proofs(size: int) -> dict[str, Any]:
    """Random proofs, as the database's own tiles give them."""
    chance = random.Random(20)
    leaves = dict(Leaf.objects.values_list("index", "hash"))
    reader = tile_reader(size)
    root = root_at(size, reader)

    def inclusion(index: int) -> dict[str, Any]:
        hashes = prove_inclusion(index, size, reader)
        leaf = bytes(leaves[index])
        return {"Index": index, "Size": size, "Leaf": leaf, "Root": root, "Hashes": hashes}

    def consistency(old: int) -> dict[str, Any]:
        hashes = prove_consistency(old, size, reader)
        before = root_at(old, tile_reader(old))
        return {"Old": old, "Size": size, "OldRoot": before, "Root": root, "Hashes": hashes}

    return {
        "inclusion": [inclusion(chance.randrange(size)) for _ in range(INCLUSIONS)],
        "consistency": [consistency(chance.randrange(1, size)) for _ in range(CONSISTENCIES)],
    }


def test_go_verifies_a_log_of_the_services_with_all_its_proofs(
    tmp_path: Path, configure: Configure
) -> None:
    key_file(tmp_path, configure)
    first = grow(1)
    vkey = Log.objects.get().vkey
    assert first.size == 1
    for number in range(ENTRIES // TOGETHER):
        write(TOGETHER, together=True)
        if number == ENTRIES // TOGETHER // 2:
            rotate()
    size = publish().size
    assert size > ENTRIES
    export = tmp_path / "export"
    export_log(export, opened=True, progress=lambda done: None)
    if not golang.find_go():
        golang.say_that_go_is_missing()
        return
    binary = golang.build(tmp_path)
    given = proofs(size)
    assert golang.judge(binary, vkey, export, given) == (
        f"ok: size {size}, {size} entries, {INCLUSIONS} inclusion proofs, "
        f"{CONSISTENCIES} consistency proofs, 1 changes of the key"
    )
    one = given["inclusion"][0]
    one["Leaf"] = bytes(32)
    assert golang.judge(binary, vkey, export, given).startswith("refused: inclusion of")
