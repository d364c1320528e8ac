"""Policy packs, settings, and editions of the guidelines."""

from typing import Any

from msgspec import UNSET, UnsetType

from kinward.ledger.kinds.fact import Fact, Words


class PackStored(Fact, frozen=True):
    """A version of a policy pack was stored."""

    kind = "pack.stored"
    digest: str


class PackActivated(Fact, frozen=True):
    """A pack was put in force for a share (percent) of accounts."""

    kind = "pack.activated"
    share: int
    before: str | UnsetType = UNSET
    proposal: str | UnsetType | None = UNSET


class PackReverted(Fact, frozen=True):
    """The pack in force was taken back."""

    kind = "pack.reverted"
    back_to: str
    share: int


class PackShadowed(Fact, frozen=True):
    """A pack began to run in the shadow."""

    kind = "pack.shadowed"


class PackUnshadowed(Fact, frozen=True):
    """A shadow ended, after so many questions."""

    kind = "pack.unshadowed"
    asked: int


class ProposalMade(Fact, frozen=True):
    """A pack was proposed."""

    kind = "proposal.made"
    pack: str
    base: str
    share: int
    why: Words


class ProposalApproved(Fact, frozen=True):
    """A second person approved a proposal."""

    kind = "proposal.approved"
    pack: str


class ProposalWentAhead(Fact, frozen=True):
    """A proposal went ahead by itself, because nobody else could decide on it."""

    kind = "proposal.went_ahead"
    pack: str


class ProposalRejected(Fact, frozen=True):
    """A proposal was rejected or taken back."""

    kind = "proposal.rejected"
    pack: str


class SettingMade(Fact, frozen=True):
    """A setting was made."""

    kind = "setting.made"
    layer: str
    capability: str
    value: Any
    until: str | UnsetType = UNSET


class SettingEnded(Fact, frozen=True):
    """A setting ended."""

    kind = "setting.ended"
    layer: str
    capability: str
    value: Any
    until: str | UnsetType = UNSET


class GuidelinesPinned(Fact, frozen=True):
    """The document that shipped was stored, so that it stays in force after an upgrade."""

    kind = "guidelines.pinned"


class GuidelinesProposed(Fact, frozen=True):
    """An edition was proposed."""

    kind = "guidelines.proposed"
    before: str
    why: Words


class GuidelinesApproved(Fact, frozen=True):
    """A second person approved an edition, which put it in force."""

    kind = "guidelines.approved"
    why: Words


class GuidelinesWentAhead(Fact, frozen=True):
    """An edition came into force by itself, because nobody else could decide on it."""

    kind = "guidelines.went_ahead"


class GuidelinesRejected(Fact, frozen=True):
    """An edition was rejected."""

    kind = "guidelines.rejected"
    why: Words
