"""Banks, partners, and what was uploaded before."""

from kinward.ledger.kinds.fact import Fact, Words


class BankCreated(Fact, frozen=True):
    """A bank was made."""

    kind = "bank.created"
    confidence: str


class BankDeleted(Fact, frozen=True):
    """A bank that never had a hash was deleted."""

    kind = "bank.deleted"


class BankEnabled(Fact, frozen=True):
    """A bank was switched on."""

    kind = "bank.enabled"


class BankDisabled(Fact, frozen=True):
    """A bank was switched off."""

    kind = "bank.disabled"


class BankTuned(Fact, frozen=True):
    """It was changed what a hit on a bank means, how near it must be, or how often it is asked."""

    kind = "bank.tuned"
    role: str
    distance: int
    enabled_ratio: float


class SilencingAsked(Fact, frozen=True):
    """Somebody asked that the hashes of a negative bank silence matches."""

    kind = "silencing.asked"
    bank: str
    hashes: int
    upto: int
    distance: int


class SilencingApproved(Fact, frozen=True):
    """Another person agreed: what looks like these hashes matches nothing from now on."""

    kind = "silencing.approved"
    bank: str
    hashes: int
    upto: int
    distance: int


class SilencingRefused(Fact, frozen=True):
    """The request was refused or withdrawn."""

    kind = "silencing.refused"
    bank: str
    hashes: int
    upto: int
    distance: int


class SilencingEnded(Fact, frozen=True):
    """A negative bank silences nothing any more, until two people agree again."""

    kind = "silencing.ended"
    why: str


class WeakeningAsked(Fact, frozen=True):
    """Somebody asked that a bank of verified hashes answers less than before."""

    kind = "weakening.asked"
    bank: str
    hashes: int
    role: str
    distance: int
    enabled_ratio: float
    disabled: bool


class WeakeningApproved(Fact, frozen=True):
    """Another person agreed, and the bank answers less from now on."""

    kind = "weakening.approved"
    bank: str
    hashes: int
    role: str
    distance: int
    enabled_ratio: float
    disabled: bool


class WeakeningWentAhead(Fact, frozen=True):
    """Nobody else could decide, and the bank answers less from now on."""

    kind = "weakening.went_ahead"
    bank: str
    hashes: int
    role: str
    distance: int
    enabled_ratio: float
    disabled: bool


class WeakeningRefused(Fact, frozen=True):
    """The request to weaken a bank was refused or withdrawn."""

    kind = "weakening.refused"
    bank: str
    hashes: int
    role: str
    distance: int
    enabled_ratio: float
    disabled: bool


class FloodBegan(Fact, frozen=True):
    """One hash hit many accounts at once. Its further hits wait for a person."""

    kind = "flood.began"
    bank: str
    accounts: int
    minutes: int


class FloodReleased(Fact, frozen=True):
    """A person said that the hash is right. Its hits have their consequences again."""

    kind = "flood.released"
    bank: str


class BankAdded(Fact, frozen=True):
    """Hashes were added to a bank, and others went."""

    kind = "bank.added"
    addition: int
    provenance: Words
    confidence: str
    hashes: int
    removed: int


class BankRemoved(Fact, frozen=True):
    """Hashes were taken out of a bank."""

    kind = "bank.removed"
    hashes: int


class WithdrawalAsked(Fact, frozen=True):
    """Somebody asked that much may leave a live bank of verified hashes."""

    kind = "withdrawal.asked"
    bank: str
    hashes: int
    live: int


class WithdrawalRefused(Fact, frozen=True):
    """The request that much may leave a bank was refused or withdrawn."""

    kind = "withdrawal.refused"
    bank: str
    hashes: int


class WithdrawalAllowed(Fact, frozen=True):
    """A person allowed lists and partners to remove so many of a bank's live hashes."""

    kind = "withdrawal.allowed"
    hashes: int
    live: int


class BankSearched(Fact, frozen=True):
    """Somebody searched the banks for a hash or a file."""

    kind = "bank.searched"
    found: int


class HashFalsePositive(Fact, frozen=True):
    """A hash was marked as a false positive."""

    kind = "hash.false_positive"
    bank: str


class HashMarkAsked(Fact, frozen=True):
    """Somebody asked to mark a verified hash as a false positive. Its hits wait for a person."""

    kind = "hash.mark_asked"
    bank: str


class HashMarkRefused(Fact, frozen=True):
    """That request was refused or withdrawn. The hash matches as before."""

    kind = "hash.mark_refused"
    bank: str


class HashReinstated(Fact, frozen=True):
    """That mark was taken back."""

    kind = "hash.reinstated"
    bank: str


class ExchangeAdded(Fact, frozen=True):
    """A partner was added."""

    kind = "exchange.added"
    api: str
    opinions: bool


class ExchangeEnabled(Fact, frozen=True):
    """A partner was switched on."""

    kind = "exchange.enabled"


class ExchangeDisabled(Fact, frozen=True):
    """A partner was switched off."""

    kind = "exchange.disabled"


class ExchangeChanged(Fact, frozen=True):
    """A partner was corrected. `fields`: the names of what changed."""

    kind = "exchange.changed"
    fields: list[str]


class ExchangeRemoved(Fact, frozen=True):
    """A partner was removed, with its credentials."""

    kind = "exchange.removed"


class ExchangeSynced(Fact, frozen=True):
    """A partner's list was read."""

    kind = "exchange.synced"
    entries: int
    added: int
    removed: int


class RetroFinished(Fact, frozen=True):
    """New hashes were looked for in what was uploaded before."""

    kind = "retro.finished"
    hashes: int
    found: int
