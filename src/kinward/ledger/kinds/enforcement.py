"""Actions and sanctions."""

from kinward.ledger.kinds.fact import Fact


class ActionIssued(Fact, frozen=True):
    """An action was issued."""

    kind = "action.issued"
    case: str | None
    type: str
    target: str


class ActionDelivered(Fact, frozen=True):
    """The platform accepted an action."""

    kind = "action.delivered"
    case: str | None
    status: int


class ActionParked(Fact, frozen=True):
    """An action was given up until somebody looks."""

    kind = "action.parked"
    case: str | None
    attempts: int


class ActionReplayed(Fact, frozen=True):
    """A parked action was sent again."""

    kind = "action.replayed"
    case: str | None


class SanctionImposed(Fact, frozen=True):
    """A case imposed a sanction."""

    kind = "sanction.imposed"
    case: str
    account: str
    sanction: str
    until: str | None


class SanctionLifted(Fact, frozen=True):
    """A sanction was lifted."""

    kind = "sanction.lifted"
    case: str
    account: str
    why: str
