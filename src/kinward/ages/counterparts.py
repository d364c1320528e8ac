"""Why no row of `ages` stands for an entry."""

from kinward.ages.models import ProofRequest
from kinward.ledger.api import unrecorded

unrecorded("of a proof nothing is kept; the account's age is compared", ProofRequest)
