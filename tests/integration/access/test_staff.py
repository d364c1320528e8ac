"""Who works here has a beginning, changes, pauses and an end, and lost power is lost at once."""

import pwd
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.appointments import (
    change_roles,
    decide_appointment,
    resume_staff,
    waiting_appointments,
)
from kinward.access.delay import alone_until
from kinward.access.models import Staff
from kinward.access.staff import (
    LastAdministrator,
    StaffEnded,
    create_staff,
    end_staff,
    sign_out_everywhere,
    suspend_staff,
)
from kinward.casebook.models import Case, VerdictProposal
from kinward.cli import main as cli_main
from kinward.cli.demo import give_second_factor
from kinward.cli.main import operator as at_the_command_line
from kinward.cli.staff import staff as staff_command
from kinward.ground.errors import Forbidden, Invalid, NotFound
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.review.lease import LeaseHeld, LeaseNeeded, require_lease, take_case, take_next_case
from tests.support.consoles import show_factor
from tests.support.helpers import quarantined

pytestmark = pytest.mark.django_db
OPERATOR = Actor.operator("test")
DEMO = Actor.system("demo")
PASSWORD = "a long test word"

LOSSES: dict[str, Callable[[str], object]] = {
    "suspended": lambda name: suspend_staff(username=name, actor=OPERATOR),
    "ended": lambda name: end_staff(username=name, actor=OPERATOR),
    "another role": lambda name: change_roles(username=name, roles=["auditor"], actor=OPERATOR),
}
WITH_EACH_LOSS = pytest.mark.parametrize("lose", LOSSES.values(), ids=list(LOSSES))


def signed_in(staff: Staff) -> Client:
    give_second_factor(staff)
    client = Client()
    client.force_login(staff)
    show_factor(client, staff)
    return client


def person(name: str, role: str) -> Staff:
    return create_staff(username=name, password=PASSWORD, roles=[role], actor=DEMO)


def kinward_staff(*arguments: str) -> Any:
    return CliRunner().invoke(staff_command, list(arguments))


@pytest.mark.parametrize(
    "lose", [*LOSSES.values(), lambda name: sign_out_everywhere(username=name, actor=OPERATOR)]
)
def test_the_next_request_of_every_session_finds_nobody(
    reviewer: Staff, lose: Callable[[str], object]
) -> None:
    telephone, desk = signed_in(reviewer), Client()
    desk.force_login(reviewer)
    assert (telephone.get("/queue").status_code, desk.get("/queue").status_code) == (200, 200)
    lose("robin")
    for session in (telephone, desk):
        for method, address in ((session.get, "/queue"), (session.post, "/next")):
            answer = method(address)
            assert (answer.status_code, answer.headers["location"].split("?")[0]) == (
                302,
                "/account/login/",
            )


def test_who_is_suspended_or_has_left_cannot_sign_in(reviewer: Staff) -> None:
    form = {"login": "robin", "password": PASSWORD}
    suspend_staff(username="robin", actor=OPERATOR)
    client = Client()
    client.post("/account/login/", form)
    assert client.get("/queue").status_code == 302
    assert "_auth_user_id" not in client.session
    resume_staff(username="robin", actor=OPERATOR)
    assert client.post("/account/login/", form).status_code == 302
    assert "_auth_user_id" in client.session


@WITH_EACH_LOSS
def test_their_lease_holds_no_case(
    bank: Bank,
    account: Account,
    reviewer: Staff,
    second_reviewer: Staff,
    lose: Callable[[str], object],
) -> None:
    case = take_case(case=quarantined(account), staff=reviewer)
    with pytest.raises(LeaseHeld):
        take_case(case=case, staff=second_reviewer)
    assert take_next_case(staff=second_reviewer) is None
    lose("robin")
    with pytest.raises(Forbidden):
        take_case(case=case, staff=Staff.objects.get(username="robin"))
    assert take_next_case(staff=second_reviewer) == case
    with pytest.raises(LeaseNeeded):
        require_lease(Case.objects.get(), reviewer)


def test_each_step_is_an_entry_with_who_did_it(reviewer: Staff) -> None:
    steps: list[Callable[[], object]] = [
        lambda: change_roles(username="robin", roles=["auditor"], actor=OPERATOR),
        lambda: change_roles(username="robin", roles=["auditor"], actor=OPERATOR),
        lambda: suspend_staff(username="robin", actor=OPERATOR),
        lambda: suspend_staff(username="robin", actor=OPERATOR),
        lambda: resume_staff(username="robin", actor=OPERATOR),
        lambda: resume_staff(username="robin", actor=OPERATOR),
        lambda: sign_out_everywhere(username="robin", actor=OPERATOR),
        lambda: end_staff(username="robin", actor=OPERATOR),
    ]
    for step in steps:
        step()
    entries = Entry.objects.order_by("seq").values_list("kind", "actor", "subject", "data")
    assert list(entries) == [
        (kind, "operator:test", "staff:robin", data)
        for kind, data in (
            ("staff.role_changed", {"was": "reviewer", "role": "auditor"}),
            ("staff.suspended", {}),
            ("staff.resumed", {}),
            ("staff.signed_out", {}),
            ("staff.ended", {}),
        )
    ]


def test_an_end_is_for_good(reviewer: Staff) -> None:
    end_staff(username="robin", actor=OPERATOR)
    steps: list[Callable[[], object]] = [
        lambda: resume_staff(username="robin", actor=OPERATOR),
        lambda: change_roles(username="robin", roles=["operator"], actor=OPERATOR),
        lambda: end_staff(username="robin", actor=OPERATOR),
    ]
    for step in steps:
        with pytest.raises(StaffEnded):
            step()
    with pytest.raises(IntegrityError, match="ended_stays_ended"), transaction.atomic():
        Staff.objects.update(is_active=True)


def test_the_last_administrator_stays() -> None:
    person("ada", "administrator")
    person("bo", "administrator")
    suspend_staff(username="ada", actor=OPERATOR)
    for leave in (suspend_staff, end_staff):
        with pytest.raises(LastAdministrator, match="bo"):
            leave(username="bo", actor=OPERATOR)
    with pytest.raises(LastAdministrator):
        change_roles(username="bo", roles=["operator"], actor=OPERATOR)
    resume_staff(username="ada", actor=OPERATOR)
    with pytest.raises(LastAdministrator, match="bo"):
        end_staff(username="bo", actor=OPERATOR)
    confirm("ada", by="bo")
    end_staff(username="bo", actor=OPERATOR)


def confirm(name: str, by: str) -> None:
    row = waiting_appointments().get(staff__username=name)
    colleague = Staff.objects.get(username=by)
    decide_appointment(appointment_id=row.pk, approve=True, staff=colleague)


def test_unknown_names_and_roles_are_refused(reviewer: Staff) -> None:
    with pytest.raises(NotFound, match="nobody"):
        end_staff(username="nobody", actor=OPERATOR)
    with pytest.raises(Invalid, match="Unknown role"):
        change_roles(username="robin", roles=["queen"], actor=OPERATOR)


def test_only_an_administrator_ends_people_and_changes_roles(reviewer: Staff) -> None:
    ada = person("ada", "administrator")
    suspend_staff(username="robin", actor=ada.actor)
    resume_staff(username="robin", actor=ada.actor)
    with pytest.raises(Forbidden, match="an administrator"):
        change_roles(username="ada", roles=["auditor"], actor=reviewer.actor)
    with pytest.raises(Forbidden, match="an administrator"):
        end_staff(username="ada", actor=reviewer.actor)


def test_the_page_shows_and_ends(reviewer: Staff) -> None:
    page = signed_in(person("ada", "administrator"))
    shown = page.get("/staff").content.decode()
    assert "robin" in shown
    assert "system:demo" in shown  # who added ada
    asked = page.post(f"/staff/{reviewer.pk}", {"verb": "end"})
    assert "This is for good" in asked.content.decode()
    assert Staff.objects.get(pk=reviewer.pk).state == "active", "it asks before it acts"
    sure = {"verb": "end", "sure": "yes"}
    answer = page.post(f"/staff/{reviewer.pk}", sure, follow=True)
    assert "robin has left the staff" in answer.content.decode()
    assert Staff.objects.get(pk=reviewer.pk).state == "ended"
    assert Entry.objects.latest("seq").actor == "staff:ada"
    refused = page.post(f"/staff/{Staff.objects.get(username='ada').pk}", sure)
    assert (refused.status_code, "last active administrator" in refused.content.decode()) == (
        409,
        True,
    )
    assert page.post(f"/staff/{reviewer.pk}", {"verb": "promote"}).status_code == 422


def test_the_commands_do_the_same(reviewer: Staff) -> None:
    assert "signed out everywhere" in kinward_staff("role", "robin", "auditor").output
    assert "suspended" in kinward_staff("suspend", "robin").output
    assert "robin  auditor  suspended  last seen: never" in kinward_staff("list").output
    assert "again" in kinward_staff("resume", "robin").output
    assert "signed out" in kinward_staff("sign-out", "robin").output
    assert kinward_staff("end", "robin").exit_code != 0  # not confirmed
    assert Staff.objects.get().state == "active"
    assert "left the staff" in kinward_staff("end", "robin", "--yes").output
    assert "robin  auditor  ended" in kinward_staff("list").output


def test_an_operator_is_the_real_user_and_behind_sudo_who_ran_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {0: "root", 1000: "ada", 1001: "bo"}

    def named(user: int) -> pwd.struct_passwd:
        return pwd.struct_passwd((names[user], "", user, user, "", "", ""))

    monkeypatch.setattr("pwd.getpwuid", named)
    monkeypatch.setenv("USER", "somebody-else")
    for login, user, behind, name in (
        (None, 1000, "", "ada"),
        (None, 1000, "1000", "ada"),
        (None, 1000, "1001", "bo as ada"),  # anybody could have set it, so it hides nobody
        (None, 0, "", "root"),
        (None, 0, "1001", "bo"),
        (None, 0, "-1", "root"),
        (None, 4000, "", "4000"),
        (1001, 1000, "", "bo"),  # by `su`, or by a `sudo` without its variable
        (1001, 1000, "1000", "bo"),
        (1001, 0, "1000", "bo"),
        (0, 0, "", "root"),
    ):
        monkeypatch.setattr("kinward.cli.main.login_uid", lambda login=login: login)
        monkeypatch.setattr("os.getuid", lambda user=user: user)
        monkeypatch.setenv("SUDO_UID", behind)
        assert at_the_command_line() == Actor.operator(name)


@pytest.mark.parametrize(
    ("kept", "login"),
    [("1000", 1000), ("0\n", 0), ("4294967295", None), ("-1", None), ("", None), ("x", None)],
)
def test_who_logged_in_is_what_the_kernel_keeps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: str, login: int | None
) -> None:
    monkeypatch.setattr(cli_main, "LOGIN", tmp_path / "loginuid")
    assert cli_main.login_uid() is None, "no such file outside Linux"
    (tmp_path / "loginuid").write_text(kept)
    assert cli_main.login_uid() == login


def test_nobody_makes_themselves_the_only_one_who_could_decide() -> None:
    ada, bo = person("ada", "administrator"), person("bo", "administrator")
    assert alone_until(VerdictProposal, ada) is None  # bo can decide
    suspend_staff(username="bo", actor=ada.actor)
    lonely = alone_until(VerdictProposal, ada)
    assert lonely is not None
    assert lonely > timezone.now() + timedelta(days=6)
    Staff.objects.filter(pk=bo.pk).update(power_lost_at=timezone.now() - timedelta(days=8))
    later = alone_until(VerdictProposal, ada)
    assert later is not None
    assert later < timezone.now() + timedelta(hours=25)
