"""Actions for a platform behind a firewall, which fetches and acknowledges them.

Each action has the payload and the signature of the webhook that it replaces.
"""

from typing import Annotated, Final
from uuid import UUID

import msgspec

from kinward.enforcement.api import (
    Signed,
    acknowledge_actions,
    action_payload,
    file_to_restore,
    sign_webhook,
    undelivered_actions,
)
from kinward.gate.calls import Call, Content
from kinward.ground.config import config
from kinward.ground.errors import Invalid

MOST: Final = 500
BYTES: Final = "application/octet-stream"


class Page(msgspec.Struct, frozen=True):
    """The number of actions to return."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 100


class PendingActions(msgspec.Struct, frozen=True):
    """The oldest actions that the platform has not acknowledged, each signed."""

    actions: list[Signed]


class CarriedOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The actions that the platform has carried out."""

    action_ids: list[UUID]


class Acknowledged(msgspec.Struct, frozen=True):
    """The number of actions that were not acknowledged before."""

    acknowledged: int


def pull_actions(call: Call[None], query: Page) -> PendingActions:
    """Return the oldest unacknowledged actions, at most `limit`."""
    pending = undelivered_actions()[: query.limit]
    return PendingActions(
        [
            sign_webhook(config(), message_id=str(action.id), payload=action_payload(action))
            for action in pending
        ]
    )


def fetch_restored_file(call: Call[None], action_id: UUID) -> Content:
    """Return the file of the content that an action restores."""
    return Content(file_to_restore(action_id, actor=call.actor), BYTES)


def acknowledge(call: Call[CarriedOut]) -> Acknowledged:
    """Record that these actions were carried out. Idempotent."""
    action_ids = call.body.action_ids
    if len(action_ids) > MOST:
        raise Invalid(f"At most {MOST} at a time.")
    return Acknowledged(acknowledge_actions(action_ids, actor=call.actor))
