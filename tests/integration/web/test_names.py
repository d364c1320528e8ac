"""No page shows a raw mark that turns text around, whatever a stranger is called."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import override_settings

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.staff import create_staff
from kinward.casebook.kinds import UserReported
from kinward.casebook.models import Case
from kinward.enforcement.models import Action
from kinward.evidence.excerpts import Message
from kinward.evidence.models import Evidence
from kinward.families.pairing import ending
from kinward.families.settings import choices, keywords
from kinward.families.visits.digest import mail_digest
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ground.errors import Invalid
from kinward.matching.models import Addition, Bank, BankedHash
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.review.comments import add_comment
from kinward.web.middleware import TURNING, no_turned_text
from tests.integration.portal.test_pages import visiting
from tests.integration.web.test_console import routes, signed_in
from tests.support.families import make_account, pair
from tests.support.helpers import quarantined

pytestmark = pytest.mark.django_db

EVIL = "\u202edlihc\u2069\x07\u2066 "
WITHOUT_NET = [name for name in settings.MIDDLEWARE if not name.endswith("no_turned_text")]
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
FIELD = re.compile(r'<textarea\b.*?</textarea>|\bvalue="[^"]*"', re.DOTALL)


def hold(answer: Any, path: str) -> str:
    """Assert that a page has neither raw marks nor control characters; returns what it says."""
    assert answer.status_code < 500, path
    page = FIELD.sub("", answer.content.decode())
    for mark in (TURNING.search(page.encode()), CONTROL.search(page)):
        assert mark is None, f"{path}: {page[max(0, page.find(str(mark))) - 80 :][:160]!r}"
    return re.sub(r"<[^>]*>", "", page)


@pytest.fixture
def case(bank: Bank, account: Account, reviewer: Staff) -> Case:
    """A case in which everything that has a name has one that would turn the page around."""
    Account.objects.update(screen_name=EVIL)
    child = Profile(age=AgeRange(12, 13), screen_name=EVIL + "a child")
    put_account(platform_id="member-2", profile=child)
    Addition.objects.update(provenance=EVIL, added_by=EVIL)
    BankedHash.objects.update(label=EVIL, reference=EVIL)
    Bank.objects.update(description=EVIL)
    made = quarantined(account, filename=EVIL, sent_to=["member-2"])
    report = UserReportIn(
        account_id=account.platform_id,
        reporter_id="member-2",
        category="contact",
        text=EVIL,
        messages=[Message(account_id="member-2", at=made.opened_at, text=EVIL)],
    )
    receive_user_report(report=report, actor=Actor.key("test"))
    Staff.objects.filter(pk=reviewer.pk).update(username=EVIL)
    reviewer.refresh_from_db()
    add_comment(case=made, staff=reviewer, text=EVIL)
    Action.objects.update(answer=EVIL, state="parked")
    return made


@override_settings(MIDDLEWARE=WITHOUT_NET)
def test_the_templates_of_the_console_show_every_name_safely(case: Case, reviewer: Staff) -> None:
    Staff.objects.filter(pk=reviewer.pk).update(roles=["administrator"])
    reviewer.refresh_from_db()
    client = signed_in(reviewer)
    client.post(f"/cases/{case.id}/take")
    excerpt = Evidence.objects.get(check_made=None)
    said = {}
    for method, path, name in routes(case):
        if method == "get" and name not in ("home", "veil"):
            said[name] = hold(client.get(path), path)
    assert {name for name, words in said.items() if "U+202E" in words} >= {
        *("case", "queue", "bank", "banks", "operations")
    }
    for word in ("named U+202Edlihc", "They wrote: U+202Edlihc", "U+2066 a child"):
        assert word in said["case"], word
    path = f"/cases/{case.id}/files/{excerpt.id}/show"
    assert "member-2: U+202Edlihc" in hold(client.post(path), path)
    hold(client.post("/banks/search", {"kind": "url", "value": EVIL}), "/banks/search")


@override_settings(MIDDLEWARE=WITHOUT_NET)
def test_the_templates_of_a_family_show_every_name_safely(db: None) -> None:
    teen, guardian = make_account("wren", 15), make_account("heron", 40)
    made = pair(guardian, teen)
    Account.objects.update(screen_name=EVIL)
    guardian.refresh_from_db()
    choices.choose_setting(guardian=guardian, teen_id="wren", capability="session.time", value=45)
    keywords.add_keyword(teen_id="wren", word="tide", guardian=guardian, account=guardian)
    ending.end_pairing(account=teen, pairing_id=made.pk)
    said = {
        f"{reader}:{path}": hold(visiting(reader).get(path), path)
        for reader, path in (
            (teen, "/family"),
            (teen, "/family/pair"),
            (teen, "/family/safe"),
            (guardian, "/family"),
            (guardian, f"/family/teens/{made.pk}"),
        )
    }
    assert "Set by [U+202E]dlihc" in said["wren:/family"]
    assert "U+202Edlihc" in said["heron:/family"]


def test_a_name_with_a_line_end_does_not_stop_the_mail(db: None) -> None:
    teen, guardian = make_account("wren", 15), make_account("heron", 40)
    made = pair(guardian, teen)
    Account.objects.filter(pk=teen.pk).update(screen_name="wren\nBcc: all@\u202etide.example")
    made.digest = "kin@tidepool.example"
    made.save()
    mail_digest(str(made.pk))
    (message,) = mail.outbox
    assert message.subject == "wren[U+000A]Bcc: all@[U+202E]tide.example's week"


def test_no_report_of_a_person_passes_for_a_line_of_another(account: Account) -> None:
    report = UserReportIn(
        account_id=account.platform_id, category="bullying", text="a\u2028File not held, x\rb"
    )
    finding = receive_user_report(report=report, actor=Actor.key("test")).finding
    about, quote = UserReported().for_authority(finding)
    assert about.startswith("Reported by a user at ")
    assert quote == "They wrote: a\n    File not held, x\n    b"


@pytest.mark.parametrize("name", ["", "ann\u202e", "a\nb", " ann", "x" * 151])
def test_the_staff_have_names_that_can_be_read(db: None, name: str) -> None:
    with pytest.raises(Invalid, match="each of which can be seen"):
        create_staff(
            username=name, password="x" * 12, roles=["reviewer"], actor=Actor.system("demo")
        )


def test_whatever_a_template_forgets_is_shown_in_words() -> None:
    raw = '<p>a\u202eb</p><input value="\u202e"><textarea>\u2066</textarea><b title="\u202c">ü</b>'

    def page(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(raw)

    kept = no_turned_text(page)(HttpRequest()).content.decode()
    assert kept == (
        '<p>a[U+202E]b</p><input value="\u202e"><textarea>\u2066</textarea>'
        '<b title="[U+202C]">ü</b>'
    )
    assert "kinward.web.middleware.no_turned_text" in settings.MIDDLEWARE
