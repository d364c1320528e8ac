"""What we write validates, says what the draft says, and nothing that it does not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from kinward.cases.drafting import ANNOTATIONS, CLASSIFICATIONS
from kinward.reporting.cybertipline.documents import (
    INCIDENT_TYPES,
    file_document,
    parse_xml,
    read_reply,
    report_document,
    to_xml,
)
from kinward.reporting.cybertipline.rules import faults
from kinward.reporting.cybertipline.schema import choices, schema
from kinward.reporting.draft import (
    Draft,
    IpEvent,
    ReportedAccount,
    ReportedFile,
    from_json,
    to_json,
)

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
CASE = UUID(int=1)
EMAIL = "safety@community.example"

text = st.text(max_size=4000)
moments = st.datetimes(
    datetime(2001, 1, 1),
    datetime(2027, 1, 1),
    timezones=st.just(UTC),
)
events = st.builds(
    IpEvent,
    ip=st.ip_addresses().map(str),
    at=moments,
    port=st.none() | st.integers(1, 65535),
)
files = st.builds(
    ReportedFile,
    evidence_id=st.uuids(),
    filename=text,
    uploaded_at=moments,
    hashes=st.dictionaries(st.sampled_from(["MD5", "SHA1", "PDQ"]), st.text("0123abc", min_size=1)),
    viewed=st.booleans(),
    public=st.none() | st.booleans(),
    classification=st.sampled_from(CLASSIFICATIONS),
    annotations=st.lists(st.sampled_from(["generativeAi", "viral"]), unique=True),
    ip_event=st.none() | events,
)
drafts = st.builds(
    Draft,
    case_id=st.uuids(),
    incident=st.sampled_from(sorted(INCIDENT_TYPES)),
    incident_at=moments,
    platform=text,
    account=st.builds(
        ReportedAccount,
        platform_id=text,
        screen_name=text,
        terminated_at=st.none() | moments,
        ip_events=st.lists(events, max_size=3),
    ),
    files=st.lists(files, max_size=3),
    annotations=st.lists(st.sampled_from(sorted(ANNOTATIONS)), unique=True),
    additional_info=text,
)


@given(drafts)
def test_every_draft_makes_valid_documents(draft: Draft) -> None:
    document = parse_xml(to_xml(report_document(draft, reporter_email=EMAIL, now=NOW)))
    assert faults(document, NOW) == []
    for file in draft.files:
        details = file_document(file, report_id="123", file_id="ab" * 16, now=NOW)
        read = parse_xml(to_xml(details))
        assert faults(read, NOW) == []
        assert read.findtext("fileViewedByEsp") == str(file.viewed).lower()


@given(drafts)
def test_a_draft_survives_the_database(draft: Draft) -> None:
    assert from_json(to_json(draft)) == draft


def test_what_is_not_known_is_left_out() -> None:
    draft = Draft(
        case_id=CASE,
        incident="enticement",
        incident_at=NOW - timedelta(days=1),
        platform="",
        account=ReportedAccount(platform_id="a"),
    )
    document = report_document(draft, reporter_email=EMAIL, now=NOW)
    names = {element.tag for element in document.iter()}
    assert names == {
        "report",
        "incidentSummary",
        "incidentType",
        "incidentDateTime",
        "reporter",
        "reportingPerson",
        "email",
        "personOrUserReported",
        "espIdentifier",
    }


def test_a_clock_that_runs_ahead_does_not_have_the_report_refused() -> None:
    draft = Draft(
        case_id=CASE,
        incident="imagery",
        incident_at=NOW + timedelta(minutes=4),
        platform="p",
        account=ReportedAccount(platform_id="a", terminated_at=NOW + timedelta(minutes=4)),
    )
    assert faults(report_document(draft, reporter_email=EMAIL, now=NOW), NOW) == []


def test_our_words_are_the_authoritys_words() -> None:
    assert set(INCIDENT_TYPES.values()) <= set(choices("incidentType"))
    assert set(CLASSIFICATIONS) - {""} == set(choices("fileClassification"))


@pytest.mark.parametrize(
    ("snippet", "valid"),
    [
        ("<spam/>", True),
        ("<spam>true</spam>", True),
        ("<spam>false</spam>", False),
        ("<spam>1</spam>", False),
        ("<spam/><sextortion/>", True),
        ("<informational/>", False),
    ],
)
def test_flags_are_true_or_absent(snippet: str, valid: bool) -> None:
    document = etree.fromstring(
        "<report><incidentSummary>"
        "<incidentType>Child Sex Trafficking</incidentType>"
        f"<reportAnnotations>{snippet}</reportAnnotations>"
        "<incidentDateTime>2026-01-01T00:00:00Z</incidentDateTime></incidentSummary>"
        "<reporter><reportingPerson/></reporter></report>"
    )
    assert schema().validate(document) is valid


@pytest.mark.parametrize("body", [b"", b"<html><body>", b"not xml", b"<reportResponse/>"])
def test_what_is_no_response_is_none(body: bytes) -> None:
    assert read_reply(body) is None


def test_a_response_is_read_by_its_bytes_and_without_entities() -> None:
    body = (
        b'<?xml version="1.0" encoding="UTF-8"?><reportResponse><responseCode>4100</responseCode>'
        b"<responseDescription>caf\xc3\xa9</responseDescription></reportResponse>"
    )
    reply = read_reply(body)
    assert reply is not None
    assert (reply.code, reply.description) == (4100, "café")
    bomb = (
        b'<!DOCTYPE a [<!ENTITY e "0">]>'
        b"<reportResponse><responseCode>&e;</responseCode></reportResponse>"
    )
    assert read_reply(bomb) is None
