"""The content of a report, in a neutral format that each authority renders in its own."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from kinward.ground.addresses import normal_address
from kinward.ground.errors import Invalid, KinwardError
from kinward.guidelines import Incident

Event = Literal["Login", "Registration", "Purchase", "Upload", "Other", "Unknown"]


ONCE_NAMED: Final = {  # annotations of format 1, which used one authority's names
    "csamSolicitation": "solicitation",
    "minorToMinorInteraction": "between minors",
    "sadisticOnlineExploitation": "sadistic exploitation",
}


class IpEvent(msgspec.Struct, frozen=True):
    """An IP address, when it was seen, and its action then.

    The address is in its one text, also in a draft that was stored before there was one.
    """

    ip: str
    at: datetime
    port: int | None = None
    event: Event = "Upload"
    proxy: bool | None = None

    def __post_init__(self) -> None:
        with suppress(Invalid):  # whoever renders the draft leaves out what is no address
            msgspec.structs.force_setattr(self, "ip", normal_address(self.ip))


class Device(msgspec.Struct, frozen=True):
    """A device by one of its ids, such as an IMEI."""

    kind: str
    id: str
    at: datetime | None = None


class Address(msgspec.Struct, frozen=True):
    """Where somebody lives. `country` is ISO 3166; `state` is of the US, `region` elsewhere."""

    street: str = ""
    city: str = ""
    zip: str = ""
    state: str = ""
    region: str = ""
    country: str = ""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person, as far as known. Either an age or a date of birth."""

    first_name: str = ""
    last_name: str = ""
    phones: list[str] = []
    emails: list[str] = []
    addresses: list[Address] = []
    age: int | None = None
    born: date | None = None


class Place(msgspec.Struct, frozen=True):
    """The rough location of an account. In the US a city needs its state as the region."""

    country: str
    region: str = ""
    city: str = ""
    at: datetime | None = None


class ReportedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account in a report: the one reported, a victim's, an intended recipient's.

    `prior_reports` are the same authority's numbers of earlier reports, as text; old drafts have
    them as integers. `school` is a victim's.
    """

    platform_id: str
    person: Person | None = None
    screen_name: str = ""
    display_names: list[str] = []
    profile_urls: list[str] = []
    bio: str = ""
    service: str = ""
    compromised: bool | None = None
    third_party: bool | None = None
    group: str = ""
    vehicle: str = ""
    school: str = ""
    ip_events: list[IpEvent] = []
    devices: list[Device] = []
    prior_reports: list[int | str] = []
    suspended_at: datetime | None = None
    terminated_at: datetime | None = None
    told_at: datetime | None = None
    place: Place | None = None
    all_emails: bool | None = None
    info: str = ""


class ReportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a report. `viewed` is true only if a person saw all of it in its case.

    A `supplemental` file gives context, and is not itself the reason for the report. The vocabulary
    of the authority has the classifications and annotations.
    """

    evidence_id: UUID
    filename: str
    uploaded_at: datetime
    hashes: dict[str, str]
    viewed: bool
    public: bool | None = None
    supplemental: bool = False
    classification: str = ""
    annotations: list[str] = []
    location: str = ""
    ip_event: IpEvent | None = None
    devices: list[Device] = []
    details: dict[str, str] = {}
    info: str = ""


class WebPage(msgspec.Struct, frozen=True):
    """An incident on web pages. `third_party`: hosted by somebody else."""

    urls: list[str] = []
    info: str = ""
    third_party: bool | None = None


class Mail(msgspec.Struct, frozen=True):
    """An incident in e-mail: the addresses, and the headers, subject and body."""

    addresses: list[str] = []
    content: str = ""
    info: str = ""


class Newsgroup(msgspec.Struct, frozen=True):
    """An incident in a newsgroup: its name, the addresses, and the text."""

    name: str = ""
    addresses: list[str] = []
    content: str = ""
    info: str = ""


class Chat(msgspec.Struct, frozen=True):
    """An incident in a chat: its program and room, and the text."""

    client: str = ""
    room: str = ""
    content: str = ""
    info: str = ""


class Game(msgspec.Struct, frozen=True):
    """An incident in an online game."""

    name: str = ""
    console: str = ""
    content: str = ""
    info: str = ""


class CellPhone(msgspec.Struct, frozen=True):
    """An incident on a phone: its number, and its position in degrees north and east."""

    number: str = ""
    latitude: float | None = None
    longitude: float | None = None
    info: str = ""


class NonInternet(msgspec.Struct, frozen=True):
    """An incident offline: the name of the place, and its addresses."""

    place: str = ""
    addresses: list[Address] = []
    info: str = ""


class PeerToPeer(msgspec.Struct, frozen=True):
    """An incident in a peer-to-peer network: the program, the IP addresses, the file names."""

    client: str = ""
    ip_events: list[IpEvent] = []
    filenames: str = ""
    info: str = ""


class LawEnforcement(msgspec.Struct, frozen=True, kw_only=True):
    """The police agency that knows of the incident, and the legal process it served."""

    agency: str
    case_number: str = ""
    reported: bool | None = None
    domestic: bool | None = None
    international: bool | None = None
    country: str = ""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a report. A field that is optional to the authority is optional here.

    `escalate` is the reason for somebody to look at once; empty for none. With `viral_accounts` the
    report is about one file that many accounts shared as a meme, and names little but the accounts.
    """

    case_id: UUID
    incident: Incident
    incident_at: datetime
    platform: str
    account: ReportedAccount
    incident_description: str = ""
    escalate: str = ""
    files: list[ReportedFile] = []
    annotations: list[str] = []
    pages: list[WebPage] = []
    mails: list[Mail] = []
    newsgroups: list[Newsgroup] = []
    chats: list[Chat] = []
    games: list[Game] = []
    phones: list[CellPhone] = []
    offline: list[NonInternet] = []
    peers: list[PeerToPeer] = []
    law_enforcement: LawEnforcement | None = None
    victims: list[ReportedAccount] = []
    recipients: list[ReportedAccount] = []
    viral_accounts: list[str] = []
    additional_info: str = ""


class DraftUnreadable(KinwardError):
    """The draft of this report cannot be read. It may be of a newer version of Kinward."""

    code = "report.draft_unreadable"


def _decode_1(value: Mapping[str, Any]) -> Draft:
    draft = _decode_2(value)
    annotations = [ONCE_NAMED.get(name, name) for name in draft.annotations]
    return msgspec.structs.replace(draft, annotations=annotations)


def _decode_2(value: Mapping[str, Any]) -> Draft:
    return msgspec.convert(value, Draft)


# Never remove or narrow a decoder: a report may be filed long after its verdict.
# A draft of each format is in tests/support/stored, and a format without one fails the tests.
FORMAT: Final = 2
FORMATS: Final[dict[int, Callable[[Mapping[str, Any]], Draft]]] = {1: _decode_1, 2: _decode_2}


def to_json(draft: Draft) -> dict[str, object]:
    """Encode a draft as JSON values with the number of their format, to keep in the database."""
    return {"format": FORMAT, **msgspec.to_builtins(draft)}


def from_json(value: object) -> Draft:
    """Decode a stored draft of any format; without a number it is format 1.

    Raises `DraftUnreadable`. The authority's rules are checked by its client, at filing.
    """
    number = value.get("format", 1) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or type(number) is not int or number not in FORMATS:
        known = ", ".join(map(str, FORMATS))
        raise DraftUnreadable(f"Its format is {number!r}; known are {known}.")
    try:
        return FORMATS[number](value)
    except msgspec.ValidationError as error:
        raise DraftUnreadable(str(error)) from error
