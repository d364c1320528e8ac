"""What an operator did alone that takes two people. The reason is not in the ledger."""

from kinward.ledger.kinds.fact import Fact


class GlassBroken(Fact, frozen=True):
    """An operator carried out a request alone that takes two people."""

    kind = "glass.broken"
    request: str


class GlassReviewed(Fact, frozen=True):
    """Another person reviewed what an operator did alone, and found it justified or not."""

    kind = "glass.reviewed"
    justified: bool
