"""What a confirmed case says to an authority."""

from typing import Final

from django.utils import timezone

from kinward.cases.models import Case, UserReport, Verdict
from kinward.config import config
from kinward.evidence.models import Evidence
from kinward.evidence.queries import of_case, viewed_entirely
from kinward.guidelines.rules import Incident
from kinward.matching.models import Check
from kinward.reporting.draft import Draft, IpEvent, ReportedAccount, ReportedFile

CLASSIFICATIONS: Final = ("", "A1", "A2", "B1", "B2")
ANNOTATIONS: Final = {
    "sextortion": "Sextortion",
    "csamSolicitation": "Solicitation of material",
    "minorToMinorInteraction": "Between minors",
    "spam": "Spam",
    "sadisticOnlineExploitation": "Sadistic online exploitation",
}


def draft_report(case: Case, verdict: Verdict, incident: Incident) -> Draft:
    """The report of a case: its account, its files, and for each file whether a person saw it."""
    findings = case.findings.select_related("check_made", "user_report").order_by("created_at")
    checks = {each.check_made.id: each.check_made for each in findings if each.check_made}
    reports = [each.user_report for each in findings if each.user_report]
    moments = [check.uploaded_at for check in checks.values()] + [each.at for each in reports]
    evidence = list(of_case(case.id))
    return Draft(
        case_id=case.id,
        incident=incident,
        incident_at=min(moments),
        platform=config().platform_name,
        account=ReportedAccount(
            platform_id=case.account.platform_id,
            screen_name=case.account.screen_name,
            terminated_at=timezone.now(),
            ip_events=_events(list(checks.values())),
        ),
        files=[_file(each, checks[each.check_id], verdict) for each in evidence],
        annotations=verdict.annotations,
        additional_info="\n".join(
            filter(None, (_without_bytes(list(checks.values()), evidence), _reported(reports)))
        ),
    )


def _reported(reports: list[UserReport]) -> str:
    """What people reported, in their words."""
    lines = []
    for each in reports:
        about = f", content {each.content_id}" if each.content_id else ""
        lines.append(f"Reported by a user at {each.at.isoformat()}{about}: {each.category}.")
        lines += [f"They wrote: {each.text}"] if each.text else []
    return "\n".join(lines)


def _file(evidence: Evidence, check: Check, verdict: Verdict) -> ReportedFile:
    hashes = {"MD5": check.md5, "SHA1": check.sha1, "SHA256": check.sha256, "PDQ": check.pdq}
    return ReportedFile(
        evidence_id=evidence.id,
        filename=check.filename,
        uploaded_at=check.uploaded_at,
        hashes={kind: value for kind, value in hashes.items() if value},
        viewed=viewed_entirely(evidence),
        public=check.public,
        classification=verdict.classifications.get(str(evidence.id), ""),
        ip_event=_event(check),
    )


def _event(check: Check) -> IpEvent | None:
    return IpEvent(check.ip, check.uploaded_at, check.port) if check.ip else None


def _events(checks: list[Check]) -> list[IpEvent]:
    return list(dict.fromkeys(event for check in checks if (event := _event(check))))


def _without_bytes(checks: list[Check], evidence: list[Evidence]) -> str:
    """What is known of files that the platform sent as hashes alone."""
    held = {(each.content_id, each.sha256) for each in evidence}
    lines = []
    for check in checks:
        if (check.content_id, check.sha256) in held:
            continue
        known = ("md5", "sha1", "sha256", "pdq")
        hashes = ", ".join(f"{kind} {v}" for kind in known if (v := getattr(check, kind)))
        lines.append(f"File not held, content {check.content_id}: {hashes}.")
    return "\n".join(dict.fromkeys(lines))
