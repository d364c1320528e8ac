"""Changes of the key that signs the log, without a moment at which nothing or the wrong key counts.

A rotation begins as an entry. The key before goes on signing until the tree has that entry and the
next key is at hand. Then both sign one checkpoint. It is the last of the key before, and from then
on only the key after signs. Whoever is killed in between leaves the key that counts in its place.
"""

from datetime import datetime
from typing import Final

import structlog
from django.db import connection

from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.locks import in_turn
from kinward.ledger import kinds
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.models import Entry, Log, LogRotation
from kinward.ledger.notes import ED25519, BadNote, Verifier
from kinward.ledger.openings import leaf_index
from kinward.ledger.services import Named, OutsideTransaction, record
from kinward.ledger.signers import SigningKey, find_key, log_signer, log_verifier, new_key

logger = structlog.get_logger(__name__)

ROTATOR: Final = "ledger.rotator"  # the lock of whoever begins a rotation


class OtherKey(KinwardError):
    """This log was signed with another key. Bring that key back. Nothing more is signed."""

    code = "ledger.other_key"
    status = 409


def begin_rotation(*, after: str, actor: Named) -> LogRotation:
    """Begin to change the key of the log to another one, in the caller's transaction.

    `after`: a verifier key. A rotation that still waits for its next key is replaced. Raises
    `Invalid` for a key that cannot follow. Two people have agreed before: `access.log_key`.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction
    in_turn(ROTATOR)
    before = require_rotatable(after)
    log = Log.objects.get()
    rotation = LogRotation.objects.create(origin=log.origin, before=before, after=after)
    fact = kinds.LedgerKeyRotated(before=before, after=after)
    record(actor=actor, subject=str(rotation), fact=fact)
    told = Entry.objects.filter(subject=str(rotation), kind=fact.kind)
    rotation.entry = told.latest("pk").pk
    rotation.save(update_fields=["entry"])
    return rotation


def make_next_key() -> Verifier:
    """Make the key to which the log changes next, and return its public half.

    Raises `Invalid` while the key changes, or if nothing is signed yet.
    """
    log = _signed_log()
    pending = pending_rotation(log)
    if pending is not None and is_here(pending.after):
        raise Invalid("The key changes already. The next checkpoint is signed by both keys.")
    return new_key(log.origin)


def require_rotatable(after: str) -> str:
    """Return the key that signs now. Raises `Invalid` unless another one can follow it."""
    log = _signed_log()
    try:
        verifier = Verifier.parse(after)
    except BadNote as error:
        raise Invalid(f"The next key: {error}") from None
    if verifier.kind != ED25519 or verifier.name != log.origin:
        raise Invalid(f"The next key is not one of the log {log.origin}.")
    used = {log.vkey, *LogRotation.objects.values_list("before", flat=True)}
    used |= set(LogRotation.objects.values_list("after", flat=True))
    if after in used:
        raise Invalid("This key has been one of the log before. Make a new one.")
    return log.vkey


def _signed_log() -> Log:
    log = Log.objects.first()
    if log is None or not log.vkey:
        raise Invalid("Nothing is signed yet, so there is no key to change. Replace its file.")
    return log


def pending_rotation(log: Log) -> LogRotation | None:
    """Return the rotation that has begun and is not carried out, if any."""
    newest = LogRotation.objects.filter(origin=log.origin).order_by("-pk").first()
    return None if newest is None or newest.note else newest


def is_here(vkey: str) -> bool:
    """Return whether a key can sign here: it is the present or the next one."""
    try:
        return find_key(vkey) is not None
    except KinwardError as error:
        logger.error("ledger.no_key", error=error.for_operator)
        return False


def signing_keys(log: Log) -> list[SigningKey]:
    """Return the key that signs now, and beside it the one after if that takes over now.

    Raises `OtherKey` if the key that counts is not here, and `NotConfigured` without any.
    """
    if not log.vkey:
        return [first_key(log.origin)]
    present = find_key(log.vkey)
    if present is None:
        raise OtherKey(f"It was {log.vkey}, and now it is {log_verifier(log.origin).vkey}.")
    after = _key_after(log)
    return [present, after] if after else [present]


def first_key(origin: str) -> SigningKey:
    """Return the key that signs a log of which nothing is signed yet. Raises `NotConfigured`."""
    return SigningKey(log_verifier(origin), log_signer())


def _key_after(log: Log) -> SigningKey | None:
    rotation = pending_rotation(log)
    if rotation is None or rotation.before != log.vkey or rotation.entry is None:
        return None
    index = leaf_index(rotation.entry)
    if index is None or index >= log.size:
        return None
    # The key before signs on, whatever is wrong with the next one.
    return find_key(rotation.after) if is_here(rotation.after) else None


def hand_over(log: Log, checkpoint: Checkpoint, note: bytes, now: datetime) -> None:
    """Store the checkpoint that both keys signed, in the transaction that shows it.

    The key after must be that of `signing_keys`.
    """
    newest = LogRotation.objects.filter(origin=log.origin, size=None).order_by("-pk")[:1]
    LogRotation.objects.filter(pk__in=newest).update(
        size=checkpoint.size, root=checkpoint.root, note=note, handed_over_at=now
    )
