"""Whom a provider adds and ends by SCIM, and how far it reaches, whoever has its key."""

import json
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.appointments import (
    appoint_alone,
    appointments_for,
    decide_appointment,
    resume_staff,
    waiting_appointments,
)
from kinward.access.joining import Appointment
from kinward.access.models import Staff, StaffIdentity
from kinward.access.permissions import Permission
from kinward.access.provisioned import ProvisionedGroup, ProvisionedPerson
from kinward.access.provisioning import (
    MAX_MEMBERS,
    GroupIn,
    PersonIn,
    TooManyProvisioned,
    change_person,
    end_group,
    end_person,
    provision_person,
    provisioned_people,
    put_group,
)
from kinward.access.services import NameTaken, create_key, revoke_key
from kinward.access.sso import Identity, IdentityTaken, NoRole, admit_identity
from kinward.access.staff import LastAdministrator, end_staff, suspend_staff
from kinward.ground.errors import Forbidden, Invalid, NotConfigured, NotFound
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from tests.integration.conftest import Configure

pytestmark = pytest.mark.django_db
ISSUER: Final = "https://login.example.org"
ROLES: Final = {"root": "administrator", "safety": "reviewer", "audit": "auditor"}
OPERATOR: Final = Actor.operator("somebody")
KEY: Final = Actor.key("idp").granted(Permission.MANAGE_STAFF).granted(Permission.END_STAFF)


@pytest.fixture(autouse=True)
def _provider(configure: Configure, db: None) -> None:
    configure(sso_issuer=ISSUER, sso_roles=json.dumps(ROLES))
    create_key(name="idp", purposes=["scim"], owner="Kim", actor=OPERATOR)


def present(name: str, role: str) -> Staff:
    return Staff.objects.create_user(username=name, password="a long test word", roles=[role])


def add(name: str, external_id: str = "") -> ProvisionedPerson:
    given = PersonIn(user_name=name, external_id=external_id or f"id-{name}")
    return provision_person(given=given, actor=KEY)


def say(person: ProvisionedPerson, **changes: Any) -> ProvisionedPerson:
    said = {"user_name": person.user_name, "external_id": person.external_id, "active": None}
    return change_person(person_id=person.pk, given=PersonIn(**(said | changes)), actor=KEY)


def group(
    name: str, *people: ProvisionedPerson, pk: UUID | None = None, external_id: str = ""
) -> ProvisionedGroup:
    given = GroupIn(name, external_id, frozenset(person.pk for person in people))
    return put_group(group_id=pk, given=given, actor=KEY)


def staff(name: str) -> Staff:
    return Staff.objects.get(username=name)


def confirm(by: Staff) -> None:
    (waiting,) = appointments_for(by)
    decide_appointment(appointment_id=waiting.pk, approve=True, staff=by)


def sign_in(subject: str, external_id: str, name: str = "somebody") -> Staff:
    """Sign in at the provider, whose token names every group there is."""
    return admit_identity(Identity(ISSUER, subject, name, [*ROLES], external_id), ROLES)


def test_a_group_gives_a_role_and_a_present_holder_confirms_what_takes_two() -> None:
    ada = present("ada", "administrator")
    robin, wren = add("robin"), add("wren")
    assert (staff("robin").roles, staff("robin").has_usable_password()) == ([], False)
    group("audit", wren)
    group("safety", robin)
    assert (staff("wren").roles, staff("robin").roles) == (["auditor"], [])
    confirm(ada)
    assert staff("robin").roles == ["reviewer"]
    said = Entry.objects.filter(subject="staff:robin").order_by("seq")
    assert list(said.values_list("kind", "actor")) == [
        ("staff.created", "key:idp"),
        ("staff.provisioned", "key:idp"),
        ("staff.role_asked", "key:idp"),
        ("staff.role_changed", "staff:ada"),
    ]
    assert Entry.objects.filter(kind="staff.group_changed", actor="key:idp").count() == 2
    assert verify_ledger().ok


def test_a_removed_group_takes_exactly_its_role_at_once() -> None:
    ada, robin = present("ada", "administrator"), add("robin")
    safety = group("safety", robin)
    confirm(ada)
    audit = group("whatever it is called", robin, external_id="audit")
    assert staff("robin").roles == ["reviewer", "auditor"]
    sessions = staff("robin").sign_outs
    group("safety", pk=safety.pk)
    assert (staff("robin").roles, staff("robin").sign_outs > sessions) == (["auditor"], True)
    group("nothing", robin, pk=audit.pk)
    assert staff("robin").roles == []
    again = group("audit", robin)
    end_group(group_id=again.pk, actor=KEY)
    assert staff("robin").roles == []
    group("safety", robin, pk=safety.pk)
    assert waiting_appointments().get().role == "reviewer", "what was lost is confirmed anew"
    group("safety", pk=safety.pk)
    assert not waiting_appointments().exists()
    assert Entry.objects.filter(kind="staff.role_refused", actor="key:idp").count() == 1


@pytest.mark.parametrize("ends", ["inactive", "deleted"])
def test_who_ends_at_the_provider_ends_here(ends: str) -> None:
    ada, robin = present("ada", "administrator"), add("robin")
    group("safety", robin)
    confirm(ada)
    assert sign_in("s-1", "id-robin") == staff("robin")
    sessions = staff("robin").sign_outs
    if ends == "inactive":
        say(robin, active=False)
    else:
        end_person(person_id=robin.pk, actor=KEY)
    gone = staff("robin")
    assert (gone.is_active, gone.actor.permissions, gone.sign_outs > sessions) == (
        False,
        frozenset(),
        True,
    )
    with pytest.raises(NoRole, match="ended your access"):
        sign_in("s-1", "id-robin")
    assert (gone.ended_at is not None) == (ends == "deleted")
    if ends == "inactive":
        say(robin, active=True)
        assert sign_in("s-1", "id-robin").roles == [], "a suspension's end is confirmed anew"
        confirm(ada)
        assert sign_in("s-1", "id-robin").roles == ["reviewer"]
    else:
        assert not provisioned_people().exists()
        for name, external_id in (("robin", "id-2"), ("robin2", "id-robin")):
            with pytest.raises(NameTaken):
                add(name, external_id)


def test_nothing_that_is_not_said_opens_or_ends_an_account() -> None:
    robin = add("robin")
    say(robin, active=False)
    say(robin, user_name="robin.b")
    assert not staff("robin").is_active
    say(robin, active=True)
    say(robin, user_name="robin.c")
    assert staff("robin").is_active


@pytest.mark.parametrize(
    "other",
    [
        {"user_name": "WREN"},
        {"external_id": "id-wren"},
        {"user_name": ""},
        {"user_name": "x" * 999},
    ],
)
def test_no_name_holds_up_an_end(other: dict[str, str]) -> None:
    robin = add("robin")
    add("wren")
    with pytest.raises((NameTaken, Invalid)):
        say(robin, **other)
    changed = say(robin, active=False, **other)
    assert not staff("robin").is_active
    assert (changed.user_name, changed.external_id) == ("robin", "id-robin")


def test_a_suspension_by_a_person_stays_whoever_was_first() -> None:
    robin = add("robin")
    suspend_staff(username="robin", actor=OPERATOR)
    say(robin, active=False)
    say(robin, active=True)
    assert not staff("robin").is_active, "the provider resumes only whom it suspended"
    resume_staff(username="robin", actor=OPERATOR)
    say(robin, active=False)
    suspend_staff(username="robin", actor=OPERATOR)  # and from now on a person did
    say(robin, active=True)
    assert not staff("robin").is_active
    resume_staff(username="robin", actor=OPERATOR)
    say(robin, active=False)
    resume_staff(username="robin", actor=OPERATOR)  # here, though not at the provider
    group("audit", robin)
    with pytest.raises(NoRole):
        sign_in("s-1", "id-robin")
    end_staff(username="robin", actor=OPERATOR)
    say(robin, active=True)
    assert not staff("robin").is_active


def test_the_last_administrator_stays_and_holds_up_nobody_else() -> None:
    robin, wren = add("robin"), add("wren")
    root = group("root", robin)
    Appointment.objects.all().delete()
    Staff.objects.filter(username="robin").update(roles=["administrator"])
    audit = group("audit", wren)
    group("x", pk=root.pk)
    assert staff("robin").roles == ["administrator"]
    for lose in (
        lambda: say(robin, active=False),
        lambda: end_person(person_id=robin.pk, actor=KEY),
    ):
        with pytest.raises(LastAdministrator):
            lose()
    both = group("audit", robin, wren, pk=audit.pk)
    assert (staff("robin").roles, staff("wren").roles) == (
        ["auditor", "administrator"],
        ["auditor"],
    )
    group("x", pk=both.pk)
    assert (staff("robin").roles, staff("wren").roles) == (["administrator"], [])
    present("ada", "administrator")
    with pytest.raises(NoRole):
        sign_in("s-1", "id-robin")
    assert staff("robin").roles == [], "as soon as there is another"


def test_it_reaches_nobody_whom_it_did_not_add() -> None:
    ada = present("ada", "administrator")
    for name in ("ada", "ADA"):
        with pytest.raises(NameTaken):
            add(name)
    StaffIdentity.objects.create(staff=ada, issuer=ISSUER, subject="s-ada")
    with pytest.raises(NameTaken, match="did not add"):
        add("another name", "s-ada")
    for unknown in (uuid4(), UUID(int=ada.pk)):
        with pytest.raises(NotFound):
            end_person(person_id=unknown, actor=KEY)
        with pytest.raises(NotFound):
            change_person(person_id=unknown, given=PersonIn("x", "y"), actor=KEY)
        safety = put_group(
            group_id=None, given=GroupIn("root", "", frozenset({unknown})), actor=KEY
        )
        assert not safety.people.exists(), "who is unknown is left out"
    assert staff("ada").roles == ["administrator"]
    assert list(Staff.objects.values_list("username", flat=True)) == ["ada"]


def test_another_provider_reaches_nobody_of_the_first(configure: Configure) -> None:
    robin = add("robin")
    configure(sso_issuer="https://elsewhere.example.org")
    assert not provisioned_people().exists()
    with pytest.raises(NotFound):
        end_person(person_id=robin.pk, actor=KEY)
    configure(sso_issuer="")
    with pytest.raises(NotConfigured, match="KINWARD_SSO_ISSUER"):
        add("wren")


def test_whom_single_sign_on_added_is_taken_over_with_their_role() -> None:
    admit_identity(Identity(ISSUER, "s-1", "robin", ["safety"]), ROLES)
    robin = add("robin@example.org", "s-1")
    assert (robin.staff.username, staff("robin").roles) == ("robin", ["reviewer"])
    safety = group("safety", robin)
    assert staff("robin").roles == ["reviewer"]
    group("safety", pk=safety.pk)
    assert staff("robin").roles == []
    with pytest.raises(NoRole):  # the groups of SCIM count, and not those of the token
        sign_in("s-1", "s-1")


def test_nobody_becomes_another_person_by_a_new_id_or_name() -> None:
    ada, robin = present("ada", "administrator"), add("robin")
    say(robin, external_id="id-2")
    with pytest.raises(NoRole):
        sign_in("s-2", "id-2")
    group("safety", robin)
    say(robin, external_id="id-3")  # while a colleague is asked about who has id-2
    confirm(ada)
    say(robin, external_id="id-4", user_name="mallory")
    stranger = sign_in("s-4", "id-4", "mallory")
    assert stranger != staff("robin"), "whoever has the new id is somebody else"
    assert sign_in("s-2", "id-2") == staff("robin")
    with pytest.raises(IdentityTaken):
        sign_in("s-5", "id-2")
    assert staff("robin").username == "robin", "the ledger's name for them stays"


def test_who_answers_for_the_key_is_no_second_person() -> None:
    kim, ada = present("kim", "administrator"), present("ada", "administrator")
    group("safety", add("robin"))
    assert not appointments_for(kim)
    waiting = waiting_appointments().get()
    with pytest.raises(Forbidden):
        decide_appointment(appointment_id=waiting.pk, approve=True, staff=kim)
    confirm(ada)
    assert staff("robin").roles == ["reviewer"]


def test_what_a_lost_key_asked_for_takes_effect_by_nobody() -> None:
    robin = add("robin")
    safety = group("safety", robin)
    waiting = waiting_appointments().get()
    assert waiting.goes_ahead_at is not None, "nobody else could confirm it"
    revoke_key(name="idp", compromised=True, actor=OPERATOR)
    Appointment.objects.update(goes_ahead_at=timezone.now() - timedelta(minutes=1))
    assert appoint_alone() == 0
    ada = present("ada", "administrator")
    with pytest.raises(Forbidden, match="may not do so any more"):
        decide_appointment(appointment_id=waiting.pk, approve=True, staff=ada)
    create_key(name="idp-2", purposes=["scim"], owner="Kim", actor=OPERATOR)
    other = Actor.key("idp-2").granted(Permission.MANAGE_STAFF)
    given = GroupIn("safety", "safety-id", frozenset({robin.pk}))
    put_group(group_id=safety.pk, given=given, actor=other)
    assert waiting_appointments().get().operator == "key:idp-2", "the new key asks anew"
    confirm(ada)
    assert staff("robin").roles == ["reviewer"]


def test_a_sign_in_asks_for_nothing_in_another_name() -> None:
    """Else a refused role would be asked for anew, past the bars for the key and its owner."""
    kim, ada = present("kim", "administrator"), present("ada", "administrator")
    safety = group("safety", add("robin"))
    (waiting,) = appointments_for(ada)
    decide_appointment(appointment_id=waiting.pk, approve=False, staff=ada)
    sign_in("s-1", "id-robin")
    assert waiting_appointments().get().operator == "key:idp"
    assert not appointments_for(kim)
    confirm(ada)
    revoke_key(name="idp", compromised=True, actor=OPERATOR)
    assert sign_in("s-1", "id-robin").roles == ["reviewer"], "what was confirmed stays"
    ProvisionedGroup.objects.filter(pk=safety.pk).update(name="root")
    with pytest.raises(NoRole):
        sign_in("s-1", "id-robin")
    assert (staff("robin").roles, waiting_appointments().exists()) == ([], False)


def test_the_very_first_administrator_is_made_by_no_provider() -> None:
    group("root", add("robin"))
    assert staff("robin").roles == []
    assert waiting_appointments().get().goes_ahead_at is not None


def test_what_is_too_much_or_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for user_name, external_id in (("", "x"), ("x", ""), ("a\u202eb", "x"), ("x" * 151, "x")):
        with pytest.raises(Invalid):
            provision_person(given=PersonIn(user_name, external_id), actor=KEY)
    many = frozenset(uuid4() for _ in range(MAX_MEMBERS + 1))
    with pytest.raises(TooManyProvisioned):
        put_group(group_id=None, given=GroupIn("audit", "", many), actor=KEY)
    monkeypatch.setattr("kinward.access.provisioning.MAX_PEOPLE", 1)
    monkeypatch.setattr("kinward.access.provisioning.MAX_GROUPS", 1)
    robin = add("robin")
    audit = group("audit", robin)
    with pytest.raises(TooManyProvisioned):
        add("wren")
    monkeypatch.setattr("kinward.access.provisioning.MAX_MEMBERSHIPS", 0)
    with pytest.raises(TooManyProvisioned, match="of all groups"):
        group("audit", robin, pk=audit.pk)
    with pytest.raises(TooManyProvisioned):
        group("safety")
    for taken in (("ROBIN", "id-9"), ("wren", "id-robin")):
        with pytest.raises(NameTaken):
            monkeypatch.setattr("kinward.access.provisioning.MAX_PEOPLE", 9)
            add(*taken)
