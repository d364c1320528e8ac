"""Cases and verdicts."""

from kinward.ledger.kinds.fact import Fact, Words


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
    why: Words


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
    """An appeal was won, or a second person did not agree, and everything was given back."""

    kind = "case.overturned"
    appeal: str


class CaseVoided(Fact, frozen=True):
    """A person called a hash wrong, and what the case took because of it was given back."""

    kind = "case.voided"
    hash: str
    findings: int


class VerdictProposed(Fact, frozen=True):
    """A verdict takes two people, and one gave it. What it says is hidden from the second."""

    kind = "verdict.proposed"
    proposal: str
    reasons: list[str]
    goes_ahead_at: str | None


class VerdictSecondWord(Fact, frozen=True):
    """A second person recorded what they saw, before they read the proposal."""

    kind = "verdict.second_word"
    proposal: str


class VerdictAgreed(Fact, frozen=True):
    """A second person agreed to a proposed verdict."""

    kind = "verdict.agreed"
    proposal: str


class VerdictNotAgreed(Fact, frozen=True):
    """A proposed verdict was withdrawn, or a second person did not agree."""

    kind = "verdict.not_agreed"
    proposal: str


class VerdictWentAhead(Fact, frozen=True):
    """A proposed verdict went ahead without a second person, who reads it afterwards."""

    kind = "verdict.went_ahead"
    proposal: str
    urgent: bool


class VerdictPending(Fact, frozen=True):
    """Somebody gave a verdict, which they can take back until `due`."""

    kind = "verdict.pending"
    outcome: str
    due: str


class VerdictTakenBack(Fact, frozen=True):
    """A verdict was taken back before anything followed from it."""

    kind = "verdict.taken_back"
    outcome: str


class VerdictDropped(Fact, frozen=True):
    """A verdict could not be carried out when its minute was over."""

    kind = "verdict.dropped"
    outcome: str
    problem: Words


class VerdictRead(Fact, frozen=True):
    """A verdict was read a second time."""

    kind = "verdict.read"
    verdict: str
    agrees: bool
