"""The face of `ledger`: what other rooms may use."""

from kinward.ledger import kinds
from kinward.ledger.models import Entry
from kinward.ledger.queries import entries_about, verify_ledger
from kinward.ledger.services import record

__all__ = [
    "Entry",
    "entries_about",
    "kinds",
    "record",
    "verify_ledger",
]
