"""Actions for a platform behind a firewall: it asks for them, and says which it carried out.

Each is signed like the webhook that it would have been, over the same bytes.
"""

from typing import Any, Final
from uuid import UUID

import msgspec

from kinward.access.actor import Actor
from kinward.config import config
from kinward.enforcement.queries import undelivered
from kinward.enforcement.services import acknowledged, file_to_restore, payload
from kinward.enforcement.webhook import signed
from kinward.errors import Invalid, NotFound
from kinward.fields import is_number
from kinward.gate.http import decode

MOST: Final = 500


class _Acknowledged(msgspec.Struct, forbid_unknown_fields=True):
    action_ids: list[UUID]


def pull(query: dict[str, str]) -> dict[str, Any]:
    """The oldest actions that were not carried out yet, at most `limit` of them."""
    limit = query.get("limit", "100")
    if not is_number(limit) or not 1 <= int(limit) <= MOST:
        raise Invalid(f"limit is from 1 to {MOST}.")
    found = undelivered()[: int(limit)]
    return {
        "actions": [
            signed(config(), message_id=str(each.id), payload=payload(each)) for each in found
        ]
    }


def file(action_id: str, actor: Actor) -> bytes:
    """The file of a content item that an action gives back."""
    try:
        which = UUID(action_id)
    except ValueError as error:
        raise NotFound from error
    return file_to_restore(which, actor=actor)


def acknowledge(body: bytes, actor: Actor) -> dict[str, Any]:
    """Take it that these actions were carried out; again, it changes nothing."""
    said = decode(body, _Acknowledged)
    if len(said.action_ids) > MOST:
        raise Invalid(f"At most {MOST} at a time.")
    return {"acknowledged": acknowledged(said.action_ids, actor=actor)}
