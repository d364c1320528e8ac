"""The face of `ages`: what other rooms may use."""

from kinward.ages.models import Method, ProofRequest
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
    "ProofRefused",
    "ProofRequest",
    "ProofUnknown",
    "ProviderUnreachable",
    "ask_for_proof",
    "get_proof",
    "state_of",
    "take_agekey_answer",
    "take_wallet_answer",
    "trusted_issuers",
]
