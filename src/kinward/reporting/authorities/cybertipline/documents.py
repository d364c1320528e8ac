"""The authority's documents, written from drafts, and its answers, read into values. Pure.

Elements are in the schema's order, and unknown facts are left out, because an empty optional
element means something else than an absent one.
"""

import re
from datetime import datetime
from typing import Final

import msgspec
from lxml import etree

from kinward.reporting.answer import Answer
from kinward.reporting.authorities.cybertipline.elements import (
    MAX_INFO,
    boolean,
    clean,
    device,
    flags,
    ip_event,
    stamp,
    text,
    url,
)
from kinward.reporting.authorities.cybertipline.parties import account, incidents
from kinward.reporting.authorities.cybertipline.schema import choices
from kinward.reporting.authorities.cybertipline.vocabulary import (
    ANNOTATIONS,
    INCIDENT_TYPES,
    VOCABULARY,
)
from kinward.reporting.draft import Draft, ReportedFile

MAX_ANSWER: Final = 1024 * 1024
_CODE: Final = re.compile(r"\s*(-?[0-9]{1,9})\s*", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{0,18}", re.ASCII)  # of a report
_FILE: Final = re.compile(r"[!-~]{0,200}")


class Reply(msgspec.Struct, frozen=True):
    """A response document: its code, its description and its ids."""

    code: int
    description: str = ""
    report_id: str = ""
    file_id: str = ""
    md5: str = ""


def parse_xml(data: bytes) -> etree._Element:
    """Parse untrusted XML: no entities, no network, no unbounded depth."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    return etree.fromstring(data, parser)


def read_reply(data: bytes) -> Reply | None:
    """Read the response in a body; None if there is none (empty, HTML, cut off, no such ids)."""
    if not data or len(data) > MAX_ANSWER:
        return None
    try:
        root = parse_xml(data)
    except (etree.XMLSyntaxError, ValueError):
        return None
    code = _CODE.fullmatch(root.findtext("responseCode") or "")
    report_id = (root.findtext("reportId") or "").strip()
    file_id = (root.findtext("fileId") or "").strip()
    if code is None or not _NUMBER.fullmatch(report_id) or not _FILE.fullmatch(file_id):
        return None
    return Reply(
        code=int(code[1]),
        description=(root.findtext("responseDescription") or "").strip(),
        report_id=report_id,
        file_id=file_id,
        md5=(root.findtext("hash") or "").strip().lower(),
    )


def reply_of(answer: Answer) -> Reply | None:
    """Read the response in a stored answer; None if there is none."""
    return read_reply(answer.body.encode())


class Reporter(msgspec.Struct, frozen=True, kw_only=True):
    """The reporting company: the address for replies, and its fixed texts."""

    email: str
    company: str = ""
    terms: str = ""
    legal_url: str = ""


def report_document(draft: Draft, *, reporter: Reporter, now: datetime) -> etree._Element:
    """Write the `<report>` of a draft."""
    if draft.viral_accounts:
        return _batched_document(draft, reporter=reporter, now=now)
    root = etree.Element("report")
    _summary(root, draft, now)
    incidents(root, draft, now)
    _law_enforcement(root, draft)
    _reporter(root, reporter)
    account(root, "personOrUserReported", draft.account, now)
    for recipient in draft.recipients:
        account(root, "intendedRecipient", recipient, now)
    for victim in draft.victims:
        account(root, "victim", victim, now)
    text(root, "additionalInfo", draft.additional_info, MAX_INFO)
    return root


def _batched_document(draft: Draft, *, reporter: Reporter, now: datetime) -> etree._Element:
    """Write a report about one file that many accounts shared. It names them by id alone."""
    root = etree.Element("report")
    etree.SubElement(root, "batchedReport", reason="VIRAL_POTENTIAL_MEME")
    _summary(root, msgspec.structs.replace(draft, escalate=""), now)
    _reporter(root, reporter)
    for platform_id in draft.viral_accounts:
        person = etree.SubElement(root, "personOrUserReported")
        text(person, "espIdentifier", platform_id, 255)
    return root


def _summary(root: etree._Element, draft: Draft, now: datetime) -> None:
    summary = etree.SubElement(root, "incidentSummary")
    text(summary, "incidentType", INCIDENT_TYPES[draft.incident])
    text(summary, "platform", draft.platform, 256)
    if draft.escalate.strip():
        text(summary, "escalateToHighPriority", draft.escalate.strip(), 3000)
    known = [ANNOTATIONS[name] for name in draft.annotations if name in ANNOTATIONS]
    flags(summary, "reportAnnotations", known)
    text(summary, "incidentDateTime", stamp(draft.incident_at, now))
    text(summary, "incidentDateTimeDescription", draft.incident_description, 3000)


def _law_enforcement(root: etree._Element, draft: Draft) -> None:
    told = draft.law_enforcement
    if told is None or not clean(told.agency):
        return
    element = etree.SubElement(root, "lawEnforcement")
    text(element, "agencyName", told.agency, 255)
    text(element, "caseNumber", told.case_number, 100)
    boolean(element, "reportedToLe", told.reported)
    boolean(element, "servedLegalProcessDomestic", told.domestic)
    abroad = boolean(element, "servedLegalProcessInternational", told.international)
    if abroad is not None and told.country in choices("country")[1:]:
        abroad.set("fleaCountry", told.country)


def _reporter(root: etree._Element, reporter: Reporter) -> None:
    element = etree.SubElement(root, "reporter")
    text(etree.SubElement(element, "reportingPerson"), "email", reporter.email)
    text(element, "companyTemplate", reporter.company)
    text(element, "termsOfService", reporter.terms)
    url(element, "legalURL", reporter.legal_url)


def file_document(
    file: ReportedFile, *, report_id: str, file_id: str, now: datetime, batched: bool = False
) -> etree._Element:
    """Write the `<fileDetails>` of one uploaded file, which is short in a batched report."""
    root = etree.Element("fileDetails")
    text(root, "reportId", report_id)
    text(root, "fileId", file_id)
    if batched:
        boolean(root, "fileViewedByEsp", file.viewed)
        memes = [name for name in file.annotations if name in ("viral", "potentialMeme")]
        flags(root, "fileAnnotations", memes or ["potentialMeme"])
        _classification(root, file.classification)
        return root
    text(root, "originalFileName", file.filename, 2056)
    text(root, "uploadedToEspTimestamp", stamp(file.uploaded_at, now))
    url(root, "locationOfFile", file.location)
    boolean(root, "fileViewedByEsp", file.viewed)
    boolean(root, "publiclyAvailable", file.public)
    text(root, "fileRelevance", "Supplemental Reported" if file.supplemental else "Reported")
    annotations = file.annotations
    if file.supplemental:
        annotations = [name for name in annotations if name != "potentialMeme"]
    flags(root, "fileAnnotations", annotations)
    _classification(root, "" if file.supplemental else file.classification)
    for kind, value in file.hashes.items():
        if value and kind:
            text(root, "originalFileHash", value).set("hashType", kind[:64])
    if file.ip_event:
        ip_event(root, file.ip_event, now)
    for seen in file.devices:
        device(root, seen, now)
    _details(root, file.details)
    text(root, "additionalInfo", file.info, MAX_INFO)
    return root


def _classification(root: etree._Element, given: str) -> None:
    text(root, "industryClassification", given if given in VOCABULARY.classes else "")


def _details(root: etree._Element, details: dict[str, str]) -> None:
    """Write the metadata of a file as EXIF pairs."""
    pairs = [(clean(name)[:64], clean(value)) for name, value in details.items()]
    pairs = [(name, value) for name, value in pairs if name and value]
    if pairs:
        element = etree.SubElement(root, "details", type="EXIF")
        for name, value in pairs:
            pair = etree.SubElement(element, "nameValuePair")
            text(pair, "name", name)
            text(pair, "value", value)


def to_xml(document: etree._Element) -> bytes:
    """Serialise a document for sending."""
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8")
