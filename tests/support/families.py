"""A family for tests: accounts, and pairing two of them as they would."""

from kinward.families.models import Pairing, Side
from kinward.families.pairing import invitations
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange


def make_account(
    name: str, lower: int, assurance: str = "verified", language: str = "", place: str = ""
) -> Account:
    """An account of a year of age."""
    age = AgeRange(lower, lower + 1, "test", assurance)  # type: ignore[arg-type]
    profile = Profile(age=age, screen_name=name.title(), language=language, jurisdiction=place)
    return put_account(platform_id=name, profile=profile)[0]


def pair(guardian: Account, teen: Account) -> Pairing:
    """The guardian starts, the teen accepts."""
    code, _ = invitations.create_invitation(maker=guardian, side=Side.GUARDIAN)
    made = invitations.accept_invitation(account=teen, typed=code)
    assert isinstance(made, Pairing)
    return made
