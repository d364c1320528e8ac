"""A bank of verified hashes answers less only once two people agree, on every road."""

import pwd
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.agreement import AlreadyDecided
from kinward.access.models import Staff
from kinward.cli.bank import bank as bank_command
from kinward.ground.errors import Forbidden, Invalid
from kinward.ledger.models import Entry
from kinward.matching.agreements import Weakening
from kinward.matching.hashlists import ListedHash
from kinward.matching.kinds import Pdq
from kinward.matching.models import Bank, BankedHash
from kinward.matching.services import add_hashes, create_bank, disable_bank, remove_hashes
from kinward.matching.strength import WeakensBank
from kinward.matching.tuning import BankChanged, tune_bank
from kinward.matching.weakening import (
    decide_weakening,
    disable_or_ask,
    tune_or_ask,
    weakenings_of,
)
from kinward.people.models import Account
from tests.integration.web.test_console import signed_in
from tests.support.helpers import upload
from tests.support.marked import marked_by_two

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.system("test")
AT_THE_KEYBOARD = Actor.operator("root")
VALUE = b"\x0f\x5a" * 16
STRONG = {"role": "live", "distance": 31, "enabled_ratio": 1.0}
WEAKER: dict[str, dict[str, Any]] = {
    "a lower distance": {"distance": 30},
    "a lower ratio": {"enabled_ratio": 0.99},
    "shadow": {"role": "shadow"},
    "negative": {"role": "negative"},
    "one lower and one higher": {"distance": 31, "enabled_ratio": 0.5},
}
EACH = pytest.mark.parametrize("rules", WEAKER.values(), ids=WEAKER)


def person(name: str, role: str = "operator") -> Staff:
    return Staff.objects.create_user(username=name, password="a long word", roles=[role])


@pytest.fixture
def ada(db: None) -> Staff:
    return person("ada")


@pytest.fixture
def bo(db: None) -> Staff:
    return person("bo")


def rules_of(bank: Bank) -> tuple[str, int, float, bool]:
    bank.refresh_from_db()
    return bank.role, bank.distance, bank.enabled_ratio, bank.disabled


AS_IT_WAS = ("live", 31, 1.0, False)


def ask(bank: Bank, asker: Staff | Actor, **rules: Any) -> Weakening:
    given = {"role": None, "distance": None, "enabled_ratio": None} | rules
    asked = tune_or_ask(bank=bank, asker=asker, **given)
    assert asked is not None
    return asked


def filled(name: str, confidence: str) -> Bank:
    bank = create_bank(name=name, confidence=confidence, actor=ACTOR)
    add_hashes(bank=bank, hashes=[ListedHash(Pdq.name, VALUE)], provenance="p", actor=ACTOR)
    return bank


# The service


@EACH
def test_nobody_weakens_a_bank_alone(bank: Bank, ada: Staff, rules: dict[str, Any]) -> None:
    for actor in (ada.actor, AT_THE_KEYBOARD, ACTOR):
        with pytest.raises(WeakensBank):
            tune_bank(bank=bank, actor=actor, **rules)
    assert rules_of(bank) == AS_IT_WAS


def test_nobody_disables_a_bank_alone(account: Account, bank: Bank, ada: Staff) -> None:
    for actor in (ada.actor, AT_THE_KEYBOARD, ACTOR):
        with pytest.raises(WeakensBank):
            disable_bank(bank=bank, disabled=True, actor=actor)
    assert rules_of(bank) == AS_IT_WAS
    assert upload(account).outcome == "quarantine"


@EACH
def test_two_people_do(bank: Bank, ada: Staff, bo: Staff, rules: dict[str, Any]) -> None:
    asked = ask(bank, ada, **rules)
    assert rules_of(bank) == AS_IT_WAS, "a request changes nothing"
    assert (asked.asker, asked.hashes) == ("ada", BankedHash.objects.filter(bank=bank).count())
    with pytest.raises(Forbidden, match="another person decides"):
        decide_weakening(weakening_id=asked.id, approve=True, staff=ada)
    assert rules_of(bank) == AS_IT_WAS
    decided = decide_weakening(weakening_id=asked.id, approve=True, staff=bo)
    assert (decided.state, decided.decided_by) == ("approved", bo)
    expected = STRONG | rules
    assert rules_of(bank) == (*expected.values(), False)
    with pytest.raises(AlreadyDecided):
        decide_weakening(weakening_id=asked.id, approve=True, staff=bo)
    kinds = ["weakening.asked", "weakening.approved", "bank.tuned"]
    written = dict(Entry.objects.filter(kind__in=kinds).values_list("kind", "actor"))
    assert written == {
        "weakening.asked": "staff:ada",
        "weakening.approved": "staff:bo",
        "bank.tuned": "staff:bo",
    }


def test_two_people_disable_a_bank_and_one_enables_it(
    account: Account, bank: Bank, ada: Staff, bo: Staff
) -> None:
    asked = disable_or_ask(bank=bank, asker=ada)
    assert asked is not None
    assert upload(account, content_id="one").outcome == "quarantine"
    lead = person("lea", "policy lead")
    with pytest.raises(Forbidden, match="Switching a bank"):
        decide_weakening(weakening_id=asked.id, approve=True, staff=lead)
    assert rules_of(bank) == AS_IT_WAS
    decide_weakening(weakening_id=asked.id, approve=True, staff=bo)
    assert upload(account, content_id="two").outcome == "clear"
    with pytest.raises(WeakensBank):
        tune_bank(bank=bank, distance=0, actor=ada.actor)
    disable_bank(bank=bank, disabled=False, actor=ada.actor)
    assert rules_of(bank) == AS_IT_WAS


def test_a_refused_request_changes_nothing_and_who_asked_may_withdraw(
    bank: Bank, ada: Staff, bo: Staff
) -> None:
    for decider in (ada, bo):
        asked = ask(bank, ada, distance=4)
        decide_weakening(weakening_id=asked.id, approve=False, staff=decider)
        assert rules_of(bank) == AS_IT_WAS
    assert Entry.objects.filter(kind="weakening.refused").count() == 2


def test_an_outdated_request_is_refused(bank: Bank, ada: Staff, bo: Staff) -> None:
    first = ask(bank, ada, distance=20)
    decide_weakening(weakening_id=first.id, approve=True, staff=bo)
    stale = ask(bank, ada, distance=10)
    with pytest.raises(AlreadyDecided):
        ask(bank, bo, distance=9)
    tune_bank(bank=bank, distance=25, actor=ada.actor)  # stronger: one person's act
    assert weakenings_of(bank).outdated
    with pytest.raises(BankChanged):
        decide_weakening(weakening_id=stale.id, approve=True, staff=bo)
    assert rules_of(bank) == ("live", 25, 1.0, False)
    stale.refresh_from_db()
    assert stale.state == "asked"
    decide_weakening(weakening_id=stale.id, approve=False, staff=bo)
    assert ask(bank, ada, distance=24).state == "asked"


def test_an_agreement_serves_only_for_what_was_agreed(bank: Bank, ada: Staff, bo: Staff) -> None:
    """Also in a shell: what is approved only in memory, or for other rules, weakens nothing."""
    asked = ask(bank, ada, distance=20)
    asked.state, asked.decided_by = "approved", bo
    with pytest.raises(WeakensBank):
        tune_bank(bank=bank, distance=20, actor=ada.actor, agreed=asked)
    decide_weakening(weakening_id=asked.id, approve=True, staff=bo)
    for rules in ({"distance": 19}, {"role": "shadow"}, {"enabled_ratio": 0.1}):
        with pytest.raises(WeakensBank):
            tune_bank(bank=bank, actor=ada.actor, agreed=asked, **rules)
    with pytest.raises(WeakensBank):
        disable_bank(bank=bank, disabled=True, actor=ada.actor, agreed=asked)
    assert rules_of(bank) == ("live", 20, 1.0, False)


Prepare = Callable[[Bank], object]


@pytest.mark.parametrize(
    ("confidence", "prepare"),
    [
        ("unverified", lambda bank: None),
        (
            "verified",
            lambda bank: remove_hashes(bank=bank, values=[VALUE], actor=ACTOR),
        ),
        (
            "verified",
            lambda bank: marked_by_two(BankedHash.objects.get(bank=bank)),
        ),
    ],
    ids=["unverified", "emptied", "only false positives"],
)
def test_what_holds_no_verified_hash_one_person_weakens(
    confidence: str, prepare: Prepare, ada: Staff
) -> None:
    bank = filled("loose", confidence)
    prepare(bank)
    tune_bank(bank=bank, distance=3, enabled_ratio=0.5, actor=ada.actor)
    tune_bank(bank=bank, role="shadow", actor=ada.actor)
    tune_bank(bank=bank, role="live", actor=ada.actor)
    assert disable_or_ask(bank=bank, asker=ada) is None
    assert rules_of(bank) == ("live", 3, 0.5, True)
    assert not Weakening.objects.exists()


def test_what_does_not_answer_is_one_persons(ada: Staff) -> None:
    """A shadow bank is tried out, and a negative bank that ends adds matches."""
    bank = create_bank(name="trial", confidence="verified", actor=ACTOR)
    tune_bank(bank=bank, role="shadow", actor=ada.actor)
    add_hashes(bank=bank, hashes=[ListedHash(Pdq.name, VALUE)], provenance="p", actor=ACTOR)
    tune_bank(bank=bank, role="negative", distance=8, actor=ada.actor)
    disable_bank(bank=bank, disabled=True, actor=ada.actor)
    disable_bank(bank=bank, disabled=False, actor=ada.actor)
    tune_bank(bank=bank, role="live", distance=20, actor=ada.actor)
    with pytest.raises(WeakensBank):
        tune_bank(bank=bank, role="shadow", actor=ada.actor)


def test_only_people_with_the_permission_ask_and_only_within_bounds(bank: Bank, ada: Staff) -> None:
    reviewer, lead = person("rob", "reviewer"), person("lea", "policy lead")
    with pytest.raises(Forbidden):
        ask(bank, reviewer, distance=3)
    with pytest.raises(Forbidden):
        disable_or_ask(bank=bank, asker=lead)
    with pytest.raises(Forbidden):
        ask(bank, ACTOR, distance=3)
    with pytest.raises(Invalid):
        ask(bank, ada, distance=-1)
    assert not Weakening.objects.exists()
    asked = ask(bank, ada, distance=3)
    with pytest.raises(Forbidden):
        decide_weakening(weakening_id=asked.id, approve=True, staff=reviewer)


# The database

FAKES: dict[str, dict[str, Any]] = {
    "by who asked": {"state": "approved", "decided_by": "ada", "decided_at": "now"},
    "by nobody": {"state": "approved", "decided_by": None, "decided_at": "now"},
    "asked by nobody": {"asked_by": None},
    "asked by two": {"operator": "operator:root"},
}


@pytest.mark.parametrize("fake", FAKES.values(), ids=FAKES)
def test_the_database_refuses_the_weakening_of_one_person(
    bank: Bank, ada: Staff, fake: dict[str, Any]
) -> None:
    asked = ask(bank, ada, distance=3)
    values: dict[str, Any] = {
        f"{name}_id" if name.endswith("_by") else name: {"ada": ada.pk, "now": timezone.now()}.get(
            value, value
        )
        for name, value in fake.items()
    }
    assignments = ", ".join(f"{name} = %s" for name in values)
    with (
        pytest.raises(IntegrityError, match=r"two_people|asked_by_one"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"UPDATE matching_weakening SET {assignments} WHERE id = %s",
            [*values.values(), asked.id],
        )


def test_the_database_refuses_an_operators_request_that_nobody_approved(
    bank: Bank, ada: Staff
) -> None:
    asked = ask(bank, AT_THE_KEYBOARD, distance=3)
    with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
        Weakening.objects.filter(pk=asked.pk).update(state="approved", decided_at=timezone.now())
    with pytest.raises(IntegrityError, match="asked_by_one"), transaction.atomic():
        Weakening.objects.filter(pk=asked.pk).update(operator="")


# The command line


def run(*arguments: str) -> str:
    result = CliRunner().invoke(bank_command, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    "command",
    [
        ("set", "known", "--distance", "3"),
        ("set", "known", "--enabled-ratio", "0.5"),
        ("set", "known", "--role", "shadow"),
        ("disable", "known"),
    ],
)
def test_an_operators_command_files_the_request(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    ada = pwd.struct_passwd(("ada", "", 1000, 1000, "", "", ""))
    monkeypatch.setattr("pwd.getpwuid", lambda user: ada)
    person("bo")
    said = run(*command)
    assert "Requested, and not done yet" in said
    assert "Another person must approve it" in said
    assert "is disabled" not in said
    assert rules_of(bank) == AS_IT_WAS
    again = CliRunner().invoke(bank_command, list(command))
    assert isinstance(again.exception, AlreadyDecided)
    asked = Weakening.objects.get()
    assert (asked.asked_by, asked.operator, asked.asker) == (None, "operator:ada", "operator:ada")
    for spelling in ("ada", "Ada", "ADA"):
        with pytest.raises(Forbidden, match="another person decides"):
            decide_weakening(weakening_id=asked.id, approve=True, staff=person(spelling))
    assert rules_of(bank) == AS_IT_WAS
    decide_weakening(weakening_id=asked.id, approve=True, staff=Staff.objects.get(username="bo"))
    assert rules_of(bank) != AS_IT_WAS


# The console

FORM = {"role": "live", "distance": "31", "enabled_ratio": "1"}


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("tune", FORM | {"distance": "3"}),
        ("tune", FORM | {"role": "shadow"}),
        ("tune", FORM | {"enabled_ratio": "0.5"}),
        ("switch", {"disabled": "yes"}),
    ],
)
def test_a_form_of_the_console_files_the_request_and_another_person_approves(
    bank: Bank, ada: Staff, bo: Staff, address: str, form: dict[str, str]
) -> None:
    first, second = signed_in(ada), signed_in(bo)
    answer = first.post(f"/banks/of/known/{address}", form, follow=True)
    assert "Another person must approve it." in answer.content.decode()
    assert rules_of(bank) == AS_IT_WAS
    assert second.post(f"/banks/of/known/{address}", form).status_code == 409
    decide = f"/banks/weakenings/{Weakening.objects.get().id}"
    shown = first.get("/banks/of/known").content.decode()
    assert "another person must approve it" in shown
    assert "Approve weaker rules" not in shown
    assert first.post(decide, {"decision": "agree"}).status_code == 403
    assert rules_of(bank) == AS_IT_WAS
    shown = second.get("/banks/of/known").content.decode()
    assert "Requested by ada" in shown
    assert "Before" in shown
    assert "Approve weaker rules" in shown
    assert second.post(decide, {"decision": "agree"}).status_code == 302
    assert rules_of(bank) != AS_IT_WAS
    assert "agreed to by bo" in second.get("/banks/of/known").content.decode()


def test_the_console_shows_an_outdated_request_without_its_button(
    bank: Bank, ada: Staff, bo: Staff
) -> None:
    bank.distance = 20
    bank.save()
    asked = ask(bank, ada, distance=10)
    tune_bank(bank=bank, distance=25, actor=ada.actor)
    page = signed_in(bo)
    shown = page.get("/banks/of/known").content.decode()
    assert "Outdated" in shown
    assert "Approve weaker rules" not in shown
    answer = page.post(f"/banks/weakenings/{asked.id}", {"decision": "agree"})
    assert answer.status_code == 409
    assert "have changed since" in answer.content.decode()
    lead = signed_in(person("lea", "policy lead"))
    assert lead.post(f"/banks/weakenings/{asked.id}", {"decision": "end"}).status_code == 302
    asked.refresh_from_db()
    assert asked.state == "refused"
