"""Everything about one account between two days, as files for a package."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from kinward.access import Actor
from kinward.casebook.api import Case, UserReport
from kinward.enforcement.api import Action, Sanction
from kinward.evidence.api import Evidence, EvidenceGone, PackageItem, read_for_release
from kinward.matching.api import Check
from kinward.people.api import Account
from kinward.redress.api import Statement, statement_sentences
from kinward.reporting.api import Call, Report
from kinward.review.api import timeline_of_case


def items(
    account: Account, since: datetime, until: datetime, *, release_id: UUID, actor: Actor
) -> Iterator[PackageItem]:
    """The files, one after the other; each sealed one is read in the ledger's sight."""
    cases = list(_cases(account, since, until))
    ids = [case.id for case in cases]
    yield _json("account.json", _account(account), "the account, as the platform told of it")
    yield _json(
        "uploads.json", list(_uploads(account, since, until)), "every upload, by its hashes"
    )
    yield _json("cases.json", [_case(each) for each in cases], "findings and verdicts")
    yield _json("actions.json", list(_actions(account, ids)), "what was done, and when")
    yield _json("statements.json", list(_statements(ids)), "what the account holder was told")
    yield _json("reports.json", list(_reports(ids)), "reports to authorities, with every answer")
    yield _json(
        "reported_by_people.json", list(_reported(account, since, until)), "what people said"
    )
    yield _json("ledger.json", list(_ledger(cases)), "the ledger's entries about these cases")
    held = Evidence.objects.filter(case_id__in=ids).defer("ciphertext", "wrapped_key")
    for evidence in held.order_by("sealed_at"):
        try:
            data = read_for_release(evidence_id=evidence.id, release_id=release_id, actor=actor)
        except EvidenceGone:
            continue
        about = f"content {evidence.content_id}, sealed {evidence.sealed_at.isoformat()}"
        yield PackageItem(f"files/{evidence.id}", data, about)


def _json(name: str, value: Any, about: str) -> PackageItem:
    return PackageItem(name, msgspec.json.format(msgspec.json.encode(value)), about)


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
                "kind": each.kind,
                "capabilities": each.capabilities,
                "case": each.case_id,
                "began_at": each.began_at,
                "until": each.until,
                "ended_at": each.ended_at,
            }
            for each in Sanction.objects.filter(account=account).order_by("began_at")
        ],
    }


def _uploads(account: Account, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    made = Check.objects.filter(account=account, uploaded_at__gte=since, uploaded_at__lt=until)
    for each in made.order_by("uploaded_at").iterator():
        yield {
            "content_id": each.content_id,
            "filename": each.filename,
            "media_type": each.media_type,
            "size": each.size,
            "uploaded_at": each.uploaded_at,
            "ip": each.ip,
            "port": each.port,
            "public": each.public,
            "matched": each.matched,
            "hashes": {
                name: value
                for name in ("md5", "sha1", "sha256", "pdq")
                if (value := getattr(each, name))
            },
        }


def _case(case: Case) -> dict[str, Any]:
    return {
        "case": case.id,
        "state": case.state,
        "opened_at": case.opened_at,
        "findings": [
            {
                "at": each.created_at,
                "confidence": each.confidence,
                "content_id": each.content_id or None,
                "grounds": each.grounds,
            }
            for each in case.findings.order_by("created_at")
        ],
        "verdicts": [
            {
                "at": each.given_at,
                "by": str(each.actor),
                "outcome": each.outcome,
                "clause": each.clause,
                "guidelines": each.guidelines,
                "consequence": each.consequence,
                "classifications": each.classifications,
            }
            for each in case.verdicts.select_related("given_by").order_by("given_at")
        ],
    }


def _actions(account: Account, cases: list[UUID]) -> Iterator[dict[str, Any]]:
    for each in Action.objects.filter(account=account, case_id__in=cases).order_by("number"):
        yield {
            "action": each.id,
            "case": each.case_id,
            "type": each.type,
            "target": each.target,
            "state": each.state,
            "issued_at": each.created_at,
            "delivered_at": each.delivered_at,
        }


def _statements(cases: list[UUID]) -> Iterator[dict[str, Any]]:
    for each in Statement.objects.filter(case_id__in=cases).order_by("made_at"):
        yield {
            "case": each.case_id,
            "stage": each.stage,
            "made_at": each.made_at,
            "told_at": each.told_at,
            "silent_until": each.silent_until,
            "silent_why": each.silent_why,
            "sentences": statement_sentences(each),
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
                    "step": each.step,
                    "started_at": each.started_at,
                    "answered_at": each.answered_at,
                    "http_status": each.http_status,
                    "code": each.code,
                    "request": each.request,
                    "response": each.response,
                }
                for each in calls
            ],
        }


def _reported(account: Account, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    made = UserReport.objects.filter(account=account, at__gte=since, at__lt=until)
    for each in made.order_by("at"):
        yield {
            "at": each.at,
            "category": each.category,
            "content_id": each.content_id,
            "text": each.text,
        }


def _ledger(cases: list[Case]) -> Iterator[dict[str, Any]]:
    for case in cases:
        for entry in timeline_of_case(case):
            yield {
                "entry": entry.seq,
                "at": entry.at,
                "actor": entry.actor,
                "kind": entry.kind,
                "subject": entry.subject,
                "data": entry.data,
                "previous": bytes(entry.previous).hex(),
                "sha256": bytes(entry.digest).hex(),
            }
