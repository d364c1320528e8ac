"""The small parts of the authority's documents. Pure.

Each function leaves out an unknown value, cuts a long one, and drops a value that would make the
authority refuse the whole report: an invalid address must not stop a child's report.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from kinward.ground.addresses import normal_address
from kinward.ground.errors import Invalid
from kinward.ground.text import NO_TEXT
from kinward.reporting.draft import Device, IpEvent

MAX_INFO: Final = 3000
MAX_URL: Final = 2083
MAX_EMAIL: Final = 255
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")


def clean(value: str) -> str:
    """Put U+FFFD in the place of each character that XML does not allow, and drop a blank text."""
    return _ILLEGAL.sub(NO_TEXT, value) if _ILLEGAL.sub("", value).strip() else ""


def text(parent: etree._Element, name: str, value: str, limit: int | None = None) -> etree._Element:
    """Append a child with a text. The returned element stays detached if the text is empty."""
    element = etree.Element(name)
    element.text = clean(value)[:limit]
    if element.text:
        parent.append(element)
    return element


def boolean(parent: etree._Element, name: str, value: bool | None) -> etree._Element | None:
    """Append a child that is true or false; None appends nothing."""
    return None if value is None else text(parent, name, "true" if value else "false")


def flags(parent: etree._Element, name: str, wanted: list[str]) -> None:
    """Append a child with an element for every flag that is set."""
    if wanted:
        element = etree.SubElement(parent, name)
        for flag in wanted:
            etree.SubElement(element, flag).text = "true"


def url(parent: etree._Element, name: str, value: str) -> None:
    """Append a child with a URL, if the authority accepts it as one."""
    if is_url(value):
        text(parent, name, value)


def is_url(value: str) -> bool:
    """Return whether a text is a URL by the authority's rules."""
    if not value.isascii() or len(value) > MAX_URL:
        return False
    if any(character.isspace() or not character.isprintable() for character in value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "ftp") and bool(parts.netloc)


def is_email(value: str) -> bool:
    """Return whether a text is an e-mail address by the authority's rules."""
    return (
        len(value) <= MAX_EMAIL and clean(value) == value and bool(_EMAIL.fullmatch(value.strip()))
    )


def email(parent: etree._Element, value: str, name: str = "email") -> None:
    """Append a child with an e-mail address, if it is valid."""
    if is_email(value):
        text(parent, name, value.strip())


def ip_event(parent: etree._Element, event: IpEvent, now: datetime) -> None:
    """Append an `<ipCaptureEvent>`, if the address is valid."""
    try:
        address = normal_address(event.ip)
    except Invalid:
        return
    element = etree.SubElement(parent, "ipCaptureEvent")
    text(element, "ipAddress", address)
    text(element, "eventName", event.event)
    text(element, "dateTime", stamp(event.at, now))
    boolean(element, "possibleProxy", event.proxy)
    if event.port and 1 <= event.port <= 65535:
        text(element, "port", str(event.port))


def device(parent: etree._Element, seen: Device, now: datetime) -> None:
    """Append a `<deviceId>`, if both its kind and its id are known."""
    kind, id_ = clean(seen.kind).strip()[:255], clean(seen.id).strip()[:2083]
    if not kind.strip() or not id_.strip():
        return
    element = etree.SubElement(parent, "deviceId")
    text(element, "idType", kind)
    text(element, "idValue", id_)
    if seen.at:
        text(element, "dateTime", stamp(seen.at, now))


def stamp(at: datetime, now: datetime) -> str:
    """Format a moment in UTC, never in the future: a skewed clock must not get reports refused."""
    past = min(at, now - timedelta(seconds=1))
    return past.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
