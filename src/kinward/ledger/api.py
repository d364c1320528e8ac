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
from kinward.ledger.models import Entry, Words
from kinward.ledger.queries import entries_about, verify_ledger
from kinward.ledger.services import record
from kinward.ledger.words import ERASED, in_full, is_intact, says

__all__ = [
    "ERASED",
    "PARTNER",
    "REMOVED",
    "RULES",
    "Counterpart",
    "Entry",
    "Heard",
    "Mark",
    "Told",
    "Words",
    "counterparts",
    "declare",
    "entries_about",
    "id_of",
    "in_full",
    "is_intact",
    "kinds",
    "named",
    "record",
    "rowless",
    "rowless_kinds",
    "says",
    "unrecorded",
    "unrecorded_tables",
    "valid_ids",
    "verify_ledger",
]
