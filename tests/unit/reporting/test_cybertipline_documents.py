"""What we write validates, says what the draft says, and nothing that it does not."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from kinward.reporting.authorities.cybertipline.documents import (
    Reporter,
    file_document,
    parse_xml,
    read_reply,
    report_document,
    to_xml,
)
from kinward.reporting.authorities.cybertipline.elements import clean
from kinward.reporting.authorities.cybertipline.rules import faults
from kinward.reporting.authorities.cybertipline.schema import choices, schema
from kinward.reporting.authorities.cybertipline.vocabulary import (
    ANNOTATIONS,
    INCIDENT_TYPES,
    VOCABULARY,
)
from kinward.reporting.draft import (
    Address,
    CellPhone,
    Chat,
    Device,
    Draft,
    Event,
    Game,
    IpEvent,
    LawEnforcement,
    Mail,
    Newsgroup,
    NonInternet,
    PeerToPeer,
    Person,
    Place,
    ReportedAccount,
    ReportedFile,
    WebPage,
    from_json,
    to_json,
)
from kinward.reporting.vocabulary import EVERY_INCIDENT

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
CASE = UUID(int=1)
EMAIL = "safety@community.example"

# At the limits, beyond them, and full of what XML or the authority does not take.
text = st.one_of(
    st.text(max_size=40),
    st.integers(1, 4000).map(lambda size: "x" * size),
    st.sampled_from(["", " ", "\x00\x0b", "\ud83d", "😀" * 300, "<&>", "a\nb"]),
)
moments = st.datetimes(
    datetime(2001, 1, 1),
    datetime(2027, 1, 1),
    timezones=st.just(UTC),
)
maybe = st.none() | st.booleans()
events = st.builds(
    IpEvent,
    ip=st.ip_addresses().map(str) | st.just("not an address"),
    at=moments,
    port=st.none() | st.integers(0, 70000),
    event=st.sampled_from(get_args(Event)),
    proxy=maybe,
)
devices = st.builds(Device, kind=text, id=text, at=st.none() | moments)
urls = st.one_of(
    text, st.just("https://app.example/p/1"), st.just("https://x.example/" + "y" * 3000)
)
emails = st.one_of(text, st.just("a@b.example"), st.just("x" * 65 + "@b.example"))
places = st.builds(
    Place,
    country=st.sampled_from(["US", "DE", "XX", "", "GB"]),
    region=st.sampled_from(["CA", "California", "", "Bavaria"]) | text,
    city=text,
    at=st.none() | moments,
)
addresses = st.builds(
    Address,
    street=text,
    city=text,
    zip=text,
    state=st.sampled_from(["CA", "", "ZZ"]),
    region=text,
    country=st.sampled_from(["US", "DE", "??"]),
)
people = st.builds(
    Person,
    first_name=text,
    last_name=text,
    phones=st.lists(text, max_size=2),
    emails=st.lists(emails, max_size=2),
    addresses=st.lists(addresses, max_size=2),
    age=st.none() | st.integers(-1, 200),
    born=st.none() | st.dates(date(1900, 1, 1), date(2030, 1, 1)),
)
degrees = st.none() | st.floats(-400, 400)
accounts = st.builds(
    ReportedAccount,
    platform_id=text,
    person=st.none() | people,
    screen_name=text,
    display_names=st.lists(text, max_size=2),
    profile_urls=st.lists(urls, max_size=2),
    bio=text,
    service=text,
    compromised=maybe,
    third_party=maybe,
    group=text,
    vehicle=text,
    school=text,
    ip_events=st.lists(events, max_size=2),
    devices=st.lists(devices, max_size=2),
    prior_reports=st.lists(st.integers(-1, 2**64) | text | st.just("NCA-7"), max_size=2),
    suspended_at=st.none() | moments,
    terminated_at=st.none() | moments,
    told_at=st.none() | moments,
    place=st.none() | places,
    all_emails=maybe,
    info=text,
)
files = st.builds(
    ReportedFile,
    evidence_id=st.uuids(),
    filename=text,
    uploaded_at=moments,
    hashes=st.dictionaries(
        st.sampled_from(["MD5", "SHA1", "PDQ", "x" * 90]), st.text("0123abc", min_size=1)
    ),
    viewed=st.booleans(),
    public=maybe,
    supplemental=st.booleans(),
    classification=st.sampled_from(["", "of another scale", *VOCABULARY.classes]),
    annotations=st.lists(st.sampled_from(["generativeAi", "viral", "potentialMeme"]), unique=True),
    location=urls,
    ip_event=st.none() | events,
    devices=st.lists(devices, max_size=2),
    details=st.dictionaries(text, text, max_size=3),
    info=text,
)
drafts = st.builds(
    Draft,
    case_id=st.uuids(),
    incident=st.sampled_from(sorted(INCIDENT_TYPES)),
    incident_at=moments,
    platform=text,
    account=accounts,
    incident_description=text,
    escalate=text,
    files=st.lists(files, max_size=3),
    annotations=st.lists(st.sampled_from(["another's word", *VOCABULARY.annotations]), unique=True),
    pages=st.lists(
        st.builds(WebPage, urls=st.lists(urls, max_size=2), info=text, third_party=maybe),
        max_size=2,
    ),
    mails=st.lists(
        st.builds(Mail, addresses=st.lists(emails, max_size=2), content=text, info=text),
        max_size=2,
    ),
    chats=st.lists(st.builds(Chat, client=text, room=text, content=text, info=text), max_size=2),
    games=st.lists(st.builds(Game, name=text, console=text, content=text, info=text), max_size=2),
    newsgroups=st.lists(
        st.builds(
            Newsgroup, name=text, addresses=st.lists(emails, max_size=2), content=text, info=text
        ),
        max_size=2,
    ),
    phones=st.lists(
        st.builds(CellPhone, number=text, latitude=degrees, longitude=degrees, info=text),
        max_size=2,
    ),
    offline=st.lists(
        st.builds(NonInternet, place=text, addresses=st.lists(addresses, max_size=2), info=text),
        max_size=2,
    ),
    peers=st.lists(
        st.builds(
            PeerToPeer,
            client=text,
            ip_events=st.lists(events, max_size=2),
            filenames=text,
            info=text,
        ),
        max_size=2,
    ),
    law_enforcement=st.none()
    | st.builds(
        LawEnforcement,
        agency=text,
        case_number=text,
        reported=maybe,
        domestic=maybe,
        international=maybe,
        country=st.sampled_from(["", "DE", "nowhere"]),
    ),
    victims=st.lists(accounts, max_size=2),
    recipients=st.lists(accounts, max_size=2),
    viral_accounts=st.lists(text.filter(lambda each: bool(clean(each))), max_size=3)
    | st.just(list[str]()),
    additional_info=text,
)
reporters = st.builds(Reporter, email=st.just(EMAIL), company=text, terms=text, legal_url=urls)


@settings(max_examples=300)
@given(drafts, reporters)
def test_every_draft_makes_valid_documents(draft: Draft, reporter: Reporter) -> None:
    document = parse_xml(to_xml(report_document(draft, reporter=reporter, now=NOW)))
    assert faults(document, NOW) == []
    batched = bool(draft.viral_accounts)
    for file in draft.files:
        details = file_document(file, report_id="123", file_id="ab" * 16, now=NOW, batched=batched)
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
    document = report_document(draft, reporter=Reporter(email=EMAIL), now=NOW)
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


def test_a_name_and_an_address_stand_as_they_are_known() -> None:
    seen = [IpEvent(ip, NOW) for ip in ("[::ffff:192.0.2.1%en0]:1", "fe80::1%en0", "unknown")]
    account = ReportedAccount(platform_id="a", screen_name="ann\u202e\x01b", ip_events=seen)
    draft = Draft(
        case_id=CASE, incident="imagery", incident_at=NOW, platform="Tidepool", account=account
    )
    document = report_document(draft, reporter=Reporter(email=EMAIL), now=NOW)
    assert document.findtext("personOrUserReported/screenName") == "ann\u202e\ufffdb"
    addresses = document.findall("personOrUserReported/ipCaptureEvent/ipAddress")
    assert [address.text for address in addresses] == ["192.0.2.1", "fe80::1"]
    assert not faults(document, NOW)


def test_a_clock_that_runs_ahead_does_not_have_the_report_refused() -> None:
    draft = Draft(
        case_id=CASE,
        incident="imagery",
        incident_at=NOW + timedelta(minutes=4),
        platform="p",
        account=ReportedAccount(platform_id="a", terminated_at=NOW + timedelta(minutes=4)),
    )
    assert faults(report_document(draft, reporter=Reporter(email=EMAIL), now=NOW), NOW) == []


def test_our_words_are_the_authoritys_words() -> None:
    assert set(INCIDENT_TYPES.values()) == set(choices("incidentType"))
    assert set(VOCABULARY.classes) == set(choices("fileClassification"))
    assert VOCABULARY.incidents == EVERY_INCIDENT
    assert set(ANNOTATIONS) == set(VOCABULARY.annotations)


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
