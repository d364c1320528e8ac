"""One person with several roles: what they may do together, and that they stay one person."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner
from django.test import Client
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.appointments import (
    appoint_alone,
    change_roles,
    decide_appointment,
    give_role,
    settle_roles,
    take_role,
    waiting_appointments,
)
from kinward.access.delay import ALONE, alone_until, is_alone
from kinward.access.glass import review_glass
from kinward.access.invitations import accept_invitation, invite_first, invite_staff
from kinward.access.joining import provisioner
from kinward.access.models import BrokenGlass, Staff
from kinward.access.permissions import Permission
from kinward.access.roles import ADMINISTRATOR, ROLES, permissions_of
from kinward.access.services import create_key, revoke_key
from kinward.access.sso import Identity, admit_identity
from kinward.access.staff import LastAdministrator, holders, holders_of_all
from kinward.casebook.models import VerdictProposal
from kinward.cli.demo import give_second_factor
from kinward.cli.staff import staff as staff_command
from kinward.experience.models import Proposal
from kinward.ground.errors import Forbidden, Invalid
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.review.lease import LeaseNeeded, require_lease, take_case
from tests.integration.access.test_agreement import ask_proposal
from tests.support.consoles import show_factor
from tests.support.helpers import quarantined

pytestmark = pytest.mark.django_db
OPERATOR = Actor.operator("somebody")
PASSWORD = "a long test word"
EVERY_BUT_ONE = [role for role in ROLES if role != ADMINISTRATOR]


def person(name: str, *roles: str) -> Staff:
    return Staff.objects.create_user(username=name, password=PASSWORD, roles=list(roles))


@pytest.fixture
def ada(db: None) -> Staff:
    return person("ada", "administrator")


def fresh(name: str) -> Staff:
    return Staff.objects.get(username=name)


def page_of(staff: Staff) -> Client:
    if not Authenticator.objects.filter(user=staff).exists():
        give_second_factor(staff)
    client = Client()
    client.force_login(staff)
    show_factor(client, staff)
    return client


def by_command(*arguments: str) -> Any:
    return CliRunner().invoke(staff_command, list(arguments))


def confirm(role: str, by: Staff) -> None:
    row = waiting_appointments().get(role=role)
    decide_appointment(appointment_id=row.pk, approve=True, staff=by)


def test_several_roles_allow_what_any_of_them_allows() -> None:
    nils = person("nils", "auditor", "evidence custodian")
    assert nils.actor.permissions == ROLES["auditor"] | ROLES["evidence custodian"]
    assert (
        list(holders(Permission.READ_LEDGER)) == list(holders(Permission.HOLD_EVIDENCE)) == [nils]
    )
    assert list(holders_of_all(permissions_of(["auditor", "evidence custodian"]))) == [nils]
    person("olga", "auditor")
    both = frozenset({Permission.READ_LEDGER, Permission.HOLD_EVIDENCE})
    assert list(holders_of_all(both)) == [nils], "olga has only one of them"
    person("none")
    assert not holders_of_all(frozenset()).filter(username="none").exists()


def test_an_invitation_to_several_roles_asks_for_each_that_takes_two(ada: Staff) -> None:
    lead = person("lea", "policy lead")
    secret = invite_staff(
        username="nils", roles=["policy lead", "auditor", "auditor", "reviewer"], actor=ada.actor
    )
    asked = accept_invitation(secret=secret, username="", password=PASSWORD)
    assert [row.role for row in asked] == ["reviewer", "policy lead"]
    assert fresh("nils").roles == ["auditor"]
    with pytest.raises(Forbidden):
        confirm("reviewer", lead)  # she holds the other one
    confirm("policy lead", lead)
    assert fresh("nils").roles == ["auditor", "policy lead"]
    confirm("reviewer", person("robin", "reviewer"))
    assert fresh("nils").roles == ["reviewer", "auditor", "policy lead"]
    said = Entry.objects.filter(subject="staff:nils").order_by("seq").values_list("kind", "data")
    assert [
        (data or {})["role"] for kind, data in said if kind in ("staff.invited", "staff.created")
    ] == ["reviewer, auditor, policy lead"] * 2
    assert [(data or {})["role"] for kind, data in said if kind == "staff.role_asked"] == [
        "reviewer",
        "policy lead",
    ]
    for wrong in ([], ["queen"], ["auditor", "queen"]):
        with pytest.raises(Invalid):
            invite_staff(username="per", roles=wrong, actor=ada.actor)


def test_the_first_of_the_staff_asks_nobody_for_any_role() -> None:
    secret = invite_first(actor=OPERATOR)
    assert secret
    assert accept_invitation(secret=secret, username="ada", password=PASSWORD) == []
    assert fresh("ada").roles == ["administrator"]


def test_one_more_role_leaves_the_others_and_signs_out(ada: Staff) -> None:
    nils, robin = person("nils", "auditor"), person("robin", "reviewer")
    page = page_of(nils)
    give_role(username="nils", role="reviewer", actor=ada.actor)
    assert fresh("nils").roles == ["auditor"]
    assert page.get("/ledger").status_code in (200, 404)
    confirm("reviewer", robin)
    assert fresh("nils").roles == ["reviewer", "auditor"]
    assert page.get("/queue").status_code == 302, "a session has the roles that it began with"
    assert fresh("nils").power_lost_at is None
    take_role(username="nils", role="auditor", actor=ada.actor)
    assert fresh("nils").roles == ["reviewer"]
    assert fresh("nils").power_lost_at is not None
    changed = Entry.objects.filter(kind="staff.role_changed").order_by("seq")
    assert list(changed.values_list("data", flat=True)) == [
        {"was": "auditor", "role": "reviewer, auditor"},
        {"was": "reviewer, auditor", "role": "reviewer"},
    ]


def test_a_role_within_what_somebody_holds_needs_nobody(ada: Staff) -> None:
    person("nils", "senior reviewer")
    assert give_role(username="nils", role="reviewer", actor=ada.actor) is None
    assert fresh("nils").roles == ["reviewer", "senior reviewer"]
    take_role(username="nils", role="reviewer", actor=ada.actor)
    assert fresh("nils").power_lost_at is None, "no power is lost with it"


def test_what_was_taken_is_confirmed_anew(ada: Staff) -> None:
    person("bo", "administrator")
    person("nils", "reviewer", "auditor")
    take_role(username="nils", role="reviewer", actor=ada.actor)
    assert give_role(username="nils", role="reviewer", actor=ada.actor) is not None
    assert fresh("nils").roles == ["auditor"]


def test_the_last_administrator_keeps_that_role_and_loses_any_other(ada: Staff) -> None:
    change_roles(username="ada", roles=["administrator", "auditor"], actor=OPERATOR)
    for lose in (
        lambda: take_role(username="ada", role="administrator", actor=OPERATOR),
        lambda: change_roles(username="ada", roles=["auditor"], actor=OPERATOR),
        lambda: change_roles(username="ada", roles=[], actor=OPERATOR),
    ):
        with pytest.raises(LastAdministrator):
            lose()
    take_role(username="ada", role="auditor", actor=OPERATOR)
    assert fresh("ada").roles == ["administrator"]
    settle_roles(username="ada", roles=["operator"], actor=OPERATOR)
    assert fresh("ada").roles == ["operator", "administrator"]
    settle_roles(username="ada", roles=[], actor=OPERATOR)
    assert fresh("ada").roles == ["administrator"]


def test_groups_give_their_roles_and_each_takes_exactly_its_own(ada: Staff) -> None:
    roles = {"safety": "reviewer", "audit": "auditor", "desk": "reviewer"}
    robin = person("robin", "reviewer")

    def sign_in(*groups: str) -> list[str]:
        admit_identity(Identity("https://login.example.org", "s-1", "nils", list(groups)), roles)
        return fresh("nils").roles

    assert sign_in("audit", "safety") == ["auditor"]
    confirm("reviewer", robin)
    assert sign_in("audit", "safety") == ["reviewer", "auditor"]
    assert sign_in("safety", "desk") == ["reviewer"]
    assert sign_in("desk") == ["reviewer"], "two groups give it, and one is enough"
    assert sign_in("audit", "unknown") == ["auditor"]
    assert sign_in("audit", "safety") == ["auditor"]
    assert waiting_appointments().get().role == "reviewer"
    assert sign_in("audit") == ["auditor"]
    assert not waiting_appointments().exists()


def test_one_more_role_asks_for_nothing_that_a_lost_key_asked_for(ada: Staff) -> None:
    person("nils", "auditor")
    create_key(name="idp", purposes=["scim"], owner="Kim", actor=OPERATOR)
    give_role(username="nils", role="operator", actor=provisioner("idp"))
    give_role(username="nils", role="reviewer", actor=ada.actor)
    assert waiting_appointments().count() == 2, "each waits by itself"
    revoke_key(name="idp", compromised=True, actor=OPERATOR)
    give_role(username="nils", role="policy lead", actor=ada.actor)
    assert {row.role for row in waiting_appointments()} == {"reviewer", "policy lead"}


def test_who_loses_one_role_loses_its_leases_and_keeps_the_other_work(
    ada: Staff, bank: Bank, account: Account
) -> None:
    nils = person("nils", "reviewer", "policy lead")
    case = take_case(case=quarantined(account), staff=nils)
    proposal = ask_proposal(nils)
    require_lease(case, nils)
    take_role(username="nils", role="reviewer", actor=ada.actor)
    with pytest.raises(Forbidden):
        take_case(case=case, staff=fresh("nils"))
    taken = take_case(case=case, staff=person("robin", "reviewer"))
    with pytest.raises(LeaseNeeded):
        require_lease(taken, fresh("nils"))
    assert Proposal.objects.get(pk=proposal.pk).requester.may(Proposal.permission)
    take_role(username="nils", role="policy lead", actor=ada.actor)
    assert not Proposal.objects.get(pk=proposal.pk).requester.may(Proposal.permission)


def test_several_roles_of_one_person_are_one_person_to_whoever_is_alone() -> None:
    nils = person("nils", *EVERY_BUT_ONE)
    assert is_alone(VerdictProposal, nils)
    until = alone_until(VerdictProposal, nils)
    assert until is not None
    assert until >= timezone.now() + ALONE - timedelta(minutes=1)
    person("robin", "auditor", "reviewer")
    assert not is_alone(VerdictProposal, nils)


def test_nobody_confirms_their_own_next_role_whatever_they_hold(ada: Staff) -> None:
    person("nils", *EVERY_BUT_ONE)
    take_role(username="nils", role="policy lead", actor=ada.actor)
    asked = give_role(username="nils", role="policy lead", actor=ada.actor)
    assert asked is not None
    for one in (fresh("nils"), ada):
        with pytest.raises(Forbidden):
            decide_appointment(appointment_id=asked.pk, approve=True, staff=one)
    assert appoint_alone() == 0
    assert fresh("nils").roles == [role for role in EVERY_BUT_ONE if role != "policy lead"]


def test_an_auditor_who_is_an_operator_does_not_review_what_they_did_alone() -> None:
    nils = person("nils", "auditor", "operator")
    glass = BrokenGlass.objects.create(
        operator="operator:Nils", request="activation:1", about="a pack", reason="a test"
    )
    with pytest.raises(Forbidden):
        review_glass(glass_id=glass.pk, justified=True, note="Fine.", staff=nils)


def test_the_page_gives_and_takes_one_role_each_and_invites_to_several(ada: Staff) -> None:
    nils, page = person("nils", "auditor"), page_of(ada)
    person("lea", "policy lead")
    answer = page.post(f"/staff/{nils.pk}", {"verb": "give", "role": "policy lead"}, follow=True)
    assert "as soon as a colleague confirms it" in answer.text
    confirm("policy lead", fresh("lea"))
    text = page.get("/staff").text
    assert "auditor, policy lead" in text
    assert "Take the role of policy lead" in text
    answer = page.post(f"/staff/{nils.pk}", {"take": "auditor"}, follow=True)
    assert "nils no longer has the role of auditor" in answer.text
    assert fresh("nils").roles == ["policy lead"]
    assert page.post(f"/staff/{nils.pk}", {"take": "queen"}).status_code == 422
    assert page.post(f"/staff/{ada.pk}", {"take": "administrator"}).status_code == 409
    page.post("/staff/invite", {"name": "per", "role": ["auditor", "reviewer"]})
    assert "per</td>" not in page.get("/staff").text
    assert "as reviewer, auditor," in page.get("/staff").text
    refused = page.post("/staff/invite", {"name": "", "role": ["auditor"]})
    assert 'value="auditor"\n            checked' in refused.text
    assert page.post("/staff/invite", {"name": "kim"}).status_code == 422


def test_the_command_line_does_the_same(ada: Staff) -> None:
    person("nils", "reviewer", "auditor")
    assert "nils  reviewer and auditor  active" in by_command("list").output
    assert "no longer reviewer" in by_command("take", "nils", "reviewer").output
    said = by_command("give", "nils", "operator").output
    assert "nils is to become operator" in said
    assert "nils is auditor from now on" in by_command("role", "nils", "auditor").output
    assert not waiting_appointments().exists()
    said = by_command("role", "nils", "operator", "auditor").output
    assert "nils is auditor from now on" in said
    assert "nils is to become operator" in said
    assert by_command("take", "nils", "queen").exit_code == 2
    assert by_command("role", "nils").exit_code == 2
    invited = by_command("invite", "per", "--role", "auditor", "--role", "operator")
    assert "/account/join/" in invited.output
    assert "invited: per as operator and auditor" in by_command("list").output


def test_the_console_opens_for_several_roles_what_each_of_them_opens(ada: Staff) -> None:
    page = page_of(person("nils", "auditor", "operator"))
    assert page.get("/operations").status_code == 200  # an operator's
    assert page.get("/staff").status_code == 200  # an auditor's
    answer = page.post("/next")
    assert (answer.status_code, "operator and auditor" in answer.text) == (403, True)


def test_roles_are_kept_in_one_order_whatever_was_sent(ada: Staff) -> None:
    change_roles(username="ada", roles=["administrator", "reviewer", "auditor"], actor=OPERATOR)
    assert fresh("ada").roles == ["reviewer", "auditor", "administrator"]
    before = Entry.objects.count()
    change_roles(username="ada", roles=("auditor", "administrator", "reviewer"), actor=OPERATOR)
    assert Entry.objects.count() == before
