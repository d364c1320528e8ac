"""What a platform says and asks about its accounts: `/v1/accounts/…` and `/v1/registrations`."""

from typing import Any

import msgspec
from django.db import transaction

from kinward.enforcement.registration import blocked_kinds
from kinward.enforcement.sanctions import stands
from kinward.people.models import Account
from kinward.people.services import IdentifierIn, Profile, digests_of, get_account, put_account


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who wants an account, by what they bring. Nothing of it is kept."""

    identifiers: list[IdentifierIn]


@transaction.atomic
def put(platform_id: str, profile: Profile) -> tuple[dict[str, Any], bool]:
    """Make or replace what is known of an account; says whether it is new."""
    account, new = put_account(platform_id=platform_id, profile=profile)
    blocked = blocked_kinds(digests_of(profile.identifiers)) if profile.identifiers else []
    return _answer(account) | {"blocked": blocked}, new


def see(platform_id: str) -> dict[str, Any]:
    """How an account stands now."""
    account = get_account(platform_id)
    return _answer(account) | stands(account).as_dict()


def _answer(account: Account) -> dict[str, Any]:
    return {"account_id": account.platform_id, "standing": account.standing}


def may_register(wanted: Registration) -> dict[str, Any]:
    """Whether nothing that this person brings belongs to an account that was ended for good."""
    blocked = blocked_kinds(digests_of(wanted.identifiers))
    return {"allowed": not blocked, "blocked": blocked}
