"""What a warrant rests on: whose look counts, which match is exact, what a verdict may bank."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.gravity import Act
from kinward.casebook.models import Case, Finding, Verdict, VerdictProposal
from kinward.custody.models import Release
from kinward.demo import pictures
from kinward.evidence.models import Evidence
from kinward.evidence.warrants import (
    _MAKER,
    Warrant,
    WarrantNeeded,
    exact_matches,
    grounded_checks,
    grounds_of,
    reasons_for_two,
    require_two_people,
    require_warrant,
)
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ledger.api import kinds, record
from kinward.matching.models import Bank, BankedHash, Check, Flood
from kinward.matching.services import add_hashes, create_bank, file_hashes
from kinward.media import digest_bytes
from kinward.people.models import Account
from kinward.review.lease import take_case
from kinward.verdicts.decision import decide_case
from kinward.verdicts.form import VerdictForm
from tests.support.factories import agreed_release
from tests.support.families import make_account
from tests.support.helpers import KNOWN, KNOWN_PNG, UNKNOWN, quarantined, upload

pytestmark = pytest.mark.django_db

# The known picture again, in other bytes.
SMALLER: Final = pictures.encode(pictures.draw(901).resize((640, 480)), "JPEG", quality=80)
CASE, OTHER_CASE = UUID(int=1), UUID(int=2)


def test_only_one_function_makes_a_warrant() -> None:
    with pytest.raises(TypeError, match="Only `issue_warrant`"):
        Warrant(CASE, frozenset(Act), ("finding:1",), object())


@pytest.mark.parametrize(
    ("act", "case_id", "covered"),
    [
        (Act.TERMINATE, CASE, True),
        (Act.TERMINATE, OTHER_CASE, False),
        (Act.REPORT, CASE, False),
        (Act.REMOVE, OTHER_CASE, True),  # reversible: it needs none
    ],
)
def test_a_warrant_covers_its_acts_in_its_case(act: Act, case_id: UUID, covered: bool) -> None:
    warrant = Warrant(CASE, frozenset({Act.TERMINATE}), ("finding:1",), _MAKER)
    if covered:
        require_warrant(warrant, act, case_id)
        return
    with pytest.raises(WarrantNeeded):
        require_warrant(warrant, act, case_id)


def test_two_people_agree_to_one_request_and_not_to_another(account: Account) -> None:
    agreed = agreed_release(account)
    require_two_people(agreed)
    asked = Release.objects.get(pk=agreed.pk)
    asked.pk, asked.state, asked.decided_by, asked.decided_at = UUID(int=2**128 - 1), "asked", *NO
    asked.save(force_insert=True)
    agreed_release(account)  # one before, one after
    asked.state = "approved"  # not in the database
    with pytest.raises(WarrantNeeded):
        require_two_people(asked)
    asked.pk = uuid4()  # nowhere at all
    with pytest.raises(WarrantNeeded):
        require_two_people(asked)


NO: Final = (None, None)


# What somebody saw


def viewed(file: Evidence, person: Staff, case_id: UUID, **seen: Any) -> None:
    with transaction.atomic():
        fact = kinds.EvidenceViewed(case=str(case_id), reason="x", **{"entire": False} | seen)
        record(actor=person.actor, subject=str(file), fact=fact)


@pytest.mark.parametrize(
    ("own", "here", "seen", "ground"),
    [
        (True, True, {"entire": True}, "{file}"),
        (True, True, {"most": True}, "{file} seen_mostly"),
        (True, True, {"shown": ["0:0"]}, None),
        (False, True, {"entire": True}, None),
        (False, True, {"most": True}, None),
        (True, False, {"entire": True}, None),
        (True, False, {"most": True}, None),
    ],
)
def test_a_file_is_a_ground_for_who_saw_it_in_its_case(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    second_reviewer: Staff,
    own: bool,
    here: bool,
    seen: dict[str, Any],
    ground: str | None,
) -> None:
    case = quarantined(account)
    file = Evidence.objects.get()
    viewed(file, reviewer if own else second_reviewer, case.pk if here else uuid4(), **seen)
    expected = [] if ground is None else [ground.format(file=file)]
    assert grounds_of(case, reviewer, lists=False) == expected


def test_what_nobody_can_be_shown_entirely_takes_a_second_person(
    bank: Bank, account: Account, reviewer: Staff, second_reviewer: Staff
) -> None:
    case = quarantined(account)
    file = Evidence.objects.get()
    viewed(file, reviewer, case.pk, most=True)
    take_case(case=case, staff=reviewer)
    form = VerdictForm(outcome="confirmed", clause="CS-1", note="All that can be shown.")
    assert decide_case(case_id=case.pk, staff=reviewer, form=form).state == "escalated"
    assert VerdictProposal.objects.get().reasons == ["seen_mostly"]
    mostly = f"{file} seen_mostly"
    assert reasons_for_two(case, {Act.REPORT}, [mostly]) == ["seen_mostly"]
    assert reasons_for_two(case, {Act.REPORT}, [mostly, "finding:1"]) == []
    assert reasons_for_two(case, {Act.REPORT}, []) == []


# Exact matches


def held(**changes: Any) -> None:
    for row in BankedHash.objects.all():
        Flood.objects.update_or_create(
            hash=row, defaults={"began_at": timezone.now(), "settled_at": None} | changes
        )


RELEASED: Final = {"settled_at": timezone.now(), "settled_by": "staff:sam", "right": True}
# What became of a match, then whether it stands, and whether it takes two people to dismiss it.
FATES: Final[dict[str, tuple[Callable[[], Any], bool, bool]]] = {
    "nothing": (lambda: None, True, True),
    "it waits": (lambda: Finding.objects.update(waits=True), False, False),
    "it is void": (lambda: Finding.objects.update(void=True), False, True),
    "given back before": (lambda: Finding.objects.update(given_back=True), False, True),
    "a flood": (held, False, False),
    "a flood that was released": (lambda: held(**RELEASED), True, False),
    "off the list": (lambda: BankedHash.objects.update(removed=True), False, True),
    "a false positive": (lambda: BankedHash.objects.update(false_positive=True), False, True),
    "a list that is off": (lambda: Bank.objects.update(disabled=True), False, True),
    "a list that is verified no more": (
        lambda: Bank.objects.update(confidence="unverified"),
        False,
        True,
    ),
}


@pytest.mark.parametrize("fate", FATES)
def test_an_exact_match_stands_while_nothing_speaks_against_it(
    bank: Bank, account: Account, fate: str
) -> None:
    case = quarantined(account, data=KNOWN_PNG)
    change, stands, takes_two = FATES[fate]
    change()
    assert bool(exact_matches(case, standing=True)) == stands
    assert bool(exact_matches(case, standing=False)) == takes_two
    assert bool(grounds_of(case, None)) == stands


def test_a_near_match_is_not_exact(bank: Bank, account: Account) -> None:
    case = quarantined(account)
    assert exact_matches(case, standing=True) == exact_matches(case, standing=False) == []


def test_a_match_of_an_unverified_list_is_not_exact(account: Account) -> None:
    actor = Actor.system("test")
    theirs = create_bank(name="theirs", confidence="unverified", actor=actor)
    hashes = file_hashes(digest_bytes(KNOWN_PNG), None)
    add_hashes(bank=theirs, hashes=hashes, provenance="x", actor=actor)
    case = quarantined(account, data=KNOWN_PNG)
    assert exact_matches(case, standing=True) == exact_matches(case, standing=False) == []


# What is banked


@pytest.fixture
def files(bank: Bank, account: Account) -> Case:
    """A case of three files and a post that is not held. Somebody else's posts have equal names."""
    other = make_account("heron", 40)
    for person in (other, account):
        upload(person, UNKNOWN, content_id="said")
        upload(person, UNKNOWN, content_id="harmless")
        for name, data in (("seen", KNOWN), ("unseen", SMALLER), ("exact", KNOWN_PNG)):
            upload(person, data, content_id=name)
    said = UserReportIn(account_id=account.platform_id, category="abuse", content_id="said")
    return receive_user_report(report=said, actor=Actor.key("app")).finding.case


@pytest.mark.parametrize(
    ("grounds", "by_two", "banked"),
    [
        (None, False, {"seen", "unseen", "exact", "said"}),  # of an earlier version
        ([], False, set()),
        (["{seen}"], False, {"seen"}),
        (["{seen} seen_mostly"], False, {"seen"}),
        (["finding:{exact}"], False, {"exact"}),
        (["{seen}", "finding:{exact}"], False, {"seen", "exact"}),
        (["{seen}"], True, {"seen", "said"}),
    ],
)
def test_a_verdict_banks_what_it_rests_on_and_nothing_of_somebody_else(
    files: Case, grounds: list[str] | None, by_two: bool, banked: set[str]
) -> None:
    names = {
        "seen": Evidence.objects.get(case=files, content_id="seen"),
        "exact": files.findings.get(content_id="exact").pk,
    }
    verdict = Verdict(
        case=files,
        outcome="confirmed",
        grounds=None if grounds is None else [ground.format(**names) for ground in grounds],
        proposal_id=uuid4() if by_two else None,
    )
    checks = grounded_checks(verdict)
    assert {check.content_id for check in checks} == banked
    assert {check.account_id for check in checks} <= {files.account_id}
    assert Check.objects.count() == 10
