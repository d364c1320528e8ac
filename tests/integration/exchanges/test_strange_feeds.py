"""A stranger's feed costs the sync what is wrong with it, and nobody else anything."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from kinward.access.models import Staff
from kinward.cli.doctor.connections import check_partners
from kinward.cli.exchange import exchange as command
from kinward.exchanges import hashing, sandbox, tasks
from kinward.exchanges.kinds import OpinionKind
from kinward.exchanges.models import Exchange, Opinion, Signal
from kinward.exchanges.opinions import give_opinion, send
from kinward.exchanges.sandbox import Entry, Partner
from kinward.exchanges.sync import SyncFailed
from kinward.ground.errors import Invalid
from kinward.ground.jobs import enqueue_once
from kinward.matching.api import BankedHash, withdraw_hashes
from tests.integration.conftest import Configure
from tests.integration.exchanges.test_exchanges import ACTOR, CLOCK, add, banked, now, read
from tests.integration.web.test_console import signed_in
from tests.support import careless_extension, strangers
from tests.support.helpers import listening, run_jobs
from tests.support.strangers import HOSTILE, Stranger, Strangers, stranger

pytestmark = pytest.mark.django_db
APIS: Final = ("ncmec", "stop_ncii", "fb_threatexchange")
SLOW: Final = {"drips", "drips_its_head", "says_nothing"}
HASHES: Final = [f"{number:02x}" * 32 for number in range(1, 100)]
START: Final = 1_700_000_000
EXTENSION: Final = "tests.support.careless_extension"

hashing.stand_in()  # `threatexchange` imports `pdqhash`


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    CLOCK.ahead = 0
    monkeypatch.setattr(time, "time", CLOCK)


@pytest.fixture
def partner() -> Iterator[Partner]:
    with listening(sandbox.serve()) as server:
        yield server


def at(server: Strangers, api: str = "stop_ncii", **changes: Any) -> Exchange:
    """An exchange with a stranger."""
    config: dict[str, Any] = {"url": server.url}
    if api == "fb_threatexchange":
        config["privacy_group"] = 1
    return add(server, api, config=config, **changes)  # type: ignore[arg-type]


def problem_of(exchange: Exchange) -> str:
    exchange.refresh_from_db()
    return exchange.problem


def mark_of(exchange: Exchange) -> dict[str, Any]:
    assert exchange.checkpoint is not None
    return dict(exchange.checkpoint)


def sync_fails(exchange: Exchange) -> str:
    with pytest.raises(SyncFailed):
        read(exchange)
    problem = problem_of(exchange)
    assert problem
    assert problem in CliRunner().invoke(command, ["status"]).output
    assert problem in check_partners().text
    return problem


def record(value: str, **changes: Any) -> dict[str, Any]:
    return {
        "lastModtimestamp": START,
        "signalType": "ImagePDQ",
        "hashValue": value,
        "hashStatus": "Active",
        "caseNumbers": {"1": "Active"},
        "CSPFeedbacks": [],
        **changes,
    }


def page(*records: Any, token: Any = None, **changes: Any) -> dict[str, Any]:
    return {
        "count": len(records),
        "nextPageToken": token,
        "nextSetTimestamp": START,
        "hasMoreRecords": token is not None,
        "hashRecords": list(records),
        **changes,
    }


def stopncii(answer: Callable[[str, int], Any]) -> strangers.Behaviour:
    """StopNCII's API with pages by token. `answer` gets the token and the start."""

    def behave(caller: Stranger) -> None:
        query = parse_qs(urlsplit(caller.path).query)
        token = query.get("nextPageToken", [""])[0]
        found = answer(token, int(query["startTimestamp"][0]))
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        caller.answer(body, "Content-Type: application/json")

    return behave


def pdq(*values: str) -> set[tuple[str, bytes]]:
    return {("pdq", bytes.fromhex(value)) for value in values}


# -- how pages end


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_partner_ends_the_sync_with_a_reason(
    name: str, api: str, configure: Configure
) -> None:
    configure(
        call_seconds=0.5 if name in SLOW else 30.0,
        exchange_seconds=0.5 if name in SLOW else 30.0,
        exchange_page_bytes=200_000,
    )
    with stranger(HOSTILE[name]) as server:
        exchange = at(server, api)
        problem = sync_fails(exchange)
        assert server.asked <= 5
        assert server.sent < 20_000_000
    assert "None" not in problem
    assert exchange.checkpoint is None
    assert banked(exchange) == set()


def test_after_a_hostile_page_the_next_sync_goes_on_and_nothing_is_lost(
    configure: Configure,
) -> None:
    configure(exchange_page_bytes=200_000)
    hostile: list[strangers.Behaviour] = []
    whole = stopncii(lambda token, start: PAGES[token])

    def behave(caller: Stranger) -> None:
        (hostile.pop() if hostile and "nextPageToken" in caller.path else whole)(caller)

    with stranger(behave) as server:
        exchange = at(server)
        for name in ("sends_ten_gb", "redirects", "nests_json", "inflates"):
            hostile[:] = [HOSTILE[name]]
            sync_fails(exchange)
            assert banked(exchange) == pdq(HASHES[0])
        read(exchange)
    assert not problem_of(exchange)
    assert banked(exchange) == pdq(*HASHES[:2])


PAGES: Final = {"": page(record(HASHES[0]), token="next"), "next": page(record(HASHES[1]))}


@pytest.mark.parametrize(
    "following",
    [
        pytest.param(lambda token: "again", id="the same token"),
        pytest.param(lambda token: {"": "a", "a": "b", "b": "c", "c": "a"}[token], id="a circle"),
        pytest.param(lambda token: "", id="no token, although there is more"),
    ],
)
def test_tokens_that_lead_in_a_circle_end_the_sync(following: Callable[[str], str]) -> None:
    pages = stopncii(lambda token, _: page(record(HASHES[0]), token=following(token)))
    with stranger(pages) as server:
        exchange = at(server)
        assert "read already" in sync_fails(exchange)
        assert server.asked <= 4
    assert exchange.finished_at is None
    assert mark_of(exchange)["update_time"] == 10, "the mark stays where the list begins"
    assert banked(exchange) == pdq(HASHES[0])


@pytest.mark.parametrize(
    ("setting", "limit"),
    [("exchange_pages", 5), ("exchange_records", 5), ("exchange_bytes", 2000)],
)
def test_an_endless_feed_ends_at_each_limit(setting: str, limit: int, configure: Configure) -> None:
    configure(**{setting: limit})
    pages = stopncii(lambda token, _: page(record(HASHES[0]), token=str(int(token or 0) + 1)))
    with stranger(pages) as server:
        exchange = at(server)
        problem = sync_fails(exchange)
        assert server.asked < 20
    assert f"KINWARD_{setting.upper()}" in problem
    assert "continues" in problem
    assert exchange.finished_at is None


def test_endless_empty_pages_end_too(configure: Configure) -> None:
    configure(exchange_pages=5)
    pages = stopncii(lambda token, _: page(token=str(int(token or 0) + 1)))
    with stranger(pages) as server:
        assert "5 pages" in sync_fails(at(server))


@pytest.mark.parametrize(
    "changes",
    [
        {"hashRecords": None, "count": 5},
        {"hashRecords": {}},
        {"hashRecords": "none"},
        {"hasMoreRecords": None},
        {"hasMoreRecords": "false"},
        {"nextPageToken": [], "hasMoreRecords": True},
    ],
    ids=str,
)
def test_a_page_that_does_not_say_is_not_taken_for_the_last(changes: dict[str, Any]) -> None:
    with stranger(stopncii(lambda *_: page(**changes))) as server:
        exchange = at(server)
        sync_fails(exchange)
        assert exchange.finished_at is None


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"x"', b"{}", b"", b"{", b"\xff\xfe{"])
def test_a_page_that_is_no_page_is_refused(body: bytes) -> None:
    for api in ("stop_ncii", "fb_threatexchange"):
        with stranger(strangers.pages(lambda _: body)) as server:
            sync_fails(at(server, api, name=f"{api}-partner"))
        Exchange.objects.update(enabled=False, problem="")


@pytest.mark.parametrize(
    "body",
    [
        b"<error>no</error>",
        b"<queryResult/>",
        b'<queryResult xmlns="x"/>',
        b"<images count='0'/>",
        b"<html></html>",
    ],
)
def test_an_xml_that_is_no_list_is_not_taken_for_an_empty_one(body: bytes) -> None:
    with stranger(strangers.pages(lambda _: body)) as server:
        assert "images" in sync_fails(at(server, "ncmec"))


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "cp037", "rot13"])
def test_a_page_in_a_charset_that_hides_its_brackets_is_refused(charset: str) -> None:
    def behave(caller: Stranger) -> None:
        body = json.dumps(page(record(HASHES[0]))).replace("{", "+AHs-").encode()
        caller.answer(body, f"Content-Type: application/json; charset={charset}")

    with stranger(behave) as server:
        exchange = at(server)
        assert f"It is in {charset!r}" in sync_fails(exchange)
    assert banked(exchange) == set()


def test_a_page_that_names_another_host_is_not_followed() -> None:
    with stranger(strangers.packs_well) as other:
        following = {"data": [], "paging": {"next": f"{other.url}/secret"}}
        with stranger(strangers.pages(lambda _: json.dumps(following).encode())) as server:
            problem = sync_fails(at(server, "fb_threatexchange"))
        assert other.asked == 0
    assert "Kinward does not call that address" in problem


@pytest.mark.parametrize("mark", [10**13, 2**80, None, "soon", -5, True, 1.5])
def test_a_mark_never_lies_in_the_future(mark: Any) -> None:
    with stranger(stopncii(lambda *_: page(record(HASHES[0]), nextSetTimestamp=mark))) as server:
        exchange = at(server)
        read(exchange)
        exchange.refresh_from_db()
        assert 10 <= mark_of(exchange)["update_time"] <= time.time()


# -- NCMEC's marks


def test_a_circle_of_ncmec_s_pages_is_left_by_reading_the_span_again() -> None:
    circling = True

    def answer(path: str) -> bytes:
        following = b"<paging><next>/v2/entries?start=2&amp;size=1&amp;max=2</next></paging>"
        end = b"</queryResult>"
        return _xml(GOOD_XML).replace(end, following + end) if circling else _xml(GOOD_XML)

    with stranger(strangers.pages(answer)) as server:
        exchange = at(server, "ncmec")
        for _ in range(2):
            assert "read already" in sync_fails(exchange)
            assert (exchange.checkpoint or {}).get("paging_info") is None
        circling = False
        read(exchange)
    assert not problem_of(exchange)
    assert exchange.finished_at is not None


def test_a_page_of_ncmec_s_that_is_gone_is_left_by_reading_the_span_again(
    partner: Partner,
) -> None:
    entries = [Entry(1, f"{n:08}", START, {"md5": f"{n:032x}"}) for n in range(1, 1501)]
    partner.put(*entries)
    exchange = add(partner)
    while not (exchange.checkpoint or {}).get("paging_info"):
        read(exchange, steps=1)
        exchange.refresh_from_db()
    mark_of(exchange)["paging_info"]["paging_url"] = "/v2/entries?start=zero"
    exchange.save()
    read(exchange)
    assert not problem_of(exchange)
    assert len(banked(exchange)) == 1500


# -- records


BAD_RECORDS: Final[dict[str, Any]] = {
    "null": None,
    "number": 7,
    "list": [],
    "nothing": {},
    "status unknown": record(HASHES[50], hashStatus="Perhaps"),
    "kind unknown": record(HASHES[50], signalType="Smell"),
    "time null": record(HASHES[50], lastModtimestamp=None),
    "cases null": record(HASHES[50], caseNumbers=None),
    "value a number": record(HASHES[50], hashValue=5),
    "feedback null": record(HASHES[50], CSPFeedbacks=None),
}


def test_a_bad_record_is_counted_and_named_and_the_rest_goes_in(operator: Staff) -> None:
    rows = [record(HASHES[0]), *BAD_RECORDS.values(), record(HASHES[1])]
    pages = stopncii(lambda token, _: page(*rows, token=None if token else "n"))
    with stranger(pages) as server:
        exchange = at(server)
        read(exchange)
        exchange.refresh_from_db()
        assert banked(exchange) == pdq(*HASHES[:2])
        assert exchange.finished_at is not None
        assert exchange.skips.count == 2 * len(BAD_RECORDS)
        assert exchange.skips.unnamed == 2 * 6
        assert len(exchange.skips.examples) == 20
        shown = CliRunner().invoke(command, ["sync", "partner"], catch_exceptions=False).output
        assert "read to its end, but not completely" in shown
        assert "up to date" not in shown
        assert HASHES[50][:20] in shown
        assert "--full" in shown
    assert check_partners().level == "warning"
    assert "not completely" in check_partners().text
    desk = signed_in(operator)
    assert "incomplete" in desk.get("/banks").content.decode()
    told = desk.get("/banks/of/partner").content.decode()
    assert "could not be read" in told
    assert "Perhaps" in told


def _xml(*rows: str) -> bytes:
    images = f"<images count='1'>{''.join(rows)}</images>"
    return f"<queryResult>{images}<videos count='0'/></queryResult>".encode()


BAD_XML: Final = (
    "<image/>",
    "<audio><member id='1'>M</member><id>x</id></audio>",
    "<image><member>M</member><id>y</id></image>",
    "<image><member id='one'>M</member><id>z</id></image>",
    "<image><member id='1'>M</member><id/></image>",
    "<image><member id='1'>M</member><member id='2'>M</member><id>v</id></image>",
)
GOOD_XML: Final = (
    "<image><member id='1'>M</member><id>good</id>"
    f"<fingerprints><md5>{'11' * 16}</md5></fingerprints></image>"
)


@pytest.mark.parametrize("bad", BAD_XML)
def test_a_bad_record_of_ncmec_s_costs_only_itself(bad: str) -> None:
    with stranger(strangers.pages(lambda _: _xml(bad, GOOD_XML))) as server:
        exchange = at(server, "ncmec")
        read(exchange)
        exchange.refresh_from_db()
        assert exchange.skips.count >= 1
    assert banked(exchange) == {("md5", b"\x11" * 16)}


def test_a_record_that_an_extension_breaks_on_costs_only_itself(partner: Partner) -> None:
    exchange = add(partner, api="breaks", extension=EXTENSION, config={})
    read(exchange)
    exchange.refresh_from_db()
    assert banked(exchange) == {("pdq", b"\x0f" * 32)}
    assert exchange.skips.examples == [("bad", "RuntimeError: no such thing")]


def test_a_record_that_turns_bad_takes_no_hash_along(partner: Partner) -> None:
    partner.put(Entry(1, "a", START, {"md5": "11" * 16}), Entry(1, "b", START, {"md5": "22" * 16}))
    exchange = add(partner)
    read(exchange)
    partner.put(Entry(1, "a", now(), {"md5": "not a hash"}))
    read(exchange)
    exchange.refresh_from_db()
    assert exchange.unusable == 1
    assert banked(exchange) == {("md5", b"\x11" * 16), ("md5", b"\x22" * 16)}


def test_a_full_sync_removes_nothing_that_an_unreadable_record_may_be_about() -> None:
    rows: list[Any] = [record(HASHES[0]), record(HASHES[1])]
    with stranger(stopncii(lambda *_: page(*rows))) as server:
        exchange = at(server)
        read(exchange)
        rows[1] = None
        list_again(exchange)
        assert banked(exchange) == pdq(*HASHES[:2])
        rows[1:] = [record(HASHES[1], hashStatus="Perhaps")]
        list_again(exchange)
        assert banked(exchange) == pdq(*HASHES[:2]), "its key can be read, so it is still met"
        rows[1:] = []
        list_again(exchange)
        assert banked(exchange) == pdq(HASHES[0])


def list_again(exchange: Exchange) -> None:
    done = CliRunner().invoke(command, ["sync", exchange.name, "--full"], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_the_newest_record_of_a_hash_counts_whatever_the_order() -> None:
    old = record(HASHES[0], lastModtimestamp=START)
    new = record(HASHES[0], lastModtimestamp=START + 5, hashStatus="Withdrawn")
    for rows in ([old, new], [new, old]):
        with stranger(stopncii(lambda *_, rows=rows: page(*rows))) as server:
            exchange = at(server, name=f"order-{len(Exchange.objects.all())}")
            read(exchange)
            assert banked(exchange) == set()


def test_a_first_sync_may_remove_what_it_added_itself_and_nothing_more(
    configure: Configure,
) -> None:
    configure(bank_withdrawal_share=0.1)
    rows = [record(HASHES[0]), record(HASHES[1])]
    gone = [record(HASHES[0], hashStatus="Withdrawn", lastModtimestamp=START + 1)]
    pages = {"": page(*rows, token="2"), "2": page(*gone)}
    with stranger(stopncii(lambda token, start: pages[token])) as server:
        exchange = at(server)
        read(exchange)
        assert banked(exchange) == pdq(HASHES[1])
        pages[""] = page(record(HASHES[1], hashStatus="Withdrawn", lastModtimestamp=START + 2))
        assert "the 1 hashes" in sync_fails(exchange)
        assert banked(exchange) == pdq(HASHES[1])


@pytest.mark.parametrize("text", ["é\0", "x" * 100_000, "\ud800", "a\nb"])
def test_a_strange_text_in_a_record_costs_only_itself(text: str) -> None:
    strange = record(text, signalType="Text", CSPFeedbacks=[{"feedbackValue": "None"}])
    with stranger(stopncii(lambda *_: page(strange, record(HASHES[0])))) as server:
        exchange = at(server)
        read(exchange)
        assert pdq(HASHES[0]) <= banked(exchange)


# -- removals, extensions, and everybody else


def test_a_removal_that_needs_a_person_stops_before_its_page_and_goes_on_when_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [record(value) for value in HASHES[:3]]
    with stranger(stopncii(lambda token, start: page(*rows))) as server:
        exchange = at(server)
        read(exchange)
        exchange.refresh_from_db()
        mark = exchange.checkpoint
        rows[:] = [record(value, hashStatus="Withdrawn") for value in HASHES[:3]]
        rows.append(record(HASHES[3]))
        leaves = "kinward.exchanges.mirror.withdraw_hashes"

        def refuse(*_arguments: Any, **_more: Any) -> int:
            raise Invalid("So many hashes leave only if a person agrees.")

        monkeypatch.setattr(leaves, refuse)
        for _ in range(2):
            assert "a person agrees" in sync_fails(exchange)
            assert exchange.checkpoint == mark
            assert banked(exchange) == pdq(*HASHES[:3])
            assert Signal.objects.count() == 3
        monkeypatch.setattr(leaves, withdraw_hashes)
        read(exchange)
    assert not problem_of(exchange)
    assert banked(exchange) == pdq(HASHES[3])


def test_an_extension_that_waits_for_ever_ends_with_the_time_of_the_sync(
    partner: Partner, configure: Configure
) -> None:
    configure(exchange_seconds=0.5)
    exchange = add(partner, api="waits", extension=EXTENSION, config={})
    try:
        assert "KINWARD_EXCHANGE_SECONDS" in sync_fails(exchange)
        assert banked(exchange) == {("pdq", b"\x0f" * 32)}
    finally:
        careless_extension.OVER.set()


@pytest.mark.parametrize("name", ["sends_without_end", "redirects_inwards", "nests_json"])
def test_an_extension_s_own_calls_are_bounded_too(
    name: str, partner: Partner, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(inner_hosts="127.0.0.1", exchange_page_bytes=200_000)
    exchange = add(partner, api="downloads", extension=EXTENSION, config={})
    with stranger(HOSTILE[name]) as server:
        monkeypatch.setitem(careless_extension.WHERE, "url", server.url)
        sync_fails(exchange)
        assert server.asked == 1
    configure(inner_hosts="")
    with stranger(HOSTILE[name]) as server:
        monkeypatch.setitem(careless_extension.WHERE, "url", server.url)
        assert "KINWARD_INNER_HOSTS" in sync_fails(exchange)
        assert server.asked == 0


def test_an_opinion_of_a_hash_that_a_partner_lists_many_times_is_bounded(
    partner: Partner, configure: Configure
) -> None:
    for number in range(8):
        partner.put(Entry(1, f"e{number}", START, {"md5": "11" * 16}))
    exchange = add(partner, opinions=True)
    read(exchange)
    row = BankedHash.objects.get(bank=exchange.bank)
    give_opinion(hashes=[row.pk], kind=OpinionKind.CONFIRMED, actor=ACTOR)
    configure(exchange_pages=3)
    opinion = Opinion.objects.get()
    send(opinion.pk)
    opinion.refresh_from_db()
    assert len(partner.opinions) == 3
    assert "not sent for all entries" in opinion.answer
    assert "KINWARD_EXCHANGE_PAGES" in opinion.answer
    assert opinion.sent_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_free_for_the_next_partner(partner: Partner, configure: Configure) -> None:
    configure(call_seconds=0.5)
    partner.put(Entry(1, "a", START, {"md5": "11" * 16}))
    with stranger(strangers.drips) as server:
        slow = at(server, name="slow")
        good = add(partner, name="good")
        for exchange in (slow, good):
            enqueue_once(tasks.SYNC, exchange.name, name=exchange.name)
        worker = threading.Thread(target=run_jobs)
        worker.start()
        worker.join(60)
        assert not worker.is_alive()
    assert "in time" in problem_of(slow)
    assert not problem_of(good)
    assert banked(good) == {("md5", b"\x11" * 16)}


def test_a_retry_is_made_only_where_it_helps_and_never_waits_as_long_as_told() -> None:
    def behave(caller: Stranger) -> None:
        if caller.server.asked < 3:
            caller.answer(b"", "Retry-After: 86400", status="503 Service Unavailable")
        else:
            caller.answer(json.dumps(page(record(HASHES[0]))).encode())

    with stranger(behave) as server:
        exchange = at(server)
        read(exchange)
        assert server.asked == 3
    assert banked(exchange) == pdq(HASHES[0])
