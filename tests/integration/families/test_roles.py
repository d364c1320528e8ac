"""Nobody holds two roles that exclude each other: who guards a teen is not whom the teen trusts."""

import pytest
from django.test import Client

from kinward.families.errors import CodeRefused
from kinward.families.models import Notice, Side, TrustedAdult, WrongCode
from kinward.families.pairing import disputes, ending, invitations, trusted_adults
from kinward.ground.errors import KinwardError, NotFound
from kinward.ledger.models import Entry
from kinward.people.models import Account, Identifier
from kinward.people.services import IdentifierIn, Profile, put_account
from tests.support.families import make_account, pair
from tests.support.visits import visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def aunt(db: None) -> Account:
    return make_account("egret", 44)


def code_for_trust(teen: Account) -> str:
    return invitations.create_invitation(maker=teen, side=Side.TRUSTING)[0]


def trust(teen: Account, adult: Account, *, confirmed: bool = True) -> TrustedAdult:
    named = invitations.accept_invitation(account=adult, typed=code_for_trust(teen))
    assert isinstance(named, TrustedAdult)
    if confirmed:
        trusted_adults.confirm_trusted_adult(teen=teen, trusted_id=named.pk)
    return named


def share(kind: str, *accounts: Account) -> None:
    """Let accounts have one identifier, as the platform sends it."""
    for account in accounts:
        identifier = IdentifierIn(kind, "shared-1")  # type: ignore[arg-type]
        profile = Profile(
            age=account.age, screen_name=account.screen_name, identifiers=[identifier]
        )
        put_account(platform_id=account.platform_id, profile=profile)


def topics(account: Account) -> list[str]:
    return list(Notice.objects.filter(account=account).values_list("topic", flat=True))


def guards(teen: Account, heron: Account) -> None:
    pair(heron, teen)


def guarded_once(teen: Account, heron: Account) -> None:
    ending.end_pairing(account=heron, pairing_id=pair(heron, teen).pk)


def guards_as_another(teen: Account, heron: Account) -> None:
    other = make_account("stork", 50)
    pair(other, teen)
    share("device", heron, other)


def guarded_once_as_another(teen: Account, heron: Account) -> None:
    other = make_account("stork", 50)
    ending.end_pairing(account=other, pairing_id=pair(other, teen).pk)
    share("payment", heron, other)


EXCLUDED = [guards, guarded_once, guards_as_another, guarded_once_as_another]


@pytest.mark.parametrize("excluded", EXCLUDED)
def test_a_guardian_s_code_for_trust_is_answered_like_a_wrong_one(
    teen: Account, heron: Account, aunt: Account, excluded: object
) -> None:
    excluded(teen, heron)  # type: ignore[operator]
    code = code_for_trust(teen)
    answers = []
    for typed in ("22222222", code):
        for read in (invitations.read_invitation, invitations.accept_invitation):
            with pytest.raises(CodeRefused) as refused:
                read(account=heron, typed=typed)
            answers.append((refused.value.code, str(refused.value)))
    assert len(set(answers)) == 1, "the answer tells what the code was for"
    assert WrongCode.objects.filter(account=heron).count() == 4
    assert not TrustedAdult.objects.exists()
    # The code is still there for whom it was made.
    assert isinstance(invitations.accept_invitation(account=aunt, typed=code), TrustedAdult)


def test_only_whom_the_teen_confirmed_is_called(
    teen: Account, heron: Account, aunt: Account
) -> None:
    pairing = pair(heron, teen)
    named = trust(teen, aunt, confirmed=False)
    assert trusted_adults.call_trusted_now(teen) == 0
    assert topics(aunt) == [], "nobody is told that they are trusted before the teen confirms it"
    trusted_adults.confirm_trusted_adult(teen=teen, trusted_id=named.pk)
    trusted_adults.confirm_trusted_adult(teen=teen, trusted_id=named.pk)
    assert topics(aunt) == ["named"]
    disputes.pause_disputed_pairing(teen=teen, pairing_id=pairing.pk)
    assert topics(aunt) == ["called", "named"]
    assert Entry.objects.filter(kind="trusted.confirmed").count() == 1


def test_nobody_confirms_for_another_teen(teen: Account, aunt: Account) -> None:
    named = trust(teen, aunt, confirmed=False)
    with pytest.raises(NotFound):
        trusted_adults.confirm_trusted_adult(teen=make_account("wren", 15), trusted_id=named.pk)


@pytest.mark.parametrize("shares", [False, True])
def test_whoever_becomes_a_guardian_is_trusted_no_more(
    teen: Account, heron: Account, shares: bool
) -> None:
    trust(teen, heron)
    guardian = make_account("stork", 50) if shares else heron
    if shares:
        share("device", heron, guardian)
    pairing = pair(guardian, teen)
    assert not TrustedAdult.objects.filter(ended_at=None).exists()
    Notice.objects.all().delete()
    disputes.pause_disputed_pairing(teen=teen, pairing_id=pairing.pk)
    assert trusted_adults.call_trusted_now(teen) == 0
    assert "called" not in topics(heron)


def test_an_identifier_that_is_learned_later_counts_when_somebody_is_called(
    teen: Account, heron: Account, aunt: Account
) -> None:
    pairing = pair(heron, teen)
    trust(teen, aunt)
    share("phone", aunt, heron)
    assert Identifier.objects.count() > 1
    disputes.pause_disputed_pairing(teen=teen, pairing_id=pairing.pk)
    assert trusted_adults.call_trusted_now(teen) == 0
    assert topics(aunt) == ["named"]


def test_a_guardian_of_another_teen_may_be_trusted(teen: Account, heron: Account) -> None:
    pair(heron, make_account("wren", 15))
    trust(teen, heron)
    assert trusted_adults.call_trusted_now(teen) == 1


def test_the_page_asks_who_took_the_code(teen: Account, aunt: Account) -> None:
    browser: Client = visitor(teen)
    named = trust(teen, aunt, confirmed=False)
    page = browser.get("/family/safe").content.decode()
    assert "Is it the adult you gave it to?" in page
    assert "Ask them to get in touch with me" not in page
    assert browser.post(f"/family/safe/{named.pk}/confirm").status_code == 302
    page = browser.get("/family/safe").content.decode()
    assert "Is it the adult you gave it to?" not in page
    assert "Ask them to get in touch with me" in page


def test_three_adults_and_no_more_also_unconfirmed(teen: Account) -> None:
    for number in range(3):
        trust(teen, make_account(f"adult-{number}", 40), confirmed=False)
    with pytest.raises(KinwardError, match="at most 3"):
        trust(teen, make_account("adult-3", 40), confirmed=False)
