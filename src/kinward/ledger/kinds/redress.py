"""Statements of reasons and appeals."""

from kinward.ledger.kinds.fact import Fact, Words


class StatementMade(Fact, frozen=True):
    """A statement of reasons was written."""

    kind = "statement.made"
    case: str
    stage: str
    clause: str
    silent_until: str | None
    silent_why: Words


class StatementTold(Fact, frozen=True):
    """The account holder was told. `said`: the SHA-256 of the sentences."""

    kind = "statement.told"
    case: str
    said: str | None = None


class StatementSilenced(Fact, frozen=True):
    """The account holder is told later."""

    kind = "statement.silenced"
    case: str
    until: str
    why: Words


class StatementLongSilenceAsked(Fact, frozen=True):
    """Somebody asked for a long silence, with the reference of a legal order."""

    kind = "statement.long_silence_asked"
    case: str
    until: str
    reference: Words


class StatementLongSilenceRefused(Fact, frozen=True):
    """A long silence was refused or withdrawn."""

    kind = "statement.long_silence_refused"
    case: str


class AppealMade(Fact, frozen=True):
    """The account holder appealed."""

    kind = "appeal.made"
    case: str
    statement: str


class AppealUpheld(Fact, frozen=True):
    """An appeal was answered: the decision stays."""

    kind = "appeal.upheld"
    case: str
    statement: str


class AppealOverturned(Fact, frozen=True):
    """An appeal was answered: the decision was wrong."""

    kind = "appeal.overturned"
    case: str
    statement: str
