"""A family for tests: accounts, and pairing two of them as they would."""

from datetime import date
from typing import Any

from kinward.access.actor import Actor
from kinward.families.models import Notice, Pairing, Side
from kinward.families.notices import notice_sentence
from kinward.families.pairing import invitations
from kinward.families.pairing.proving import Told, prove_guardian
from kinward.families.settings import choices
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.policy.proving import Method as ProofMethod


def make_account(
    name: str, lower: int, assurance: str = "verified", language: str = "", place: str = ""
) -> Account:
    """An account of a year of age."""
    age = AgeRange(lower, lower + 1, "test", assurance)  # type: ignore[arg-type]
    profile = Profile(age=age, screen_name=name.title(), language=language, jurisdiction=place)
    return put_account(platform_id=name, profile=profile)[0]


def prove(guardian: Account, teen: Account, method: ProofMethod = "court", **more: Any) -> None:
    """The platform says how it knows that this is the guardian."""
    told = Told(method=method, checked_on=date(2026, 11, 2), evidence="kyc-8842", **more)
    prove_guardian(guardian=guardian, teen=teen, told=told, actor=Actor.key("app"))


def pair(guardian: Account, teen: Account, *, proof: ProofMethod | None = "court") -> Pairing:
    """The guardian starts, the teen accepts. The platform has proof of the guardian, if any."""
    if proof is not None:
        prove(guardian, teen, proof)
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
