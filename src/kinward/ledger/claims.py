"""What was claimed of the log's tree: by checkpoints, timestamps, and what this machine signed.

Each claim is the root of the tree at a size. It counts once it is found signed, by a key that was
in force then. The verification of the ledger holds the tree against all of them.
"""

import msgspec

from kinward.ground.errors import KinwardError
from kinward.ledger.checkpoints import open_checkpoint
from kinward.ledger.keys_of_log import LogKeys, read_keys
from kinward.ledger.models import Log, SignedTree, StampedTree
from kinward.ledger.notes import BadNote, Verifier
from kinward.ledger.pinned import LogContradicted, require_pinned
from kinward.ledger.signers import find_key
from kinward.ledger.signing import kept


class Head(msgspec.Struct, frozen=True):
    """A tree: how many leaves it had, and its root. As a text it can be kept elsewhere."""

    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.size}-{self.root.hex()}"


class Broken(Exception):
    """Something differs: the entry, if it is one, and why."""

    def __init__(self, entry: int | None, why: str) -> None:
        super().__init__(why)
        self.entry, self.why = entry, why


class Claimed:
    """What was signed and stamped before the walk, and what this machine signed last."""

    def __init__(self) -> None:
        self.trees = list(SignedTree.objects.order_by("id"))
        self.heads = [Head(each.size, bytes(each.root)) for each in StampedTree.objects.all()]
        origin = Log.objects.values_list("origin", flat=True).first()
        try:
            signed_here = None if origin is None else kept(origin)
            if origin is not None:
                require_pinned(origin, has_signed=signed_here is not None)
        except LogContradicted as error:
            raise Broken(None, error.for_operator.split("\n")[0].rstrip(".")) from None
        if signed_here is not None:
            self.heads.append(Head(signed_here.size, signed_here.root))


def claimed_roots(
    log: Log, keys: LogKeys, claimed: Claimed, outside: Head | None
) -> dict[int, bytes]:
    """Return the root of each size for which there is a checkpoint, once each is found signed.

    `outside`: a head that somebody kept elsewhere. Raises `Broken`.
    """
    claims: dict[int, bytes] = {}
    for tree in claimed.trees:
        root = bytes(tree.root)
        if tree.origin == log.origin:
            _check_signed(bytes(tree.note), tree.size, root, keys)
        else:
            _check_note(tree, root)
        _claim(claims, log, Head(tree.size, root))
    heads = [*claimed.heads, *(Head(each.size, each.root) for each in keys.handovers)]
    if log.signed_size:
        _check_signed(bytes(log.note), log.signed_size, bytes(log.signed_root), keys)
        heads.append(Head(log.signed_size, bytes(log.signed_root)))
    if outside is not None and outside.size <= log.size:
        heads.append(outside)
    for head in heads:
        _claim(claims, log, head)
    return claims


def _claim(claims: dict[int, bytes], log: Log, head: Head) -> None:
    if head.size and claims.setdefault(head.size, head.root) != head.root:
        raise Broken(None, f"two checkpoints of {head.size:,} leaves differ")
    if head.size > log.size:
        raise Broken(None, f"a log of {head.size:,} leaves was signed, and its end is missing")


def keys_at_hand() -> tuple[Log, LogKeys, bool]:
    """Return the log, its keys, and whether the last of them is here. Raises `Broken`.

    The database alone names no key: whoever owns it can write their own there.
    """
    try:
        log, keys = read_keys()
    except BadNote as error:
        raise Broken(None, f"the keys of the log do not follow each other: {error}") from None
    try:
        if log.vkey and find_key(log.vkey) is None:
            raise Broken(None, f"{log.vkey} signed the log, and the key here is another one")
    except KinwardError:
        return log, keys, False
    return log, keys, True


def _check_signed(note: bytes, size: int, root: bytes, keys: LogKeys) -> None:
    """Check a checkpoint of the present origin: a key signed it that was in force at its size."""
    try:
        checkpoint = keys.open(note)
    except BadNote as error:
        raise Broken(None, f"the checkpoint of {size:,} leaves is not signed: {error}") from None
    if (checkpoint.size, checkpoint.root) != (size, root):
        raise Broken(None, f"the checkpoint of {size:,} leaves says something else")


def _check_note(tree: SignedTree, root: bytes) -> None:
    try:
        checkpoint, _ = open_checkpoint(bytes(tree.note), Verifier.parse(tree.vkey))
    except BadNote as error:
        raise Broken(
            None, f"the checkpoint of {tree.size:,} leaves is not signed: {error}"
        ) from None
    if (checkpoint.size, checkpoint.root) != (tree.size, root):
        raise Broken(None, f"the checkpoint of {tree.size:,} leaves says something else")
