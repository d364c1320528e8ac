"""Sealed files."""

from msgspec import UNSET, UnsetType

from kinward.ledger.kinds.fact import Fact, Words


class EvidenceSealed(Fact, frozen=True):
    """A file was sealed."""

    kind = "evidence.sealed"
    case: str
    sha256: str
    size: int


class EvidenceStored(Fact, frozen=True):
    """Ciphertext moved to the store."""

    kind = "evidence.stored"
    case: str
    sealed_sha256: str


class EvidenceVeiled(Fact, frozen=True):
    """A blurred stand-in of a file was shown."""

    kind = "evidence.veiled"
    case: str
    reason: str


class EvidenceViewed(Fact, frozen=True):
    """A file was shown, entirely or in part.

    `shown`: which of its pictures and films, by the names of `evidence.viewing`. `seconds`: of a
    film that was played to its end. `entire`: this person has seen the whole file by now. `most`:
    they have seen all that can be shown of a file that cannot be shown entirely.
    """

    kind = "evidence.viewed"
    case: str
    reason: str
    entire: bool
    shown: list[str] | UnsetType = UNSET
    seconds: float | UnsetType = UNSET
    most: bool | UnsetType = UNSET


class EvidenceRead(Fact, frozen=True):
    """A file was read for a report."""

    kind = "evidence.read"
    reason: str
    case: str | UnsetType = UNSET


class EvidenceReleased(Fact, frozen=True):
    """A file was read for a release."""

    kind = "evidence.released"
    case: str
    reason: str


class EvidenceGivenBack(Fact, frozen=True):
    """A file was given back to the platform."""

    kind = "evidence.given_back"
    case: str
    sha256: str


class EvidenceRewrapped(Fact, frozen=True):
    """A file's key was wrapped anew."""

    kind = "evidence.rewrapped"
    case: str
    before: str
    after: str


class EvidenceDamaged(Fact, frozen=True):
    """A file is not the one that was sealed. `found` says what differs."""

    kind = "evidence.damaged"
    case: str
    found: Words


class EvidenceTermSet(Fact, frozen=True):
    """The files of a case got a term. `evidence.words_on_terms` says what `mac` is over."""

    kind = "evidence.term_set"
    until: str
    why: str
    files: int
    after: int | UnsetType = UNSET
    mac: str | UnsetType = UNSET


class EvidenceHeld(Fact, frozen=True):
    """The files of a case were put under legal hold."""

    kind = "evidence.held"
    reference: Words
    files: int
    after: int | UnsetType = UNSET
    mac: str | UnsetType = UNSET


class EvidenceHoldEndAsked(Fact, frozen=True):
    """A custodian asked to lift a legal hold. Another one decides."""

    kind = "evidence.hold_end_asked"
    reference: Words
    why: Words


class EvidenceHoldStays(Fact, frozen=True):
    """The request to lift a legal hold was refused or withdrawn."""

    kind = "evidence.hold_stays"
    reference: Words


class EvidenceHoldEnded(Fact, frozen=True):
    """A legal hold was lifted."""

    kind = "evidence.hold_ended"
    reference: Words
    files: int
    after: int | UnsetType = UNSET
    mac: str | UnsetType = UNSET


class EvidenceDestroyed(Fact, frozen=True):
    """A file and its key were destroyed."""

    kind = "evidence.destroyed"
    case: str
    sha256: str
    reason: str
