"""An operator with the database's superuser, the key of the log and the secret key.

They rewrite it all to fit.
"""

from django.utils import timezone

from kinward.ledger.authenticity import mac_of
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.leaves import SALT_BYTES, commit, committed_data, entry_leaf, exact_time
from kinward.ledger.merkle import Frontier, leaf_hash
from kinward.ledger.models import Entry, Leaf, Log
from kinward.ledger.notes import Note, sign_text
from kinward.ledger.sequencing import grown_tiles
from kinward.ledger.signers import log_signer, log_verifier
from kinward.ledger.signing import kept_path
from tests.support.ledgers import past_the_triggers

SALT = b"\x07" * SALT_BYTES


def replace_entry(number: int, actor: str = "staff:nobody") -> None:
    """Let an entry say that somebody else did it, with commitments and a MAC that fit."""
    entry = Entry.objects.get(seq=number)
    said = commit("actor", actor, SALT)
    assert entry.subject_commitment is not None
    assert entry.data_commitment is not None
    others = bytes(entry.subject_commitment), bytes(entry.data_commitment)
    past_the_triggers(
        "UPDATE ledger_entry SET actor = %s, actor_salt = %s, actor_commitment = %s, mac = %s "
        "WHERE seq = %s",
        actor,
        SALT,
        said,
        mac_of(number, exact_time(entry.at), entry.kind, said, *others),
        number,
    )
    assert entry.data_salt is not None
    assert committed_data(entry.at, entry.data)


def rebuild(order: list[int], *, with_key: bool = True) -> None:
    """Compute leaves, tiles, frontier, and signature anew, over these entries in this order."""
    entries = Entry.objects.in_bulk(order)
    hashes = [_hash(entries[number]) for number in order]
    past_the_triggers("DELETE FROM ledger_leaf")
    past_the_triggers("DELETE FROM ledger_tile")
    past_the_triggers("DELETE FROM ledger_signedtree")
    Leaf.objects.bulk_create(
        Leaf(index=at, entry_id=number, hash=hashes[at]) for at, number in enumerate(order)
    )
    for level, index, data in grown_tiles(0, hashes, lambda *_: b""):
        past_the_triggers(
            "INSERT INTO ledger_tile (level, index, data) VALUES (%s, %s, %s)", level, index, data
        )
    frontier = Frontier()
    frontier.extend(hashes)
    past_the_triggers(
        "UPDATE ledger_log SET size = %s, frontier = %s", len(order), frontier.to_bytes()
    )
    if with_key:
        sign_anew(len(order), frontier.root())


def sign_anew(size: int, root: bytes) -> None:
    """Sign a tree and show it, whatever was signed before, and forget the file with that."""
    log = Log.objects.get()
    verifier = log_verifier(log.origin)
    text = Checkpoint(log.origin, size, root).text
    note = Note(text, (sign_text(text, verifier, log_signer().sign),)).to_bytes()
    kept_path(log.origin).unlink(missing_ok=True)
    past_the_triggers(
        "UPDATE ledger_log SET signed_size = %s, signed_root = %s, note = %s, "
        f"signed_at = '{timezone.now().isoformat()}'",
        size,
        root,
        note,
    )


def rewritten(number: int) -> None:
    """Change the entry at an index, and everything after it to fit."""
    order = list(Leaf.objects.order_by("index").values_list("entry_id", flat=True))
    replace_entry(order[number])
    rebuild(order)


def _hash(entry: Entry) -> bytes:
    return leaf_hash(
        entry_leaf(
            at=entry.at,
            kind=entry.kind,
            actor=bytes(entry.actor_commitment or b""),
            subject=bytes(entry.subject_commitment or b""),
            data=bytes(entry.data_commitment or b""),
        )
    )
