"""What comparing the tables with the ledger found, and changes of the key that signs it.

Each difference is named by its row's id, and each key by its verifier key.
"""

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


class LedgerRotationAsked(Fact, frozen=True):
    """An operator asked for another key to sign the log."""

    kind = "ledger.rotation_asked"
    before: str
    after: str


class LedgerRotationApproved(Fact, frozen=True):
    """Another person agreed to that, or an operator did it alone."""

    kind = "ledger.rotation_approved"
    before: str
    after: str


class LedgerRotationRefused(Fact, frozen=True):
    """Another person refused that, or it was withdrawn."""

    kind = "ledger.rotation_refused"
    before: str
    after: str


class LedgerKeyRotated(Fact, frozen=True):
    """From the first checkpoint over this entry that both keys sign, the key after signs alone.

    Verifiers read it: `ledger.rotations`.
    """

    kind = "ledger.key_rotated"
    before: str
    after: str
