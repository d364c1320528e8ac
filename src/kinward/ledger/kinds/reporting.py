"""Reports to authorities."""

from kinward.ledger.kinds.fact import Fact, Words


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
    problem: Words


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
    to: Words


class ReportWithdrawing(Fact, frozen=True):
    """A report is being taken back."""

    kind = "report.withdrawing"
    case: str


class ReportWithdrawn(Fact, frozen=True):
    """A report was taken back."""

    kind = "report.withdrawn"
    case: str
    authority: str


class ReportCorrectionDue(Fact, frozen=True):
    """A verdict was overturned after its report was finished: the authority has to hear of it."""

    kind = "report.correction_due"
    case: str
    why: str


class ReportCorrected(Fact, frozen=True):
    """Somebody corrected a finished report with the authority: how, and what was said."""

    kind = "report.corrected"
    case: str
    how: Words
    reference: Words


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
