"""Each documented rule, broken once."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from kinward.reporting.authorities.cybertipline.rules import faults

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
REPORTER = "<reporter><reportingPerson><email>a@b.example</email></reportingPerson></reporter>"


def report(person: str = "", *, summary: str = "", details: str = "", tail: str = "") -> str:
    return (
        "<report><incidentSummary><incidentType>Child Sex Trafficking</incidentType>"
        f"{summary}<incidentDateTime>2026-01-01T00:00:00Z</incidentDateTime></incidentSummary>"
        f"{details}{REPORTER}"
        + (f"<personOrUserReported>{person}</personOrUserReported>" if person else "")
        + f"{tail}</report>"
    )


def file(body: str) -> str:
    return f"<fileDetails><reportId>1</reportId><fileId>a</fileId>{body}</fileDetails>"


IP = "<ipCaptureEvent><ipAddress>{}</ipAddress>{}</ipCaptureEvent>"
BROKEN = {
    "longer than 3000": report(
        summary=f"<escalateToHighPriority>{'x' * 3001}</escalateToHighPriority>"
    ),
    "escalateToHighPriority is blank": report(
        summary="<escalateToHighPriority> </escalateToHighPriority>"
    ),
    "espIdentifier is longer than 255": report(f"<espIdentifier>{'x' * 256}</espIdentifier>"),
    "screenName is longer than 256": report(f"<screenName>{'x' * 257}</screenName>"),
    "profileUrl is not a valid URL": report("<profileUrl>http://a b</profileUrl>"),
    "ipAddress is not a valid": report(IP.format("300.1.1.1", "")),
    "port is not from 1": report(IP.format("1.1.1.1", "<port>0</port>")),
    "dateTime is in the future": report(
        IP.format("1.1.1.1", "<dateTime>2027-01-01T00:00:00Z</dateTime>")
    ),
    "dateTime has no time zone": report(
        IP.format("1.1.1.1", "<dateTime>2026-01-01T00:00:00</dateTime>")
    ),
    "disabledDate is in the future": report(
        '<accountPermanentlyDisabled disabledDate="2027-01-01T00:00:00Z">true'
        "</accountPermanentlyDisabled>"
    ),
    "userNotifiedDate is before": report(
        '<accountPermanentlyDisabled disabledDate="2026-02-01T00:00:00Z" '
        'userNotifiedDate="2026-01-01T00:00:00Z">true</accountPermanentlyDisabled>'
    ),
    "reenabledDate is not after": report(
        '<accountTemporarilyDisabled disabledDate="2026-02-01T00:00:00Z" '
        'reenabledDate="2026-02-01T00:00:00Z">true</accountTemporarilyDisabled>'
    ),
    "age is not from 0": report(
        "<personOrUserReportedPerson><age>151</age></personOrUserReportedPerson>"
    ),
    "exclude each other": report(
        "<personOrUserReportedPerson><age>20</age><dateOfBirth>2000-01-01</dateOfBirth>"
        "</personOrUserReportedPerson>"
    ),
    "dateOfBirth is not in the past": report(
        "<personOrUserReportedPerson><dateOfBirth>2030-01-01</dateOfBirth></personOrUserReportedPerson>"
    ),
    "email is not well-formed": report(
        "<personOrUserReportedPerson><email>nobody</email></personOrUserReportedPerson>"
    ),
    "not verified": report(
        '<personOrUserReportedPerson><email verificationDate="2026-01-01T00:00:00Z">a@b.example'
        "</email></personOrUserReportedPerson>"
    ),
    "repeats its countryCallingCode": report(
        '<personOrUserReportedPerson><phone countryCallingCode="+49">+4930123</phone>'
        "</personOrUserReportedPerson>"
    ),
    "has no countryCode": report("<estimatedLocation><city>X</city></estimatedLocation>"),
    "needs a state": report(
        "<estimatedLocation><city>X</city><countryCode>US</countryCode></estimatedLocation>"
    ),
    "more than one personOrUserReported": report("<espIdentifier>a</espIdentifier>").replace(
        "</report>", "<personOrUserReported/></report>"
    ),
    "reportingPerson has no email": report().replace("<email>a@b.example</email>", ""),
    "emailAddress is not an email of anyone": report(
        details="<internetDetails><emailIncident><emailAddress>x@y.example</emailAddress>"
        "</emailIncident></internetDetails>"
    ),
    "batched report has no additionalInfo": report(
        "<espIdentifier>a</espIdentifier>", tail="<additionalInfo>x</additionalInfo>"
    ).replace("<report>", '<report><batchedReport reason="VIRAL_POTENTIAL_MEME"/>'),
    "names people by espIdentifier alone": report("<screenName>a</screenName>").replace(
        "<report>", '<report><batchedReport reason="VIRAL_POTENTIAL_MEME"/>'
    ),
    "fileViewedByEsp is not": file("<exifViewedByEsp>true</exifViewedByEsp>"),
    "supplemental file has no industryClassification": file(
        "<fileRelevance>Supplemental Reported</fileRelevance>"
        "<industryClassification>A1</industryClassification>"
    ),
    "supplemental file is not marked": file(
        "<fileRelevance>Supplemental Reported</fileRelevance>"
        "<fileAnnotations><potentialMeme/></fileAnnotations>"
    ),
    "hashType is longer": file(f'<originalFileHash hashType="{"x" * 65}">ab</originalFileHash>'),
    "originalFileName is longer than 2056": file(
        f"<originalFileName>{'x' * 2057}</originalFileName>"
    ),
    "No matching global": "<somethingElse/>",
    "This element is not expected": report().replace(
        "<reporter>", "<additionalInfo>x</additionalInfo><reporter>"
    ),
}


@pytest.mark.parametrize("expected", BROKEN)
def test_a_broken_rule_is_named(expected: str) -> None:
    found = faults(etree.fromstring(BROKEN[expected]), NOW)
    assert any(expected in fault for fault in found), found


def test_a_whole_report_breaks_none() -> None:
    assert faults(etree.fromstring(report("<espIdentifier>a</espIdentifier>")), NOW) == []
    assert faults(etree.fromstring(file("<fileViewedByEsp>true</fileViewedByEsp>")), NOW) == []
