"""A platform's accounts: `/v1/accounts/…` and `/v1/registrations`."""

from typing import Annotated, Literal

import msgspec
from django.db import transaction

from kinward.enforcement.api import blocked_kinds, current_standing
from kinward.gate.calls import Call, Created
from kinward.people.api import (
    IdentifierIn,
    Profile,
    delete_account,
    digests_of,
    get_account,
    put_account,
)
from kinward.policy import AgeRange

Standing = Literal["active", "suspended", "terminated"]
Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The identifiers of a person who wants an account. Kinward does not keep them."""

    identifiers: list[IdentifierIn]


class Registered(msgspec.Struct, frozen=True):
    """Whether this person may register, and the kinds of the blocked identifiers."""

    allowed: bool
    blocked: list[str]


class KnownAccount(msgspec.Struct, frozen=True):
    """An account, its standing, and the kinds of sent identifiers that are blocked.

    `age_kept` is the age that stands because the one that was sent is a weaker word. Otherwise it
    is null.
    """

    account_id: str
    standing: Standing
    blocked: list[str]
    age_kept: AgeRange | None


class Deleted(msgspec.Struct, frozen=True):
    """An account that the platform deleted, and when Kinward first heard of it."""

    account_id: str
    deleted_at: Moment


class Restriction(msgspec.Struct, frozen=True):
    """A withheld capability, and when it returns, if that is known."""

    capability: str
    until: Moment | None


class AccountStanding(msgspec.Struct, frozen=True):
    """An account's standing, when it ends, and the withheld capabilities."""

    account_id: str
    standing: Standing
    until: Moment | None
    restricted: list[Restriction]


@transaction.atomic
def put_known_account(call: Call[Profile], account_id: str) -> KnownAccount | Created[KnownAccount]:
    """Create an account, or replace what Kinward knows about it."""
    account, new, age_kept = put_account(
        platform_id=account_id, profile=call.body, actor=call.actor
    )
    identifiers = call.body.identifiers
    blocked = blocked_kinds(digests_of(identifiers)) if identifiers else []
    fields = {"account_id": account.platform_id, "standing": account.standing, "blocked": blocked}
    answer = msgspec.convert(fields | {"age_kept": age_kept}, KnownAccount)
    return Created(answer) if new else answer


def delete_known_account(call: Call[None], account_id: str) -> Deleted:
    """Note that an account was deleted. Its pairings end, and who is left is told."""
    deleted_at = delete_account(platform_id=account_id, actor=call.actor)
    return Deleted(account_id, deleted_at.isoformat())


def see_account(call: Call[None], account_id: str) -> AccountStanding:
    """Return the current standing of an account."""
    account = get_account(account_id)
    standing = {"account_id": account.platform_id, "standing": account.standing}
    return msgspec.convert(standing | current_standing(account).as_dict(), AccountStanding)


def check_registration(call: Call[Registration]) -> Registered:
    """Check whether any of a person's identifiers belongs to a terminated account."""
    blocked = blocked_kinds(digests_of(call.body.identifiers))
    return Registered(not blocked, blocked)
