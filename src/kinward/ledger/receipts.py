"""Receipts: what a person can keep who was told something, to hold against the log later.

A receipt is a proof of one entry (c2sp.org/tlog-proof) with what the entry says. Its key is random,
and only whoever was told knows it.
"""

import hashlib
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from kinward.ground.config import config
from kinward.ground.errors import NotFound
from kinward.ledger.authenticity import first_written
from kinward.ledger.exporting import NotSignedYet, prove
from kinward.ledger.kinds import NoticeMade, StatementTold
from kinward.ledger.models import Entry
from kinward.ledger.proofs import ProofFile

PATH: Final = "/transparency/receipt"
STATEMENT: Final = "statement"
NOTICE: Final = "notice"

# Of which kinds of entry there are receipts, by the noun of their subject.
KINDS: Final = {STATEMENT: StatementTold.kind, NOTICE: NoticeMade.kind}


def receipt_address(key: UUID) -> str:
    """Return where everybody who knows the key can fetch the receipt."""
    return f"{config().url.rstrip('/')}{PATH}/{key}"


def receipt_of(key: UUID) -> ProofFile:
    """Return the receipt of a statement or a notice. Raises `NotFound` and `NotSignedYet`."""
    told = Entry.objects.filter(
        subject__in=[f"{noun}:{key}" for noun in KINDS], kind__in=KINDS.values()
    )
    entry = first_written(told.order_by("seq"))
    if entry is None:
        raise NotFound(f"There is no receipt {key}.")
    return prove(entry, opened=True)


def ready_receipt(key: UUID) -> str | None:
    """Return the receipt as a text. None while the log has not signed it, or if there is none."""
    try:
        return receipt_of(key).to_bytes().decode()
    except (NotFound, NotSignedYet):
        return None


def digest_of(sentences: Iterable[str]) -> str:
    """Return the SHA-256 of what a person was told, the sentences with a space between, in hex."""
    return hashlib.sha256(" ".join(sentences).encode("utf-8", "surrogatepass")).hexdigest()
