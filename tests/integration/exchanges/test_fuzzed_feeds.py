"""Feeds of any shape: what can be read is in the bank afterwards, and nothing else has changed."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinward.exchanges.models import Exchange, Opinion, Signal, Sync
from kinward.exchanges.partners import sessions
from kinward.exchanges.sync import SyncFailed
from kinward.matching.models import Addition, Bank, BankedHash
from tests.integration.exchanges.test_exchanges import banked, read
from tests.integration.exchanges.test_strange_feeds import BAD_RECORDS, at, page, pdq, record
from tests.support.strangers import Behaviour, Stranger, stranger

pytestmark = pytest.mark.django_db
VALUES = [f"{number:02x}" * 32 for number in range(1, 30)]
FUZZED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# A feed is pages of records. Each record is good (its number), or one of the bad ones (its name).
records = st.integers(0, len(VALUES) - 1) | st.sampled_from(sorted(BAD_RECORDS))
feeds = st.lists(st.lists(records, max_size=6), min_size=1, max_size=5)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
# What may come in place of a page, or be wrong with it.
faults = st.sampled_from(
    ["cut", "null", "huge", "repeated", "endless", "swapped", "empty", "500", "records null"]
) | st.tuples(st.sampled_from(sorted(page())), anything)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "WAITS", (0.001, 0.001))


def forget_everything() -> None:
    for model in (Opinion, Signal, Sync, Exchange, BankedHash, Addition, Bank):
        model.objects.all().delete()


def build(feed: list[list[Any]], number: int) -> dict[str, Any]:
    rows = [BAD_RECORDS[each] if isinstance(each, str) else record(VALUES[each])
            for each in feed[number]]  # fmt: skip
    return page(*rows, token=str(number + 1) if number + 1 < len(feed) else None)


def serves(feed: list[list[Any]], at_page: int, fault: Any) -> Behaviour:
    """A feed with a fault on one of its pages, or none (-1)."""

    def behave(caller: Stranger) -> None:
        _, found, token = caller.path.partition("nextPageToken=")
        number = int(token) % len(feed) if found else 0
        whole = build(feed, number)
        if number != at_page:
            caller.answer(json.dumps(whole).encode())
        elif fault == "500":
            caller.answer(b"", status="500 Error")
        else:
            caller.answer(_wrong(whole, fault, feed, number))

    return behave


def _wrong(whole: dict[str, Any], fault: Any, feed: list[list[Any]], number: int) -> bytes:
    text = json.dumps(whole).encode()
    if isinstance(fault, tuple):
        return json.dumps(whole | {fault[0]: fault[1]}).encode()
    changed: dict[str, Any] = {
        "repeated": {"hasMoreRecords": True, "nextPageToken": str(number)},
        "endless": {"hasMoreRecords": True, "nextPageToken": str(number + len(feed))},
        "swapped": {"nextPageToken": "0", "hasMoreRecords": True},
        "records null": {"hashRecords": None},
    }
    if fault in changed:
        return json.dumps(whole | changed[fault]).encode()
    return {"cut": text[: len(text) // 2], "null": b"null", "huge": text + b" " * 300_000}.get(
        fault, b""
    )


def good(feed: list[list[Any]]) -> set[tuple[str, bytes]]:
    return pdq(*(VALUES[each] for rows in feed for each in rows if isinstance(each, int)))


@FUZZED
@given(feed=feeds)
def test_the_good_records_are_in_the_bank_and_the_bad_ones_are_counted(
    feed: list[list[Any]], configure: Any
) -> None:
    forget_everything()
    with stranger(serves(feed, -1, "")) as server:
        exchange = at(server)
        read(exchange)
    exchange.refresh_from_db()
    assert banked(exchange) == good(feed)
    assert exchange.skips.count == sum(isinstance(each, str) for rows in feed for each in rows)
    assert not exchange.problem


@FUZZED
@given(feed=feeds, at_page=st.integers(0, 4), fault=faults)
def test_a_fault_ends_with_a_reason_and_the_next_sync_makes_it_whole(
    feed: list[list[Any]], at_page: int, fault: Any, configure: Any
) -> None:
    forget_everything()
    configure(exchange_page_bytes=200_000, exchange_pages=20)
    with stranger(serves(feed, at_page, fault)) as server:
        exchange = at(server)
        failed = False
        try:
            read(exchange)
        except SyncFailed:
            failed = True
        assert server.asked <= 25
        exchange.refresh_from_db()
        assert bool(exchange.problem) is failed
        assert (exchange.finished_at is None) is failed
        assert banked(exchange) <= good(feed) | good([[0]])
        before = banked(exchange)
        server.behave = serves(feed, -1, "")
        read(exchange)
    exchange.refresh_from_db()
    assert not exchange.problem
    assert before <= banked(exchange)
    assert banked(exchange) >= good(feed)


@FUZZED
@given(row=anything | st.dictionaries(st.sampled_from(sorted(record(""))), anything))
def test_a_record_of_any_shape_costs_only_itself(row: Any) -> None:
    forget_everything()
    strange = {**record(VALUES[1]), **row} if isinstance(row, dict) else row
    body = json.dumps(page(strange, record(VALUES[0]))).encode()
    with stranger(lambda caller: caller.answer(body)) as server:
        exchange = at(server)
        read(exchange)
    assert pdq(VALUES[0]) <= banked(exchange)
