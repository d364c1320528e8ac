"""The command line of the verification: the last part of the file that exports carry. Pure."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kinward.ledger.export_files import NotVerified, leaf_bytes
from kinward.ledger.merkle import BadProof, leaf_hash
from kinward.ledger.notes import MAX_NOTE_BYTES, BadNote
from kinward.ledger.offline import Verification, Verified, parse_rotations, read_file
from kinward.ledger.proofs import MAX_PROOF_BYTES, BadProofFile, ProofFile, parse_proof
from kinward.ledger.witness_policy import MAX_POLICY_BYTES, BadPolicy, Policy, parse_policy

MAX_ENTRY: Final = 4 * 1024 * 1024  # bytes
MAX_PROCESSES: Final = 64
OK: Final = 0
NOT_VERIFIED: Final = 1


def verify_files(
    export: Path | None,
    policy_file: Path,
    receipt_files: Sequence[Path] = (),
    *,
    checkpoint_files: Sequence[Path] = (),
    entry_file: Path | None = None,
    rotations_file: Path | None = None,
    state: Path | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> list[str]:
    """Verify an export with its receipts, or receipts alone; return what was found, as lines.

    `checkpoint_files` and `rotations_file`: signed checkpoints, and the changes of the log's key,
    as somebody kept them. Raises `NotVerified`.
    """
    try:
        policy = parse_policy(read_file(policy_file, MAX_POLICY_BYTES))
    except BadPolicy as error:
        raise NotVerified(str(error)) from None
    receipts = [(path.name, _receipt(path)) for path in receipt_files]
    rotations = parse_rotations(rotations_file) if rotations_file else []
    if export is None:
        if not receipts:
            raise NotVerified("Name an export, a receipt, or both.")
        if checkpoint_files:
            raise NotVerified("Name the export, too. A checkpoint is held against an export.")
        try:
            policy.follow(rotations)
        except BadNote as error:
            raise NotVerified(str(error)) from None
        entry = read_file(entry_file, MAX_ENTRY) if entry_file else b""
        return [line for one in receipts for line in _verify_receipt(*one, entry, policy)]
    verification = Verification(
        export,
        policy,
        receipts=receipts,
        kept=[(path.name, read_file(path, MAX_NOTE_BYTES)) for path in checkpoint_files],
        rotations=rotations,
        state=state,
        workers=workers,
        progress=_silent if quiet else _progress,
    )
    return list(_describe(verification.run(), policy))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the verification, and return the exit status: 0 verified, 1 not, 2 wrong use."""
    parser = argparse.ArgumentParser(
        description="Verify an export of a Kinward ledger, or a receipt of one of its entries.",
    )
    parser.add_argument("export", type=Path, nargs="?", help="the folder of the export")
    parser.add_argument(
        "--policy", type=Path, required=True, help="the logs and witnesses you trust"
    )
    parser.add_argument(
        "--receipt", type=Path, action="append", default=[], help="a .tlog-proof that you kept"
    )
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a checkpoint that you kept"
    )
    parser.add_argument("--entry", type=Path, help="the entry of a receipt, as a line of an export")
    parser.add_argument(
        "--rotations", type=Path, help="the changes of the log's key, if you kept them"
    )
    parser.add_argument("--state", type=Path, help="keep here how far it is, and go on from there")
    parser.add_argument("--workers", type=_processes, help="the number of processes")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    chosen = parser.parse_args(arguments)
    try:
        lines = verify_files(
            chosen.export,
            chosen.policy,
            chosen.receipt,
            checkpoint_files=chosen.checkpoint,
            entry_file=chosen.entry,
            rotations_file=chosen.rotations,
            state=chosen.state,
            workers=chosen.workers,
            quiet=chosen.quiet,
        )
    except NotVerified as error:
        sys.stderr.write(f"Not verified: {error}\n")
        return NOT_VERIFIED
    except (OSError, RecursionError, UnicodeError) as error:
        sys.stderr.write(f"Not verified: a file cannot be read. {type(error).__name__}: {error}\n")
        return NOT_VERIFIED
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return OK


def _receipt(path: Path) -> ProofFile:
    try:
        return parse_proof(read_file(path, MAX_PROOF_BYTES))
    except BadProofFile as error:
        raise NotVerified(f"The receipt {path.name}: {error}") from None


def _verify_receipt(name: str, proof: ProofFile, entry: bytes, policy: Policy) -> list[str]:
    """Verify a receipt by itself. The entry is in a file, or in the receipt's extra data."""
    line = entry or proof.extra
    if not line:
        raise NotVerified(f"The receipt {name} has no entry in it. Name its file with --entry.")
    leaf, _opened = leaf_bytes(proof.index, line)
    try:
        checkpoint = proof.verify(leaf_hash(leaf), policy)
    except (BadNote, BadProof) as error:
        raise NotVerified(f"The receipt {name}: {error}") from None
    return [
        f"ok: {name} shows entry {proof.index} of {checkpoint.origin}, "
        f"in a log of {checkpoint.size:,} entries.",
        *(f"  {text}" for text in line.decode("utf-8", "replace").splitlines()),
    ]


def _describe(found: Verified, policy: Policy) -> list[str]:
    lines = [f"ok: {found.size:,} entries of {found.origin}."]
    if found.only_hashes:
        lines.append("  The export has no entries, so only hashes were verified.")
    else:
        lines.append(
            f"  {found.opened:,} values are shown and right. "
            f"{found.closed:,} are erased or withheld."
        )
    lines.append(f"  Earlier checkpoints that agree: {found.earlier:,}.")
    lines.append(f"  Receipts that agree: {found.receipts:,}.")
    if found.kept:
        lines.append(f"  Checkpoints of yours that agree: {found.kept:,}.")
    if found.rotations:
        lines.append(f"  Changes of the key, each signed by both keys: {found.rotations:,}.")
    if found.stamped:
        first, last = (f"{at:%Y-%m-%d %H:%M}" for at in (min(found.stamped), max(found.stamped)))
        lines.append(
            f"  Timestamps with the hash of their checkpoint: {len(found.stamped):,}, and they say "
            f"{first} to {last} UTC. Who signed them is not checked here: `openssl ts -verify` "
            "checks it."
        )
    lines += [f"  Cosigned by {name}, {_time(at)}." for name, at in found.cosigned_by]
    if not policy.needs_witnesses and not found.receipts and not found.kept:
        lines.append(
            "  No witness and no receipt was asked. Whoever has the key of the log can have "
            "rewritten it."
        )
    return lines


def _time(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return f"at no time that a calendar has ({seconds} s)"


def _processes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PROCESSES:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MAX_PROCESSES}")
    return int(text)


def _progress(done: int, size: int) -> None:
    sys.stderr.write(f"  {done:,} of {size:,} entries …\n")


def _silent(done: int, size: int) -> None:
    pass
