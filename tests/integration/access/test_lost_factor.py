"""A lost second factor is removed by two people, in its time, unless its owner has it after all."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.factors import (
    ResetAsked,
    carry_out_resets,
    decide_factor_reset,
    open_resets,
    refuse_own_reset,
    request_factor_reset,
    tell_of_reset,
)
from kinward.access.joining import FactorReset
from kinward.access.models import Staff
from kinward.cli.demo import give_second_factor
from kinward.cli.staff import staff as staff_command
from kinward.ground.errors import Forbidden, Invalid, NotFound
from kinward.ledger.models import Entry
from tests.integration.conftest import Configure
from tests.support.consoles import show_factor

pytestmark = pytest.mark.django_db
PASSWORD = "a long test word"
WHY = "They called me from home."


def person(name: str, role: str, **more: Any) -> Staff:
    staff = Staff.objects.create_user(username=name, password=PASSWORD, roles=[role], **more)
    give_second_factor(staff)
    return staff


@pytest.fixture
def ada(db: None) -> Staff:
    return person("ada", "administrator")


@pytest.fixture
def bo(db: None) -> Staff:
    return person("bo", "administrator")


@pytest.fixture
def nils(db: None) -> Staff:
    return person("nils", "reviewer", email="nils@example.org")


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    show_factor(client, staff)
    return client


def has_factor(staff: Staff) -> bool:
    return bool(Authenticator.objects.filter(user=staff).exists())


def ask(asker: Staff) -> FactorReset:
    return request_factor_reset(username="nils", why=WHY, actor=asker.actor)


def its_time_has_come() -> None:
    earlier = timezone.now() - timedelta(minutes=1)
    FactorReset.objects.update(not_before=earlier)
    FactorReset.objects.exclude(goes_ahead_at=None).update(goes_ahead_at=earlier)


def test_two_people_and_the_time_are_both_needed(ada: Staff, bo: Staff, nils: Staff) -> None:
    session = signed_in(nils)
    before = timezone.now()
    row = ask(ada)
    assert row.not_before >= before + timedelta(hours=24)
    for wrong in (ada, nils):
        with pytest.raises(Forbidden):
            decide_factor_reset(reset_id=row.pk, approve=True, staff=wrong)
    its_time_has_come()
    assert carry_out_resets() == 0, "nobody has agreed"
    FactorReset.objects.update(not_before=row.not_before)
    decide_factor_reset(reset_id=row.pk, approve=True, staff=bo)
    assert carry_out_resets() == 0, "its time has not come"
    assert has_factor(nils)
    its_time_has_come()
    assert carry_out_resets() == 1
    assert carry_out_resets() == 0
    assert not has_factor(nils)
    assert has_factor(ada)
    assert session.get("/queue").status_code == 302, "every session ended"
    again = Client()
    again.post("/account/login/", {"login": "nils", "password": PASSWORD})
    assert again.get("/queue").headers["location"] == "/account/2fa/", "they set up another"
    entries = Entry.objects.filter(kind__startswith="staff.factor_reset").order_by("seq")
    assert list(entries.values_list("kind", "actor")) == [
        ("staff.factor_reset_asked", "staff:ada"),
        ("staff.factor_reset_agreed", "staff:bo"),
        ("staff.factor_reset", "system:access"),
    ]


def test_an_administrator_does_not_agree_to_the_removal_of_their_own(ada: Staff, bo: Staff) -> None:
    row = request_factor_reset(username="bo", why=WHY, actor=ada.actor)
    with pytest.raises(Forbidden, match="about you"):
        decide_factor_reset(reset_id=row.pk, approve=True, staff=bo)
    with pytest.raises(IntegrityError, match="nobody_resets_themselves"), transaction.atomic():
        FactorReset.objects.update(state="approved", decided_by=bo, decided_at=timezone.now())
    for changes in ({"done_at": timezone.now()}, {"done_at": row.not_before}):
        with pytest.raises(IntegrityError, match="by_two_and_not_before"), transaction.atomic():
            FactorReset.objects.update(**changes)


@pytest.mark.parametrize("agreed", [False, True])
def test_the_owner_is_told_and_refuses(ada: Staff, bo: Staff, nils: Staff, agreed: bool) -> None:
    row = ask(ada)
    if agreed:
        decide_factor_reset(reset_id=row.pk, approve=True, staff=bo)
    page = signed_in(nils)
    assert "ada asks to remove your second factor" in page.get("/queue").text
    assert "asks to remove your" not in signed_in(bo).get("/queue").text
    assert "Your second factor stays" in page.post("/account/keep-factor", follow=True).text
    assert "asks to remove your" not in page.get("/queue").text
    its_time_has_come()
    assert carry_out_resets() == 0
    assert has_factor(nils)
    assert Entry.objects.latest("seq").actor == "staff:nils"
    with pytest.raises(NotFound):
        refuse_own_reset(staff=nils)
    assert page.post("/account/keep-factor").status_code == 404


def test_the_owner_is_told_by_mail(ada: Staff, nils: Staff, configure: Configure) -> None:
    configure(mail_url="smtp://mail.example:25")
    row = ask(ada)
    query = "SELECT args->>'reset_id' FROM procrastinate_jobs WHERE task_name = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, ["access.tell_of_reset"])
        assert cursor.fetchall() == [(str(row.pk),)]
    tell_of_reset(str(row.pk))
    (message,) = mail.outbox
    assert message.to == ["nils@example.org"]
    assert "If it is not lost, sign in with it and refuse" in str(message.body)
    refuse_own_reset(staff=nils)
    tell_of_reset(str(row.pk))
    assert len(mail.outbox) == 1


def test_where_nobody_else_can_agree_it_waits_longer(ada: Staff, nils: Staff) -> None:
    row = ask(ada)
    assert row.goes_ahead_at is not None
    assert row.goes_ahead_at >= row.not_before
    assert carry_out_resets() == 0
    its_time_has_come()
    assert carry_out_resets() == 1
    assert not has_factor(nils)


def test_a_namesake_of_the_operator_does_not_agree(ada: Staff, nils: Staff) -> None:
    row = request_factor_reset(username="nils", why=WHY, actor=Actor.operator("ADA"))
    assert row.goes_ahead_at is not None
    with pytest.raises(Forbidden, match="another person"):
        decide_factor_reset(reset_id=row.pk, approve=True, staff=ada)


def test_what_is_refused_when_asked(ada: Staff, nils: Staff) -> None:
    ask(ada)
    with pytest.raises(ResetAsked):
        ask(ada)
    with pytest.raises(Invalid, match="Say why"):
        request_factor_reset(username="ada", why=" ", actor=ada.actor)
    Staff.objects.create_user(username="kim", password=PASSWORD, roles=["auditor"])
    with pytest.raises(Invalid, match="has no second factor"):
        request_factor_reset(username="kim", why=WHY, actor=ada.actor)


def test_the_page_asks_and_agrees(ada: Staff, bo: Staff, nils: Staff) -> None:
    asked = signed_in(ada).post(f"/staff/{nils.pk}", {"verb": "reset", "why": WHY}, follow=True)
    assert "Another person must agree" in asked.text
    row = open_resets().get()
    page = signed_in(bo)
    assert WHY in page.get("/staff").text
    page.post(f"/staff/factors/{row.pk}", {"decision": "agree"})
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("approved", bo)


def test_the_command_asks_and_does_not_act(ada: Staff, bo: Staff, nils: Staff) -> None:
    ran = CliRunner().invoke(staff_command, ["reset-factor", "nils", "--why", WHY])
    assert "Nothing is removed before" in ran.output
    assert "An administrator agrees" in ran.output
    its_time_has_come()
    assert carry_out_resets() == 0
    assert has_factor(nils)
