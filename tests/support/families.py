"""A family for tests: accounts, and pairing two of them as they would."""

from kinward.families.models import Notice, Pairing, Side
from kinward.families.notices import notice_sentence
from kinward.families.pairing import invitations
from kinward.families.settings import choices
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


def told(account: Account) -> list[str]:
    """The sentences of an account's notices, the newest first."""
    return [notice_sentence(each) for each in Notice.objects.filter(account=account)]


def told_of(account: Account) -> list[str]:
    """The topics of an account's notices, the newest first."""
    return list(Notice.objects.filter(account=account).values_list("topic", flat=True))


def choose_minutes(guardian: Account, teen: Account, value: int) -> None:
    choices.choose_setting(
        guardian=guardian, teen_id=teen.platform_id, capability="session.time", value=value
    )
