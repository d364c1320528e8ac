"""Every kind of ledger entry, with its fields: one struct each.

A new kind is a class here. What is written stays readable for ever, so a kind is never renamed and
never loses a field; a field that comes later is optional.
"""

from typing import Any, ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry says beside who, when and about what. `kind` names it in the ledger."""

    kind: ClassVar[str]

    @property
    def data(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields


class StaffCreated(Fact, frozen=True):
    """Somebody joined the staff."""

    kind = "staff.created"
    role: str


class KeyCreated(Fact, frozen=True):
    """A key of the API was made."""

    kind = "key.created"
    scopes: list[str]


class KeyRevoked(Fact, frozen=True):
    """A key was revoked."""

    kind = "key.revoked"


class AccountGrown(Fact, frozen=True):
    """A birthday changed what an account may do."""

    kind = "account.grown"
    age: list[int]
    opened: list[str]
    closed: list[str]
    ended: list[str]


class AccountTimeZone(Fact, frozen=True):
    """An account moved to a time zone."""

    kind = "account.time_zone"
    zone: str


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
    why: str


class ProposalApproved(Fact, frozen=True):
    """A second person approved a proposal."""

    kind = "proposal.approved"
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


class GuidelinesProposed(Fact, frozen=True):
    """An edition was proposed."""

    kind = "guidelines.proposed"
    before: str
    why: str


class GuidelinesApproved(Fact, frozen=True):
    """A second person approved an edition, which put it in force."""

    kind = "guidelines.approved"
    why: str


class GuidelinesRejected(Fact, frozen=True):
    """An edition was rejected."""

    kind = "guidelines.rejected"
    why: str


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


class PairingEnded(Fact, frozen=True):
    """A pairing ended."""

    kind = "pairing.ended"
    why: str


class PairingDisputed(Fact, frozen=True):
    """A teen said that this is not their guardian."""

    kind = "pairing.disputed"


class PairingRestored(Fact, frozen=True):
    """A disputed pairing goes on."""

    kind = "pairing.restored"


class ChoiceMade(Fact, frozen=True):
    """A guardian chose a setting."""

    kind = "choice.made"
    capability: str
    value: Any


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


class BankCreated(Fact, frozen=True):
    """A bank was made."""

    kind = "bank.created"
    confidence: str


class BankEnabled(Fact, frozen=True):
    """A bank was switched on."""

    kind = "bank.enabled"


class BankDisabled(Fact, frozen=True):
    """A bank was switched off."""

    kind = "bank.disabled"


class BankAdded(Fact, frozen=True):
    """Hashes were added to a bank, and others went."""

    kind = "bank.added"
    addition: int
    provenance: str
    confidence: str
    hashes: int
    removed: int


class BankRemoved(Fact, frozen=True):
    """Hashes were taken out of a bank."""

    kind = "bank.removed"
    hashes: int


class BankSearched(Fact, frozen=True):
    """Somebody searched the banks for a hash or a file."""

    kind = "bank.searched"
    found: int


class HashFalsePositive(Fact, frozen=True):
    """A hash was marked as a false positive."""

    kind = "hash.false_positive"
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


class CaseOpened(Fact, frozen=True):
    """A case was opened."""

    kind = "case.opened"
    account: str


class CaseFindingAdded(Fact, frozen=True):
    """A finding opened or joined a case."""

    kind = "case.finding_added"
    finding: str
    content: str
    confidence: str
    rule: str


class CaseTaken(Fact, frozen=True):
    """Somebody leased a case."""

    kind = "case.taken"


class CaseGivenUp(Fact, frozen=True):
    """Somebody ended their lease without a decision."""

    kind = "case.given_up"


class CaseFreed(Fact, frozen=True):
    """A senior ended another person's lease."""

    kind = "case.freed"
    held_by: str
    why: str


class CaseCommented(Fact, frozen=True):
    """Somebody commented on a case."""

    kind = "case.commented"
    comment: int


class CaseEscalated(Fact, frozen=True):
    """Somebody asked for a second person."""

    kind = "case.escalated"
    verdict: str
    clause: str
    guidelines: str


class CaseConfirmed(Fact, frozen=True):
    """A case was confirmed under a clause."""

    kind = "case.confirmed"
    verdict: str
    clause: str
    guidelines: str


class CaseDismissed(Fact, frozen=True):
    """A case was dismissed."""

    kind = "case.dismissed"
    verdict: str
    clause: str
    guidelines: str


class CaseEnforced(Fact, frozen=True):
    """The consequences of a case were drawn, and none was a report."""

    kind = "case.enforced"


class CaseReported(Fact, frozen=True):
    """Every report of a case is finished: its number at each authority."""

    kind = "case.reported"
    numbers: dict[str, str]


class CaseOverturned(Fact, frozen=True):
    """An appeal was won, and everything was given back."""

    kind = "case.overturned"
    appeal: str


class VerdictRead(Fact, frozen=True):
    """A verdict was read a second time."""

    kind = "verdict.read"
    verdict: str
    agrees: bool


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


class StatementMade(Fact, frozen=True):
    """A statement of reasons was written."""

    kind = "statement.made"
    case: str
    stage: str
    clause: str
    silent_until: str | None
    silent_why: str


class StatementTold(Fact, frozen=True):
    """The account holder was told."""

    kind = "statement.told"
    case: str


class StatementSilenced(Fact, frozen=True):
    """The account holder is told later."""

    kind = "statement.silenced"
    case: str
    until: str
    why: str


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
    """A file was shown, entirely or in part."""

    kind = "evidence.viewed"
    case: str
    reason: str
    entire: bool


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
    """A file could not be opened as it was sealed."""

    kind = "evidence.damaged"
    case: str
    found: str


class EvidenceTermSet(Fact, frozen=True):
    """The files of a case got a term."""

    kind = "evidence.term_set"
    until: str
    why: str
    files: int


class EvidenceHeld(Fact, frozen=True):
    """The files of a case were put under legal hold."""

    kind = "evidence.held"
    reference: str
    files: int


class EvidenceHoldEnded(Fact, frozen=True):
    """A legal hold was lifted."""

    kind = "evidence.hold_ended"
    reference: str
    files: int


class EvidenceDestroyed(Fact, frozen=True):
    """A file and its key were destroyed."""

    kind = "evidence.destroyed"
    case: str
    sha256: str
    reason: str


class ReportOpened(Fact, frozen=True):
    """A report was opened."""

    kind = "report.opened"
    case: str
    authority: str
    files: int


class ReportFinished(Fact, frozen=True):
    """The authority has a report, whole."""

    kind = "report.finished"
    case: str
    authority: str
    external_id: str


class ReportParked(Fact, frozen=True):
    """A report waits until somebody looks."""

    kind = "report.parked"
    case: str
    problem: str


class ReportUnparked(Fact, frozen=True):
    """A parked report was sent again."""

    kind = "report.unparked"
    case: str


class ReportPackaged(Fact, frozen=True):
    """A report was sealed for a person to deliver."""

    kind = "report.packaged"
    case: str
    authority: str


class ReportHandedOver(Fact, frozen=True):
    """A person delivered a report."""

    kind = "report.handed_over"
    case: str
    to: str


class ReportWithdrawing(Fact, frozen=True):
    """A report is being taken back."""

    kind = "report.withdrawing"
    case: str


class ReportWithdrawn(Fact, frozen=True):
    """A report was taken back."""

    kind = "report.withdrawn"
    case: str
    authority: str


class ProductionAsked(Fact, frozen=True):
    """Somebody asked that reports be real."""

    kind = "production.asked"
    authority: str
    address: str


class ProductionAgreed(Fact, frozen=True):
    """A second person agreed that reports are real."""

    kind = "production.agreed"
    authority: str
    address: str


class ProductionEnded(Fact, frozen=True):
    """Reports are no longer real."""

    kind = "production.ended"
    authority: str
    address: str


class ReleaseAsked(Fact, frozen=True):
    """A release of records was requested."""

    kind = "release.asked"
    account: str
    to: str
    reference: str
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
    to: str


class DestructionAsked(Fact, frozen=True):
    """A destruction was requested."""

    kind = "destruction.asked"
    case: str
    asked_for_by: str
    reference: str


class DestructionDone(Fact, frozen=True):
    """A second custodian agreed, and the evidence was destroyed."""

    kind = "destruction.done"
    case: str


class DestructionRefused(Fact, frozen=True):
    """A destruction was refused."""

    kind = "destruction.refused"
    case: str


KINDS: Final = {fact.kind: fact for fact in Fact.__subclasses__()}
