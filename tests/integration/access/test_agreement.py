"""Two people, for every model that needs them: the service and the database both insist."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.agreement import AlreadyDecided, TwoPeople
from kinward.access.appointments import decide_appointment, give_role
from kinward.access.factors import decide_factor_reset, request_factor_reset
from kinward.access.joining import Appointment, FactorReset
from kinward.access.log_key import LogKeyChange
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.roles import ROLES, TAKES_TWO
from kinward.access.step_up import NEVER, FactorNotFresh, at_console
from kinward.casebook.models import Case, VerdictProposal
from kinward.cli.demo import give_second_factor
from kinward.custody import destruction, release
from kinward.custody.destruction import DestructionForm
from kinward.custody.models import Destruction, Release
from kinward.custody.release import ReleaseForm
from kinward.erasure import services as erasing
from kinward.erasure.models import Erasure
from kinward.evidence import holds
from kinward.evidence.excerpts import Message
from kinward.evidence.models import HoldEnding
from kinward.evidence.sealing import new_key, public_half
from kinward.evidence.services import seal_excerpt
from kinward.experience.edits import RuleChange, with_change
from kinward.experience.models import Activation, Proposal
from kinward.experience.proposals import decide_proposal, propose_pack
from kinward.experience.services import (
    activate_proposal,
    current_pack,
    store_pack,
)
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ground.config import PRODUCTION_CONSENT
from kinward.ground.errors import Forbidden
from kinward.guidelines import services as guidelines
from kinward.guidelines.models import Edition
from kinward.guidelines.queries import guidelines_text_in_force
from kinward.matching import allowances, marks, tuning, weakening
from kinward.matching.agreements import Marking, Silencing, Weakening, WithdrawalRequest
from kinward.matching.hashlists import ListedHash
from kinward.matching.kinds import Pdq
from kinward.matching.models import BankedHash
from kinward.matching.services import add_hashes, create_bank
from kinward.people.models import Account
from kinward.people.services import Profile, delete_account, put_account
from kinward.policy.ages import AgeRange
from kinward.policy.sources import read_files
from kinward.redress import silence
from kinward.redress.models import LongSilence, Statement
from kinward.reporting import production
from kinward.reporting.authorities.cybertipline import client
from kinward.reporting.models import Production
from kinward.review.lease import take_case
from kinward.verdicts import orders
from kinward.verdicts.decision import decide_case
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.models import PairingOrder
from kinward.verdicts.proposals import answer_proposal, write_second_word
from tests.integration.conftest import Configure
from tests.support.editions import with_version
from tests.support.families import make_account, pair
from tests.support.in_force import activate_pack
from tests.support.verdicts import sees
from tests.support.weakened import tuned_by_two

pytestmark = pytest.mark.django_db(transaction=True)


def lowered(version: str = "lower-1") -> dict[str, str]:
    change = RuleChange(rule="session-time-13-15", default=40)
    return with_change(read_files("teen-accounts"), change, version=version)


def ask_proposal(staff: Staff) -> TwoPeople:
    return propose_pack(files=lowered(), why="A test.", share=100, staff=staff)


def ask_edition(staff: Staff) -> TwoPeople:
    text = with_version(guidelines_text_in_force(), "other")
    return guidelines.propose_edition(text=text, why="A test.", staff=staff)


def ask_release(staff: Staff) -> TwoPeople:
    put_account(platform_id="member-1", profile=Profile(age=AgeRange(15, 16)))
    form = ReleaseForm(
        account_id="member-1",
        since=date(2026, 1, 1),
        until=date(2026, 1, 2),
        recipient=public_half(new_key()),
        to="A court of a test",
        reference="ref-1",
        why="A test.",
    )
    return release.request_release(form=form, staff=staff)


def ask_destruction(staff: Staff) -> TwoPeople:
    account: Account = put_account(platform_id="member-1", profile=Profile(age=AgeRange(15, 16)))[0]
    case = Case.objects.create(account=account, state="dismissed", due_at=timezone.now())
    with transaction.atomic():
        seal_excerpt(case_id=case.id, text="A neutral line.", actor=account.actor)
    form = DestructionForm(case_id=case.id, asked_for_by="A court of a test", reference="ref-1")
    return destruction.request_destruction(form=form, staff=staff)


def ask_erasure(staff: Staff) -> TwoPeople:
    name = f"egret-{Account.objects.count()}"  # another account for whoever asks
    put_account(platform_id=name, profile=Profile())
    delete_account(platform_id=name, actor=Actor.system("test"))
    return erasing.request_erasure(account_id=name, why="A test.", staff=staff)


def ask_pairing_order(staff: Staff) -> TwoPeople:
    number = Account.objects.count()  # another family for whoever asks
    guardian, teen = make_account(f"heron-{number}", 41), make_account(f"wren-{number}", 14)
    pairing = pair(guardian, teen)
    case = Case.objects.create(account=guardian, state="open", due_at=timezone.now())
    take_case(case=case, staff=staff)
    form = orders.OrderForm(case.id, pairing.pk, "A court said so.")
    return orders.request_pairing_order(form=form, staff=staff)


def ask_production(staff: Staff) -> TwoPeople:
    return production.request_production(name="cybertipline", why="A test.", staff=staff)


def ask_silencing(staff: Staff) -> TwoPeople:
    actor = Actor.system("test")
    bank = create_bank(name=f"harmless {staff.username}", confidence="verified", actor=actor)
    hashes = [ListedHash(Pdq.name, b"\x0f" * 32)]
    add_hashes(bank=bank, hashes=hashes, provenance="a test", actor=actor)
    tuned_by_two(bank, role="negative")
    return tuning.request_silencing(bank=bank, why="A test.", staff=staff)


def ask_weakening(staff: Staff) -> TwoPeople:
    actor = Actor.system("test")
    bank = create_bank(name=f"known {staff.username}", confidence="verified", actor=actor)
    hashes = [ListedHash(Pdq.name, b"\x0f" * 32)]
    add_hashes(bank=bank, hashes=hashes, provenance="a test", actor=actor)
    asked = weakening.tune_or_ask(bank=bank, role=None, distance=8, enabled_ratio=None, asker=staff)
    assert asked is not None
    return asked


def ask_marking(staff: Staff) -> TwoPeople:
    actor = Actor.system("test")
    bank = create_bank(name=f"marked {staff.username}", confidence="verified", actor=actor)
    hashes = [ListedHash(Pdq.name, b"\x0f" * 32)]
    add_hashes(bank=bank, hashes=hashes, provenance="a test", actor=actor)
    asked = marks.mark_or_ask(row=BankedHash.objects.get(bank=bank), wrong=True, asker=staff)
    assert asked is not None
    return asked


def ask_withdrawal(staff: Staff) -> TwoPeople:
    actor = Actor.system("test")
    bank = create_bank(name=f"listed {staff.username}", confidence="verified", actor=actor)
    hashes = [ListedHash(Pdq.name, b"\x0f" * 32)]
    add_hashes(bank=bank, hashes=hashes, provenance="a test", actor=actor)
    request = allowances.request_withdrawal(bank=bank, hashes=1, asker=staff)
    assert request is not None
    return request


def reported(staff: Staff) -> Case:
    """A case of one user report with a chat, which this person has and has read."""
    name = f"heron {Case.objects.count()}"
    put_account(platform_id=name, profile=Profile())
    said = [Message(name, datetime(2026, 1, 2, tzinfo=UTC), "Hello.")]
    report = UserReportIn(account_id=name, category="contact", messages=said)
    case = receive_user_report(report=report, actor=Actor.key("app")).finding.case
    take_case(case=case, staff=staff)
    sees(case, staff)
    return case


def ask_verdict(staff: Staff) -> TwoPeople:
    form = VerdictForm(outcome="confirmed", clause="CS-2", note="I read it.")
    case = decide_case(case_id=reported(staff).pk, staff=staff, form=form)
    return VerdictProposal.objects.get(case=case)


def decide_verdict(pk: UUID, approve: bool, staff: Staff) -> TwoPeople:
    proposal = VerdictProposal.objects.get(pk=pk)
    if proposal.state == "asked" and proposal.asked_by != staff and staff.may(proposal.permission):
        take_case(case=proposal.case, staff=staff)
        sees(proposal.case, staff)
        write_second_word(proposal_id=pk, words="I read it, too.", staff=staff)
    answer_proposal(proposal_id=pk, agree=approve, staff=staff)
    return VerdictProposal.objects.get(pk=pk)


def ask_long_silence(staff: Staff) -> TwoPeople:
    account: Account = put_account(platform_id="member-1", profile=Profile())[0]
    case = Case.objects.create(account=account, state="enforced", due_at=timezone.now())
    statement = Statement.objects.create(
        account=account,
        case=case,
        stage="verdict",
        decisions=[],
        language="en",
        reported=True,
        automatic=False,
        dsa={},
    )
    until = timezone.now() + timedelta(days=200)
    return silence.request_long_silence(
        statement_id=statement.pk, until=until, why="x", reference="court 1", staff=staff
    )


def ask_hold_end(staff: Staff) -> TwoPeople:
    account: Account = put_account(platform_id="member-1", profile=Profile())[0]
    case = Case.objects.create(account=account, state="dismissed", due_at=timezone.now())
    with transaction.atomic():
        seal_excerpt(case_id=case.id, text="A neutral line.", actor=account.actor)
    holds.set_legal_hold(case_id=case.id, reference="court 1", actor=Actor.system("test"))
    return holds.request_hold_end(case_id=case.id, why="It is over.", staff=staff)


def ask_appointment(staff: Staff) -> TwoPeople:
    newcomer = person(f"newcomer {Staff.objects.count()}", "auditor")
    asked = give_role(username=newcomer.username, role="administrator", actor=staff.actor)
    assert asked is not None
    return asked


def ask_factor_reset(staff: Staff) -> TwoPeople:
    colleague = person(f"colleague {Staff.objects.count()}", "auditor")
    give_second_factor(colleague)
    why = "They called me."
    return request_factor_reset(username=colleague.username, why=why, actor=staff.actor)


def decide_production(pk: UUID, approve: bool, staff: Staff) -> TwoPeople:
    verb = production.approve_production if approve else production.end_production
    return verb(production_id=pk, staff=staff)


@dataclass(frozen=True)
class Entry:
    """How a model that needs two people is asked for and decided on, and by which role."""

    role: str
    ask: Callable[[Staff], TwoPeople]
    decide: Callable[[UUID, bool, Staff], TwoPeople]


ENTRIES: dict[type[TwoPeople], Entry] = {
    FactorReset: Entry(
        "administrator",
        ask_factor_reset,
        lambda pk, approve, staff: decide_factor_reset(reset_id=pk, approve=approve, staff=staff),
    ),
    Appointment: Entry(
        "administrator",
        ask_appointment,
        lambda pk, approve, staff: decide_appointment(
            appointment_id=pk, approve=approve, staff=staff
        ),
    ),
    Proposal: Entry(
        "policy lead",
        ask_proposal,
        lambda pk, approve, staff: decide_proposal(proposal_id=pk, approve=approve, staff=staff),
    ),
    Edition: Entry(
        "policy lead",
        ask_edition,
        lambda pk, approve, staff: guidelines.decide_edition(
            edition_id=pk, approve=approve, staff=staff
        ),
    ),
    Release: Entry(
        "evidence custodian",
        ask_release,
        lambda pk, approve, staff: release.decide_release(
            release_id=pk, approve=approve, staff=staff
        ),
    ),
    Destruction: Entry(
        "evidence custodian",
        ask_destruction,
        lambda pk, approve, staff: destruction.decide_destruction(
            destruction_id=pk, agree=approve, staff=staff
        ),
    ),
    Erasure: Entry(
        "evidence custodian",
        ask_erasure,
        lambda pk, approve, staff: erasing.decide_erasure(
            erasure_id=pk, approve=approve, staff=staff
        ),
    ),
    Production: Entry("operator", ask_production, decide_production),
    Silencing: Entry(
        "policy lead",
        ask_silencing,
        lambda pk, approve, staff: tuning.decide_silencing(
            silencing_id=pk, approve=approve, staff=staff
        ),
    ),
    VerdictProposal: Entry("reviewer", ask_verdict, decide_verdict),
    LongSilence: Entry(
        "reviewer",
        ask_long_silence,
        lambda pk, approve, staff: silence.decide_long_silence(
            silence_id=pk, approve=approve, staff=staff
        ),
    ),
    HoldEnding: Entry(
        "evidence custodian",
        ask_hold_end,
        lambda pk, approve, staff: holds.decide_hold_end(
            ending_id=pk, approve=approve, staff=staff
        ),
    ),
    WithdrawalRequest: Entry(
        "operator",
        ask_withdrawal,
        lambda pk, approve, staff: allowances.decide_withdrawal(
            withdrawal_id=pk, approve=approve, staff=staff
        ),
    ),
    Weakening: Entry(
        "policy lead",
        ask_weakening,
        lambda pk, approve, staff: weakening.decide_weakening(
            weakening_id=pk, approve=approve, staff=staff
        ),
    ),
    PairingOrder: Entry(
        "reviewer",
        ask_pairing_order,
        lambda pk, approve, staff: orders.decide_pairing_order(
            order_id=pk, approve=approve, staff=staff
        ),
    ),
    Marking: Entry(
        "reviewer",
        ask_marking,
        lambda pk, approve, staff: marks.decide_marking(
            marking_id=pk, approve=approve, staff=staff
        ),
    ),
}
# No role of the console may: two operators do it at the command line (`test_rotation.py`).
OPERATORS_ALONE: set[type[TwoPeople]] = {LogKeyChange}
WITH_EACH = pytest.mark.parametrize(
    "entry", ENTRIES.values(), ids=[model.__name__ for model in ENTRIES]
)


@pytest.fixture(autouse=True)
def _production(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """An authority whose loopback address is taken for its real one."""
    monkeypatch.setattr(client, "PRODUCTION_HOSTS", {"127.0.0.1"})
    configure(
        cybertipline_url="https://127.0.0.1:9/ispws",
        production_reporting=PRODUCTION_CONSENT,
        evidence_key=new_key(),
        identifier_key="a key of a test",
    )


def person(name: str, role: str) -> Staff:
    return Staff.objects.create_user(username=name, password="a long test word", roles=[role])


def test_every_model_that_needs_two_people_is_tried_here() -> None:
    models = {model for model in apps.get_models() if issubclass(model, TwoPeople)}
    assert models == set(ENTRIES) | OPERATORS_ALONE


def test_the_powers_that_count_are_those_that_take_two() -> None:
    """Disabling a bank takes the power to tune it, and this one as well."""
    assert {model.permission for model in ENTRIES} | {Permission.SWITCH_BANKS} == TAKES_TWO


@WITH_EACH
def test_one_person_alone_cannot(entry: Entry) -> None:
    asker = person("ada", entry.role)
    row = entry.ask(asker)
    with pytest.raises(Forbidden, match="another person decides"):
        entry.decide(row.pk, True, asker)
    row.refresh_from_db()
    assert (row.state, row.asked_by, row.decided_by) == ("asked", asker, None)


@WITH_EACH
def test_one_person_with_every_role_is_no_two_people(entry: Entry) -> None:
    """Nobody agrees under one role to what they asked for under another."""
    asker = person("ada", entry.role)
    row = entry.ask(asker)
    Staff.objects.filter(pk=asker.pk).update(roles=list(ROLES))
    with pytest.raises(Forbidden, match="another person decides"):
        entry.decide(row.pk, True, Staff.objects.get(pk=asker.pk))
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("asked", None)


@WITH_EACH
def test_a_second_person_can_and_only_once(entry: Entry) -> None:
    asker, second = person("ada", entry.role), person("bo", entry.role)
    row = entry.ask(asker)
    before = timezone.now()
    assert entry.decide(row.pk, True, second).pk == row.pk
    row.refresh_from_db()
    assert (row.state, row.asked_by, row.decided_by) == ("approved", asker, second)
    assert row.decided_at is not None
    assert before <= row.decided_at <= timezone.now()
    third = person("cy", entry.role)
    for approve in (True, False):
        if isinstance(row, Production) and not approve:
            continue  # what was agreed to may be ended, by one person
        with pytest.raises(AlreadyDecided):
            entry.decide(row.pk, approve, third)
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("approved", second)


@pytest.mark.parametrize("lost", [{"is_active": False}, {"roles": ["auditor"]}])
@WITH_EACH
def test_what_somebody_asked_for_who_lost_the_power_is_refused(
    entry: Entry, lost: dict[str, Any]
) -> None:
    asker, second = person("ada", entry.role), person("bo", entry.role)
    row = entry.ask(asker)
    Staff.objects.filter(pk=asker.pk).update(**lost)
    with pytest.raises(Forbidden, match="may not do so any more"):
        entry.decide(row.pk, True, second)
    row.refresh_from_db()
    assert row.state == "asked"
    entry.decide(row.pk, False, second)
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("refused", second)


@WITH_EACH
def test_the_person_who_asked_may_take_it_back(entry: Entry) -> None:
    asker, second = person("ada", entry.role), person("bo", entry.role)
    row = entry.ask(asker)
    entry.decide(row.pk, False, asker)
    row.refresh_from_db()
    assert (row.state, row.decided_by, row.withdrawn) == ("refused", asker, True)
    with pytest.raises(AlreadyDecided):
        entry.decide(row.pk, True, second)


@WITH_EACH
def test_at_a_console_nobody_asks_or_agrees_without_a_fresh_factor(entry: Entry) -> None:
    """An open console that its person left is no second person, and asks for nothing, either."""
    asker, second = person("ada", entry.role), person("bo", entry.role)
    with at_console(NEVER), pytest.raises(FactorNotFresh), transaction.atomic():
        entry.ask(asker)
    row = entry.ask(asker)
    with at_console(NEVER), pytest.raises(FactorNotFresh), transaction.atomic():
        entry.decide(row.pk, True, second)
    row.refresh_from_db()
    assert row.state == "asked"
    with at_console(1):
        entry.decide(row.pk, True, second)
    row.refresh_from_db()
    assert row.state == "approved"


@WITH_EACH
def test_a_refusal_at_a_console_asks_for_no_factor(entry: Entry) -> None:
    row = entry.ask(person("ada", entry.role))
    second = person("bo", entry.role)
    with at_console(NEVER):
        entry.decide(row.pk, False, second)
    row.refresh_from_db()
    assert row.state == "refused"


@WITH_EACH
@pytest.mark.parametrize("approve", [True, False])
def test_another_role_can_neither_ask_nor_decide(entry: Entry, approve: bool) -> None:
    row = entry.ask(person("ada", entry.role))
    asked = type(row)._default_manager.count()
    ended = person("eve", entry.role)
    ended.is_active = False
    ended.save()
    roles = ("reviewer", "auditor", "operator", "policy lead")
    wrong = [role for role in roles if row.permission not in ROLES[role]]
    for stranger in (*(person(role, role) for role in wrong), ended):
        with pytest.raises(Forbidden, match="needs the role of"):
            entry.decide(row.pk, approve, stranger)
        with pytest.raises(Forbidden, match="needs the role of"):
            entry.ask(stranger)
    assert type(row)._default_manager.count() == asked
    row.refresh_from_db()
    assert row.state == "asked"


FAKES: dict[str, dict[str, Any]] = {
    "approved by nobody": {"state": "approved", "decided_by": None, "decided_at": "now"},
    "approved by the same": {"state": "approved", "decided_by": "asker", "decided_at": "now"},
    "approved at no time": {"state": "approved", "decided_by": "second", "decided_at": None},
    "a later state by nobody": {"state": "handed over", "decided_by": None, "decided_at": "now"},
    "a later state by the same": {"state": "ended", "decided_by": "asker", "decided_at": "now"},
    "a state of somebody's own": {"state": "x", "decided_by": None, "decided_at": None},
    "refused by nobody": {"state": "refused", "decided_by": None, "decided_at": "now"},
    "refused at no time": {"state": "refused", "decided_by": "second", "decided_at": None},
    "decided and still asked": {"state": "asked", "decided_by": "second", "decided_at": "now"},
}


@WITH_EACH
@pytest.mark.parametrize("fake", FAKES.values(), ids=FAKES)
def test_the_database_refuses_a_faked_decision(entry: Entry, fake: dict[str, Any]) -> None:
    people = {"asker": person("ada", entry.role).pk, "second": person("bo", entry.role).pk}
    row = entry.ask(Staff.objects.get(pk=people["asker"]))
    table = connection.ops.quote_name(row._meta.db_table)
    at = None if fake["decided_at"] is None else timezone.now()
    values = (fake["state"], people.get(fake["decided_by"]), at, row.pk)
    with (
        pytest.raises(IntegrityError, match=r"_two_people|_done_names_nobody"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"UPDATE {table} SET state = %s, decided_by_id = %s, decided_at = %s WHERE id = %s",
            values,
        )


def test_nobody_puts_a_pack_in_force_alone() -> None:
    lead = person("kai", "policy lead")
    pack = store_pack(files=lowered(), actor=lead.actor)
    proposal = propose_pack(files=lowered("lower-2"), why="A test.", share=100, staff=lead)
    for actor in (lead.actor, Actor.operator("root"), Actor.system("test")):
        with pytest.raises(Forbidden, match="not approved"):
            activate_proposal(proposal, actor)
    assert current_pack().pk is None
    for actor in (lead.actor, Actor.operator("root")):
        with pytest.raises(IntegrityError, match="activates_alone"), transaction.atomic():
            Activation.objects.create(pack=pack, actor=str(actor))


def test_an_activation_is_what_was_agreed_to_or_was_in_force_before() -> None:
    """Also in a shell: a refused proposal, or one of another pack, puts nothing in force."""
    lead, second = person("kai", "policy lead"), person("sam", "policy lead")
    refused = propose_pack(files=lowered(), why="A test.", share=100, staff=lead)
    decide_proposal(proposal_id=refused.pk, approve=False, staff=second)
    approved = propose_pack(files=lowered("lower-2"), why="A test.", share=100, staff=lead)
    decide_proposal(proposal_id=approved.pk, approve=True, staff=second)
    in_force = current_pack()
    other = store_pack(files=lowered("lower-3"), actor=lead.actor)
    forged: list[dict[str, Any]] = [
        {"pack": refused.pack, "proposal": refused},
        {"pack": other, "proposal": refused},
        {"pack": other, "reverts": in_force},
    ]
    for fields in forged:
        with pytest.raises(IntegrityError, match=r"as_approved|to_known"), transaction.atomic():
            Activation.objects.create(actor=str(lead.actor), **fields)
    with pytest.raises(IntegrityError, match="as_approved"), transaction.atomic():
        Activation.objects.filter(pk=in_force.pk).update(pack=other)


def test_an_activation_names_its_proposal_and_who_approved_it() -> None:
    lead, second = person("kai", "policy lead"), person("sam", "policy lead")
    proposal = propose_pack(files=lowered(), why="A test.", share=100, staff=lead)
    decide_proposal(proposal_id=proposal.pk, approve=True, staff=second)
    assert (current_pack().proposal, current_pack().actor) == (proposal, "staff:sam")
    activate_pack(pack=store_pack(files=lowered("lower-2"), actor=lead.actor))
    with pytest.raises(IntegrityError, match="activates_once"), transaction.atomic():
        activate_proposal(proposal, second.actor)


def test_what_is_approved_only_in_memory_is_not_put_in_force() -> None:
    lead, second = person("kai", "policy lead"), person("sam", "policy lead")
    proposal = propose_pack(files=lowered(), why="A test.", share=100, staff=lead)
    proposal.state, proposal.decided_by = "approved", second
    with pytest.raises(Forbidden, match="not approved"):
        activate_proposal(proposal, second.actor)
