"""The face of `ages`: what other rooms may use."""

from kinward.ages.models import Method, ProofRequest
from kinward.ages.oidc import Client as OpenIdClient
from kinward.ages.oidc import challenge as code_challenge
from kinward.ages.oidc import verify as verify_id_token
from kinward.ages.provider import discover, exchange, keys_of
from kinward.ages.refused import REASONS, ProofRefused, ProviderUnreachable
from kinward.ages.services import (
    Asked,
    ProofUnknown,
    ask_for_proof,
    get_proof,
    state_of,
    take_agekey_answer,
    take_wallet_answer,
    trusted_issuers,
)
from kinward.ages.trust import Issuers

__all__ = [
    "REASONS",
    "Asked",
    "Issuers",
    "Method",
    "OpenIdClient",
    "ProofRefused",
    "ProofRequest",
    "ProofUnknown",
    "ProviderUnreachable",
    "ask_for_proof",
    "code_challenge",
    "discover",
    "exchange",
    "get_proof",
    "keys_of",
    "state_of",
    "take_agekey_answer",
    "take_wallet_answer",
    "trusted_issuers",
    "verify_id_token",
]
