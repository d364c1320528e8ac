"""The mark from which a sync resumes moves only to what was read to its end."""

import json
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from kinward.exchanges import hashing

hashing.stand_in()  # `threatexchange` imports `pdqhash`

from threatexchange.exchanges.impl.techagainstterrorism_api import TATCheckpoint  # noqa: E402

from kinward.exchanges.models import Exchange  # noqa: E402
from kinward.exchanges.partners.tat import Tat, TatClient  # noqa: E402
from tests.integration.exchanges.test_exchanges import CLOCK, banked, read  # noqa: E402
from tests.integration.exchanges.test_strange_feeds import (  # noqa: E402
    HASHES,
    START,
    at,
    mark_of,
    page,
    pdq,
    problem_of,
    record,
    stopncii,
    sync_fails,
)
from tests.support import strangers  # noqa: E402
from tests.support.strangers import Stranger, stranger  # noqa: E402

pytestmark = pytest.mark.django_db
FUTURE: Final = 9_999_999_999
MD5S: Final = [f"{number:02x}" * 16 for number in range(1, 10)]
Row = tuple[str, int]  # a hash, and when it was last changed


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    CLOCK.ahead = 0
    monkeypatch.setattr(time, "time", CLOCK)


def update(value: str, changed: int) -> dict[str, Any]:
    descriptor = {"id": "1", "owner": {"id": "2"}, "status": "MALICIOUS", "tags": {"data": []}}
    return {
        "id": value[:6],
        "indicator": value,
        "type": "HASH_MD5",
        "last_updated": changed,
        "should_delete": False,
        "descriptors": {"data": [descriptor]},
    }


def graph(pages: list[list[Row]], fails: Callable[[str, int], str]) -> strangers.Behaviour:
    """ThreatExchange in pages, whose order is no order of time. `fails` gives a status, or none."""

    def behave(caller: Stranger) -> None:
        query = parse_qs(urlsplit(caller.path).query)
        assert query["access_token"] == ["1|sandbox"]
        first, number = int(query.get("start_time", ["0"])[0]), int(query.get("after", ["0"])[0])
        if status := fails(caller.path, number):
            caller.answer(b"{}", status=status)
            return
        rows = [row for row in pages[number] if row[1] >= first]
        found: dict[str, Any] = {"data": [update(*row) for row in rows]}
        if number + 1 < len(pages):
            rest = f"access_token=1|sandbox&start_time={first}&after={number + 1}"
            host, port = caller.server.server_address[:2]
            found["paging"] = {"next": f"http://{host!s}:{port}/1/threat_updates/?{rest}"}
        caller.answer(json.dumps(found).encode())

    return behave


def md5(*values: str) -> set[tuple[str, bytes]]:
    return {("md5", bytes.fromhex(value)) for value in values}


@pytest.mark.parametrize("changed", [FUTURE, START + 50], ids=["in the future", "not by time"])
def test_a_page_that_failed_is_read_by_the_next_sync(changed: int) -> None:
    pages = [[(MD5S[0], changed)], [(MD5S[1], START)], [(MD5S[2], START + 9)]]
    broken = True
    with stranger(graph(pages, lambda _, n: "418 No" if broken and n == 1 else "")) as server:
        exchange = at(server, "fb_threatexchange")
        sync_fails(exchange)
        assert banked(exchange) == md5(MD5S[0])
        broken = False
        read(exchange)
        assert not problem_of(exchange)
    assert banked(exchange) == md5(*MD5S[:3])
    assert mark_of(exchange)["update_time"] == (START + 9 if changed == FUTURE else changed)


def test_a_sync_resumes_at_its_page_and_the_mark_keeps_no_token() -> None:
    pages = [[(MD5S[0], START)], [(MD5S[1], START)]]
    asked: list[int] = []

    def fails(path: str, number: int) -> str:
        asked.append(number)
        return "403 No" if asked == [0, 1] else ""

    with stranger(graph(pages, fails)) as server:
        exchange = at(server, "fb_threatexchange")
        sync_fails(exchange)
        assert "sandbox" not in json.dumps(mark_of(exchange))
        began = mark_of(exchange)["last_fetch_time"]
        read(exchange)
        assert asked == [0, 1, 1]
        exchange.refresh_from_db()
    assert mark_of(exchange)["last_fetch_time"] == began, "changes after it are not read yet"


def test_the_span_is_read_again_if_its_page_is_gone() -> None:
    pages = [[(MD5S[0], START)], [(MD5S[1], START)]]
    with stranger(graph(pages, lambda _, n: "400 No" if n > 1 else "")) as server:
        exchange = at(server, "fb_threatexchange")
        read(exchange, steps=1)
        for gone in (f"{server.url}/1/threat_updates/?after=99", "http://127.0.0.1:1/other"):
            exchange.refresh_from_db()
            Exchange.objects.update(checkpoint={**mark_of(exchange), "page": gone})
            read(exchange)
            assert banked(exchange) == md5(*MD5S[:2])


def test_a_mark_of_an_earlier_version_is_still_read() -> None:
    with stranger(graph([[(MD5S[0], START), (MD5S[1], START + 5)]], lambda *_: "")) as server:
        exchange = at(server, "fb_threatexchange")
        stored = {"update_time": START + 5, "last_fetch_time": int(time.time())}
        Exchange.objects.update(checkpoint=stored)
        read(exchange)
    assert banked(exchange) == md5(MD5S[1])


def test_stopncii_s_mark_is_not_later_than_the_beginning_of_the_span() -> None:
    began = int(CLOCK())

    def answer(token: str, _: int) -> dict[str, Any]:
        CLOCK.ahead += 1000  # reading takes long, and the partner changes what was read
        pages = {"": page(record(HASHES[0]), token="2"), "2": page(record(HASHES[1]))}
        return pages[token] | {"nextSetTimestamp": FUTURE}

    with stranger(stopncii(answer)) as server:
        exchange = at(server)
        read(exchange)
        exchange.refresh_from_db()
    assert banked(exchange) == pdq(*HASHES[:2])
    assert began <= mark_of(exchange)["update_time"] < began + 1000


# -- Tech Against Terrorism


def tat_page(*, following: str | None, mark: str, value: str) -> dict[str, Any]:
    row = {"hash_digest": value, "algorithm": "PDQ", "file_type": "jpg", "deleted": False}
    fields = {"ideology": "", "id": 1, "updated_on": "", "created_on": ""}
    return {"next": following, "checkpoint": mark, "results": [{**fields, **row}]}


@pytest.mark.parametrize(
    ("marks", "after"),
    [
        (["1700000009,1", "1700000000,2"], ["", "1700000000,2"]),
        ([f"{FUTURE},1", "1700000000,2"], ["", "1700000000,2"]),
        (["1700000000,1", f"{FUTURE},2"], ["", ""]),
        (["1700000000,1", "9" * 30 + ",2"], ["", ""]),
        (["a", "b"], ["", "b"]),
    ],
)
def test_the_mark_of_tat_moves_at_the_last_page_and_never_into_the_future(
    marks: list[str], after: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [
        tat_page(following="limit=1&offset=1", mark=marks[0], value=HASHES[0]),
        tat_page(following=None, mark=marks[1], value=HASHES[1]),
    ]
    monkeypatch.setattr(TatClient, "get_auth_token", lambda *_: "token")
    monkeypatch.setattr(TatClient, "_get", lambda *_, **__: pages.pop(0))
    parts = Tat("user", "word").fetch_iter((), TATCheckpoint(""))
    assert [part.checkpoint.checkpoint for part in parts] == after
