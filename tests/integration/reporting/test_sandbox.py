"""The sandbox answers as the protocol's facts say, with every code that a client can provoke."""

import hashlib
import re
from typing import Any

import httpx
import pytest
from lxml import etree

from kinward.reporting.authorities.cybertipline.sandbox import Sandbox, http_status

REPORT = (
    "<report><incidentSummary><incidentType>Child Sex Trafficking</incidentType>"
    "<incidentDateTime>2026-01-01T00:00:00Z</incidentDateTime></incidentSummary><reporter>"
    "<reportingPerson><email>a@b.example</email></reportingPerson></reporter></report>"
)
BATCHED = REPORT.replace("<report>", '<report><batchedReport reason="VIRAL_POTENTIAL_MEME"/>')


class Esp:
    """A provider that talks to the sandbox by hand."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{sandbox.server_port}/ispws/", auth=("esp", "word")
        )

    def xml(self, path: str, document: str, **headers: str) -> httpx.Response:
        sent = {"Content-Type": "text/xml; charset=utf-8"} | headers
        return self.http.post(path, content=document.encode(), headers=sent)

    def open(self, document: str = REPORT) -> str:
        return found(self.xml("submit", document), "reportId")

    def upload(self, report_id: str, data: bytes = b"neutral") -> httpx.Response:
        return self.http.post("upload", data={"id": report_id}, files={"file": ("a.png", data)})

    def details(self, report_id: str, file_id: str, body: str = "") -> httpx.Response:
        return self.xml(
            "fileinfo",
            f"<fileDetails><reportId>{report_id}</reportId><fileId>{file_id}</fileId>{body}"
            "</fileDetails>",
        )

    def by_id(self, path: str, report_id: str) -> httpx.Response:
        return self.http.post(path, data={"id": report_id})


@pytest.fixture
def esp(sandbox: Sandbox) -> Esp:
    return Esp(sandbox)


def found(response: httpx.Response, name: str) -> str:
    return etree.fromstring(response.content).findtext(name) or ""


def code(response: httpx.Response) -> int:
    return int(found(response, "responseCode"))


def test_status_and_schema(esp: Esp) -> None:
    status = esp.http.get("status")
    assert found(status, "responseDescription").startswith("Remote User : esp, Remote Ip : ")
    assert found(status, "reportId") == ""
    assert re.fullmatch(r"[0-9a-f-]{36}", status.headers["Request-ID"])
    assert status.headers["Content-Type"] == "application/xml;charset=ISO-8859-1"
    schema = etree.XMLSchema(etree.fromstring(esp.http.get("xsd").content))
    assert schema.validate(etree.fromstring(REPORT))


def test_a_whole_report(esp: Esp, sandbox: Sandbox) -> None:
    report_id = esp.open()
    uploaded = esp.upload(report_id)
    file_id = found(uploaded, "fileId")
    assert re.fullmatch(r"[0-9a-f]{32}", file_id)
    assert found(uploaded, "hash") == hashlib.md5(b"neutral").hexdigest()  # noqa: S324
    assert code(esp.details(report_id, file_id)) == 0
    done = esp.by_id("finish", report_id)
    root = etree.fromstring(done.content)
    assert root.tag == "reportDoneResponse"
    assert root.findtext("files/fileId") == file_id
    assert sandbox.state.all()[0]["state"] == "finished"


def test_without_credentials(esp: Esp) -> None:
    response = esp.http.get("status", auth=("esp", "wrong"))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="ESP Web Services"'
    assert code(response) == 2000


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<report>", 4110),
        ("not xml", 4110),
        ("<report/>", 4100),
        ("<fileDetails><reportId>1</reportId><fileId>a</fileId></fileDetails>", 4100),
        (REPORT.replace("a@b.example", "nobody"), 4100),
        (REPORT.replace("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"), 4100),
        (REPORT.replace("Child Sex Trafficking", "Something"), 4100),
    ],
)
def test_documents_that_are_refused(esp: Esp, document: str, expected: int) -> None:
    response = esp.xml("submit", document)
    assert (response.status_code, code(response)) == (400, expected)


def test_other_ways_to_be_wrong(esp: Esp) -> None:
    assert code(esp.xml("submit", REPORT, **{"Content-Type": "application/json"})) == 4000
    assert code(esp.http.post("upload", content=b"x")) == 4200
    assert code(esp.http.post("upload", data={"id": "1"}, files={"other": b"x"})) == 4000
    assert code(esp.http.post("finish", data={})) == 4000
    assert code(esp.by_id("finish", "abc")) == 4000
    nothing = esp.http.get("nothing")
    assert (nothing.status_code, code(nothing)) == (404, 1210)


def test_what_does_not_exist(esp: Esp) -> None:
    for response in (esp.by_id("finish", "5"), esp.by_id("retract", "9" * 30), esp.upload("5")):
        assert (response.status_code, code(response)) == (404, 5001)
    report_id = esp.open()
    other = esp.open()
    file_id = found(esp.upload(other), "fileId")
    assert code(esp.details(report_id, file_id)) == 5002


def test_a_files_details_are_given_once(esp: Esp) -> None:
    report_id = esp.open()
    file_id = found(esp.upload(report_id), "fileId")
    assert code(esp.details(report_id, file_id)) == 0
    assert code(esp.details(report_id, file_id)) == 4000


def test_after_the_end_nothing_more(esp: Esp) -> None:
    finished, retracted = esp.open(), esp.open()
    assert code(esp.by_id("finish", finished)) == 0
    assert code(esp.by_id("retract", retracted)) == 0
    for report_id, expected in ((finished, 5102), (retracted, 5101)):
        for response in (
            esp.upload(report_id),
            esp.details(report_id, "a"),
            esp.by_id("finish", report_id),
            esp.by_id("retract", report_id),
        ):
            assert (response.status_code, code(response)) == (409, expected)


def test_an_unfinished_report_expires(esp: Esp, sandbox: Sandbox) -> None:
    report_id = esp.open()
    sandbox.state._scale = 0.0
    assert code(esp.by_id("finish", report_id)) == 5001
    assert sandbox.state.all()[0]["state"] == "expired"


def test_a_batched_report_has_one_file_that_is_marked(esp: Esp) -> None:
    report_id = esp.open(BATCHED)
    file_id = found(esp.upload(report_id), "fileId")
    assert code(esp.details(report_id, file_id)) == 4100
    marked = "<fileAnnotations><viral/></fileAnnotations>"
    named = "<originalFileName>a</originalFileName>"
    assert code(esp.details(report_id, file_id, named + marked)) == 4100
    assert code(esp.details(report_id, file_id, marked)) == 0
    esp.upload(report_id)
    response = esp.by_id("finish", report_id)
    assert (response.status_code, code(response)) == (400, 4100)


def test_it_remembers(esp: Esp, sandbox: Sandbox, tmp_path: Any) -> None:
    from kinward.reporting.authorities.cybertipline.sandbox_state import State

    report_id = esp.open()
    assert State(tmp_path / "sandbox.sqlite3").all()[0]["id"] == int(report_id)


@pytest.mark.parametrize(
    ("kind", "raised", "reports"),
    [
        ("lost-answer", httpx.RemoteProtocolError, 1),
        ("lost-request", httpx.RemoteProtocolError, 0),
        ("error", None, 0),
        ("bare-error", None, 1),
    ],
)
def test_faults(
    esp: Esp, sandbox: Sandbox, kind: str, raised: type[Exception] | None, reports: int
) -> None:
    url = f"http://127.0.0.1:{sandbox.server_port}/sandbox/faults"
    faults = [{"kind": kind, "endpoint": "submit", "times": 1}]
    assert esp.http.post(url, json=faults).status_code == 200
    if raised:
        with pytest.raises(raised):
            esp.xml("submit", REPORT)
    else:
        assert esp.xml("submit", REPORT).status_code >= 500
    assert len(sandbox.state.all()) == reports
    assert esp.xml("submit", REPORT).status_code == 200
    assert esp.http.post(url, json=[{"kind": "rude"}]).status_code == 400


def test_statuses_of_codes() -> None:
    assert {c: http_status(c) for c in (1000, 1210, 2000, 3100, 4100, 5001, 5102)} == {
        1000: 500,
        1210: 404,
        2000: 401,
        3100: 403,
        4100: 400,
        5001: 404,
        5102: 409,
    }
