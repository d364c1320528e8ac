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
    last_known,
    live_keys,
    revoke_key,
    was_live,
)
from kinward.access.staff import (
    change_role,
    create_staff,
    end_staff,
    holders,
    resume_staff,
    sign_out_everywhere,
    suspend_staff,
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
    "change_role",
    "count_refusal",
    "count_refusal_of_page",
    "create_key",
    "create_staff",
    "decide_agreement",
    "end_staff",
    "holders",
    "last_known",
    "live_keys",
    "lock_agreement",
    "refused_lately",
    "resume_staff",
    "revoke_key",
    "sign_out_everywhere",
    "suspend_staff",
    "tally_refusals",
    "was_live",
]
