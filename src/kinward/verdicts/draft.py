"""Draft the report of a confirmed case to an authority."""

from typing import Final

import msgspec
from django.utils import timezone

from kinward.casebook.api import Case, Finding, Verdict, finding_kind
from kinward.enforcement.api import current_standing
from kinward.evidence.api import (
    MAX_EXCERPT,
    Evidence,
    evidence_of_case,
    require_authentic_case,
    viewed_entirely,
)
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.guidelines import Incident
from kinward.matching.api import Check
from kinward.people.api import Account, Standing
from kinward.reporting.api import (
    Chat,
    Draft,
    IpEvent,
    Person,
    ReportedAccount,
    ReportedFile,
    Vocabulary,
    authority_for,
    finished_numbers,
    vocabulary_of,
)
from kinward.verdicts.incidents import Where, check_where, incidents

MAX_PEOPLE: Final = 50


class ReportDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reviewer adds to a report. Accounts are platform ids.

    `escalate` says why the authority must act at once: a child is in danger now. `chat` is sealed
    as an excerpt and reported as a file.
    """

    escalate: str = ""
    description: str = ""
    victims: list[str] = []
    recipients: list[str] = []
    chat: str = ""
    where: list[Where] = []


def check_details(details: ReportDetails) -> None:
    """Raise `Invalid` if a text is too long, or an account is unknown."""
    for name, limit in (("escalate", 3000), ("description", 3000), ("chat", MAX_EXCERPT)):
        if len(getattr(details, name)) > limit:
            raise Invalid(f"{name} has at most {limit:,} characters.")
    check_where(details.where)
    named = [*details.victims, *details.recipients]
    if len(named) > MAX_PEOPLE:
        raise Invalid(f"At most {MAX_PEOPLE} people are named beside the account itself.")
    known = set(Account.objects.filter(platform_id__in=named).values_list("platform_id", flat=True))
    if missing := sorted(set(named) - known):
        raise Invalid(f"There is no account {missing[0][:60]!r}.")


def authorities_of(account: Account) -> list[str]:
    """Return the names of the authorities that receive reports about an account."""
    return [authority_for(account.jurisdiction)]


def vocabulary_for(account: Account) -> Vocabulary:
    """Return the words that a reviewer can use in reports about an account."""
    return vocabulary_of(authorities_of(account))


def draft_report(case: Case, verdict: Verdict, incident: Incident, name: str) -> Draft:
    """Return the report of a case for the authority of this name.

    It has the account, the files, and for each file whether a person saw it. Raises `Damaged` if a
    file is not the one that was sealed. The authority's
    plug-in is not loaded here: a verdict must not depend on it.
    """
    now = current_standing(case.account)
    findings = list(
        case.findings.select_related("check_made", "user_report").order_by("created_at")
    )
    checks = {
        finding.check_made.id: finding.check_made for finding in findings if finding.check_made
    }
    require_authentic_case(case.id)
    evidence = list(evidence_of_case(case.id))
    details = msgspec.convert(verdict.details, ReportDetails)
    elsewhere = incidents(details.where)
    files = [
        _excerpt(file)
        if file.check_made_id is None
        else _file(file, checks[file.check_made_id], verdict)
        for file in evidence
    ]
    chats = _chats(files) + elsewhere.pop("chats", [])
    return Draft(
        case_id=case.id,
        incident=incident,
        incident_at=min(finding.at for finding in findings),
        platform=config().platform_name,
        account=ReportedAccount(
            platform_id=case.account.platform_id,
            screen_name=case.account.screen_name,
            suspended_at=timezone.now() if now.standing == Standing.SUSPENDED else None,
            terminated_at=timezone.now() if now.standing == Standing.TERMINATED else None,
            ip_events=_events(list(checks.values())),
            prior_reports=[*_prior(case, name)],
        ),
        incident_description=details.description,
        escalate=details.escalate,
        chats=chats,
        **elsewhere,
        victims=[_beside(platform_id) for platform_id in details.victims],
        recipients=[_beside(platform_id) for platform_id in details.recipients],
        files=files,
        annotations=verdict.annotations,
        additional_info="\n".join(
            [*_without_bytes(list(checks.values()), evidence), *_in_words(findings)]
        ),
    )


def _prior(case: Case, name: str) -> list[str]:
    """Return the numbers that this authority gave to earlier reports about the same account."""
    earlier = Case.objects.filter(account=case.account).exclude(pk=case.pk)
    cases = earlier.values_list("pk", flat=True)
    return finished_numbers(authority=name, cases=cases)


def _beside(platform_id: str) -> ReportedAccount:
    """Return a victim or recipient, as the report has it beside the reported account."""
    account = Account.objects.get(platform_id=platform_id)
    person = None
    if account.age_upper - account.age_lower == 1:
        person = Person(age=account.age_lower)
    return ReportedAccount(platform_id=platform_id, screen_name=account.screen_name, person=person)


def _in_words(findings: list[Finding]) -> list[str]:
    """Return what the findings say beside the files, line by line."""
    return [
        line for finding in findings for line in finding_kind(finding.kind).for_authority(finding)
    ]


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


def _excerpt(evidence: Evidence) -> ReportedFile:
    """Return a chat excerpt as a file: the context of the report (18 USC 2258A(b)(5))."""
    return ReportedFile(
        evidence_id=evidence.id,
        filename=f"{evidence.content_id}.txt",
        uploaded_at=evidence.sealed_at,
        hashes={"MD5": evidence.md5, "SHA256": evidence.sha256},
        viewed=viewed_entirely(evidence),
        supplemental=True,
        info="An excerpt of a chat.",
    )


def _chats(files: list[ReportedFile]) -> list[Chat]:
    """Return the chat as the place of the incident, if there are excerpts of one."""
    names = ", ".join(file.filename for file in files if file.supplemental)
    info = f"What was said is in the supplemental files: {names}."
    return [Chat(client=config().platform_name, info=info)] if names else []


def _event(check: Check) -> IpEvent | None:
    return IpEvent(check.ip, check.uploaded_at, check.port) if check.ip else None


def _events(checks: list[Check]) -> list[IpEvent]:
    return list(dict.fromkeys(event for check in checks if (event := _event(check))))


def _without_bytes(checks: list[Check], evidence: list[Evidence]) -> list[str]:
    """Return what is known of files that the platform sent as hashes alone, a line each."""
    sealed = {(file.content_id, file.sha256) for file in evidence}
    lines = []
    for check in checks:
        if (check.content_id, check.sha256) in sealed:
            continue
        known = ("md5", "sha1", "sha256", "pdq")
        hashes = ", ".join(f"{kind} {v}" for kind in known if (v := getattr(check, kind)))
        lines.append(f"File not held, content {check.content_id}: {hashes}.")
    return list(dict.fromkeys(lines))
