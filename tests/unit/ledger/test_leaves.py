"""The leaf of an entry: the vector that strangers' software confirmed, and what it hides."""

from datetime import UTC, datetime, timedelta, timezone

from kinward.ledger.leaves import chain_leaf, commit, committed_data, entry_leaf
from kinward.ledger.merkle import leaf_hash

AT = datetime(2026, 11, 25, 18, 48, 48, 123456, UTC)
DATA = {"at": "2026-11-25T18:48:48.123456Z", "number": 3}
LEAF = (
    b"kinward.entry/1\n"
    b'["2026-11-25T18:00:00Z","case.opened",'
    b'"3892f0255d3b337f9365553f1dc26c7ac1ec28b468130609ca11cdbf4bd6bcd7",'
    b'"4d85c2ec3e705ce6947849b28f0df3b97fd9a1c9d8dcca38704a45cb9047642f",'
    b'"5d902e88b62c415158ea6caf09b1cda83f9a4f73298ef1df38342134c616df01"]'
)


def test_the_vector() -> None:
    salts = [bytes([number]) * 32 for number in (1, 2, 3)]
    leaf = entry_leaf(
        at=AT,
        kind="case.opened",
        actor=commit("actor", "staff:robin", salts[0]),
        subject=commit("subject", "case:7", salts[1]),
        data=commit("data", dict(reversed(DATA.items())), salts[2]),
    )
    assert leaf == LEAF
    assert leaf_hash(leaf).hex() == (
        "489ffde30e1d9b94084633e5b17e23daaa5163c732d6c72ec6dfc9e3270548de"
    )


def test_the_leaf_has_the_hour_in_utc_and_the_data_has_the_moment() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    none = bytes(32)
    told = [entry_leaf(at=at, kind="k", actor=none, subject=none, data=none) for at in (AT, there)]
    assert told[0] == told[1]
    assert b'["2026-11-25T18:00:00Z"' in told[0]
    assert committed_data(there, {"at": "x"}) == {
        "at": "2026-11-25T18:48:48.123456Z",
        "fact": {"at": "x"},
    }


def test_a_commitment_depends_on_field_value_and_salt() -> None:
    one = commit("actor", "staff:robin", bytes(32))
    others = [
        commit("subject", "staff:robin", bytes(32)),
        commit("actor", "staff:robi", bytes(32)),
        commit("actor", "staff:robin", b"\1" + bytes(31)),
    ]
    assert len({one, *others}) == 4
    assert commit("actor", "ä", bytes(32)) != commit("actor", "a\u0308", bytes(32))


def test_the_leaf_of_a_chain_is_no_leaf_of_an_entry() -> None:
    assert chain_leaf(9, bytes(32)) == b'kinward.chain/1\n[9,"' + b"00" * 32 + b'"]'
