"""The documented rules beyond the schema: lengths, dates in the past, mutually exclusive elements.

Source: CyberTipline Reporting API technical documentation (June 2025). A rule yields a sentence for
each place where a document breaks it.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from kinward.reporting.authorities.cybertipline.schema import choices, schema

Rule = Callable[[etree._Element, datetime], Iterator[str]]

# Longest text by element, or by parent/element where the parent matters.
MAX_LENGTH: Final = {
    "platform": 256,
    "escalateToHighPriority": 3000,
    "incidentDateTimeDescription": 3000,
    "url": 2083,
    "legalURL": 2083,
    "profileUrl": 2083,
    "locationOfFile": 2083,
    "agencyName": 255,
    "caseNumber": 100,
    "vehicleDescription": 300,
    "espIdentifier": 255,
    "associatedAccount/espIdentifier": 256,
    "espService": 100,
    "associatedAccount/espService": 256,
    "screenName": 256,
    "displayName": 255,
    "groupIdentifier": 255,
    "associatedAccount/groupIdentifier": 256,
    "schoolName": 255,
    "firstName": 100,
    "lastName": 100,
    "associatedAccount/firstName": 256,
    "associatedAccount/middleName": 256,
    "associatedAccount/lastName": 256,
    "address/address": 255,
    "address/city": 100,
    "address/zipCode": 20,
    "address/nonUsaState": 100,
    "incidentAddress/address": 255,
    "incidentAddress/city": 100,
    "incidentAddress/zipCode": 20,
    "incidentAddress/nonUsaState": 100,
    "estimatedLocation/city": 255,
    "estimatedLocation/region": 255,
    "phone": 50,
    "phoneNumber": 50,
    "email": 255,
    "idType": 255,
    "idValue": 2083,
    "originalFileName": 2056,
    "nameValuePair/name": 64,
    "newsgroupIncident/name": 255,
    "chatClient": 255,
    "chatRoomName": 255,
    "gameName": 255,
    "console": 255,
    "locationName": 255,
    "client": 255,
}
NOT_BLANK: Final = {"escalateToHighPriority", "ipAddress", "idType", "idValue"}
URLS: Final = {"url", "legalURL", "profileUrl", "locationOfFile"}
DATES: Final = {"incidentDateTime", "dateTime", "dateOfBirth", "uploadedToEspTimestamp"}
DATE_ATTRIBUTES: Final = (
    "verificationDate",
    "timestamp",
    "disabledDate",
    "userNotifiedDate",
    "reenabledDate",
)
EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")
PORTS: Final = range(1, 65536)
AGES: Final = range(151)
DEGREES: Final = {"latitude": 90, "longitude": 180}


def faults(document: etree._Element, now: datetime) -> list[str]:
    """Return everything wrong with a document: by the schema, or if it is valid, by the rules."""
    checker = schema()
    if not checker.validate(document):
        return [entry.message for entry in checker.error_log]  # type: ignore[attr-defined]
    return [fault for rule in RULES for fault in rule(document, now)]


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _elements(document: etree._Element) -> Iterator[tuple[etree._Element, str, str]]:
    """Yield each element with its name and its text."""
    for element in document.iter(etree.Element):
        yield element, _name(element), (element.text or "").strip()


def _when(text: str) -> datetime | None:
    """Parse a dateTime; None if it is invalid or has no zone."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo else None


def texts_fit(document: etree._Element, now: datetime) -> Iterator[str]:
    """Check lengths, blanks, URLs, e-mail addresses and IP addresses."""
    for element, name, text in _elements(document):
        parent = element.getparent()
        place = f"{_name(parent)}/{name}" if parent is not None else name
        limit = MAX_LENGTH.get(place, MAX_LENGTH.get(name))
        if limit and not len(element) and len(element.text or "") > limit:
            yield f"{name} is longer than {limit} characters"
        if name in NOT_BLANK and not text:
            yield f"{name} is blank"
        if name in URLS and not _is_url(element.text or ""):
            yield f"{name} is not a valid URL"
        if name == "email" and not EMAIL.fullmatch(text):
            yield "email is not well-formed"
        if name == "ipAddress" and not _is_ip(text):
            yield "ipAddress is not a valid address"
        if name == "originalFileHash" and len(element.get("hashType", "")) > 64:
            yield "hashType is longer than 64 characters"


def _is_url(text: str) -> bool:
    if not text.isascii() or any(ch.isspace() or not ch.isprintable() for ch in text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "ftp") and bool(parts.netloc)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def dates_are_past(document: etree._Element, now: datetime) -> Iterator[str]:
    """Check that date-times have a zone, and that they and dates of birth lie in the past."""
    for element, name, text in _elements(document):
        stamps = [(name, text)] if name in DATES else []
        stamps += [(a, element.get(a, "")) for a in DATE_ATTRIBUTES if element.get(a)]
        for what, stamp in stamps:
            if what == "dateOfBirth":
                if stamp[:10] >= now.astimezone(UTC).date().isoformat():
                    yield "dateOfBirth is not in the past"
                continue
            when = _when(stamp)
            if when is None:
                yield f"{what} has no time zone"
            elif when > now:
                yield f"{what} is in the future"
        yield from _dates_in_order(element)


def _dates_in_order(element: etree._Element) -> Iterator[str]:
    disabled, notified, enabled = (
        _when(element.get(a, "")) for a in ("disabledDate", "userNotifiedDate", "reenabledDate")
    )
    if disabled and notified and notified < disabled:
        yield "userNotifiedDate is before disabledDate"
    if disabled and enabled and enabled <= disabled:
        yield "reenabledDate is not after disabledDate"


def numbers_fit(document: etree._Element, now: datetime) -> Iterator[str]:
    """Check ports, ages, degrees, and elements that exclude each other."""
    for element, name, text in _elements(document):
        if name == "port" and int(text) not in PORTS:
            yield "port is not from 1 to 65535"
        if name in ("age", "approximateAge") and int(text) not in AGES:
            yield f"{name} is not from 0 to 150"
        if name in ("age", "approximateAge"):
            parent = element.getparent()
            if parent is not None and parent.find("dateOfBirth") is not None:
                yield f"{name} and dateOfBirth exclude each other"
        if name in DEGREES and not abs(float(text)) <= DEGREES[name]:
            yield f"{name} is not in degrees"
        if element.get("verificationDate") and element.get("verified") not in ("true", "1"):
            yield f"{name} has a verificationDate but is not verified"
        code = element.get("countryCallingCode") if name == "phone" else None
        if code and text.startswith((code, code.lstrip("+"))):
            yield "phone repeats its countryCallingCode"


def locations_are_known(document: etree._Element, now: datetime) -> Iterator[str]:
    """Check that an estimated location names its country, and in the US its state."""
    for place in document.iter("estimatedLocation"):
        country = place.findtext("countryCode") or ""
        region, city = place.findtext("region"), place.findtext("city")
        if not country:
            yield "estimatedLocation has no countryCode"
        if country == "US" and (region or city) and region not in choices("state")[1:]:
            yield "estimatedLocation in the US needs a state as its region"


def report_is_consistent(document: etree._Element, now: datetime) -> Iterator[str]:
    """Check the rules over a whole report."""
    if _name(document) != "report":
        return
    if document.find("reporter/reportingPerson/email") is None:
        yield "reportingPerson has no email"
    batched = document.find("batchedReport") is not None
    if not batched and len(document.findall("personOrUserReported")) > 1:
        yield "more than one personOrUserReported"
    people = ("personOrUserReported/*", "intendedRecipient/*", "victim/*")
    known = {e.text for path in people for p in document.findall(path) for e in p.findall("email")}
    named = {e.text for e in document.iter("emailAddress")}
    for _ in sorted(str(address) for address in named - known):
        yield "an emailAddress is not an email of anyone in the report"
    if batched:
        yield from _batched(document)


def _batched(document: etree._Element) -> Iterator[str]:
    for name in ("internetDetails", "lawEnforcement", "intendedRecipient", "victim"):
        if document.find(name) is not None:
            yield f"a batched report has no {name}"
    for path in ("incidentSummary/escalateToHighPriority", "additionalInfo"):
        if document.find(path) is not None:
            yield f"a batched report has no {path}"
    for person in document.findall("personOrUserReported"):
        if [_name(child) for child in person] != ["espIdentifier"]:
            yield "a batched report names people by espIdentifier alone"


def file_is_consistent(document: etree._Element, now: datetime) -> Iterator[str]:
    """Check the rules over the details of a file."""
    if _name(document) != "fileDetails":
        return
    seen = document.findtext("fileViewedByEsp") == "true"
    if document.findtext("exifViewedByEsp") == "true" and not seen:
        yield "exifViewedByEsp is true but fileViewedByEsp is not"
    if document.findtext("fileRelevance") == "Supplemental Reported":
        meme = document.findtext("potentialMeme") == "true"
        if meme or document.find("fileAnnotations/potentialMeme") is not None:
            yield "a supplemental file is not marked as a potential meme"
        if document.find("industryClassification") is not None:
            yield "a supplemental file has no industryClassification"


RULES: Final[tuple[Rule, ...]] = (
    texts_fit,
    dates_are_past,
    numbers_fit,
    locations_are_known,
    report_is_consistent,
    file_is_consistent,
)
