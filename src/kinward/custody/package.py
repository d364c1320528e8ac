"""The records of one account between two days, as files of a package."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from kinward.access import Actor
from kinward.access.api import TwoPeople
from kinward.casebook.api import Case, UserReport
from kinward.enforcement.api import Action, Sanction
from kinward.evidence.api import Evidence, EvidenceGone, PackageItem, read_for_release
from kinward.ground.names import readable_json
from kinward.ledger.api import in_full, place_of
from kinward.matching.api import Check
from kinward.people.api import Account
from kinward.redress.api import Statement, statement_sentences
from kinward.reporting.api import Call, Report
from kinward.review.api import timeline_of_case


def items(
    account: Account, since: datetime, until: datetime, *, agreed: TwoPeople, actor: Actor
) -> Iterator[PackageItem]:
    """Yield the files of a package. Reading a sealed one writes a ledger entry.

    `agreed`: the release, which two people agreed to.
    """
    cases = list(_cases(account, since, until))
    ids = [case.id for case in cases]
    yield _json("account.json", _account(account), "the account, as the platform told of it")
    yield _json(
        "uploads.json", list(_uploads(account, since, until)), "every upload, by its hashes"
    )
    yield _json("cases.json", [_case(case) for case in cases], "findings and verdicts")
    yield _json("actions.json", list(_actions(account, ids)), "what was done, and when")
    yield _json("statements.json", list(_statements(ids)), "what the account holder was told")
    yield _json("reports.json", list(_reports(ids)), "reports to authorities, with every answer")
    yield _json(
        "reported_by_people.json", list(_reported(account, since, until)), "what people said"
    )
    yield _json("ledger.json", list(_ledger(cases)), "the ledger's entries about these cases")
    sealed = Evidence.objects.filter(case_id__in=ids).defer("ciphertext", "wrapped_key")
    for evidence in sealed.order_by("sealed_at"):
        try:
            data = read_for_release(evidence_id=evidence.id, agreed=agreed, actor=actor)
        except EvidenceGone:
            continue
        about = f"content {evidence.content_id}, sealed {evidence.sealed_at.isoformat()}"
        yield PackageItem(f"files/{evidence.id}", data, about)


def _json(name: str, value: Any, about: str) -> PackageItem:
    data = readable_json(msgspec.json.format(msgspec.json.encode(value)))
    return PackageItem(name, data, about)


def _cases(account: Account, since: datetime, until: datetime) -> QuerySet[Case]:
    within = Q(opened_at__gte=since, opened_at__lt=until) | Q(
        findings__created_at__gte=since, findings__created_at__lt=until
    )
    return Case.objects.filter(within, account=account).distinct().order_by("opened_at")


def _account(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.platform_id,
        "screen_name": account.screen_name,
        "age": [account.age_lower, account.age_upper],
        "age_source": account.age_source,
        "age_assurance": account.age_assurance,
        "jurisdiction": account.jurisdiction,
        "language": account.language,
        "standing": account.standing,
        "known_since": account.created_at,
        "sanctions": [
            {
                "kind": sanction.kind,
                "capabilities": sanction.capabilities,
                "case": sanction.case_id,
                "began_at": sanction.began_at,
                "until": sanction.until,
                "ended_at": sanction.ended_at,
            }
            for sanction in Sanction.objects.filter(account=account).order_by("began_at")
        ],
    }


def _uploads(account: Account, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    checks = Check.objects.filter(account=account, uploaded_at__gte=since, uploaded_at__lt=until)
    for check in checks.order_by("uploaded_at").iterator():
        yield {
            "content_id": check.content_id,
            "filename": check.filename,
            "media_type": check.media_type,
            "size": check.size,
            "uploaded_at": check.uploaded_at,
            "ip": check.ip,
            "port": check.port,
            "public": check.public,
            "matched": check.matched,
            "hashes": {
                name: value
                for name in ("md5", "sha1", "sha256", "pdq")
                if (value := getattr(check, name))
            },
        }


def _case(case: Case) -> dict[str, Any]:
    return {
        "case": case.id,
        "state": case.state,
        "opened_at": case.opened_at,
        "findings": [
            {
                "at": finding.created_at,
                "confidence": finding.confidence,
                "content_id": finding.content_id or None,
                "grounds": finding.grounds,
            }
            for finding in case.findings.order_by("created_at")
        ],
        "verdicts": [
            {
                "at": verdict.given_at,
                "by": str(verdict.actor),
                "outcome": verdict.outcome,
                "clause": verdict.clause,
                "guidelines": verdict.guidelines,
                "consequence": verdict.consequence,
                "classifications": verdict.classifications,
            }
            for verdict in case.verdicts.select_related("given_by").order_by("given_at")
        ],
    }


def _actions(account: Account, cases: list[UUID]) -> Iterator[dict[str, Any]]:
    for action in Action.objects.filter(account=account, case_id__in=cases).order_by("number"):
        yield {
            "action": action.id,
            "case": action.case_id,
            "type": action.type,
            "target": action.target,
            "state": action.state,
            "issued_at": action.created_at,
            "delivered_at": action.delivered_at,
        }


def _statements(cases: list[UUID]) -> Iterator[dict[str, Any]]:
    for statement in Statement.objects.filter(case_id__in=cases).order_by("made_at"):
        yield {
            "case": statement.case_id,
            "stage": statement.stage,
            "made_at": statement.made_at,
            "told_at": statement.told_at,
            "silent_until": statement.silent_until,
            "silent_why": statement.silent_why,
            "sentences": statement_sentences(statement),
        }


def _reports(cases: list[UUID]) -> Iterator[dict[str, Any]]:
    for report in Report.objects.filter(case_id__in=cases).order_by("created_at"):
        calls = Call.objects.filter(attempt__report=report).order_by("started_at")
        yield {
            "case": report.case_id,
            "authority": report.authority,
            "state": report.state,
            "external_id": report.external_id,
            "finished_at": report.finished_at,
            "receipt": report.receipt,
            "calls": [
                {
                    "step": call.step,
                    "started_at": call.started_at,
                    "answered_at": call.answered_at,
                    "http_status": call.http_status,
                    "code": call.code,
                    "request": call.request,
                    "response": call.response,
                }
                for call in calls
            ],
        }


def _reported(account: Account, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    reports = UserReport.objects.filter(account=account, at__gte=since, at__lt=until)
    for report in reports.order_by("at"):
        yield {
            "at": report.at,
            "category": report.category,
            "content_id": report.content_id,
            "text": report.text,
        }


def _ledger(cases: list[Case]) -> Iterator[dict[str, Any]]:
    for case in cases:
        for entry, data in in_full(timeline_of_case(case)):
            yield {
                "entry": entry.seq,
                "at": entry.at,
                "actor": entry.actor,
                "kind": entry.kind,
                "subject": entry.subject,
                "data": entry.data,
                # What the entry is committed to, where it holds a digest.
                "words": {
                    name: text for name, text in data.items() if text != (entry.data or {})[name]
                },
                **place_of(entry),
            }
