"""Checkpoints: what the log says of its tree, signed, and never contradicted.

What was signed last is in the log's row and in a file outside the database. Before another one is
signed, the tree has to go on from both. The file is written first and the row after it, by
compare-and-swap on size and root. Only the row is shown. So whoever is killed in between has shown
nothing, and a database that was set back signs nothing.
"""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import transaction
from django.utils import timezone

from kinward.ground.config import config
from kinward.ground.files import write_whole
from kinward.ground.locks import try_turn
from kinward.ledger.checkpoints import Checkpoint, parse_checkpoint
from kinward.ledger.merkle import Frontier, Reader, root_at
from kinward.ledger.models import Log, SignedTree
from kinward.ledger.notes import BadNote, Note, parse_note, sign_text
from kinward.ledger.pinned import SUFFIX, LogContradicted, pin, require_pinned
from kinward.ledger.rotating import first_key, hand_over, signing_keys
from kinward.ledger.sequencing import SIGNER, origin, tile_data
from kinward.ledger.signers import SigningKey, adopt_next_key, log_verifier
from kinward.ledger.tiles import BadTile, Tile, TileReader

EVERY: Final = timedelta(seconds=1)  # no checkpoint sooner after the one before


def publish_checkpoint() -> Checkpoint | None:
    """Sign the tree as it is now and show it. None if there is nothing new, or it is too soon.

    Where the key changes, both keys sign, and then the key after takes the place of the one before.
    Raises `LogContradicted`, `OtherKey`, and `NotConfigured` without a key.
    """
    with transaction.atomic():
        if not try_turn(SIGNER):
            return None
        log = Log.objects.first()
        now = timezone.now()
        if log is None or log.size == log.signed_size or _too_soon(log, now):
            return None
        checkpoint = _sign(log, now)
    if checkpoint is not None:
        adopt_next_key(verifier_key())
    return checkpoint


def _sign(log: Log, now: datetime) -> Checkpoint | None:
    root = Frontier.from_bytes(bytes(log.frontier)).root()
    checkpoint = Checkpoint(log.origin, log.size, root)
    keys = signing_keys(log)
    require_continuation(log, checkpoint)
    signatures = (sign_text(checkpoint.text, key.verifier, key.signer.sign) for key in keys)
    note = Note(checkpoint.text, tuple(signatures)).to_bytes()
    pin(log.origin)
    keep(log.origin, note)
    return checkpoint if _show(log, checkpoint, note, keys, now) else None


def _too_soon(log: Log, now: datetime) -> bool:
    # A moment to come is that of a clock which was set back since.
    return log.signed_at is not None and timedelta() <= now - log.signed_at < EVERY


def sign_note(text: str) -> tuple[bytes, str]:
    """Sign a text that no checkpoint can be; return the note and the key that verifies it.

    Raises `NotConfigured` without a key, `OtherKey` and `SignerUnreachable`.
    """
    log = Log.objects.first()
    key = signing_keys(log)[0] if log else first_key(origin())
    note = Note(text, (sign_text(text, key.verifier, key.signer.sign),))
    return note.to_bytes(), key.verifier.vkey


def verifier_key() -> str:
    """Return the key by which others verify this log's checkpoints. Raises `NotConfigured`."""
    log = Log.objects.first()
    return log.vkey if log is not None and log.vkey else log_verifier(origin_of_log(log)).vkey


def origin_of_log(log: Log | None = None) -> str:
    """Return the name of this log, or the one that it will have."""
    shown = log or Log.objects.first()
    return origin() if shown is None else shown.origin


def require_signable() -> None:
    """Raise `LogContradicted` unless the stored tree goes on from what was signed."""
    log = Log.objects.first()
    if log is not None:
        root = Frontier.from_bytes(bytes(log.frontier)).root()
        require_continuation(log, Checkpoint(log.origin, log.size, root))


def require_continuation(log: Log, checkpoint: Checkpoint) -> None:
    """Raise `LogContradicted` unless the tiles lead to this root, by way of what was signed.

    It has to be the log that this machine signs, too (`pinned`).
    """
    signed_here = kept(log.origin)
    require_pinned(log.origin, has_signed=signed_here is not None)
    reader = tile_reader(log.size)
    signed = Checkpoint(log.origin, log.signed_size, bytes(log.signed_root)) if log.note else None
    for earlier in (signed, signed_here, checkpoint):
        if earlier is None or earlier.size == 0:
            continue
        if earlier.size > log.size:
            raise LogContradicted(
                f"A tree of {earlier.size} was signed, and the database has {log.size}. Was it "
                "set back? Restore the newest backup with `kinward restore`."
            )
        if _root(earlier.size, reader) != earlier.root:
            raise LogContradicted(
                f"At size {earlier.size} the tiles have another root than what was signed or "
                "sequenced. Run `kinward ledger verify`."
            )


def root_of_log(size: int) -> bytes | None:
    """Return the root of the first leaves by the stored tiles. None if they are not that many."""
    log = Log.objects.first()
    return None if log is None or not 0 < size <= log.size else _root(size, tile_reader(log.size))


def _root(size: int, reader: Reader) -> bytes | None:
    try:
        return root_at(size, reader)
    except BadTile:
        return None


def tile_reader(size: int) -> TileReader:
    """Return a reader of the tree with this size, from the stored tiles."""

    def fetch(tile: Tile) -> bytes:
        return tile_data(*tile[:2])[: tile.width * 32]

    return TileReader(size, fetch)


def _show(
    log: Log, checkpoint: Checkpoint, note: bytes, keys: list[SigningKey], now: datetime
) -> bool:
    """Replace what is shown, unless somebody else did. Of each hour the last one is kept.

    `keys`: the one that was in force until now, and the one after if that takes over.
    """
    swapped = Log.objects.filter(
        generation=log.generation, signed_size=log.signed_size, signed_root=log.signed_root
    ).update(
        signed_size=checkpoint.size,
        signed_root=checkpoint.root,
        signed_at=now,
        note=note,
        vkey=keys[-1].verifier.vkey,
    )
    if not swapped:
        return False
    if len(keys) > 1:
        hand_over(log, checkpoint, note, now)
    if log.signed_at is not None and _hour(log.signed_at) == _hour(now):
        SignedTree.objects.filter(origin=log.origin, size=log.signed_size).delete()
    SignedTree.objects.create(
        origin=log.origin,
        size=checkpoint.size,
        root=checkpoint.root,
        note=note,
        vkey=keys[0].verifier.vkey,
        at=now,
    )
    return True


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def keep(origin: str, note: bytes) -> None:
    """Write what is signed to a file outside the database, for good before this returns."""
    path = kept_path(origin)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, note)


def kept(origin: str) -> Checkpoint | None:
    """Return what this machine signed last for an origin. Raises `LogContradicted`."""
    path = kept_path(origin)
    try:
        return parse_checkpoint(parse_note(path.read_bytes()).text)
    except FileNotFoundError:
        return None
    except BadNote as error:
        raise LogContradicted(f"{path} is no checkpoint: {error}") from error


def kept_path(origin: str) -> Path:
    """Return the path of the file with what was signed last for an origin."""
    name = hashlib.sha256(origin.encode()).hexdigest()[:16]
    return config().data_dir / "ledger" / f"{name}{SUFFIX}"
