"""The face of `access`: what other rooms may use."""

from kinward.access.agreement import (
    PROPOSED,
    AgreementState,
    AlreadyDecided,
    TwoPeople,
    decide_agreement,
    lock_agreement,
)
from kinward.access.models import ApiKey, Staff
from kinward.access.refusals import (
    RefusedLately,
    count_refusal,
    count_refusal_of_page,
    refused_lately,
    tally_refusals,
)
from kinward.access.services import (
    DEFAULT_SCOPES,
    SCOPES,
    KeyRefused,
    ScopeMissing,
    authenticate,
    authenticate_known,
    create_key,
    create_staff,
    revoke_key,
    was_live,
)

__all__ = [
    "DEFAULT_SCOPES",
    "PROPOSED",
    "SCOPES",
    "AgreementState",
    "AlreadyDecided",
    "ApiKey",
    "KeyRefused",
    "RefusedLately",
    "ScopeMissing",
    "Staff",
    "TwoPeople",
    "authenticate",
    "authenticate_known",
    "count_refusal",
    "count_refusal_of_page",
    "create_key",
    "create_staff",
    "decide_agreement",
    "lock_agreement",
    "refused_lately",
    "revoke_key",
    "tally_refusals",
    "was_live",
]
