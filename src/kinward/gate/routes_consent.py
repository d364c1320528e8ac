"""The rows of the table of routes that are about a guardian's consent, and who is a guardian."""

from typing import Final

from kinward.consents.api import StoreRefused
from kinward.families.api import ProofWeaker, Told
from kinward.gate import consents, guardians
from kinward.gate.routing import Route
from kinward.ground.errors import NotConfigured
from kinward.people.api import AccountUnknown, ConsentUnanswered

CONSENTS: Final = (
    Route(
        "GET /v1/accounts/{account_id}/consent",
        "policy:decide",
        consents.see_consent,
        answer=consents.ConsentOut,
        errors=(AccountUnknown,),
    ),
    Route(
        "PUT /v1/accounts/{account_id}/consent",
        "consents:write",
        consents.put_consent,
        body=consents.ConsentIn,
        once=True,
        answer=consents.ConsentOut,
        errors=(AccountUnknown, ConsentUnanswered),
    ),
    Route(
        "PUT /v1/accounts/{account_id}/consent/change",
        "consents:write",
        consents.put_change,
        body=consents.ChangeIn,
        once=True,
        answer=consents.ConsentOut,
        errors=(AccountUnknown, ConsentUnanswered),
    ),
    Route(
        "GET /v1/accounts/{account_id}/guardians/{guardian_id}/proof",
        "consents:write",
        guardians.see_proof,
        answer=guardians.GuardianOut,
        errors=(AccountUnknown,),
    ),
    Route(
        "PUT /v1/accounts/{account_id}/guardians/{guardian_id}/proof",
        "consents:write",
        guardians.put_proof,
        body=Told,
        once=True,
        answer=guardians.GuardianOut,
        errors=(AccountUnknown, ProofWeaker),
    ),
    Route(
        "DELETE /v1/accounts/{account_id}/guardians/{guardian_id}/proof",
        "consents:write",
        guardians.delete_proof,
        answer=guardians.GuardianOut,
        errors=(AccountUnknown,),
    ),
    Route(
        "PUT /v1/accounts/{account_id}/app-download",
        "accounts:write",
        consents.put_download,
        body=consents.DownloadIn,
        answer=consents.ConsentOut,
        errors=(AccountUnknown, StoreRefused, NotConfigured),
    ),
    Route(
        "POST /v1/stores/apple",
        "",
        consents.receive_from_apple,
        body=consents.Signed,
        answer=consents.Received,
        errors=(StoreRefused, NotConfigured),
    ),
)
