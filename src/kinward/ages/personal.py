"""What `ages` holds of a person: requests for proofs of age."""

from kinward.ages.models import ProofRequest
from kinward.ground.personal import Holding, holds

holds(
    Holding(
        model=ProofRequest, whose=("account",), told=("method", "ages", "outcome", "expires_at")
    )
)
