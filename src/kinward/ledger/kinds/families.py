"""Pairings, and what families settle."""

from typing import Any

from kinward.ledger.kinds.fact import Fact, Words


class InvitationMade(Fact, frozen=True):
    """A code for a pairing was made."""

    kind = "invitation.made"
    side: str


class InvitationRefused(Fact, frozen=True):
    """A code was tried that opens nothing."""

    kind = "invitation.refused"


class PairingStarted(Fact, frozen=True):
    """A guardian and a teen were paired."""

    kind = "pairing.started"
    guardian: str
    teen: str


class PairingEnding(Fact, frozen=True):
    """A pairing was ended, with a notice until a moment."""

    kind = "pairing.ending"
    at: str


class PairingStayed(Fact, frozen=True):
    """The end of a pairing was taken back."""

    kind = "pairing.stayed"


class PairingHomes(Fact, frozen=True):
    """A teen or a guardian said whether this home and the teen's others are apart."""

    kind = "pairing.homes"
    state: str  # "apart" or "together"
    apart: bool  # afterwards


class PairingEnded(Fact, frozen=True):
    """A pairing ended."""

    kind = "pairing.ended"
    why: str


class PairingDisputed(Fact, frozen=True):
    """A teen said that this is not their guardian."""

    kind = "pairing.disputed"


class PairingDisputedQuietly(Fact, frozen=True):
    """A teen said so, or that home is not safe, and the guardian is not to notice."""

    kind = "pairing.disputed_quietly"


class PairingPaused(Fact, frozen=True):
    """A person of the staff took a guardian's power until a decision."""

    kind = "pairing.paused"
    quiet: bool


class PairingBarred(Fact, frozen=True):
    """A person decided that these two do not pair again by themselves."""

    kind = "pairing.barred"


class PairingAllowed(Fact, frozen=True):
    """A person let two accounts pair again."""

    kind = "pairing.allowed"


class PairingRestored(Fact, frozen=True):
    """A disputed pairing goes on."""

    kind = "pairing.restored"


class GuardianProven(Fact, frozen=True):
    """The platform said how it knows that an account is the guardian of this one."""

    kind = "guardian.proven"
    guardian: str
    method: str
    checked_on: str
    evidence: Words
    expires_at: str | None


class GuardianProofEnded(Fact, frozen=True):
    """A proof of a guardian was replaced, taken back or refuted, or it expired."""

    kind = "guardian.proof_ended"
    guardian: str
    method: str
    why: str


class ChoiceMade(Fact, frozen=True):
    """A guardian chose a setting."""

    kind = "choice.made"
    capability: str
    value: Any
    proof: str = ""  # the method by which the guardian was proven, if any


class ChoiceHeld(Fact, frozen=True):
    """A guardian chose a setting, or took it back, while a quiet dispute kept it from effect."""

    kind = "choice.held"
    capability: str
    value: Any
    proof: str = ""


class ChoiceEnded(Fact, frozen=True):
    """A guardian's choice ended."""

    kind = "choice.ended"
    capability: str
    value: Any


class AskMade(Fact, frozen=True):
    """A teen asked, or somebody proposed."""

    kind = "ask.made"
    capability: str
    value: Any
    minutes: int | None


class AskYes(Fact, frozen=True):
    """The answer was yes."""

    kind = "ask.yes"
    proof: str = ""  # of the guardian who said it, if it was one


class AskNo(Fact, frozen=True):
    """The answer was no."""

    kind = "ask.no"


class AskTalk(Fact, frozen=True):
    """The answer was: let us talk about it."""

    kind = "ask.talk"


class AskWithdrawn(Fact, frozen=True):
    """An ask was withdrawn."""

    kind = "ask.withdrawn"


class KeywordAdded(Fact, frozen=True):
    """A word was left out of a teen's feed and search."""

    kind = "keyword.added"


class KeywordRemoved(Fact, frozen=True):
    """Such a word was taken back."""

    kind = "keyword.removed"


class TrustedNamed(Fact, frozen=True):
    """A teen named an adult to trust."""

    kind = "trusted.named"
    adult: str


class TrustedConfirmed(Fact, frozen=True):
    """The teen confirmed who used the code for an adult to trust."""

    kind = "trusted.confirmed"
    adult: str


class TrustedCalled(Fact, frozen=True):
    """A teen asked that adult to get in touch."""

    kind = "trusted.called"


class TrustedEnded(Fact, frozen=True):
    """An adult to trust was taken back."""

    kind = "trusted.ended"


class PasscodeShown(Fact, frozen=True):
    """A guardian was shown pass-codes."""

    kind = "passcode.shown"


class PasscodeUsed(Fact, frozen=True):
    """A pass-code gave more minutes."""

    kind = "passcode.used"
    minutes: int


class DigestChosen(Fact, frozen=True):
    """A guardian chose how the digest arrives."""

    kind = "digest.chosen"
    way: str


class PortalRefused(Fact, frozen=True):
    """A link to the portal was refused."""

    kind = "portal.refused"
    why: str


class PairingOrdered(Fact, frozen=True):
    """Somebody of the staff paused a pairing in a case, or asked to end it or to hand it over."""

    kind = "pairing.ordered"
    verb: str
    pairing: str
    why: Words
    to: str = ""


class PairingOrderDone(Fact, frozen=True):
    """A second person agreed, and it was done."""

    kind = "pairing.order_done"
    verb: str
    pairing: str


class PairingOrderRefused(Fact, frozen=True):
    """It was refused."""

    kind = "pairing.order_refused"
    verb: str
    pairing: str


class NoticeMade(Fact, frozen=True):
    """A guardian, a teen or a reporter was told something. `said`: the SHA-256 of the sentence."""

    kind = "notice.made"
    topic: str
    said: str
