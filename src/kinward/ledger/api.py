"""The face of `ledger`: what other rooms may use."""

from kinward.ledger import kinds
from kinward.ledger.exporting import NotSignedYet, export_log, prove_entry, read_tile
from kinward.ledger.models import Entry, Log
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

__all__ = [
    "Entry",
    "Head",
    "Log",
    "LogContradicted",
    "NotSignedYet",
    "Verification",
    "begin_again",
    "entries_about",
    "export_log",
    "is_late",
    "keep_sequencing",
    "kinds",
    "log_signer",
    "log_size",
    "place_of",
    "prove_entry",
    "read_tile",
    "record",
    "require_signable",
    "root_of_log",
    "sequence_all",
    "signed_checkpoint",
    "unsequenced_since",
    "unsigned_since",
    "verify_ledger",
]
