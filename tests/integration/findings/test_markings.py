"""One person alone silences no hash of a verified list. Meanwhile its findings wait."""

import pytest
from click.testing import CliRunner

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case, Finding
from kinward.cli.bank import bank as bank_command
from kinward.evidence.warrants import exact_matches
from kinward.exchanges.models import Opinion
from kinward.exchanges.opinions import mark_false_positive
from kinward.findings.floods import FloodUnseen, release_flood
from kinward.ground.errors import Forbidden
from kinward.ledger.models import Entry
from kinward.matching.agreements import Marking
from kinward.matching.floods import NoFlood
from kinward.matching.hashlists import ListedHash
from kinward.matching.kinds import Sha256
from kinward.matching.lookup import look_up
from kinward.matching.marks import (
    MarkedAlone,
    decide_marking,
    mark_hash_false_positive,
    mark_or_ask,
    open_markings,
)
from kinward.matching.models import BankedHash
from kinward.matching.services import add_hashes, create_bank
from tests.integration.conftest import Configure
from tests.integration.findings.test_floods import (
    ACTOR,
    VALUE,
    accounts,
    hash_,
    rule_decides,
    send,
    senior,
    standings,
)
from tests.integration.web.test_console import signed_in
from tests.support.helpers import run_jobs
from tests.support.marked import marked_by_two, reinstated

__all__ = ("hash_", "rule_decides", "senior")  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)
AT_THE_KEYBOARD = Actor.operator("root")
ROADS = ("service", "console", "command")


def mark(road: str, row: BankedHash, asker: Staff) -> None:
    """Say that a hash is a false positive, on one of the roads."""
    if road == "service":
        mark_false_positive(row=row, wrong=True, asker=asker)
    elif road == "console":
        answer = signed_in(asker).post(f"/banks/hashes/{row.pk}/mark", {"wrong": "yes"})
        assert answer.status_code == 302
    else:
        said = CliRunner().invoke(bank_command, ["false-positive", str(row.pk)])
        assert said.exit_code == 0, said.output
        assert "Requested, and not done yet" in said.output


@pytest.mark.usefixtures("rule_decides")
@pytest.mark.parametrize("road", ROADS)
def test_until_another_person_agrees_the_hash_matches_and_its_findings_wait(
    hash_: BankedHash, reviewer: Staff, second_reviewer: Staff, road: str
) -> None:
    first, held, after = accounts(3)
    send(first)
    mark(road, hash_, reviewer)
    mark(road, hash_, reviewer)
    run_jobs()
    assert Marking.objects.count() == 1, "asked twice by one person, it waits as before"
    assert [match.hash for match in look_up([(Sha256.name, VALUE)])] == [hash_.pk]
    assert Case.objects.get(account=first).state == "confirmed", "nothing is given back yet"
    assert send(held) == "quarantine"
    run_jobs()
    assert Finding.objects.get(case__account=held).waits
    assert standings() == ["active", "active", "terminated"]
    assert not Opinion.objects.exists()
    assert mark_false_positive(row=hash_, wrong=True, asker=second_reviewer) is None
    run_jobs()
    assert look_up([(Sha256.name, VALUE)]) == []
    assert standings() == ["active"] * 3
    assert send(after) == "clear"
    entries = Entry.objects.filter(subject=str(hash_)).order_by("seq")
    assert [entry.kind for entry in entries] == ["hash.mark_asked", "hash.false_positive"]


@pytest.mark.usefixtures("rule_decides")
def test_once_it_is_refused_the_findings_that_waited_go_on(
    hash_: BankedHash, reviewer: Staff, second_reviewer: Staff
) -> None:
    mark("console", hash_, reviewer)
    held, later = accounts(2)
    send(held)
    assert "Agree: false positive" not in signed_in(reviewer).get("/banks").content.decode()
    page = signed_in(second_reviewer)
    for path in ("/banks", "/banks/of/list"):
        assert "Agree: false positive" in page.get(path).content.decode()
        assert reviewer.username in page.get(path).content.decode()
    page.post(f"/banks/hashes/{hash_.pk}/mark", {"wrong": "no"})
    run_jobs()
    assert not open_markings().exists()
    assert not Finding.objects.get(case__account=held).waits
    assert Entry.objects.filter(kind="hash.mark_refused", subject=str(hash_)).count() == 1
    send(later)
    assert Case.objects.get(account=later).state == "confirmed"


def test_nobody_agrees_with_themselves(hash_: BankedHash, reviewer: Staff) -> None:
    asked = mark_or_ask(row=hash_, wrong=True, asker=reviewer)
    assert asked is not None
    with pytest.raises(Forbidden):
        decide_marking(marking_id=asked.pk, approve=True, staff=reviewer)
    assert mark_or_ask(row=hash_, wrong=True, asker=AT_THE_KEYBOARD) == asked
    with pytest.raises(Forbidden):
        mark_or_ask(row=hash_, wrong=False, asker=AT_THE_KEYBOARD)
    decide_marking(marking_id=asked.pk, approve=False, staff=reviewer)
    asked.refresh_from_db()
    assert asked.withdrawn


def test_who_asked_by_a_command_does_not_agree_in_the_console(
    hash_: BankedHash, second_reviewer: Staff
) -> None:
    asked = mark_or_ask(row=hash_, wrong=True, asker=AT_THE_KEYBOARD)
    assert asked is not None
    root = Staff.objects.create_user(username="root", password="a word", roles=["reviewer"])
    assert mark_or_ask(row=hash_, wrong=True, asker=root) == asked
    with pytest.raises(Forbidden):
        decide_marking(marking_id=asked.pk, approve=True, staff=root)
    assert mark_or_ask(row=hash_, wrong=True, asker=second_reviewer) is None
    hash_.refresh_from_db()
    assert hash_.false_positive


def test_no_road_inside_makes_the_mark_alone(hash_: BankedHash, reviewer: Staff) -> None:
    for actor in (ACTOR, reviewer.actor, AT_THE_KEYBOARD):
        with pytest.raises(MarkedAlone):
            mark_hash_false_positive(row=hash_, wrong=True, actor=actor)
    for actor in (ACTOR, Actor.key("a key")):
        with pytest.raises(Forbidden):
            mark_or_ask(row=hash_, wrong=True, asker=actor)
    asked = mark_or_ask(row=hash_, wrong=True, asker=reviewer)
    with pytest.raises(MarkedAlone):
        mark_hash_false_positive(row=hash_, wrong=True, actor=ACTOR, agreed=asked)


def test_an_agreement_is_for_one_mark(hash_: BankedHash, reviewer: Staff) -> None:
    marked_by_two(hash_)
    agreed = Marking.objects.get()
    reinstated(hash_, reviewer)
    assert [match.hash for match in look_up([(Sha256.name, VALUE)])] == [hash_.pk]
    with pytest.raises(MarkedAlone):
        mark_hash_false_positive(row=hash_, wrong=True, actor=ACTOR, agreed=agreed)
    assert mark_or_ask(row=hash_, wrong=True, asker=reviewer) is not None


@pytest.mark.parametrize("confidence", ["unverified", "verified"])
def test_one_person_marks_what_is_not_verified_or_silences_others(
    confidence: str, reviewer: Staff
) -> None:
    bank = create_bank(name="other", confidence=confidence, actor=ACTOR)
    add_hashes(bank=bank, hashes=[ListedHash(Sha256.name, VALUE)], provenance="p", actor=ACTOR)
    if confidence == "verified":
        type(bank).objects.filter(pk=bank.pk).update(role="negative")
    row = BankedHash.objects.get(bank=bank)
    assert mark_or_ask(row=row, wrong=True, asker=reviewer) is None
    row.refresh_from_db()
    assert row.false_positive


def test_releasing_a_flood_does_not_end_the_request(
    hash_: BankedHash, reviewer: Staff, senior: Staff, configure: Configure
) -> None:
    configure(flood_accounts=1)
    mark_or_ask(row=hash_, wrong=True, asker=reviewer)
    people = accounts(3)
    for account in people:
        send(account)
    with pytest.raises(FloodUnseen):
        release_flood(hash_id=hash_.pk, staff=senior)
    assert all(Finding.objects.values_list("waits", flat=True))
    marked_by_two(hash_, senior)
    with pytest.raises(NoFlood):
        release_flood(hash_id=hash_.pk, staff=senior)


def test_a_request_speaks_against_a_match(hash_: BankedHash, reviewer: Staff) -> None:
    (account,) = accounts(1)
    send(account)
    case = Case.objects.get()
    assert exact_matches(case, standing=True)
    mark_or_ask(row=hash_, wrong=True, asker=reviewer)
    assert not exact_matches(case, standing=True)
    assert exact_matches(case, standing=False)
