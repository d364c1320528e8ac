"""Erasures of accounts, without a word on whose."""

from kinward.ledger.kinds.fact import Fact, Words


class ErasureWanted(Fact, frozen=True):
    """The platform asked for an account to be erased. The account's erasure takes this, too."""

    kind = "erasure.wanted"


class ErasureAsked(Fact, frozen=True):
    """A person asked for the erasure of an account."""

    kind = "erasure.asked"


class ErasureRefused(Fact, frozen=True):
    """An erasure was refused, or withdrawn."""

    kind = "erasure.refused"


class AccountErased(Fact, frozen=True):
    """Two people erased an account: so many rows, and values of so many entries' fields."""

    kind = "account.erased"
    rows: int
    values: int


class ErasureReplayed(Fact, frozen=True):
    """An erasure that a restored backup did not know was carried out again."""

    kind = "erasure.replayed"
    rows: int
    values: int


class ErasuresListed(Fact, frozen=True):
    """After a restore the list of erasures was there, or an operator said why there is none.

    `lines` and `last`: how many it has, and the MAC (hex) of the last one.
    """

    kind = "erasures.listed"
    lines: int
    last: str
    why: Words = ""
