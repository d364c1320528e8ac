"""Drafts as the authority's documents, and the authority's answers as values. Pure.

Children are written in the schema's order, and what is not known is left out: an element that is
optional and empty means something else than its absence.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from lxml import etree

from kinward.guidelines.rules import Incident
from kinward.reporting.answer import Answer
from kinward.reporting.draft import Draft, IpEvent, ReportedFile

INCIDENT_TYPES: Final[dict[Incident, str]] = {
    "imagery": "Child Pornography (possession, manufacture, and distribution)",
    "enticement": "Online Enticement of Children for Sexual Acts",
    "trafficking": "Child Sex Trafficking",
}
MAX_INFO: Final = 3000
MAX_ANSWER: Final = 1024 * 1024
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Reply(msgspec.Struct, frozen=True):
    """A response document: its code, words, and the ids it gives."""

    code: int
    description: str = ""
    report_id: str = ""
    file_id: str = ""
    md5: str = ""


def parse_xml(data: bytes) -> etree._Element:
    """An XML document from a stranger: no entities, no network, no unbounded depth."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    return etree.fromstring(data, parser)


def read_reply(data: bytes) -> Reply | None:
    """The response in a body, or nothing when it is not one (empty, HTML, cut off)."""
    if not data or len(data) > MAX_ANSWER:
        return None
    try:
        root = parse_xml(data)
        code = int(root.findtext("responseCode") or "")
    except (etree.XMLSyntaxError, ValueError):
        return None
    return Reply(
        code=code,
        description=(root.findtext("responseDescription") or "").strip(),
        report_id=(root.findtext("reportId") or "").strip(),
        file_id=(root.findtext("fileId") or "").strip(),
        md5=(root.findtext("hash") or "").strip().lower(),
    )


def reply_of(answer: Answer) -> Reply | None:
    """The response in a kept answer."""
    return read_reply(answer.body.encode())


def report_document(draft: Draft, *, reporter_email: str, now: datetime) -> etree._Element:
    """The `<report>` of a draft."""
    root = etree.Element("report")
    summary = etree.SubElement(root, "incidentSummary")
    _text(summary, "incidentType", INCIDENT_TYPES[draft.incident])
    _text(summary, "platform", draft.platform, 256)
    _flags(summary, "reportAnnotations", draft.annotations)
    _text(summary, "incidentDateTime", _stamp(draft.incident_at, now))
    person = etree.SubElement(etree.SubElement(root, "reporter"), "reportingPerson")
    _text(person, "email", reporter_email)
    _account(root, draft, now)
    _text(root, "additionalInfo", draft.additional_info, MAX_INFO)
    return root


def _account(root: etree._Element, draft: Draft, now: datetime) -> None:
    account = etree.SubElement(root, "personOrUserReported")
    _text(account, "espIdentifier", draft.account.platform_id, 255)
    _text(account, "screenName", draft.account.screen_name, 256)
    for event in draft.account.ip_events:
        _ip_event(account, event, now)
    if draft.account.terminated_at:
        disabled = _text(account, "accountPermanentlyDisabled", "true")
        disabled.set("disabledDate", _stamp(draft.account.terminated_at, now))


def file_document(
    file: ReportedFile, *, report_id: str, file_id: str, now: datetime
) -> etree._Element:
    """The `<fileDetails>` of one uploaded file."""
    root = etree.Element("fileDetails")
    _text(root, "reportId", report_id)
    _text(root, "fileId", file_id)
    _text(root, "originalFileName", file.filename, 2056)
    _text(root, "uploadedToEspTimestamp", _stamp(file.uploaded_at, now))
    _text(root, "fileViewedByEsp", _boolean(file.viewed))
    if file.public is not None:
        _text(root, "publiclyAvailable", _boolean(file.public))
    _text(root, "fileRelevance", "Reported")
    _flags(root, "fileAnnotations", file.annotations)
    _text(root, "industryClassification", file.classification)
    for kind, value in file.hashes.items():
        if value:
            _text(root, "originalFileHash", value).set("hashType", kind)
    if file.ip_event:
        _ip_event(root, file.ip_event, now)
    return root


def to_xml(document: etree._Element) -> bytes:
    """The document as it is sent."""
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8")


def _ip_event(parent: etree._Element, event: IpEvent, now: datetime) -> None:
    element = etree.SubElement(parent, "ipCaptureEvent")
    _text(element, "ipAddress", event.ip)
    _text(element, "eventName", event.event)
    _text(element, "dateTime", _stamp(event.at, now))
    if event.port:
        _text(element, "port", str(event.port))


def _text(
    parent: etree._Element, name: str, value: str, limit: int | None = None
) -> etree._Element:
    """A child with a text; an empty text makes no child (the element returned is then loose)."""
    element = etree.Element(name)
    element.text = _ILLEGAL.sub("", value)[:limit]
    if element.text:
        parent.append(element)
    return element


def _flags(parent: etree._Element, name: str, flags: list[str]) -> None:
    if flags:
        element = etree.SubElement(parent, name)
        for flag in flags:
            etree.SubElement(element, flag).text = "true"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _stamp(at: datetime, now: datetime) -> str:
    """In UTC, and never in the future: a skewed clock must not have the report refused."""
    past = min(at, now - timedelta(seconds=1))
    return past.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
