"""Suspending protects at once and takes one person. What a suspension took comes back by two."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.appointments import (
    appoint_alone,
    decide_appointment,
    resume_staff,
    waiting_appointments,
)
from kinward.access.delay import ALONE
from kinward.access.joining import Appointment
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.provisioning import (
    GroupIn,
    PersonIn,
    change_person,
    provision_person,
    put_group,
)
from kinward.access.services import create_key
from kinward.access.sso import Identity, NoRole, admit_identity
from kinward.access.staff import create_staff, suspend_staff
from kinward.cli.staff import staff as staff_command
from kinward.experience.models import Proposal
from kinward.experience.proposals import decide_proposal
from kinward.ground.errors import Forbidden
from tests.integration.access.test_agreement import ask_proposal
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.compared import gaps

pytestmark = pytest.mark.django_db
HERON = Actor.operator("heron")
PROVIDER = "https://login.test.example"


def person(name: str, *roles: str) -> Staff:
    return create_staff(
        username=name, password="a long test word", roles=roles, actor=Actor.system("demo")
    )


def fresh(name: str) -> Staff:
    return Staff.objects.get(username=name)


@pytest.fixture
def ada(db: None) -> Staff:
    return person("ada", "administrator")


def by_page(ada: Staff, name: str) -> None:
    answer = signed_in(ada).post(f"/staff/{fresh(name).pk}", {"verb": "resume"}, follow=True)
    assert "as soon as a colleague confirms it" in answer.content.decode()


def by_command(ada: Staff, name: str) -> None:
    result = CliRunner().invoke(staff_command, ["resume", name])
    assert "A colleague who holds that power confirms it" in result.output, result.output


ROADS: dict[str, Callable[[Staff, str], Any]] = {
    "console": by_page,
    "command line": by_command,
    "service": lambda ada, name: resume_staff(username=name, actor=ada.actor),
}


@pytest.mark.parametrize("resume", ROADS.values(), ids=ROADS)
def test_one_person_alone_brings_nobodys_power_back(
    ada: Staff, resume: Callable[[Staff, str], Any]
) -> None:
    """Else an administrator suspends a colleague, resumes them, and has a second person again."""
    bo, robin = person("bo", "administrator"), person("robin", "reviewer", "auditor")
    suspend_staff(username="robin", actor=ada.actor)
    resume(ada, "robin")
    robin = fresh("robin")
    assert (robin.is_active, robin.roles) == (True, ["auditor"]), "an auditor agrees to nothing"
    row = waiting_appointments().get(staff=robin)
    for one in (row.asked_by or robin, robin):
        with pytest.raises(Forbidden):
            decide_appointment(appointment_id=row.pk, approve=True, staff=one)
    decide_appointment(appointment_id=row.pk, approve=True, staff=bo)
    assert fresh("robin").roles == ["reviewer", "auditor"]
    assert not gaps(["staff", "appointment"])


def test_what_they_asked_for_waits_with_them(ada: Staff) -> None:
    """A proposal from before the suspension is nobody's until two people want them back."""
    person("bo", "administrator")
    kai = person("kai", "policy lead")
    proposal = ask_proposal(kai)
    suspend_staff(username="kai", actor=ada.actor)
    resume_staff(username="kai", actor=ada.actor)
    with pytest.raises(Forbidden, match="may not do so any more"):
        decide_proposal(proposal_id=proposal.pk, approve=True, staff=ada)
    assert Proposal.objects.get(pk=proposal.pk).state == "asked"


def test_where_nobody_else_could_confirm_it_the_power_waits_with_notice(ada: Staff) -> None:
    person("robin", "reviewer")
    suspend_staff(username="robin", actor=ada.actor)
    (row,) = resume_staff(username="robin", actor=ada.actor)
    assert row.goes_ahead_at is not None
    assert row.goes_ahead_at - row.asked_at >= ALONE / 2
    assert "the role has effect by itself" in signed_in(ada).get("/staff").content.decode()
    assert appoint_alone() == 0
    Appointment.objects.update(goes_ahead_at=timezone.now())
    assert appoint_alone() == 1
    assert fresh("robin").may(Permission.WORK_ON_CASES)


def test_nothing_waits_for_somebody_who_was_not_suspended(ada: Staff) -> None:
    person("robin", "reviewer")
    assert resume_staff(username="robin", actor=ada.actor) == []
    assert fresh("robin").roles == ["reviewer"]


def test_a_provider_brings_nobodys_power_back_either(ada: Staff, configure: Configure) -> None:
    configure(sso_issuer=PROVIDER, sso_roles='{"safety": "reviewer"}')
    create_key(name="idp", purposes=["scim"], owner="Kim", actor=HERON)
    key = Actor.key("idp").granted(Permission.MANAGE_STAFF).granted(Permission.END_STAFF)
    robin = provision_person(given=PersonIn("robin", "r-1"), actor=key)
    put_group(group_id=None, given=GroupIn("safety", members=frozenset({robin.pk})), actor=key)
    row = waiting_appointments().get()
    decide_appointment(appointment_id=row.pk, approve=True, staff=ada)
    for active in (False, True):
        change_person(person_id=robin.pk, given=PersonIn("robin", "r-1", active), actor=key)
    assert (fresh("robin").is_active, fresh("robin").roles) == (True, [])
    decide_appointment(appointment_id=waiting_appointments().get().pk, approve=True, staff=ada)
    assert fresh("robin").roles == ["reviewer"]


def test_nor_does_single_sign_on(ada: Staff) -> None:
    roles = {"safety": "reviewer"}

    def come(groups: list[str]) -> None:
        admit_identity(Identity(PROVIDER, "s-1", "robin", groups), roles)

    come(["safety"])
    decide_appointment(appointment_id=waiting_appointments().get().pk, approve=True, staff=ada)
    with pytest.raises(NoRole):
        come([])
    come(["safety"])
    assert (fresh("robin").is_active, fresh("robin").roles) == (True, [])
    assert waiting_appointments().get().role == "reviewer"
