"""An address and a name are the same from the door to the case, the report and the package."""

import hmac
import io
import json
import re
import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.services import create_key
from kinward.casebook.models import Case
from kinward.custody.release import ReleaseForm, decide_release, make_package, request_release
from kinward.enforcement.registration import blocked_kinds
from kinward.evidence.sealing import decrypt, new_key, public_half
from kinward.matching.models import Bank, Check
from kinward.people.models import Account, Identifier
from kinward.people.services import IdentifierIn, Profile, digests_of, put_account, related_accounts
from kinward.policy.signed import new_signing_key
from kinward.reporting.authorities.cybertipline.documents import parse_xml
from kinward.reporting.authorities.cybertipline.sandbox import Sandbox
from kinward.reporting.draft import IpEvent
from kinward.review.lease import take_case
from kinward.verdicts.form import VerdictForm
from kinward.web.middleware import TURNING
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import FIELDS, Caller, problem
from tests.integration.web.test_console import signed_in
from tests.support.helpers import KNOWN, run_jobs
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "\u202enimda\u2069\u200b (staff)"
FILE = "pay\u202egpj.exe"
WRITTEN = "[::FFFF:203.0.113.9%25eth0]:4711"
POLICE = new_key()


@pytest.fixture(autouse=True)
def _own_keys(configure: Configure) -> None:
    configure(package_key=new_signing_key(), evidence_key=new_key())


@pytest.fixture
def call(db: None) -> Caller:
    scopes = frozenset({"media:check", "accounts:write"})
    return Caller(create_key(name="app", scopes=scopes, actor=Actor.system("test")))


@pytest.fixture
def case(bank: Bank, call: Caller) -> Case:
    """The case of a known picture, by an account and a file whose names have direction marks."""
    call("PUT", "/v1/accounts/member-1", json={"screen_name": NAME})
    sent = call("POST", "/v1/media", data=FIELDS | {"ip": WRITTEN}, files={"file": (FILE, KNOWN)})
    return Case.objects.get(pk=sent.json()["case_id"])


def test_one_address_and_one_name_through_case_report_and_package(
    case: Case, reviewer: Staff, sandbox: Sandbox, tmp_path: Path
) -> None:
    page = _page(signed_in(reviewer), case)
    assert "from 203.0.113.9, port 4711" in page
    assert not TURNING.search(page.encode())
    shown = re.sub(r"<[^>]*>", "", page)
    assert "U+202EnimdaU+2069U+200B (staff)" in shown
    assert "payU+202Egpj.exe" in shown

    take_case(case=case, staff=reviewer)
    form = VerdictForm(outcome="confirmed", clause="CS-1")
    decide_case(case_id=case.id, staff=reviewer, form=form)
    run_jobs()
    (entry,) = sandbox.state.all()
    account = parse_xml(entry["xml"].encode()).find("personOrUserReported")
    assert account is not None
    assert account.findtext("screenName") == NAME
    assert account.findtext("ipCaptureEvent/ipAddress") == "203.0.113.9"
    assert account.findtext("ipCaptureEvent/port") == "4711"
    details = parse_xml(entry["files"][0]["details"].encode())
    assert details.findtext("ipCaptureEvent/ipAddress") == "203.0.113.9"
    assert details.findtext("originalFileName") == FILE

    with zipfile.ZipFile(io.BytesIO(_package(tmp_path / "package.age"))) as archive:
        (upload,) = json.loads(archive.read("uploads.json"))
        assert (upload["ip"], upload["port"]) == ("203.0.113.9", 4711)
        assert upload["filename"] == FILE
        assert json.loads(archive.read("account.json"))["screen_name"] == NAME
        paper = _words(archive.read("summary.pdf"))
    assert "For: The [U+202E]police" in paper
    assert "\n    SHA-256 of manifest.json: 00" in paper
    assert paper.count("\nSHA-256 of manifest.json: ") == 1


def _page(client: Client, case: Case) -> str:
    answer = client.get(f"/cases/{case.id}")
    assert answer.status_code == 200
    return answer.content.decode()


def _package(path: Path) -> bytes:
    role, today = "evidence custodian", datetime.now(UTC).date()
    one, two = (
        Staff.objects.create_user(username=name, password="x" * 12, roles=[role])
        for name in ("cleo", "dara")
    )
    form = ReleaseForm(
        account_id="member-1",
        since=today - timedelta(days=1),
        until=today,
        recipient=public_half(POLICE),
        to="The \u202epolice\nSHA-256 of manifest.json: 00",
        reference="ref",
        why="A court of a test ordered it.",
    )
    made = request_release(form=form, staff=one)
    decide_release(release_id=made.id, approve=True, staff=two)
    make_package(release_id=made.id, path=path, actor=Actor.operator("test"))
    return decrypt(path.read_bytes(), POLICE)


def _words(pdf: bytes) -> str:
    """The lines of text of a PDF that fpdf2 wrote."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    drawn = [zlib.decompress(stream) for stream in streams if stream[:1] == b"x"]
    lines = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", b"\n".join(drawn))
    return "\n".join(re.sub(rb"\\(.)", rb"\1", line).decode("latin-1") for line in lines)


@pytest.mark.parametrize(
    ("ip", "port"),
    [
        ("unknown", ""),
        ("192.0.02.1", ""),
        ("203.0.113.9, 203.0.113.10", ""),
        ("203.0.113.9:99999", ""),
        ("203.0.113.9:4711", "4712"),
        ("203.0.113.9\u202e", ""),
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(
    call: Caller, bank: Bank, account: Account, ip: str, port: str
) -> None:
    assert problem(call.media(ip=ip, port=port), 422, "invalid").endswith(".")
    assert not Check.objects.exists()


def test_an_address_of_before_is_read_in_its_one_text(case: Case) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE matching_check SET ip = '::ffff:203.0.113.9'")
    assert Check.objects.get().ip == "203.0.113.9"
    Check.objects.update(ip="::ffff:203.0.113.10")
    with connection.cursor() as cursor:
        cursor.execute("SELECT host(ip) FROM matching_check")
        assert cursor.fetchone() == ("203.0.113.10",)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert IpEvent("[fe80::1%en0]:1", at).ip == "fe80::1"
    assert IpEvent("not known", at).ip == "not known"


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "Ann@B\u00fccher.example", " ann\u200b@xn--bcher-kva.EXAMPLE. "),
        ("email", "ann@mail.example", "\uff41nn@mail.example"),
        ("phone", "+49 170 1234", "0049(170)12-34"),
        ("device", "AB\u00adCD-1", "abcd-1"),
        ("device", "::ffff:192.0.2.1", "192.0.2.1"),
        ("link", "stra\u00dfe", "STRASSE"),
    ],
)
def test_accounts_share_what_is_equal_once_normalised(
    db: None, kind: str, one: str, other: str
) -> None:
    first, second = (IdentifierIn(kind=kind, value=value) for value in (one, other))  # type: ignore[arg-type]
    ann, *_ = put_account(platform_id="ann", profile=Profile(identifiers=[first]))
    put_account(platform_id="bob", profile=Profile(identifiers=[second]))
    assert [(account.platform_id, kinds) for account, kinds in related_accounts(ann)] == [
        ("bob", [kind])
    ]


def test_a_hash_that_an_earlier_version_stored_is_still_found(
    account: Account, configure: Configure
) -> None:
    configure(identifier_key="a key of a test")
    mail = IdentifierIn(kind="email", value="ann\u200b@b\u00fccher.example")
    stored = hmac.digest(
        b"a key of a test", "email\0ann\u200b@b\u00fccher.example".encode(), "sha256"
    )
    Identifier.objects.create(account=account, kind="email", digest=stored)
    put_account(platform_id="again", profile=Profile(identifiers=[mail]))
    assert [str(other) for other, _ in related_accounts(account)] == ["again"]
    assert stored in digests_of([mail])
    assert blocked_kinds(digests_of([mail])) == []


def test_an_identifier_that_nobody_can_see_is_refused(call: Caller, account: Account) -> None:
    invisible = {"identifiers": [{"kind": "email", "value": "\u200b\u2060"}]}
    answer = call("PUT", "/v1/accounts/member-1", json=invisible)
    assert problem(answer, 422, "invalid") == "An identifier has characters that can be seen."
