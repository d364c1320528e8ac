"""The face of `enforcement`: what other rooms may use."""

from kinward.enforcement.effects import EFFECTS, WEBHOOK_TYPES, Direction
from kinward.enforcement.models import Action, Effect, Sanction, SanctionKind, Target
from kinward.enforcement.queries import (
    actions_of_case,
    is_removed,
    parked_actions,
    removed_by_others,
    sanctions_of_case,
    struggling_actions,
    undelivered_actions,
)
from kinward.enforcement.registration import block_registration, blocked_kinds, unblock_registration
from kinward.enforcement.removals import copies_left, end_removals, remove_copy, remove_everywhere
from kinward.enforcement.sanctions import (
    CurrentStanding,
    cases_that_ended,
    current_standing,
    impose_sanction,
    lift_sanction,
    sanctioned_by,
)
from kinward.enforcement.services import (
    acknowledge_actions,
    action_payload,
    file_to_restore,
    get_action,
    issue_content_action,
    lock_contents,
    notify_account,
    replay_action,
)
from kinward.enforcement.strikes import add_strike, strikes_of, take_back_strikes
from kinward.enforcement.webhook import Signed, check_address, sign_webhook
from kinward.enforcement.webhook_secrets import (
    rotate_webhook_secret,
    secret_before,
)

__all__ = [
    "EFFECTS",
    "WEBHOOK_TYPES",
    "Action",
    "CurrentStanding",
    "Direction",
    "Effect",
    "Sanction",
    "SanctionKind",
    "Signed",
    "Target",
    "acknowledge_actions",
    "action_payload",
    "actions_of_case",
    "add_strike",
    "block_registration",
    "blocked_kinds",
    "cases_that_ended",
    "check_address",
    "copies_left",
    "current_standing",
    "end_removals",
    "file_to_restore",
    "get_action",
    "impose_sanction",
    "is_removed",
    "issue_content_action",
    "lift_sanction",
    "lock_contents",
    "notify_account",
    "parked_actions",
    "remove_copy",
    "remove_everywhere",
    "removed_by_others",
    "replay_action",
    "rotate_webhook_secret",
    "sanctioned_by",
    "sanctions_of_case",
    "secret_before",
    "sign_webhook",
    "strikes_of",
    "struggling_actions",
    "take_back_strikes",
    "unblock_registration",
    "undelivered_actions",
]
