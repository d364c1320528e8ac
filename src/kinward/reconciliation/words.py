"""Differences in plain words: what differs, and what a person should do."""

from typing import Final

from kinward.ground.names import visible
from kinward.reconciliation.gaps import What
from kinward.reconciliation.models import Difference

SENTENCES: Final = {
    What.NO_ENTRY: "The table says what no entry says: {kind} is missing.",
    What.NOT_IN_ROW: "The ledger says {kind}, and the row does not say so.",
    What.OTHER: "The row and its entry {kind} differ in {detail}.",
    What.TWICE: "The ledger says {kind} more than once, and it happens once.",
    What.NO_ROW: "The ledger has entries about it, and its row is gone.",
    What.UNREADABLE: "An entry about it lacks what its kind says.",
    What.UNKNOWN: "The ledger has entries of the kind {kind}, which this version does not know.",
    What.STRANGER: "Kinward did not write this entry ({kind}).",
    What.CHECK: "{detail}",
}
WRITTEN: Final = "Somebody wrote to the database past Kinward, or removed an entry."
KEEP: Final = "Change nothing, keep a copy of the database, and ask who had access to it."
ADVICE: Final = {
    What.NO_ENTRY: f"{WRITTEN} Do not act on this row. {KEEP}",
    What.NOT_IN_ROW: f"{WRITTEN} What the ledger says counts. {KEEP}",
    What.OTHER: f"{WRITTEN} What the ledger says counts. {KEEP}",
    What.TWICE: f"Somebody wrote an entry past Kinward. {KEEP}",
    What.NO_ROW: f"Somebody deleted the row past Kinward. {KEEP} A backup may still have it.",
    What.UNREADABLE: f"Somebody wrote an entry past Kinward. {KEEP}",
    What.UNKNOWN: "Was a newer Kinward here? Otherwise somebody wrote entries past Kinward.",
    What.STRANGER: f"Somebody wrote it past Kinward, and it counts for nothing. {KEEP}",
    What.CHECK: f"{WRITTEN} {KEEP}",
}


def sentence_of(difference: Difference) -> str:
    """Return what differs, as one sentence."""
    kind, detail = visible(difference.kind), visible(difference.detail)
    return SENTENCES[What(difference.what)].format(kind=kind, detail=detail)


def advice_of(difference: Difference) -> str:
    """Return what a person should do about it."""
    return ADVICE[What(difference.what)]
