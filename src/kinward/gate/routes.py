"""The gate's table of routes: the source of routing, scopes, metrics and the OpenAPI document."""

from functools import cache
from typing import Any, Final

import msgspec

from kinward.evidence import CannotUnseal
from kinward.evidence.api import Damaged, EvidenceGone, KeysUnreachable, StoreUnreachable
from kinward.families.api import (
    GuardianCooling,
    GuardianUnproven,
    NeedsNoGuardian,
    NotAGuardian,
    NotPaired,
    PairingPaused,
    SettingLocked,
)
from kinward.findings.api import IntakeIn, TooManyReports, UserReportIn
from kinward.gate import (
    accounts,
    actions,
    batches,
    decide,
    experience,
    family,
    health,
    media,
    persons,
    redress,
    text,
)
from kinward.gate.calls import Call, Content
from kinward.gate.openapi import document
from kinward.gate.routes_age import PROOFS
from kinward.gate.routes_consent import CONSENTS
from kinward.gate.routes_family import FAMILIES
from kinward.gate.routes_hma import hma_routes
from kinward.gate.routes_scim import SCIM_ROUTES
from kinward.gate.routes_transparency import TRANSPARENCY
from kinward.gate.routing import Form, Route
from kinward.ground.errors import Invalid, NotConfigured
from kinward.matching.api import HashSaysTooLittle, TextUnread
from kinward.media import TooManyPixels, TooPlain, Undecodable
from kinward.people.api import AccountUnknown, Profile
from kinward.policy import Request
from kinward.redress.api import AlreadyAppealed, AppealClosed

# Scopes
WRITE: Final = "accounts:write"
PULL: Final = "actions:pull"
APPEAL: Final = "appeals:write"
CHECK: Final = "media:check"
PERSONS: Final = "persons:data"
DECIDE: Final = "policy:decide"
REPORT: Final = "reports:write"
TEXT: Final = "text:check"

# Errors that occur together
GUARDIAN: Final = (NotPaired, PairingPaused, NotAGuardian, NeedsNoGuardian, GuardianUnproven)
FILE: Final = (Undecodable, TooManyPixels)
SEAL: Final = (KeysUnreachable, StoreUnreachable, NotConfigured)
UNSEAL: Final = (*SEAL, CannotUnseal, Damaged, EvidenceGone)

MAX_REPORT: Final = 1024 * 1024  # a chat excerpt of the longest length, in any script
MAX_HASHES: Final = 128 * 1024  # with the hashes of a video's frames

CACHED: Final = "public, max-age=3600"


def see_openapi(call: Call[None]) -> Content:
    """Return the OpenAPI document of this table."""
    return Content(openapi(), "application/json", CACHED)


TABLE: Final[dict[str, tuple[Route, ...]]] = {
    "Accounts": (
        Route(
            "PUT /v1/accounts/{account_id}",
            WRITE,
            accounts.put_known_account,
            body=Profile,
            once=True,
            answer=accounts.KnownAccount,
            statuses=(200, 201),
            errors=(Invalid,),
        ),
        Route(
            "GET /v1/accounts/{account_id}",
            DECIDE,
            accounts.see_account,
            answer=accounts.AccountStanding,
            errors=(AccountUnknown,),
        ),
        Route(
            "DELETE /v1/accounts/{account_id}",
            WRITE,
            accounts.delete_known_account,
            answer=accounts.Deleted,
            errors=(AccountUnknown,),
        ),
        Route(
            "POST /v1/accounts/batch",
            WRITE,
            batches.put_many_accounts,
            body=batches.Profiles,
            answer=batches.AccountParts,
            errors=(Invalid,),
            limit=batches.MAX_ACCOUNTS_BODY,
            read=batches.read_profiles,
            parts=lambda batch: batch.count,
            accounts=batches.accounts_of,
        ),
        Route(
            "GET /v1/accounts/{account_id}/data",
            PERSONS,
            persons.see_data,
            answer=persons.PersonsData,
            errors=(AccountUnknown,),
        ),
        Route(
            "POST /v1/accounts/{account_id}/erasure",
            PERSONS,
            persons.want_account_erased,
            answer=persons.ErasureAnswer,
            errors=(AccountUnknown,),
        ),
        Route(
            "POST /v1/registrations",
            WRITE,
            accounts.check_registration,
            body=accounts.Registration,
            answer=accounts.Registered,
        ),
    ),
    "Consent": CONSENTS,
    "Proofs of age": PROOFS,
    "Decisions": (
        Route(
            "POST /v1/decide",
            DECIDE,
            decide.decide_one,
            body=Request,
            answer=decide.DecisionOut,
            read=decide.read_alone,
            fast=decide.ALONE,
        ),
        Route(
            "POST /v1/decide/batch",
            DECIDE,
            decide.decide_many,
            body=decide.Questions,
            answer=decide.DecisionsOut,
            errors=(Invalid,),
            limit=decide.MAX_BATCH_BODY,
            read=decide.read_many,
            parts=len,
            fast=decide.TOGETHER,
        ),
        Route(
            "GET /v1/accounts/{account_id}/experience",
            DECIDE,
            experience.see_experience,
            answer=experience.Experience,
            errors=(AccountUnknown,),
        ),
        Route(
            "PUT /v1/accounts/{account_id}/settings/{capability}",
            WRITE,
            experience.put_setting,
            body=experience.SettingIn,
            answer=experience.SettingMade,
            errors=(AccountUnknown, SettingLocked, GuardianCooling, *GUARDIAN),
        ),
    ),
    "Families": FAMILIES,
    "User reports": (
        Route(
            "POST /v1/reports",
            REPORT,
            family.take_report,
            body=UserReportIn,
            answer=family.ReportTaken,
            statuses=(201,),
            errors=(AccountUnknown, TooManyReports, *SEAL),
            limit=MAX_REPORT,
        ),
        Route(
            "GET /v1/reports/{report_id:uuid}",
            REPORT,
            family.see_report,
            answer=family.ReportOutcome,
        ),
        Route(
            "POST /v1/intakes",
            REPORT,
            family.take_intake,
            body=IntakeIn,
            answer=family.IntakeTaken,
            statuses=(201,),
            errors=(AccountUnknown, *SEAL),
            limit=MAX_REPORT,
        ),
        Route(
            "GET /v1/intakes/{intake_id:uuid}",
            REPORT,
            family.see_intake,
            answer=family.IntakeTaken,
        ),
    ),
    "Appeals": (
        Route(
            "GET /v1/accounts/{account_id}/statements",
            APPEAL,
            redress.list_statements,
            answer=redress.Statements,
            errors=(AccountUnknown,),
        ),
        Route(
            "POST /v1/statements/{statement_id:uuid}/appeal",
            APPEAL,
            redress.make_appeal,
            body=redress.AppealIn,
            answer=redress.AppealOut,
            statuses=(201,),
            errors=(AccountUnknown, AlreadyAppealed, AppealClosed),
        ),
    ),
    "Actions": (
        Route(
            "GET /v1/actions",
            PULL,
            actions.pull_actions,
            query=actions.Page,
            answer=actions.PendingActions,
        ),
        Route(
            "POST /v1/actions/acknowledged",
            PULL,
            actions.acknowledge,
            body=actions.CarriedOut,
            parts=lambda body: len(body.action_ids),
            answer=actions.Acknowledged,
        ),
        Route(
            "GET /v1/actions/{action_id:uuid}/file",
            PULL,
            actions.fetch_restored_file,
            answer=actions.BYTES,
            errors=UNSEAL,
            slot=True,
        ),
    ),
    "Uploads and texts": (
        Route(
            "POST /v1/media",
            CHECK,
            media.check_file,
            body=Form((media.FILE,), media.UploadFields),
            answer=media.Checked,
            errors=(AccountUnknown, *FILE, *SEAL),
            slot=True,
            charged=True,
            idempotent=True,
        ),
        Route(
            "POST /v1/media/hashes",
            CHECK,
            media.check_hashes,
            together=media.check_hashes_together,
            body=media.Hashes,
            answer=media.Checked,
            errors=(AccountUnknown, TooPlain, HashSaysTooLittle),
            limit=MAX_HASHES,
            charged=True,
            idempotent=True,
        ),
        Route(
            "POST /v1/media/hashes/batch",
            CHECK,
            batches.check_many,
            body=batches.Checks,
            answer=batches.CheckedParts,
            errors=(Invalid,),
            limit=batches.MAX_CHECKS_BODY,
            read=batches.read_checks,
            parts=lambda batch: batch.count,
            accounts=batches.accounts_of,
            charged=True,
            idempotent=True,
        ),
        Route(
            "POST /v1/text",
            TEXT,
            text.check_text,
            body=text.Text,
            parts=lambda body: len(body.urls) + bool(body.text),
            answer=text.TextChecked,
            errors=(TextUnread,),
            limit=text.MAX_TEXT_BODY,
        ),
    ),
    "HMA's look-ups": hma_routes("") + hma_routes("/hma/{key}"),
    "SCIM": SCIM_ROUTES,
    "Transparency": TRANSPARENCY,
    "Operations": (
        Route("GET /healthz", "", health.see_health, answer=health.Health, shared=0.5),
        Route(
            "GET /metrics",
            "",
            health.see_metrics,
            answer=health.METRICS,
            shared=1.0,
            unless_local="metrics:read",
        ),
        Route("GET /v1/openapi.json", "", see_openapi, answer=dict[str, Any], shared=60.0),
    ),
}
ROUTES: Final = tuple(route for routes in TABLE.values() for route in routes)


@cache
def openapi() -> bytes:
    """Return the OpenAPI document as JSON."""
    return msgspec.json.encode(document(TABLE))
