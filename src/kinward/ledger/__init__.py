"""The ledger: every decision, act and look, recorded once, in order and for good.

This face needs no Django: notes, the verification of exports, and the witness of others' logs.
`api` has the rest.
"""

from kinward.ledger.bundle import verifier_text
from kinward.ledger.export_files import NotVerified
from kinward.ledger.notes import BadNote, Verifier, open_note, parse_note
from kinward.ledger.verifier import verify_files
from kinward.ledger.witness import NOTHING_SEEN
from kinward.ledger.witness_store import Refused, WitnessFolder

__all__ = [
    "NOTHING_SEEN",
    "BadNote",
    "NotVerified",
    "Refused",
    "Verifier",
    "WitnessFolder",
    "open_note",
    "parse_note",
    "verifier_text",
    "verify_files",
]
