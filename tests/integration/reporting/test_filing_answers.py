"""What an authority's answer without a code comes to: a person's eyes, or another try."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.reporting.answer import Answer
from kinward.reporting.draft import from_json
from kinward.reporting.filing import Filing, TryLater, Uncertain
from kinward.reporting.models import Call, Report
from kinward.reporting.services import file_report
from tests.integration.conftest import Configure
from tests.support.helpers import confirmed, listening

pytestmark = pytest.mark.django_db(transaction=True)


class Bare(ThreadingHTTPServer):
    """An authority that answers every call with a status and the same body, or with none."""

    status = 403
    body = b""
    calls = 0


@pytest.fixture
def bare(configure: Configure) -> Iterator[Bare]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.calls += 1
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(server.body)))
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, format: str, *args: Any) -> None: ...

    server = Bare(("127.0.0.1", 0), Handler)
    with listening(server):
        configure(
            cybertipline_url=f"http://127.0.0.1:{server.server_port}/ispws",
            cybertipline_username="esp",
            cybertipline_password="word",
        )
        yield server


@pytest.fixture
def report(bank: Bank, account: Account, reviewer: Staff) -> Report:
    confirmed(account, reviewer, "CS-1")
    return Report.objects.get()


def filing_of(report: Report) -> Filing:
    return Filing(report, draft=from_json(report.draft), succeeded=lambda answer: answer.code == 0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 499])
def test_a_bare_4xx_is_an_answer_and_is_kept(report: Report, status: int) -> None:
    answer = Answer(status, None, "no", "request-1")
    filing = filing_of(report)
    assert filing.call("submit", "text", lambda: answer) == answer
    assert filing.answered("submit") == answer
    assert Call.objects.get().answered_at is not None


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_bare_5xx_is_no_answer(report: Report, status: int) -> None:
    filing = filing_of(report)
    with pytest.raises(Uncertain, match=f"HTTP {status} without a code"):
        filing.call("submit", "text", lambda: Answer(status, None, "", ""))
    assert filing.answered("submit") is None
    with pytest.raises(Uncertain):
        filing.call("submit", "text", lambda: Answer(200, 0, "", ""))


@pytest.mark.parametrize("status", [401, 403])
def test_a_bare_refusal_is_shown_to_a_person_and_not_tried_again(
    report: Report, bare: Bare, status: int
) -> None:
    bare.status = status
    parked = file_report(report.id)
    assert parked.state == "parked"
    assert parked.problem.endswith(f"HTTP {status}: the credentials are not accepted.")
    assert bare.calls == 1
    assert file_report(report.id).state == "parked"
    assert bare.calls == 1
    assert Case.objects.get().state == "confirmed"


def said(code: str, report_id: str = "4711") -> bytes:
    told = f"<responseCode>{code}</responseCode><reportId>{report_id}</reportId>"
    return f"<reportResponse>{told}</reportResponse>".encode()


@pytest.mark.parametrize(
    "body",
    [
        *(said("9" * 20), said("-" + "9" * 20), said("1_0"), said("\u0660"), said("0.0")),
        *(
            said("0", ""),
            said("0", "9" * 101),
            said("0", "\u0664\u0667"),
            said("0", "4711&amp;x=1"),
        ),
        said("0").decode().encode("utf-16"),
    ],
)
def test_an_answer_that_no_report_has_is_tried_again_and_finishes_nothing(
    report: Report, bare: Bare, body: bytes
) -> None:
    bare.status, bare.body = 200, body
    for _ in range(2):
        with pytest.raises(TryLater):
            file_report(report.id)
        report.refresh_from_db()
        assert (report.state, report.external_id) == ("waiting", "")
    assert all(call.answered_at is not None for call in Call.objects.all())
