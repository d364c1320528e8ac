"""What comparing the tables with the ledger found. Each difference is named by its row's id."""

from kinward.ledger.kinds.fact import Fact


class LedgerReconciled(Fact, frozen=True):
    """The tables were compared with the ledger, all of them or what changed since a moment.

    `explained`: how many differences each rule explains.
    """

    kind = "ledger.reconciled"
    everything: bool
    rows: int
    entries: int
    differences: int
    explained: dict[str, int]


class LedgerDiffers(Fact, frozen=True):
    """A row and the ledger differ, and no rule explains it."""

    kind = "ledger.differs"
    what: str
    about: str
    of_kind: str


class LedgerAgrees(Fact, frozen=True):
    """A difference was not found any more."""

    kind = "ledger.agrees"
