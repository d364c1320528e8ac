"""Break-glass: at once and alone, and an alarm until another named person has reviewed it."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.agreement import AlreadyDecided
from kinward.access.appointments import (
    appoint_alone,
    decide_appointment,
    give_role,
    waiting_appointments,
)
from kinward.access.delay import ALONE, alone_until, go_ahead
from kinward.access.glass import (
    BreakGlass,
    ReviewedAlready,
    break_glass,
    review_glass,
    unreviewed_glasses,
)
from kinward.access.invitations import accept_invitation, invite_first, invite_staff
from kinward.access.joining import Appointment
from kinward.access.models import BrokenGlass, Staff
from kinward.access.permissions import Permission
from kinward.access.roles import ROLES
from kinward.cli.doctor import CHECKS
from kinward.experience.models import Proposal
from kinward.experience.proposals import decide_proposal, go_ahead_alone, propose_pack
from kinward.experience.services import current_pack
from kinward.gate.health import see_metrics
from kinward.ground.errors import Forbidden, Invalid, NotFound
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from kinward.policy.sources import read_files
from tests.integration.web.test_console import signed_in
from tests.support.ledgers import forge_entry

pytestmark = pytest.mark.django_db
HERON = Actor.operator("heron")
REASON = "Nobody answers, and the old rule harms people."


def person(name: str, role: str) -> Staff:
    return Staff.objects.create_user(username=name, password="a long test word", roles=[role])


def asked(who: Staff | Actor = HERON) -> Proposal:
    return propose_pack(files=read_files("tiktok-2021"), why="A test.", share=100, staff=who)


@pytest.fixture
def lead(db: None) -> Staff:
    return person("kai", "policy lead")


@pytest.fixture
def glass(lead: Staff) -> BrokenGlass:
    proposal = asked()
    decide_proposal(proposal_id=proposal.pk, approve=True, staff=BreakGlass(HERON, REASON))
    return BrokenGlass.objects.get()


def test_the_reason_is_in_its_row_and_not_in_the_ledger(glass: BrokenGlass) -> None:
    assert current_pack().pack.name == "tiktok-2021"
    assert (glass.reason, glass.operator) == (REASON, "operator:heron")
    told = [json.dumps(entry.data) for entry in Entry.objects.filter(actor="operator:heron")]
    assert told
    assert not any(REASON in data for data in told)
    assert verify_ledger().ok


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_without_a_reason_nothing_happens(lead: Staff, reason: str) -> None:
    proposal = asked()
    with pytest.raises(Invalid, match="Say why"):
        decide_proposal(proposal_id=proposal.pk, approve=True, staff=BreakGlass(HERON, reason))
    proposal.refresh_from_db()
    assert proposal.state == "asked"
    assert not BrokenGlass.objects.exists()


def test_only_an_operator_breaks_it_and_only_what_is_open(glass: BrokenGlass, lead: Staff) -> None:
    for actor in (lead.actor, Actor.system("test"), Actor.key("app")):
        with pytest.raises(Forbidden, match="Only an operator"), transaction.atomic():
            break_glass("proposal:x", BreakGlass(actor, REASON))
    with pytest.raises(AlreadyDecided):
        decide_proposal(
            proposal_id=Proposal.objects.get().pk, approve=True, staff=BreakGlass(HERON, REASON)
        )
    assert BrokenGlass.objects.count() == 1


def test_what_a_colleague_asked_for_can_be_carried_out_in_an_emergency(lead: Staff) -> None:
    proposal = asked(lead)
    with pytest.raises(Forbidden, match="in the console"):
        decide_proposal(proposal_id=proposal.pk, approve=True, staff=HERON)
    decide_proposal(proposal_id=proposal.pk, approve=True, staff=BreakGlass(HERON, REASON))
    proposal.refresh_from_db()
    assert (proposal.asker, proposal.withdrawn) == ("kai", False)
    assert "operator:heron alone" in proposal.decider


def made_an_auditor(actor: Actor, name: str) -> Staff:
    """Somebody whom this actor alone makes an auditor: nobody confirms that role."""
    secret = invite_staff(username=name, roles=["auditor"], actor=actor)
    accept_invitation(secret=secret, username="", password="four neutral words here")
    return Staff.objects.get(username=name)


def test_nobody_reviews_it_whom_its_operator_or_a_key_made_an_auditor(glass: BrokenGlass) -> None:
    """Else the operator invites an auditor, opens the link, and reviews their own act."""
    key = Actor.key("idp").granted(Permission.MANAGE_STAFF)
    ada = person("ada", "administrator")
    wrong = [made_an_auditor(HERON, "puppet"), made_an_auditor(key, "provided")]
    wrong.append(person("given", "operator"))
    give_role(username="given", role="auditor", actor=HERON)
    for staff in wrong:
        staff.refresh_from_db()
        assert staff.may(Permission.REVIEW_GLASS)
        with pytest.raises(Forbidden, match="Somebody else reviews it"):
            review_glass(glass_id=glass.pk, justified=True, note="Fine.", staff=staff)
    named = made_an_auditor(ada.actor, "nils")
    review_glass(glass_id=glass.pk, justified=False, note="No reason.", staff=named)


def refused(glass: BrokenGlass, name: str) -> None:
    staff = Staff.objects.get(username=name)
    assert staff.may(Permission.REVIEW_GLASS)
    with pytest.raises(Forbidden, match="Somebody else reviews it"):
        review_glass(glass_id=glass.pk, justified=True, note="Fine.", staff=staff)


def confirmed(name: str, role: str, by: Staff) -> None:
    row = waiting_appointments().get(staff__username=name, role=role)
    decide_appointment(appointment_id=row.pk, approve=True, staff=by)


def test_another_role_makes_no_reviewer_of_whom_the_operator_made_an_auditor(
    glass: BrokenGlass, lead: Staff
) -> None:
    """Colleagues who give an auditor the role of a policy lead vouch for no auditor."""
    ada = person("ada", "administrator")
    made_an_auditor(HERON, "puppet")
    give_role(username="puppet", role="policy lead", actor=ada.actor)
    confirmed("puppet", "policy lead", by=lead)
    refused(glass, "puppet")
    give_role(username="puppet", role="senior reviewer", actor=HERON)
    confirmed("puppet", "senior reviewer", by=ada)  # their word for this very power
    puppet = Staff.objects.get(username="puppet")
    review_glass(glass_id=glass.pk, justified=False, note="No reason.", staff=puppet)


def test_a_delay_vouches_for_nobody_nor_does_whom_it_brought_in(glass: BrokenGlass) -> None:
    """Alone, an operator waits out the delay for an administrator, who invites an auditor."""
    secret = invite_staff(username="puppet", roles=["administrator"], actor=HERON)
    accept_invitation(secret=secret, username="", password="four neutral words here")
    Appointment.objects.update(goes_ahead_at=timezone.now())
    assert appoint_alone() == 1
    refused(glass, "puppet")
    made_an_auditor(Staff.objects.get(username="puppet").actor, "second")
    made_an_auditor(Actor.operator("curlew"), "third")
    refused(glass, "second")
    third = Staff.objects.get(username="third")
    review_glass(glass_id=glass.pk, justified=False, note="No reason.", staff=third)


def test_no_entry_that_kinward_did_not_write_vouches_for_anybody(glass: BrokenGlass) -> None:
    """Else an operator with SQL lets a colleague have given the role."""
    ada = person("ada", "administrator")
    made_an_auditor(HERON, "puppet")
    told = {"was": "", "role": "auditor"}
    forge_entry("staff.role_changed", "staff:puppet", told, actor=str(ada.actor))
    refused(glass, "puppet")


def test_the_first_administrator_vouches_for_others_and_not_for_themselves() -> None:
    """Whoever ran `kinward up` gave out that link, so everybody would owe their role to them."""
    secret = invite_first(actor=HERON)
    assert secret is not None
    accept_invitation(secret=secret, username="ada", password="four neutral words here")
    ada = Staff.objects.get()
    glass = break_glass("proposal:x", BreakGlass(HERON, REASON))
    refused(glass, "ada")
    assert "Nobody here may" in CHECKS["break-glass"]().text
    nils = made_an_auditor(ada.actor, "nils")
    assert "an auditor reviews it" in CHECKS["break-glass"]().text
    review_glass(glass_id=glass.pk, justified=True, note="Right.", staff=nils)


def test_another_named_person_reviews_it_and_the_alarm_ends(glass: BrokenGlass) -> None:
    def review(staff: Staff, note: str = "I read the logs.") -> BrokenGlass:
        return review_glass(glass_id=glass.pk, justified=True, note=note, staff=staff)

    with pytest.raises(Forbidden, match="another person reviews"):
        review(person("Heron", "senior reviewer"))
    for role in sorted(ROLES.keys() - {"senior reviewer", "auditor", "administrator"}):
        with pytest.raises(Forbidden, match="needs the role of"):
            review(person(role, role))
    auditor = person("ada", "auditor")
    for note in ("", " ", "x" * 2001):
        with pytest.raises(Invalid):
            review(auditor, note)
    with pytest.raises(NotFound):
        review_glass(glass_id=uuid4(), justified=True, note="x", staff=auditor)
    assert unreviewed_glasses().get() == glass
    assert review(auditor).reviewed_by == auditor
    assert not unreviewed_glasses().exists()
    with pytest.raises(ReviewedAlready):
        review(auditor)
    entry = Entry.objects.get(kind="glass.reviewed")
    assert (entry.actor, entry.data) == ("staff:ada", {"justified": True})


FAKES: dict[str, dict[str, Any]] = {
    "reviewed by nobody": {"reviewed_at": "2026-11-26T00:00:00Z", "justified": True, "note": "x"},
    "a note alone": {"note": "It is fine."},
    "by a colleague": {"operator": "staff:kai"},
    "without a reason": {"reason": ""},
}


@pytest.mark.parametrize("fake", FAKES.values(), ids=FAKES)
def test_the_database_refuses_half_a_review(glass: BrokenGlass, fake: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="access_glass"), transaction.atomic():
        BrokenGlass.objects.filter(pk=glass.pk).update(**fake)


@pytest.mark.parametrize(
    "fake",
    [
        {"glass": None},
        {"glass": None, "second_operator": "operator:heron"},
        {"second_operator": "operator:curlew"},
        {"second_operator": "staff:kai", "glass": None},
        {"operator": ""},
    ],
)
def test_the_database_refuses_an_operators_faked_decision(
    glass: BrokenGlass, fake: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match=r"two_people|asked_by_one"), transaction.atomic():
        Proposal.objects.update(**fake)


# The alarm


def test_every_page_of_the_console_says_so_until_it_is_reviewed(glass: BrokenGlass) -> None:
    pages = {
        "reviewer": "/queue",
        "operator": "/operations",
        "policy lead": "/policy",
        "evidence custodian": "/releases",
        "auditor": "/quality",
    }
    for role, page in pages.items():
        shown = signed_in(person(role, role)).get(page).content.decode()
        assert "operator:heron broke the glass" in shown, role
        assert (f"#glass-{glass.pk}" in shown) == (role == "auditor"), role
        assert (REASON in shown) == (role == "auditor"), "only who reviews it reads the reason"
    auditor = signed_in(Staff.objects.get(username="auditor"))
    path = f"/quality/glass/{glass.pk}"
    for sent in ({"note": "I read the logs."}, {"justified": "no", "note": ""}):
        answer = auditor.post(path, sent)
        assert answer.status_code == 422, answer.content
        assert REASON in answer.content.decode()
    auditor.post(path, {"justified": "no", "note": "Somebody was on call."})
    glass.refresh_from_db()
    assert (glass.justified, glass.note) == (False, "Somebody was on call.")
    shown = auditor.get("/quality").content.decode()
    assert "glass-alarm" not in shown
    assert "not justified" in shown
    assert "Somebody was on call." in shown
    assert auditor.post(path, {"justified": "yes", "note": "x"}).status_code == 409


def test_the_doctor_and_the_metrics_show_it(glass: BrokenGlass) -> None:
    assert "kinward_glass_unreviewed 1.0" in metrics()
    found = CHECKS["break-glass"]()
    assert (found.level, glass.request in found.text) == ("warning", True)
    review_glass(glass_id=glass.pk, justified=True, note="x", staff=person("ada", "auditor"))
    assert "kinward_glass_unreviewed 0.0" in metrics()
    assert CHECKS["break-glass"]().level == "ok"


def metrics() -> str:
    body = see_metrics(None).data  # type: ignore[arg-type]
    return bytes(body).decode()


# Where nobody else can decide


def test_alone_it_waits_with_notice_and_the_clock_of_the_machine_is_enough() -> None:
    """Nobody but the operator's namesake could decide, so it goes ahead a day later."""
    person("Heron", "policy lead")
    person("robin", "reviewer")
    proposal = asked()
    assert proposal.state == "asked"
    assert proposal.goes_ahead_at is not None
    assert (proposal.goes_ahead_at - proposal.asked_at) >= ALONE / 2
    assert go_ahead_alone() == 0
    Proposal.objects.update(goes_ahead_at=proposal.asked_at)
    assert go_ahead_alone() == 1
    proposal.refresh_from_db()
    assert (proposal.state, proposal.by_two) == ("approved", False)
    assert current_pack().proposal == proposal
    assert Entry.objects.get(kind="proposal.went_ahead").actor == "system:experience"
    assert go_ahead_alone() == 0


def test_the_page_says_when_it_goes_ahead(lead: Staff) -> None:
    proposal = asked(lead)
    shown = signed_in(lead).get(f"/policy/proposals/{proposal.pk}").content.decode()
    assert "It goes ahead by itself at" in shown
    person("ada", "policy lead")
    Proposal.objects.update(goes_ahead_at=None)
    shown = signed_in(lead).get(f"/policy/proposals/{proposal.pk}").content.decode()
    assert "It goes ahead by itself at" not in shown


def test_who_can_decide_by_then_is_waited_for() -> None:
    person("robin", "reviewer")
    proposal = asked()
    Proposal.objects.update(goes_ahead_at=proposal.asked_at)
    lead = person("kai", "policy lead")
    assert go_ahead_alone() == 0
    assert go_ahead(Proposal, proposal.pk) is None
    proposal.refresh_from_db()
    assert (proposal.state, proposal.goes_ahead_at) == ("asked", None)
    assert alone_until(Proposal, HERON) is None
    decide_proposal(proposal_id=proposal.pk, approve=True, staff=lead)
    assert current_pack().proposal == proposal


def test_what_is_outdated_does_not_go_ahead() -> None:
    person("robin", "reviewer")
    proposal = asked()
    first = current_pack().pack
    other = propose_pack(
        files=read_files("teen-accounts")
        | {
            "pack.toml": read_files("teen-accounts")["pack.toml"].replace(
                'version = "', 'version = "x-', 1
            )
        },
        why="A test.",
        share=100,
        staff=HERON,
    )
    decide_proposal(proposal_id=other.pk, approve=True, staff=BreakGlass(HERON, REASON))
    assert current_pack().pack != first
    Proposal.objects.filter(pk=proposal.pk).update(goes_ahead_at=proposal.asked_at)
    assert go_ahead_alone() == 0
    proposal.refresh_from_db()
    assert (proposal.state, proposal.goes_ahead_at) == ("asked", None)
