"""Reports of confirmed cases: opened, filed or handed over, parked, withdrawn."""

from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import Staff
from kinward.casebook.api import Act
from kinward.evidence.api import Warrant, keep_after_report, keep_shortly, require_warrant
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.locks import exclusive
from kinward.ledger.api import kinds, record
from kinward.reporting.authority import Receipt, authority, authority_class
from kinward.reporting.draft import Draft, from_json, to_json
from kinward.reporting.filing import Filing, HandOverNeeded, Refused, TryLater
from kinward.reporting.models import SETTLED, Report, ReportState
from kinward.reporting.production import require_agreement
from kinward.reporting.vocabulary import narrow_draft

MAX_REFERENCE: Final = 100
MAX_TO: Final = 200


def open_report(
    *, draft: Draft, authority_name: str, actor: Actor, warrant: Warrant | None
) -> Report:
    """Open a report, in the transaction of the verdict that requires it. Raises `WarrantNeeded`."""
    require_warrant(warrant, Act.REPORT, draft.case_id)
    report = Report.objects.create(
        case_id=draft.case_id, authority=authority_name, draft=to_json(draft)
    )
    record(
        actor=actor,
        subject=str(report),
        fact=kinds.ReportOpened(
            case=str(draft.case_id), authority=authority_name, files=len(draft.files)
        ),
    )
    return report


def get_report(report_id: UUID) -> Report:
    """Return the report with this id. Raises `NotFound`."""
    try:
        return Report.objects.get(pk=report_id)
    except Report.DoesNotExist as error:
        raise NotFound(f"There is no report {report_id}.") from error


def file_report(report_id: UUID) -> Report:
    """File a report, or resume an interrupted filing. Returns it finished, packaged or parked.

    One process at a time works on a report. A database session holds that lock, so it ends with
    the process. Raises `TryLater` if another process holds it.
    """
    with exclusive(f"report:{report_id}") as mine:
        if not mine:
            raise TryLater("Another worker is filing it.")
        return _file(get_report(report_id))


def _file(report: Report) -> Report:
    if report.state != ReportState.WAITING:
        return report
    try:
        require_agreement(report.authority)
        _require_incident(report)
        receipt = authority(report.authority).file(filing_of(report))
    except Refused as error:
        return _park(report, str(error))
    except HandOverNeeded as needed:
        return _package(report, needed.detail)
    except KinwardError as error:  # retried by the job; the case page shows why it waits
        Report.objects.filter(pk=report.pk).update(problem=str(error))
        raise
    return _finish(report, receipt)


def filing_of(report: Report) -> Filing:
    """Return the filing of a report, with its draft in the authority's vocabulary."""
    succeeded = authority(report.authority).succeeded
    return Filing(report, draft=draft_of(report), succeeded=succeeded)


def draft_of(report: Report) -> Draft:
    """Return the draft of a report in the vocabulary of its authority."""
    recipient = authority(report.authority)
    return narrow_draft(from_json(report.draft), recipient.vocabulary, recipient.prior)


def _require_incident(report: Report) -> None:
    """Raise `Refused` if the authority has no word for the incident."""
    incident = from_json(report.draft).incident
    if incident not in authority_class(report.authority).vocabulary.incidents:
        raise Refused(f"{report.authority} takes no reports of {incident!r}. Bring it elsewhere.")


@transaction.atomic
def _finish(report: Report, receipt: Receipt) -> Report:
    siblings = lock_reports(report.case_id)
    report.state = ReportState.FINISHED
    report.external_id, report.receipt = receipt.external_id, receipt.verbatim
    report.finished_at, report.problem = timezone.now(), ""
    report.save()
    _set_term(report, siblings)
    record(
        actor=Actor.system("reporting"),
        subject=str(report),
        fact=kinds.ReportFinished(
            case=str(report.case_id), authority=report.authority, external_id=report.external_id
        ),
    )
    return report


def lock_reports(case_id: UUID) -> list[Report]:
    """Lock the reports of a case in the order of their ids, after the case and before the ledger.

    The outcome of the case and its files depends on all of its reports.
    """
    return list(Report.objects.select_for_update().filter(case_id=case_id).order_by("id"))


def _set_term(report: Report, siblings: list[Report]) -> None:
    """Set the term of a case's files once its last report is finished or withdrawn."""
    reports = [report, *(sibling for sibling in siblings if sibling.pk != report.pk)]
    if not all(sibling.state in SETTLED for sibling in reports):
        return
    moments = [sibling.finished_at for sibling in reports if sibling.finished_at is not None]
    if moments:
        keep_after_report(case_id=report.case_id, finished_at=max(moments))
    else:
        keep_shortly(
            case_id=report.case_id, why="report withdrawn", actor=Actor.system("reporting")
        )


@transaction.atomic
def _package(report: Report, what_to_do: str) -> Report:
    report.state, report.problem = ReportState.PACKAGED, what_to_do
    report.save(update_fields=["state", "problem"])
    record(
        actor=Actor.system("reporting"),
        subject=str(report),
        fact=kinds.ReportPackaged(case=str(report.case_id), authority=report.authority),
    )
    return report


@transaction.atomic
def handed_over(*, report_id: UUID, reference: str, to: str, staff: Staff) -> Report:
    """Record that a person delivered a packaged report, and the authority's number for it."""
    staff.must(Permission.HAND_OVER_REPORTS)
    if not 1 <= len(reference.strip()) <= MAX_REFERENCE or not 1 <= len(to.strip()) <= MAX_TO:
        raise Invalid("Enter the authority's number, and who received the package.")
    reports = lock_reports(get_report(report_id).case_id)
    report = next(report for report in reports if report.pk == report_id)
    if report.state != ReportState.PACKAGED:
        raise Invalid(f"This report is {report.state}, not packaged.")
    record(
        actor=staff.actor,
        subject=str(report),
        fact=kinds.ReportHandedOver(case=str(report.case_id), to=to.strip()),
    )
    receipt = {"to": to.strip(), "by": staff.username, "at": timezone.now().isoformat()}
    return _finish(report, Receipt(reference.strip(), msgspec.json.encode(receipt).decode()))


@transaction.atomic
def _park(report: Report, problem: str) -> Report:
    report.state, report.problem = ReportState.PARKED, problem
    report.save(update_fields=["state", "problem"])
    record(
        actor=Actor.system("reporting"),
        subject=str(report),
        fact=kinds.ReportParked(case=str(report.case_id), problem=problem[:500]),
    )
    return report


@transaction.atomic
def withdraw(*, report: Report, actor: Actor) -> None:
    """Mark an unfinished report to be withdrawn. The caller enqueues the job that does it."""
    report = Report.objects.select_for_update().get(pk=report.pk)
    if report.state in SETTLED:
        raise Invalid(f"This report is {report.state}.")
    report.state = ReportState.WITHDRAWING
    report.save(update_fields=["state"])
    record(actor=actor, subject=str(report), fact=kinds.ReportWithdrawing(case=str(report.case_id)))


def withdraw_report(report_id: UUID) -> Report:
    """Withdraw a report at its authority. Returns it withdrawn, or finished if it is too late."""
    with exclusive(f"report:{report_id}") as mine:
        if not mine:
            raise TryLater("Another worker is filing it.")
        report = get_report(report_id)
        if report.state in SETTLED:
            return report
        receipt = authority(report.authority).withdraw(filing_of(report))
        return _withdrawn(report) if receipt is None else _finish(report, receipt)


@transaction.atomic
def _withdrawn(report: Report) -> Report:
    siblings = lock_reports(report.case_id)
    report.state, report.problem = ReportState.WITHDRAWN, ""
    report.save(update_fields=["state", "problem"])
    _set_term(report, siblings)
    record(
        actor=Actor.system("reporting"),
        subject=str(report),
        fact=kinds.ReportWithdrawn(case=str(report.case_id), authority=report.authority),
    )
    return report


@transaction.atomic
def unpark(*, report: Report, actor: Actor) -> None:
    """Have a parked report filed again, after its problem was fixed."""
    actor.must(Permission.REPLAY)
    report = Report.objects.select_for_update().get(pk=report.pk)
    if report.state != ReportState.PARKED:
        raise Invalid(f"This report is {report.state}, not parked.")
    report.state = ReportState.WAITING
    report.save(update_fields=["state"])
    record(actor=actor, subject=str(report), fact=kinds.ReportUnparked(case=str(report.case_id)))
