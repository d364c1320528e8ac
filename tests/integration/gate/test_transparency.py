"""Everybody may see the log's checkpoint and its hashes, and nobody sees an entry."""

import pytest

from kinward.ledger.models import Log
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.signing import publish_checkpoint
from tests.integration.gate.test_gate import Caller
from tests.support.ledgers import write

pytestmark = pytest.mark.django_db(transaction=True)


def test_checkpoint_and_tiles_are_public_and_cacheable() -> None:
    stranger = Caller("")
    assert stranger("GET", "/transparency/checkpoint").status_code == 404
    write(300, together=True)
    sequence_all()
    publish_checkpoint()
    shown = stranger("GET", "/transparency/checkpoint")
    assert (shown.status_code, shown.content) == (200, bytes(Log.objects.get().note))
    assert shown.headers["content-type"] == "text/plain; charset=utf-8"
    assert shown.headers["cache-control"] == "public, max-age=5"
    full = stranger("GET", "/transparency/tile/0/000")
    assert (full.status_code, len(full.content)) == (200, 8192)
    assert "immutable" in full.headers["cache-control"]
    partial = stranger("GET", "/transparency/tile/0/001.p/44")
    assert (partial.status_code, len(partial.content)) == (200, 44 * 32)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/001.p/45",
        "tile/0/x001/000",
        "tile/0/x001/x000/000.p/9",
        "tile/entries/000",
        "tile/99/000",
        "tile/-1/000",
        "tile/0/0",
        "tile/0/%00",
        "tile/0/000/",
        "entries/000",
    ],
)
def test_whatever_is_no_tile_is_not_found(path: str) -> None:
    write(3)
    sequence_all()
    publish_checkpoint()
    assert Caller("")("GET", f"/transparency/{path}").status_code in (404, 400)
