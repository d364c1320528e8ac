"""Verify an export of the ledger, with nothing but its files and a policy of trust. Pure.

The policy and the receipts come from whoever verifies, never from the export. One walk over all
entries rebuilds the tree. At each size for which there is a signed checkpoint, an earlier one or a
receipt, the tree must have that root.
"""

import hashlib
import heapq
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from kinward.ledger.checkpoints import Checkpoint, parse_checkpoint
from kinward.ledger.export_files import PART, NotVerified, Part, check_part, earlier_notes
from kinward.ledger.merkle import HASH_BYTES, BadProof, verify_inclusion
from kinward.ledger.notes import COSIGNATURE, MAX_NOTE_BYTES, BadNote, parse_note
from kinward.ledger.proofs import ProofFile
from kinward.ledger.rotations import read_rotations
from kinward.ledger.stamped import STAMPS, Stamped, read_stamps
from kinward.ledger.succession import Handover
from kinward.ledger.walk import Claim, Claims, Walk
from kinward.ledger.witness_policy import Policy

MAX_STATE: Final = 4 * 1024 * 1024  # bytes
MAX_ROTATIONS: Final = 64 * 1024 * 1024  # bytes
MAX_WORKERS: Final = 4


@dataclass(frozen=True)
class Verified:
    """What an export that verifies holds."""

    origin: str
    size: int
    opened: int  # values that were shown and match
    closed: int  # values that are erased or withheld
    earlier: int  # earlier checkpoints that match
    receipts: int
    kept: int  # checkpoints from outside
    rotations: int
    cosigned_by: tuple[tuple[str, int], ...]  # names of witnesses, and when: seconds since 1970
    stamped: tuple[datetime, ...]  # of timestamps with the right hash. Nobody checked who signed
    only_hashes: bool


class Receipt(NamedTuple):
    """A proof of an entry from outside, with its checkpoint already opened."""

    name: str
    proof: ProofFile
    checkpoint: Checkpoint


class Verification:
    """One verification of an export. `run` does it. Both raise `NotVerified`.

    `receipts`: proofs from outside, each with a name. `kept`: signed checkpoints from outside, each
    with a name. `rotations`: what somebody kept of the
    changes of the key: the export must have them. `state`: a file that keeps how far it is.
    `progress` is called with the number of entries done and of all.
    """

    def __init__(
        self,
        folder: Path,
        policy: Policy,
        *,
        receipts: Sequence[tuple[str, ProofFile]] = (),
        kept: Sequence[tuple[str, bytes]] = (),
        rotations: Sequence[Handover] = (),
        state: Path | None = None,
        workers: int | None = None,
        progress: Callable[[int, int], None] = lambda done, size: None,
    ) -> None:
        self._folder, self._policy = folder, policy
        self._state, self._progress = state, progress
        self._workers = workers or min(MAX_WORKERS, os.cpu_count() or 1)
        self._note = read_file(folder / "checkpoint", MAX_NOTE_BYTES)
        self._rotations = rotations_of(folder)
        try:
            policy.follow([*self._rotations, *rotations])
            self._checkpoint, self._opened = policy.open(self._note)
        except BadNote as error:
            raise NotVerified(f"The checkpoint of the export: {error}") from None
        self._require_kept(rotations)
        self._receipts = [self._receipt(*receipt) for receipt in receipts]
        self._kept = [self._claim(*one) for one in kept]
        self._stamps = [self._stamp(stamp) for stamp in read_stamps(folder)]
        self._earlier = 0

    def run(self) -> Verified:
        """Verify everything, from where an earlier run stopped."""
        key = self._key()
        walk = self._resume(key)
        claims = self._claims(walk)
        for number, part in self._parts(walk.frontier.size // PART):
            self._check_receipts(number * PART, part.leaves)
            walk.take(self._folder, part, claims)
            self._progress(walk.frontier.size, self._checkpoint.size)
            if walk.frontier.size % PART == 0:
                self._save(walk.to_json(key))
        walk.finish(self._folder, claims)
        self._require_rotations(walk)
        return self._result(walk)

    def _require_kept(self, kept: Sequence[Handover]) -> None:
        """What somebody kept of the changes of the key has to be in the export, too."""
        for one in kept:
            small = one.size > self._checkpoint.size
            if one.origin == self._checkpoint.origin and one not in self._rotations and not small:
                raise NotVerified(
                    f"The export lacks the rotation at size {one.size} that you kept."
                )

    def _require_rotations(self, walk: Walk) -> None:
        """An entry that changes the key proves nothing unless both keys signed for it."""
        origin = self._checkpoint.origin
        last = max((each.size for each in self._rotations if each.origin == origin), default=0)
        if walk.rotated.get(origin, -1) >= last:
            raise NotVerified(
                f"Entry {walk.rotated[origin]} changes the key of the log, and the export does not "
                "show that the new key took over. Ask for a newer export."
            )

    def _receipt(self, name: str, proof: ProofFile) -> Receipt:
        return Receipt(name, proof, self._open(f"The receipt {name}", proof.checkpoint))

    def _claim(self, name: str, note: bytes) -> Claim:
        checkpoint = self._open(f"The checkpoint {name}", note)
        return Claim(checkpoint.size, checkpoint.root, f"the checkpoint {name}")

    def _open(self, what: str, note: bytes) -> Checkpoint:
        """Return a signed checkpoint from outside. Its origin is asked before its signature."""
        try:
            self._require_origin(what, parse_checkpoint(parse_note(note).text))
            checkpoint, _opened = self._policy.open_signed(note)
        except BadNote as error:
            raise NotVerified(
                f"{what}: {error} If the log changed its key, give its --rotations, too."
            ) from None
        self._require_within(what, checkpoint)
        return checkpoint

    def _stamp(self, stamp: Stamped) -> Stamped:
        """Its text is unsigned, so it has to be a checkpoint of this log that the tree has."""
        self._require_within("A timestamp", stamp.checkpoint)
        return stamp

    def _require_within(self, what: str, checkpoint: Checkpoint) -> None:
        """Raise `NotVerified` for a checkpoint of another log, or of more than the export has."""
        self._require_origin(what, checkpoint)
        if checkpoint.size > self._checkpoint.size:
            raise NotVerified(
                f"{what} shows a log of {checkpoint.size} entries. This export has only "
                f"{self._checkpoint.size}. Ask for a newer one: a log never shrinks."
            )

    def _require_origin(self, what: str, checkpoint: Checkpoint) -> None:
        if checkpoint.origin != self._checkpoint.origin:
            raise NotVerified(f"{what} is of another log, {checkpoint.origin!r}.")

    def _claims(self, walk: Walk) -> Claims:
        done = walk.frontier.size
        receipts = [
            Claim(each.checkpoint.size, each.checkpoint.root, f"the receipt {each.name}")
            for each in self._receipts
        ]
        last = Claim(self._checkpoint.size, self._checkpoint.root, "the checkpoint of the export")
        handed = sorted(
            Claim(each.size, each.root, f"its rotation at entry {each.leaf}")
            for each in self._rotations
            if each.size <= self._checkpoint.size
        )
        stamped = sorted(
            Claim(one.size, one.root, "a checkpoint that an authority stamped")
            for one, _at in self._stamps
        )
        outside = sorted([*receipts, *self._kept])
        merged = heapq.merge(
            self._earlier_claims(), outside, handed, stamped, [last], key=lambda claim: claim.size
        )
        return Claims((claim for claim in merged if claim.size >= done), walk.agreed)

    def _earlier_claims(self) -> Iterator[Claim]:
        before = 0
        for note in earlier_notes(self._folder):
            try:
                checkpoint, _opened = self._policy.open_signed(note)
            except BadNote as error:
                raise NotVerified(f"An earlier checkpoint, above size {before}: {error}") from None
            if checkpoint.origin != self._checkpoint.origin:
                raise NotVerified(f"An earlier checkpoint is of {checkpoint.origin!r}.")
            if not before <= checkpoint.size <= self._checkpoint.size:
                raise NotVerified("The earlier checkpoints are not in the order of their sizes.")
            before = checkpoint.size
            self._earlier += 1
            yield Claim(checkpoint.size, checkpoint.root, "an earlier checkpoint")

    def _parts(self, first: int) -> Iterator[tuple[int, Part]]:
        """Yield each file of entries in order, checked by other processes some files ahead."""
        size = self._checkpoint.size
        numbers = range(first, -(-size // PART))
        if self._workers == 1 or len(numbers) < 2:
            for number in numbers:
                yield number, check_part(self._folder, number, size)
            return
        with ProcessPoolExecutor(min(self._workers, len(numbers))) as pool:
            try:
                yield from self._ahead(pool, numbers)
            except BrokenProcessPool:
                raise NotVerified(
                    "A process of the verification was ended. Run it again."
                ) from None
            finally:
                pool.shutdown(cancel_futures=True)

    def _ahead(self, pool: Executor, numbers: range) -> Iterator[tuple[int, Part]]:
        waiting: deque[tuple[int, Future[Part]]] = deque()
        for number in numbers:
            future = pool.submit(check_part, self._folder, number, self._checkpoint.size)
            waiting.append((number, future))
            if len(waiting) > self._workers:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()

    def _check_receipts(self, first: int, leaves: bytes) -> None:
        for receipt in self._receipts:
            offset = (receipt.proof.index - first) * HASH_BYTES
            if not 0 <= offset < len(leaves):
                continue
            leaf = leaves[offset : offset + HASH_BYTES]
            size, root = receipt.checkpoint.size, receipt.checkpoint.root
            try:
                verify_inclusion(leaf, receipt.proof.index, size, receipt.proof.hashes, root)
            except BadProof:
                raise NotVerified(
                    f"Entry {receipt.proof.index} is not the one that the receipt "
                    f"{receipt.name} shows, in a log of {size} entries."
                ) from None

    def _key(self) -> str:
        """Return a digest of all that a state is about, besides the entries."""
        parts = [
            self._note,
            str(self._has_entries).encode(),
            *(each.proof.to_bytes() for each in self._receipts),
            repr(self._rotations).encode(),
            repr(self._kept).encode(),
        ]
        parts.append("".join(sorted(log.verifier.vkey for log in self._policy.logs)).encode())
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts))
        for path in (self._folder / "checkpoints.jsonl", self._folder / STAMPS):
            if path.exists():
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    @property
    def _has_entries(self) -> bool:
        return (self._folder / "entries").is_dir()

    def _resume(self, key: str) -> Walk:
        if self._state is None or not self._state.exists():
            return Walk()
        try:
            return Walk.from_json(read_file(self._state, MAX_STATE).decode(), key)
        except ValueError:
            return Walk()

    def _save(self, text: str) -> None:
        if self._state is None:
            return
        fresh = self._state.with_name(self._state.name + ".new")
        fresh.write_text(text)
        fresh.replace(self._state)

    def _result(self, walk: Walk) -> Verified:
        cosigned = tuple(
            (who.name, signature.cosigned_at)
            for who, signature in self._opened.verified
            if who.kind == COSIGNATURE
        )
        return Verified(
            origin=self._checkpoint.origin,
            size=self._checkpoint.size,
            opened=walk.opened,
            closed=walk.closed,
            earlier=self._earlier,
            receipts=len(self._receipts),
            kept=len(self._kept),
            rotations=len(self._rotations),
            cosigned_by=cosigned,
            stamped=tuple(stamp.at for stamp in self._stamps),
            only_hashes=not self._has_entries,
        )


def rotations_of(folder: Path) -> list[Handover]:
    """Return the changes of the key in an export. Raises `NotVerified`."""
    path = folder / "rotations.jsonl"
    return parse_rotations(path) if path.exists() else []


def parse_rotations(path: Path) -> list[Handover]:
    """Read a file of rotations, each verified by itself. Raises `NotVerified`."""
    try:
        return list(read_rotations(read_file(path, MAX_ROTATIONS)))
    except BadNote as error:
        raise NotVerified(f"{path.name}: {error}") from None


def read_file(path: Path, most: int) -> bytes:
    """Return what a file holds. Raises `NotVerified` if that is more than `most` bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise NotVerified(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) > most:
        raise NotVerified(f"{path} has more than {most:,} bytes.")
    return data
