"""The rows of the table of routes that are about proofs of age."""

from typing import Final

from kinward.ages.api import ProofRefused, ProofUnknown, ProviderUnreachable
from kinward.gate import ages
from kinward.gate.routing import Route
from kinward.ground.errors import NotConfigured
from kinward.people.api import AccountUnknown

ANSWERED: Final = (ProofUnknown, ProofRefused, ProviderUnreachable, NotConfigured)
PROOFS: Final = (
    Route(
        "POST /v1/accounts/{account_id}/age-proofs",
        "accounts:write",
        ages.ask_for_age_proof,
        body=ages.ProofIn,
        once=True,
        answer=ages.ProofAsked,
        statuses=(201,),
        errors=(AccountUnknown, NotConfigured, ProviderUnreachable),
        slot=True,  # discovery calls out
    ),
    Route(
        "GET /v1/accounts/{account_id}/age-proofs/{proof_id:uuid}",
        "policy:decide",
        ages.see_age_proof,
        answer=ages.ProofOut,
        errors=(AccountUnknown, ProofUnknown),
    ),
    Route(
        "POST /v1/accounts/{account_id}/age-proofs/{proof_id:uuid}/answer",
        "accounts:write",
        ages.relay_answer,
        body=ages.AnswerIn,
        answer=ages.ProofOut,
        errors=(AccountUnknown, *ANSWERED),
        limit=ages.MAX_ANSWER,
        slot=True,
    ),
    Route(
        "POST /v1/age-proofs/wallet",
        "",
        ages.receive_wallet_answer,
        body=ages.WalletAnswer,
        answer=ages.Received,
        errors=ANSWERED,
        limit=ages.MAX_ANSWER,
        slot=True,
        urlencoded=True,
    ),
)
