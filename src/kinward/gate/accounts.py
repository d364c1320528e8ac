"""What a platform says and asks about its accounts: `/v1/accounts/…` and `/v1/registrations`."""

from typing import Any

import msgspec
from django.db import transaction

from kinward.enforcement.registration import blocked_kinds
from kinward.enforcement.sanctions import stands
from kinward.gate.http import Created, decode
from kinward.people.models import Account
from kinward.people.services import IdentifierIn, Profile, digests_of, get_account, put_account


class _Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who wants an account, by what they bring. Nothing of it is kept."""

    identifiers: list[IdentifierIn]


@transaction.atomic
def put(platform_id: str, body: bytes) -> Created | dict[str, Any]:
    """Make or replace what is known of an account."""
    profile = decode(body, Profile)
    account, new = put_account(platform_id=platform_id, profile=profile)
    blocked = blocked_kinds(digests_of(profile.identifiers)) if profile.identifiers else []
    answer = _answer(account) | {"blocked": blocked}
    return Created(answer) if new else answer


def see(platform_id: str) -> dict[str, Any]:
    """How an account stands now."""
    account = get_account(platform_id)
    return _answer(account) | stands(account).as_dict()


def _answer(account: Account) -> dict[str, Any]:
    return {"account_id": account.platform_id, "standing": account.standing}


def may_register(body: bytes) -> dict[str, Any]:
    """Whether nothing that this person brings belongs to an account that was ended for good."""
    wanted = decode(body, _Registration)
    blocked = blocked_kinds(digests_of(wanted.identifiers))
    return {"allowed": not blocked, "blocked": blocked}
