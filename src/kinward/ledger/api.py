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
from kinward.ledger.models import Entry, HashTile, Leaf, Log, SignedTree, Words
from kinward.ledger.openings import place_of
from kinward.ledger.queries import (
    entries_about,
    is_late,
    log_size,
    signed_checkpoint,
    unsequenced_since,
    unsigned_since,
)
from kinward.ledger.running import keep_sequencing
from kinward.ledger.sequencing import begin_again, sequence_all
from kinward.ledger.services import record
from kinward.ledger.signers import log_signer
from kinward.ledger.signing import LogContradicted, require_signable, root_of_log
from kinward.ledger.verification import Head, Verification, verify_ledger
from kinward.ledger.words import ERASED, in_full, is_intact, says

__all__ = [
    "ERASED",
    "PARTNER",
    "REMOVED",
    "RULES",
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
    "Words",
    "begin_again",
    "count_values",
    "counterparts",
    "declare",
    "entries_about",
    "export_log",
    "find_said",
    "forget_said",
    "forgotten_values",
    "id_of",
    "in_full",
    "is_intact",
    "is_late",
    "keep_sequencing",
    "kinds",
    "log_signer",
    "log_size",
    "named",
    "place_of",
    "prove_entry",
    "read_tile",
    "record",
    "require_signable",
    "root_of_log",
    "rowless",
    "rowless_kinds",
    "says",
    "sequence_all",
    "signed_checkpoint",
    "unrecorded",
    "unrecorded_tables",
    "unsequenced_since",
    "unsigned_since",
    "valid_ids",
    "verify_ledger",
]
