"""Why a proof of age is not accepted."""

from typing import Final

from kinward.ground.errors import KinwardError

# Each reason, with what the platform can tell the person.
REASONS: Final = {
    "malformed": "The answer is not what the protocol asks for.",
    "request.other": "The answer belongs to another request, verifier or address.",
    "issuer.untrusted": "No trusted issuer signed the proof.",
    "signature": "A signature does not fit.",
    "unencrypted": "The wallet answered without encryption, and an encrypted answer was asked for.",
    "changed": "A disclosed item is not the one that the issuer signed.",
    "document.other": "The document is no proof of age in a version that Kinward reads.",
    "expired": "The proof is past its time.",
    "not_yet_valid": "The proof is not valid yet.",
    "revoked": "The issuer took the proof back.",
    "status.unknown": "Nobody can tell at the moment whether the issuer took the proof back.",
    "contradictory": "The proof contradicts itself.",
    "unanswered": "The answer shows none of the ages that were asked for.",
    "declined": "The person or the provider did not give an answer.",
    "provider.unreachable": "The provider of the age key cannot be reached.",
}


class ProofRefused(KinwardError):
    """This proof of age is not accepted. Ask for a new one: `POST …/age-proofs`."""

    code = "age_proof.refused"
    status = 422

    def __init__(self, reason: str = "malformed", detail: str = "") -> None:
        super().__init__(detail or REASONS[reason])
        self.reason = reason
        self.members = {"reason": reason}


def malformed(what: str) -> ProofRefused:
    """Return the refusal of an answer that cannot be read."""
    return ProofRefused("malformed", f"{what}.")


class ProviderUnreachable(ProofRefused):
    """The provider of age keys gives no usable answer. Try again later, or ask by a wallet."""

    code = "age_proof.provider_unreachable"
    status = 502

    def __init__(self, detail: str = "") -> None:
        super().__init__("provider.unreachable", detail)
