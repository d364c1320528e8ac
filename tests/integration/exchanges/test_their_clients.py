"""`kinward sandbox exchange` serves the clients that python-threatexchange has for its partners."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from kinward.exchanges import sandbox

from kinward.exchanges.partners import connect  # isort: skip  threatexchange needs a pdqhash
from threatexchange.exchanges.clients.ncmec import hash_api
from threatexchange.exchanges.clients.stopncii import api as stopncii
from threatexchange.exchanges.impl.ncmec_api import NCMECCollabConfig, NCMECSignalExchangeAPI

from kinward.exchanges.models import Exchange
from kinward.exchanges.sandbox import ENVIRONMENTS, Entry, Partner, generated
from kinward.exchanges.services import add_exchange
from kinward.exchanges.sync import sync_exchange
from kinward.matching.models import BankedHash
from tests.integration.conftest import Configure
from tests.integration.exchanges.test_exchanges import ACTOR, banked
from tests.support import theirs
from tests.support.helpers import listening

ENTRIES = 2500


@pytest.fixture
def partner() -> Iterator[Partner]:
    with listening(sandbox.serve()) as server:
        for seed, environment in enumerate(ENVIRONMENTS):
            server.put(*generated(ENTRIES - seed, seed=seed), environment=environment)
        yield server


def ncmec(partner: Partner, environment: str = "hashsharing", user: str = "sandbox") -> Any:
    where: Any = SimpleNamespace(value=f"{partner.url}/{environment}")
    return hash_api.NCMECHashAPI(user, "sandbox", where)


def their_stopncii(partner: Partner, key: str = "sandbox") -> stopncii.StopNCIIAPI:
    more = dict.fromkeys(
        (stopncii.StopNCIIEndpoint.SubmitHashes, stopncii.StopNCIIEndpoint.SubmitFeedback), "key"
    )
    return stopncii.StopNCIIAPI(key, "key", more, f"{partner.url}/stopncii")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_ncmec_s_client_reads_each_environment_page_by_page(
    partner: Partner, environment: str
) -> None:
    count = ENTRIES - ENVIRONMENTS.index(environment)
    client = ncmec(partner, environment)
    pages = list(client.get_entries_iter())
    assert [len(page.updates) for page in pages] == [1000, 1000, count - 2000]
    assert pages[0].estimated_entries_in_range > 1000
    read = {(entry.member_id, entry.id): entry for page in pages for entry in page.updates}
    live = partner.shelves[environment].live()
    assert set(read) == {(entry.member, entry.id) for entry in live}
    for entry in live[:50]:
        got = read[entry.member, entry.id]
        assert got.fingerprints == entry.fingerprints
        assert got.classification == entry.classification
        assert got.entry_type.value == ("video" if entry.video else "image")


def test_ncmec_s_client_is_told_who_it_is_and_who_else_there_is(partner: Partner) -> None:
    client = ncmec(partner)
    assert client.status().esp_name == "Member 1"
    assert {member.esp_id for member in client.members()} == set(range(1, 8))
    with pytest.raises(requests.HTTPError, match="401"):
        ncmec(partner, user="wrong").status()


def test_ncmec_s_client_votes_and_reads_the_votes(partner: Partner) -> None:
    client, kind = ncmec(partner), hash_api.FingerprintType.md5
    entry = client.get_entries().updates[0]
    client.submit_upvote(entry.member_id, entry.id, kind)
    client.submit_feedback(entry.member_id, entry.id, kind, hash_api.FeedbackType.downvote)
    again = next(row for row in client.get_entries().updates if row.id == entry.id)
    votes = [vote.feedback_type.value for vote in again.feedback["Md5"]]
    assert sorted(votes) == ["downvote", "upvote"]
    with pytest.raises(requests.HTTPError, match="404"):
        client.submit_upvote(9, "nobody's", kind)


def test_ncmec_s_interface_reads_the_whole_list_and_then_what_was_deleted(partner: Partner) -> None:
    where: Any = SimpleNamespace(value=f"{partner.url}/hashsharing")
    config = NCMECCollabConfig(name="theirs", environment=where)
    interface = NCMECSignalExchangeAPI(config, "sandbox", "sandbox")
    read: dict[str, Any] = {}
    for part in interface.fetch_iter((), None):
        read.update(part.updates)
    assert len(read) == ENTRIES


def test_stopncii_s_client_reads_page_by_page(partner: Partner) -> None:
    client = their_stopncii(partner)
    pages = [client.fetch_hashes(page_size=200)]
    while pages[-1].hasMoreRecords:
        token = pages[-1].nextPageToken or ""
        pages.append(client.fetch_hashes(page_size=200, next_page=token))
    records = [record for page in pages for record in page.hashRecords]
    assert len(pages) > 2
    assert records == [row for page in client.fetch_hashes_iter() for row in page.hashRecords]
    live = partner.live()
    pdq = {entry.fingerprints["pdq"] for entry in live if "pdq" in entry.fingerprints}
    kinds = stopncii.StopNCIISignalType
    assert {row.hashValue for row in records if row.signalType == kinds.ImagePDQ} == pdq
    assert {row.signalType for row in records} == {kinds.ImagePDQ, kinds.VideoMD5}
    with pytest.raises(requests.HTTPError, match="401"):
        their_stopncii(partner, key="wrong").fetch_hashes()


def test_stopncii_s_client_gives_and_withdraws(partner: Partner) -> None:
    client, value = their_stopncii(partner), "ab" * 32
    client.submit_hash(stopncii.StopNCIISignalType.ImagePDQ, value, {"a tag"})
    blocked = stopncii.StopNCIICSPFeedbackValue.Blocked
    client.submit_feedback(stopncii.StopNCIISignalType.ImagePDQ, value, blocked, {"seen"})
    partner.put(Entry(3, "gone", 1000, {"pdq": "cd" * 32}, deleted=True))
    records = {
        row.hashValue: row for page in client.fetch_hashes_iter() for row in page.hashRecords
    }
    (feedback,) = records[value].CSPFeedbacks
    assert (feedback.feedbackValue, feedback.tags) == (blocked, {"seen"})
    assert records["cd" * 32].hashStatus == stopncii.StopNCIICaseStatus.Withdrawn


@pytest.mark.django_db
@pytest.mark.parametrize("api", ["their_ncmec", "their_stop_ncii", "ncmec", "stop_ncii"])
def test_kinward_fills_a_bank_through_their_interfaces_and_through_ours(
    partner: Partner, api: str, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(inner_hosts="127.0.0.1")  # their interfaces name no host in their configuration
    extension = "tests.support.theirs" if api.startswith("their") else ""
    url = f"{partner.url}/{'hashsharing' if api.endswith('ncmec') else 'stopncii'}"
    monkeypatch.setattr(theirs.TheirNcmec, "url", url)
    config: dict[str, Any] = {} if extension else {"url": url}
    credentials: dict[str, str] = {"subscription_key": "sandbox", "fetch_function_key": "f"}
    if api.endswith("ncmec"):
        credentials = {"user": "sandbox", "password": "sandbox"}
        config |= {"environment": "https://exttest.cybertip.org/hashsharing"} if extension else {}
    elif extension:
        credentials["base_url_override"] = url
    exchange = add_exchange(
        name="partner",
        api=api,
        extension=extension,
        confidence="verified",
        config=config,
        credentials=credentials,
        actor=ACTOR,
    )
    for _ in sync_exchange(exchange, actor=ACTOR):
        pass
    exchange = Exchange.objects.get()
    assert exchange.finished_at is not None
    assert not exchange.skips.count
    values = {value for _, value in banked(exchange)}
    pdq = [each.fingerprints["pdq"] for each in partner.live() if "pdq" in each.fingerprints]
    assert {bytes.fromhex(text) for text in pdq} <= values
    assert BankedHash.objects.filter(bank=exchange.bank, kind="md5").exists()


def test_an_interface_is_made_without_a_call(partner: Partner) -> None:
    credentials = {"user": "sandbox", "password": "sandbox"}
    config = {"url": f"{partner.url}/hashsharing"}
    connect(name="x", api="ncmec", extension="", config=config, credentials=credentials)
    assert partner.served == 0
