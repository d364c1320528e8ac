"""Somebody joins by a link, and a role that counts among two people waits for a present holder."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.appointments import (
    appoint_alone,
    appointments_for,
    change_roles,
    decide_appointment,
    give_role,
    take_role,
    waiting_appointments,
)
from kinward.access.delay import ALONE, carry_out_due, due_to_go_ahead, go_ahead
from kinward.access.invitations import (
    InvitationOver,
    accept_invitation,
    invite_first,
    invite_staff,
    read_invitation,
    withdraw_invitation,
)
from kinward.access.joining import Appointment, StaffInvitation
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.services import NameTaken
from kinward.access.sso import Identity, admit_identity
from kinward.access.staff import end_staff, suspend_staff
from kinward.cli.demo import give_second_factor
from kinward.cli.staff import staff as staff_command
from kinward.ground.errors import Forbidden, Invalid, NotFound
from kinward.ledger.models import Entry
from tests.integration.conftest import Configure
from tests.support.consoles import show_factor

pytestmark = pytest.mark.django_db
OPERATOR = Actor.operator("somebody")
PASSWORD = "a long test word"
LINK = re.compile(r"/account/join/[\w-]{40,}")


def person(name: str, role: str) -> Staff:
    return Staff.objects.create_user(username=name, password=PASSWORD, roles=[role])


@pytest.fixture
def ada(db: None) -> Staff:
    return person("ada", "administrator")


def page_of(staff: Staff) -> Client:
    if not Authenticator.objects.filter(user=staff).exists():
        give_second_factor(staff)
    client = Client()
    client.force_login(staff)
    show_factor(client, staff)
    return client


def by_command(*arguments: str) -> str:
    return CliRunner().invoke(staff_command, list(arguments), catch_exceptions=False).output


def joins(link: str, name: str = "") -> Any:
    """Follow a link and set a password, as the invited person does."""
    form = {"password": PASSWORD, "again": PASSWORD, "name": name}
    return Client().post(link, form)


def roles_of(name: str) -> list[str]:
    return Staff.objects.get(username=name).roles


def test_a_link_is_used_once_and_only_its_hash_is_stored(ada: Staff) -> None:
    secret = invite_staff(username="nils", roles=["auditor"], actor=ada.actor)
    everything = f"{list(StaffInvitation.objects.values())}{list(Entry.objects.values())}"
    assert secret not in everything
    link = f"/account/join/{secret}"
    for _ in range(2):  # to look uses nothing
        assert "ada invites you" in " ".join(Client().get(link).text.split())
    wrong = Client().post(link, {"password": PASSWORD, "again": "another word"})
    weak = Client().post(link, {"password": "short", "again": "short"})
    assert [wrong.status_code, weak.status_code] == [422, 422]
    answer = joins(link)
    assert answer.headers["location"] == "/account/login/"
    nils = Staff.objects.get(username="nils")
    assert (nils.roles, nils.added_by, nils.check_password(PASSWORD)) == (
        ["auditor"],
        "staff:ada",
        True,
    )
    assert joins(link).status_code == Client().get(link).status_code == 410
    assert list(Entry.objects.order_by("seq").values_list("kind", "actor", "subject")) == [
        ("staff.invited", "staff:ada", "staff:nils"),
        ("staff.created", "staff:nils", "staff:nils"),
        ("staff.role_changed", "staff:ada", "staff:nils"),
    ]


def test_an_invitation_ends_by_time_by_withdrawal_by_another_and_with_the_inviter(
    ada: Staff,
) -> None:
    person("bo", "administrator")
    first = invite_staff(username="nils", roles=["auditor"], actor=ada.actor)
    second = invite_staff(username="Nils", roles=["auditor"], actor=ada.actor)
    withdrawn = invite_staff(username="kim", roles=["auditor"], actor=ada.actor)
    withdraw_invitation(username="kim", actor=ada.actor)
    with pytest.raises(NotFound):
        withdraw_invitation(username="kim", actor=ada.actor)
    old = invite_staff(username="per", roles=["auditor"], actor=ada.actor)
    StaffInvitation.objects.filter(username="per").update(expires_at=timezone.now())
    for secret in (first, withdrawn, old, "", "x" * 10_000):
        with pytest.raises(InvitationOver):
            accept_invitation(secret=secret, username="", password=PASSWORD)
    assert read_invitation(second).username == "Nils"
    suspend_staff(username="ada", actor=OPERATOR)
    with pytest.raises(InvitationOver, match="ada may not invite"):
        accept_invitation(secret=second, username="", password=PASSWORD)
    assert not Staff.objects.filter(username__iexact="nils").exists()


def test_who_may_invite_whom(ada: Staff) -> None:
    for name, role in (("Ada", "auditor"), ("a\u202eb", "auditor"), ("nils", "queen")):
        with pytest.raises((NameTaken, Invalid)):
            invite_staff(username=name, roles=[role], actor=ada.actor)
    with pytest.raises(Invalid, match="mail address"):
        invite_staff(username="nils", roles=["auditor"], actor=ada.actor, email="nobody")
    for role in ("reviewer", "auditor", "policy lead"):
        with pytest.raises(Forbidden, match="an administrator"):
            invite_staff(username="nils", roles=["auditor"], actor=person(role, role).actor)


def test_the_first_administrator_chooses_a_name_and_asks_nobody() -> None:
    lost = invite_first(actor=OPERATOR)
    link = invite_first(actor=OPERATOR)
    assert lost
    assert joins(f"/account/join/{lost}", "eve").status_code == 410
    page = Client().get(f"/account/join/{link}").text
    assert 'name="name"' in page
    assert joins(f"/account/join/{link}", "a\nb").status_code == 422
    assert joins(f"/account/join/{link}", "ada").status_code == 302
    assert roles_of("ada") == ["administrator"]
    assert invite_first(actor=OPERATOR) is None


def test_a_link_for_the_first_opens_nothing_once_there_is_somebody() -> None:
    link = invite_first(actor=OPERATOR)
    person("ada", "administrator")
    assert joins(f"/account/join/{link}", "eve").status_code == 410
    assert Staff.objects.count() == 1


def invited_in_the_console(ada: Staff) -> None:
    shown = page_of(ada).post("/staff/invite", {"name": "nils", "role": "evidence custodian"})
    (link,) = LINK.findall(shown.text)
    assert joins(link).status_code == 302


def invited_by_a_command(ada: Staff) -> None:
    (link,) = LINK.findall(by_command("invite", "nils", "--role", "evidence custodian"))
    assert joins(link).status_code == 302


def given_in_the_console(ada: Staff) -> None:
    nils = person("nils", "auditor")
    form = {"verb": "give", "role": "evidence custodian"}
    answer = page_of(ada).post(f"/staff/{nils.pk}", form, follow=True)
    assert "as soon as a colleague confirms it" in answer.text


def given_by_a_command(ada: Staff) -> None:
    person("nils", "auditor")
    assert "A colleague who holds that power" in by_command("give", "nils", "evidence custodian")


def changed_by_a_command(ada: Staff) -> None:
    person("nils", "auditor")
    said = by_command("role", "nils", "evidence custodian", "auditor")
    assert "nils is auditor from now on" in said
    assert "A colleague who holds that power" in said


def named_by_a_provider(ada: Staff) -> None:
    named = Identity("https://login.example.org", "s-1", "nils", ["custody"])
    assert admit_identity(named, {"custody": "evidence custodian"}).roles == []


ROADS: list[Callable[[Staff], None]] = [
    invited_in_the_console,
    invited_by_a_command,
    given_in_the_console,
    given_by_a_command,
    changed_by_a_command,
    named_by_a_provider,
]


@pytest.mark.parametrize("road", ROADS)
def test_on_every_road_a_present_holder_confirms_the_role_first(
    ada: Staff, road: Callable[[Staff], None]
) -> None:
    mika = person("mika", "evidence custodian")
    reviewer = person("robin", "reviewer")
    road(ada)
    nils = Staff.objects.get(username="nils")
    assert not nils.may(Permission.HOLD_EVIDENCE)
    assert page_of(nils).get("/releases").status_code in (200, 403)  # an auditor reads it
    asked = waiting_appointments().get()
    assert asked.goes_ahead_at is None
    assert "nils is to become evidence custodian" in by_command("list")
    for wrong in (nils, reviewer, *([ada] if asked.asked_by else [])):
        with pytest.raises(Forbidden):
            decide_appointment(appointment_id=asked.pk, approve=True, staff=wrong)
    assert not appointments_for(reviewer)
    page = page_of(mika)
    assert "1\n            to confirm" in page.get("/releases").text
    assert "only if you know this person" in page.get("/staff").text
    assert "last seen" not in page.get("/staff").text.lower(), "the rest is not for everybody"
    page.post(f"/staff/roles/{asked.pk}", {"decision": "confirm"})
    assert Staff.objects.get(username="nils").may(Permission.HOLD_EVIDENCE)
    entry = Entry.objects.latest("seq")
    assert (entry.kind, entry.actor) == ("staff.role_changed", "staff:mika")
    assert entry.data["role"].split(", ")[-1] == "evidence custodian"


def test_before_that_no_page_opens_for_a_newcomer(ada: Staff) -> None:
    person("bo", "administrator")
    secret = invite_staff(username="nils", roles=["reviewer"], actor=ada.actor)
    accept_invitation(secret=secret, username="", password=PASSWORD)
    nils = page_of(Staff.objects.get(username="nils"))
    for address in ("/", "/queue", "/staff", "/banks"):
        answer = nils.get(address)
        assert (answer.status_code, "Your role waits" in answer.text) == (403, True)
    bo = page_of(Staff.objects.get(username="bo"))
    asked = waiting_appointments().get()
    bo.post(f"/staff/roles/{asked.pk}", {"decision": "refuse"})
    assert roles_of("nils") == []
    assert Entry.objects.latest("seq").kind == "staff.role_refused"


def test_who_asked_by_a_command_does_not_confirm_it_in_the_console(ada: Staff) -> None:
    person("nils", "auditor")
    asked = give_role(username="nils", role="reviewer", actor=Actor.operator("Ada"))
    assert asked is not None
    assert asked.goes_ahead_at is not None, "nobody else could confirm it"
    with pytest.raises(Forbidden, match="another person decides"):
        decide_appointment(appointment_id=asked.pk, approve=True, staff=ada)


def test_where_nobody_else_holds_the_power_the_role_waits_with_notice(ada: Staff) -> None:
    person("nils", "auditor")
    before = timezone.now()
    asked = give_role(username="nils", role="administrator", actor=ada.actor)
    assert asked is not None
    assert asked.goes_ahead_at is not None
    assert asked.goes_ahead_at >= before + ALONE
    assert "Nobody else holds this power" in page_of(ada).get("/staff").text
    assert appoint_alone() == 0
    Appointment.objects.update(goes_ahead_at=timezone.now() - timedelta(seconds=1))
    assert appoint_alone() == 1
    assert roles_of("nils") == ["auditor", "administrator"]
    assert Entry.objects.latest("seq").actor == "system:access"
    assert appoint_alone() == 0


def test_nobody_makes_themselves_alone_to_choose_their_second_person(ada: Staff) -> None:
    person("bo", "administrator")
    person("nils", "auditor")
    suspend_staff(username="bo", actor=ada.actor)
    asked = give_role(username="nils", role="administrator", actor=ada.actor)
    assert asked is not None
    assert asked.goes_ahead_at is not None
    assert asked.goes_ahead_at > timezone.now() + timedelta(days=6)


def test_a_role_that_waited_alone_waits_for_whoever_came_meanwhile(ada: Staff) -> None:
    person("nils", "auditor")
    give_role(username="nils", role="reviewer", actor=ada.actor)
    robin = person("robin", "reviewer")
    Appointment.objects.update(goes_ahead_at=timezone.now() - timedelta(seconds=1))
    assert appoint_alone() == 0
    assert roles_of("nils") == ["auditor"]
    assert appointments_for(robin) == [waiting_appointments().get()]


def test_a_request_that_is_refused_waits_for_a_person_and_holds_up_no_other(ada: Staff) -> None:
    for name in ("bo", "nils"):
        person(name, "auditor")
        give_role(username=name, role="reviewer", actor=ada.actor)
    Appointment.objects.update(goes_ahead_at=timezone.now() - timedelta(seconds=1))

    def carry_out(pk: UUID) -> bool:
        row = go_ahead(Appointment, pk)
        assert row is not None
        if row.staff.username == "bo":
            raise Forbidden("Today's rules refuse it.")
        return True

    assert carry_out_due(due_to_go_ahead(Appointment), carry_out) == 1
    refused = Appointment.objects.get(staff__username="bo")
    assert (refused.state, refused.goes_ahead_at, refused.went_ahead_at) == ("asked", None, None)
    assert Appointment.objects.get(staff__username="nils").went_ahead_at is not None
    assert carry_out_due(due_to_go_ahead(Appointment), carry_out) == 0


def test_each_role_waits_by_itself_until_it_is_taken_back_or_the_account_ends(ada: Staff) -> None:
    person("bo", "administrator")
    person("nils", "auditor")
    first = give_role(username="nils", role="reviewer", actor=ada.actor)
    again = give_role(username="nils", role="reviewer", actor=ada.actor)
    assert first == again
    give_role(username="nils", role="operator", actor=ada.actor)
    assert [row.role for row in waiting_appointments()] == ["reviewer", "operator"]
    take_role(username="nils", role="reviewer", actor=ada.actor)
    assert waiting_appointments().get().role == "operator"
    assert change_roles(username="nils", roles=["auditor"], actor=ada.actor) == []
    assert not waiting_appointments().exists()
    give_role(username="nils", role="operator", actor=ada.actor)
    end_staff(username="nils", actor=ada.actor)
    assert not waiting_appointments().exists()


def test_less_power_needs_nobody_and_signs_out(ada: Staff) -> None:
    nils = person("nils", "senior reviewer")
    page = page_of(nils)
    assert page.get("/queue").status_code == 200
    assert change_roles(username="nils", roles=["reviewer"], actor=ada.actor) == []
    assert page.get("/queue").status_code == 302
    assert Staff.objects.get(username="nils").power_lost_at is not None


def test_the_database_lets_nobody_confirm_themselves(ada: Staff) -> None:
    nils = person("nils", "auditor")
    give_role(username="nils", role="reviewer", actor=ada.actor)
    with pytest.raises(IntegrityError, match="nobody_appoints"), transaction.atomic():
        Appointment.objects.update(state="approved", decided_by=nils, decided_at=timezone.now())


def test_the_page_invites_mails_and_withdraws(ada: Staff, configure: Configure) -> None:
    page = page_of(ada)
    assert 'name="mail"' not in page.get("/staff").text
    configure(mail_url="smtp://mail.example:25")
    form = {"name": "nils", "role": "auditor", "mail": "nils@example.org"}
    answer = page.post("/staff/invite", form, follow=True)
    assert "was mailed to nils@example.org" in answer.text
    assert not LINK.search(answer.text), "who invites need not see it"
    (message,) = mail.outbox
    assert message.to == ["nils@example.org"]
    (link,) = LINK.findall(str(message.body))
    assert "nils as auditor" in " ".join(page.get("/staff").text.split())
    assert "invited: nils as auditor by ada" in by_command("list")
    page.post("/staff/withdraw", {"name": "nils"})
    assert Client().get(link).status_code == 410
    refused = page.post("/staff/invite", {"name": "ada", "role": "auditor"})
    assert (refused.status_code, "staff account named" in refused.text) == (409, True)


def test_a_mail_that_cannot_be_sent_leaves_the_link_to_be_copied(
    ada: Staff, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_arguments: Any) -> None:
        raise ConnectionRefusedError

    configure(mail_url="smtp://mail.example:25")
    monkeypatch.setattr("kinward.access.invitations.send_mail", refuses)
    form = {"name": "nils", "role": "auditor", "mail": "nils@example.org"}
    assert LINK.search(page_of(ada).post("/staff/invite", form).text)


def test_the_commands_invite_withdraw_and_take_no_password(ada: Staff) -> None:
    assert LINK.search(by_command("invite", "nils", "--role", "auditor"))
    assert "is withdrawn" in by_command("withdraw", "nils")
    wrong = CliRunner().invoke(staff_command, ["add", "nils", "--role", "auditor"])
    assert wrong.exit_code == 2
    wrong = CliRunner().invoke(staff_command, ["invite", "x", "--role", "auditor", "--password=x"])
    assert "No such option" in wrong.output


def test_last_seen_and_who_added_whom_are_on_the_page(ada: Staff) -> None:
    page = page_of(ada)
    page.get("/staff")
    ada.refresh_from_db()
    seen = ada.seen_at
    assert seen is not None
    assert f"{seen:%Y-%m-%d %H:%M} UTC" in page.get("/staff").text
    ada.refresh_from_db()
    assert ada.seen_at == seen, "not written with every request"
    assert f"last seen: {seen:%Y-%m-%d %H:%M} UTC" in by_command("list")
