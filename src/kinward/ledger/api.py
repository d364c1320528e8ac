"""The face of `ledger`: what other rooms may use."""

from kinward.ledger import kinds
from kinward.ledger.counterparts import (
    PARTNER,
    REMOVED,
    RULES,
    Counterpart,
    Heard,
    Mark,
    Told,
    counterparts,
    declare,
    id_of,
    named,
    rowless,
    rowless_kinds,
    unrecorded,
    unrecorded_tables,
    valid_ids,
)
from kinward.ledger.exporting import NotSignedYet, export_log, prove_entry, read_tile
from kinward.ledger.forgetting import (
    Said,
    count_values,
    find_said,
    forget_said,
    forgotten_values,
)
from kinward.ledger.models import (
    CosignedTree,
    Entry,
    HashTile,
    Leaf,
    Log,
    SignedTree,
    WitnessWord,
    Words,
)
from kinward.ledger.openings import place_of
from kinward.ledger.queries import (
    entries_about,
    is_late,
    log_size,
    signed_checkpoint,
    unsequenced_since,
    unsigned_since,
)
from kinward.ledger.receipts import digest_of, ready_receipt, receipt_address, receipt_of
from kinward.ledger.running import keep_asking, keep_sequencing
from kinward.ledger.sequencing import begin_again, sequence_all
from kinward.ledger.services import record
from kinward.ledger.signers import log_signer
from kinward.ledger.signing import (
    LogContradicted,
    require_signable,
    root_of_log,
    sign_note,
    verifier_key,
)
from kinward.ledger.verification import Head, Verification, verify_ledger
from kinward.ledger.witnessing import (
    cosigned_checkpoint,
    fault_of_holders,
    is_witnessed,
    witness_problems,
)
from kinward.ledger.words import ERASED, in_full, is_intact, says

__all__ = [
    "ERASED",
    "PARTNER",
    "REMOVED",
    "RULES",
    "CosignedTree",
    "Counterpart",
    "Entry",
    "HashTile",
    "Head",
    "Heard",
    "Leaf",
    "Log",
    "LogContradicted",
    "Mark",
    "NotSignedYet",
    "Said",
    "SignedTree",
    "Told",
    "Verification",
    "WitnessWord",
    "Words",
    "begin_again",
    "cosigned_checkpoint",
    "count_values",
    "counterparts",
    "declare",
    "digest_of",
    "entries_about",
    "export_log",
    "fault_of_holders",
    "find_said",
    "forget_said",
    "forgotten_values",
    "id_of",
    "in_full",
    "is_intact",
    "is_late",
    "is_witnessed",
    "keep_asking",
    "keep_sequencing",
    "kinds",
    "log_signer",
    "log_size",
    "named",
    "place_of",
    "prove_entry",
    "read_tile",
    "ready_receipt",
    "receipt_address",
    "receipt_of",
    "record",
    "require_signable",
    "root_of_log",
    "rowless",
    "rowless_kinds",
    "says",
    "sequence_all",
    "sign_note",
    "signed_checkpoint",
    "unrecorded",
    "unrecorded_tables",
    "unsequenced_since",
    "unsigned_since",
    "valid_ids",
    "verifier_key",
    "verify_ledger",
    "witness_problems",
]
