"""Accounts of the platform: their age and their place."""

from kinward.ledger.kinds.fact import Fact, Words


class AccountAgeChanged(Fact, frozen=True):
    """The age of an account changed across a border that rules may draw: the ages in `borders`."""

    kind = "account.age_changed"
    was: list[int]
    age: list[int]
    source_was: str
    source: str
    assurance_was: str
    assurance: str
    borders: list[int]


class AccountAgeKept(Fact, frozen=True):
    """A weaker word about an age was sent in vain. `age` still stands."""

    kind = "account.age_kept"
    age: list[int]
    source: str
    assurance: str
    sent: list[int]
    sent_source: str
    sent_assurance: str


class AccountMoved(Fact, frozen=True):
    """An account has another place. An empty one is unknown."""

    kind = "account.moved"
    was: str
    place: str


class AccountDeleted(Fact, frozen=True):
    """The platform said that an account was deleted."""

    kind = "account.deleted"


class AccountReturned(Fact, frozen=True):
    """The platform sent an account again that it had deleted."""

    kind = "account.returned"


class WaveBegan(Fact, frozen=True):
    """One actor suddenly changed the age or the place of many accounts."""

    kind = "wave.began"
    accounts: int


class WaveEnded(Fact, frozen=True):
    """Somebody looked at a wave of changes, and says what it was."""

    kind = "wave.ended"
    note: Words
