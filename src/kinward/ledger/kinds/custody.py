"""Releases of records, and destruction."""

from kinward.ledger.kinds.fact import Fact, Words


class ReleaseAsked(Fact, frozen=True):
    """A release of records was requested."""

    kind = "release.asked"
    account: str
    to: Words
    reference: Words
    since: str
    until: str


class ReleaseApproved(Fact, frozen=True):
    """A second custodian approved a release."""

    kind = "release.approved"


class ReleaseRefused(Fact, frozen=True):
    """A release was refused."""

    kind = "release.refused"


class ReleasePacked(Fact, frozen=True):
    """The package of a release was made."""

    kind = "release.packed"
    files: int
    sha256: str


class ReleaseHandedOver(Fact, frozen=True):
    """The package of a release was handed over."""

    kind = "release.handed_over"
    to: Words


class DestructionAsked(Fact, frozen=True):
    """A destruction was requested."""

    kind = "destruction.asked"
    case: str
    asked_for_by: Words
    reference: Words


class DestructionDone(Fact, frozen=True):
    """A second custodian agreed, and the evidence was destroyed."""

    kind = "destruction.done"
    case: str


class DestructionRefused(Fact, frozen=True):
    """A destruction was refused."""

    kind = "destruction.refused"
    case: str
