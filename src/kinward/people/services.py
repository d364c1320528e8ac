"""Writing accounts: what the platform says of one, and the standing that Kinward gives it."""

from typing import Literal

import msgspec
from django.db import transaction

from kinward.errors import Invalid, KinwardError
from kinward.people.models import Account, Standing

ID_LENGTH = 200


class AccountUnknown(KinwardError):
    """This account is not known. Send it first: `PUT /v1/accounts/{account_id}`."""

    code = "account.unknown"
    status = 404


class AgeRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Years `[lower, upper)`, who says so, and how sure they are."""

    lower: int
    upper: int
    source: str = "self-declared"
    assurance: Literal["none", "declared", "guardian", "estimated", "verified"] = "declared"


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a platform says of an account; everything is optional, and ignorance protects."""

    age: AgeRange | None = None
    jurisdiction: str = ""
    language: str = ""
    screen_name: str = ""


def put_account(*, platform_id: str, profile: Profile) -> tuple[Account, bool]:
    """Make or replace what is known of an account; says whether it is new.

    The standing is Kinward's own and is not touched.
    """
    if not platform_id or len(platform_id) > ID_LENGTH or not platform_id.isprintable():
        raise Invalid(f"An account id has 1 to {ID_LENGTH} printable characters.")
    for name, limit in (("jurisdiction", 10), ("language", 20), ("screen_name", 200)):
        if len(getattr(profile, name)) > limit:
            raise Invalid(f"{name} has at most {limit} characters.")
    age = profile.age or AgeRange(0, 150, "unknown", "none")
    if not 0 <= age.lower < age.upper <= 150:
        raise Invalid("An age range needs 0 <= lower < upper <= 150.")
    if not 1 <= len(age.source) <= 40:
        raise Invalid("age.source has 1 to 40 characters.")
    return Account.objects.update_or_create(
        platform_id=platform_id,
        defaults={
            "age_lower": age.lower,
            "age_upper": age.upper,
            "age_source": age.source,
            "age_assurance": age.assurance,
            "jurisdiction": profile.jurisdiction,
            "language": profile.language,
            "screen_name": profile.screen_name,
        },
    )


def get_account(platform_id: str) -> Account:
    """The account by the platform's own id."""
    try:
        return Account.objects.get(platform_id=platform_id)
    except Account.DoesNotExist as error:
        raise AccountUnknown(f"No account {platform_id[:60]!r}.") from error


def lock_account(account_id: int) -> Account:
    """The account, locked until the transaction ends: what changes an account holds this first."""
    return Account.objects.select_for_update(no_key=True).get(pk=account_id)


@transaction.atomic
def set_standing(*, account: Account, standing: Standing) -> None:
    """Give the account a standing. The action that causes it is what the ledger records."""
    account.standing = standing
    account.save(update_fields=["standing", "changed_at"])
