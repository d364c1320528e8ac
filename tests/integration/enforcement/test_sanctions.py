"""What a sanction says of its end: to the platform, to the ledger and to whoever asks."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.enforcement.models import Action, Sanction, SanctionKind
from kinward.enforcement.sanctions import current_standing, impose_sanction
from kinward.ledger.models import Entry
from kinward.people.locks import lock_account
from kinward.people.models import Account
from tests.support.factories import make_case

pytestmark = pytest.mark.django_db

CAPABILITY = "dm.send"


def restrict(account: Account, until: datetime | None) -> None:
    impose_sanction(
        account=lock_account(account.pk),
        case_id=make_case(account).id,
        kind=SanctionKind.RESTRICT,
        capabilities=[CAPABILITY],
        until=until,
        actor=Actor.system("test"),
    )


def restricted_as_told(account: Account) -> object:
    """What the platform was told last of what is withheld."""
    told = Action.objects.filter(account=account, target_kind="account").order_by("-number")
    standing = told.values_list("standing", flat=True)[0]
    assert standing is not None
    return standing["restricted"]


def test_a_restriction_for_seven_days_is_told_as_for_seven_days(account: Account) -> None:
    until = timezone.now() + timedelta(days=7)
    restrict(account, until)
    assert current_standing(account).withheld == {CAPABILITY: until}
    assert restricted_as_told(account) == [{"capability": CAPABILITY, "until": until.isoformat()}]
    assert Sanction.objects.get().until == until
    entry = Entry.objects.get(kind="sanction.imposed")
    assert entry.data["until"] == until.isoformat()
    assert (entry.data["account"], entry.data["sanction"]) == (account.platform_id, "restrict")


@pytest.mark.parametrize(
    ("days", "longest"), [((7, 3), 7), ((3, 7), 7), ((7, None), None), ((None, 7), None)]
)
def test_what_two_cases_restrict_is_restricted_until_the_later_end(
    account: Account, days: tuple[int | None, int | None], longest: int | None
) -> None:
    now = timezone.now()
    ends = {number: now + timedelta(days=number) for number in days if number is not None}
    for number in days:
        restrict(account, None if number is None else ends[number])
    until = None if longest is None else ends[longest]
    assert current_standing(account).withheld == {CAPABILITY: until}
    told = None if until is None else until.isoformat()
    assert restricted_as_told(account) == [{"capability": CAPABILITY, "until": told}]
