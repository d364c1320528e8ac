"""The people of a report and the places of its incident, in the schema's order. Pure."""

from datetime import datetime
from typing import Final

from lxml import etree

from kinward.reporting.authorities.cybertipline.elements import (
    MAX_INFO,
    boolean,
    clean,
    device,
    email,
    ip_event,
    is_email,
    stamp,
    text,
    url,
)
from kinward.reporting.authorities.cybertipline.schema import choices
from kinward.reporting.draft import Address, Draft, Mail, Newsgroup, Person, Place, ReportedAccount

PEOPLE: Final = {
    "personOrUserReported": "personOrUserReportedPerson",
    "intendedRecipient": "intendedRecipientPerson",
    "victim": "victimPerson",
}
LONGEST_ID: Final = 2**63 - 1


def account(root: etree._Element, kind: str, of: ReportedAccount, now: datetime) -> None:
    """Write a `<personOrUserReported>`, `<intendedRecipient>` or `<victim>`."""
    element = etree.SubElement(root, kind)
    if of.person is not None or kind == "victim":
        _person(etree.SubElement(element, PEOPLE[kind]), of.person or Person(), now)
    if kind == "personOrUserReported":
        text(element, "vehicleDescription", of.vehicle, 300)
    text(element, "espIdentifier", of.platform_id, 255)
    text(element, "espService", of.service, 100)
    boolean(element, "compromisedAccount", of.compromised)
    text(element, "screenName", of.screen_name, 256)
    for name in of.display_names:
        text(element, "displayName", name, 255)
    for address in of.profile_urls:
        url(element, "profileUrl", address)
    text(element, "profileBio", of.bio)
    for event in of.ip_events:
        ip_event(element, event, now)
    for seen in of.devices:
        device(element, seen, now)
    _differences(element, kind, of)
    _disabled(element, of, now)
    if of.place is not None:
        _place(element, of.place, now)
    boolean(element, "allEmailsReported", of.all_emails)
    text(element, "additionalInfo", of.info, MAX_INFO)


def is_report_number(number: str) -> bool:
    """Return whether a text can be the number of a CyberTipline report.

    >>> [is_report_number(number) for number in ("7", "NCA-7", "0", "²", "9" * 19)]
    [True, False, False, False, False]
    """
    digits = number.isascii() and number.isdigit() and len(number) <= len(str(LONGEST_ID))
    return digits and 0 < int(number) <= LONGEST_ID


def _differences(element: etree._Element, kind: str, of: ReportedAccount) -> None:
    if kind == "victim":
        text(element, "schoolName", of.school, 255)
    if kind == "personOrUserReported":
        boolean(element, "thirdPartyUserReported", of.third_party)
    for number in map(str, of.prior_reports):
        if is_report_number(number):
            text(element, "priorCTReports", number)
    if kind != "victim":
        text(element, "groupIdentifier", of.group, 255)


def _disabled(element: etree._Element, of: ReportedAccount, now: datetime) -> None:
    for name, at in (
        ("accountTemporarilyDisabled", of.suspended_at),
        ("accountPermanentlyDisabled", of.terminated_at),
    ):
        if at is None:
            continue
        disabled = text(element, name, "true")
        disabled.set("disabledDate", stamp(at, now))
        if of.told_at is not None:
            disabled.set("userNotified", "true")
            disabled.set("userNotifiedDate", stamp(max(at, of.told_at), now))


def _person(element: etree._Element, person: Person, now: datetime) -> None:
    text(element, "firstName", person.first_name, 100)
    text(element, "lastName", person.last_name, 100)
    for number in person.phones:
        text(element, "phone", number.strip(), 50)
    for address in person.emails:
        email(element, address)
    for home in person.addresses:
        _address(element, "address", home)
    if person.born is not None and person.born < now.date():
        text(element, "dateOfBirth", person.born.isoformat())
    elif person.age is not None and 0 <= person.age <= 150:
        text(element, "age", str(person.age))


def _address(element: etree._Element, name: str, home: Address) -> None:
    """Append an element with an address, if any part of it is known."""
    child = etree.Element(name)
    text(child, "address", home.street, 255)
    text(child, "city", home.city, 100)
    text(child, "zipCode", home.zip, 20)
    text(child, "state", home.state if home.state in choices("state")[1:] else "")
    text(child, "nonUsaState", home.region, 100)
    text(child, "country", home.country if home.country in choices("country")[1:] else "")
    if len(child):
        element.append(child)


def _place(element: etree._Element, place: Place, now: datetime) -> None:
    """Append an estimated location. In the US a city is left out without a known state."""
    if place.country not in choices("country")[1:]:
        return
    region, city = clean(place.region)[:255], clean(place.city)[:255]
    if place.country == "US" and region not in choices("state")[1:]:
        region = city = ""
    child = etree.SubElement(element, "estimatedLocation")
    if place.at is not None:
        child.set("timestamp", stamp(place.at, now))
    text(child, "city", city)
    text(child, "region", region)
    text(child, "countryCode", place.country)


def incidents(root: etree._Element, draft: Draft, now: datetime) -> None:
    """Write one `<internetDetails>` for each place of the incident."""
    for page in draft.pages:
        element = _incident(root, "webPageIncident")
        if page.third_party is not None:
            element.set("thirdPartyHostedContent", "true" if page.third_party else "false")
        for address in page.urls:
            url(element, "url", address)
        text(element, "additionalInfo", page.info, MAX_INFO)
    known = _emails(draft)
    for mail in draft.mails:
        _mail(_incident(root, "emailIncident"), mail, known)
    for group in draft.newsgroups:
        element = _incident(root, "newsgroupIncident")
        text(element, "name", group.name, 255)
        _mail(element, group, known)
    for chat in draft.chats:
        element = _incident(root, "chatImIncident")
        text(element, "chatClient", chat.client, 255)
        text(element, "chatRoomName", chat.room, 255)
        text(element, "content", chat.content)
        text(element, "additionalInfo", chat.info, MAX_INFO)
    for game in draft.games:
        element = _incident(root, "onlineGamingIncident")
        text(element, "gameName", game.name, 255)
        text(element, "console", game.console, 255)
        text(element, "content", game.content)
        text(element, "additionalInfo", game.info, MAX_INFO)
    _elsewhere(root, draft, now)


def _elsewhere(root: etree._Element, draft: Draft, now: datetime) -> None:
    """Write the places that are phones, offline, or peer-to-peer networks."""
    for phone in draft.phones:
        element = _incident(root, "cellPhoneIncident")
        text(element, "phoneNumber", phone.number.strip(), 50)
        for name, degrees, most in (
            ("latitude", phone.latitude, 90),
            ("longitude", phone.longitude, 180),
        ):
            if degrees is not None and abs(degrees) <= most:
                text(element, name, str(degrees))
        text(element, "additionalInfo", phone.info, MAX_INFO)
    for event in draft.offline:
        element = _incident(root, "nonInternetIncident")
        text(element, "locationName", event.place, 255)
        for home in event.addresses:
            _address(element, "incidentAddress", home)
        text(element, "additionalInfo", event.info, MAX_INFO)
    for peer in draft.peers:
        element = _incident(root, "peer2peerIncident")
        text(element, "client", peer.client, 255)
        for seen in peer.ip_events:
            ip_event(element, seen, now)
        text(element, "fileNames", peer.filenames)
        text(element, "additionalInfo", peer.info, MAX_INFO)


def _mail(element: etree._Element, mail: Mail | Newsgroup, known: set[str]) -> None:
    for address in mail.addresses:
        if address.strip() in known:  # else the authority refuses the whole report
            email(element, address, "emailAddress")
    text(element, "content", mail.content)
    text(element, "additionalInfo", mail.info, MAX_INFO)


def _incident(root: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(etree.SubElement(root, "internetDetails"), name)


def _emails(draft: Draft) -> set[str]:
    """Return the e-mail addresses of everybody in the report."""
    people = (draft.account, *draft.recipients, *draft.victims)
    return {
        address.strip()
        for party in people
        if party.person is not None
        for address in party.person.emails
        if is_email(address)
    }
