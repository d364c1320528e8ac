"""Each road on which a keyword or a URL is banked or asked for reads it alike."""

# ruff: noqa: RUF001  # letters that look alike are what this is about

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.cli.bank import bank as bank_command
from kinward.matching import keywords
from kinward.matching.api import add_hashes, create_bank, listed, remove_hashes
from kinward.matching.hashlists import ListedHash, read_list
from kinward.matching.models import Bank, BankedHash
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in
from tests.support import careless

pytestmark = pytest.mark.django_db(transaction=True)

ACTOR = Actor.operator("test")
WORDS = ["Sea Shells", "driftwood", "ebb", "c4t"]
URLS = ["http:\\\\Pages.example:80\\a/", "https://q.example/watch?v=abc"]
KNOWN_TEXTS = ["find s3a-shells!", "#SeaShells", "dri**ft**wood", "ԁriftwood", "@driftwood", "C4T"]
CLEAR_TEXTS = ["E. B. B. King", "room 3bb", "my cat", "drift wood"]
KNOWN_URLS = [
    "http:/pages.example/a/b",
    "wss://x.pages.example:8443/a",
    "q.example/watch?t=1&v=abc",
]
CLEAR_URLS = ["http://pages.example@good.example/a", "https://q.example/watch?v=abcd"]


def from_csv(lines: list[tuple[str, str]]) -> list[Any]:
    rows = ["hash_type,value\n", *(f'{kind},"{value}"\n' for kind, value in lines)]
    return list(read_list(rows, "csv"))


def from_jsonl(lines: list[tuple[str, str]]) -> list[Any]:
    rows = [json.dumps({"hash_type": kind, "value": value}) for kind, value in lines]
    return list(read_list(rows, "jsonl"))


def from_text(lines: list[tuple[str, str]]) -> list[Any]:
    return [
        row
        for kind, value in lines
        for row in read_list([value], {"keyword": "keywords"}.get(kind, "urls"))
    ]


def from_partner(lines: list[tuple[str, str]]) -> list[Any]:
    names = {"keyword": "trend_query", "url": "raw_uri"}
    return from_jsonl([(names[kind], value) for kind, value in lines])


LISTS = [from_csv, from_jsonl, from_text, from_partner]


@pytest.fixture
def texts() -> Bank:
    made = create_bank(name="texts", confidence="unverified", actor=ACTOR)
    rows = [listed("keyword", word) for word in WORDS] + [listed("url", url) for url in URLS]
    add_hashes(bank=made, hashes=rows, provenance="p", actor=ACTOR)
    return made


@pytest.fixture
def call(texts: Bank) -> Caller:
    return Caller(create_key(name="all", scopes=SCOPES, actor=ACTOR))


@pytest.mark.parametrize("read", LISTS)
def test_each_list_banks_the_same_values(read: Any) -> None:
    lines = [("keyword", word) for word in WORDS] + [("url", url) for url in URLS]
    rows = read(lines)
    assert all(isinstance(row, ListedHash) for row in rows)
    assert [row.value for row in rows] == [
        *(b"sea shells", b"driftwood", b"ebb", b"c4t"),
        *(b"pages.example/a", b"q.example/watch?v=abc"),
    ]


def test_the_command_adds_and_removes_what_it_reads(tmp_path: Path) -> None:
    create_bank(name="texts", confidence="unverified", actor=ACTOR)
    path = tmp_path / "words.txt"
    path.write_text("C4T\nSEA  shells!\n")
    run = CliRunner().invoke
    assert (
        run(
            bank_command,
            ["import", "texts", str(path), "--format", "keywords", "--provenance", "p"],
        ).exit_code
        == 0
    )
    assert {bytes(row.value) for row in BankedHash.objects.all()} == {b"c4t", b"sea shells"}
    assert run(bank_command, ["remove", "texts", "--hash", "keyword:c4t"]).exit_code == 0
    assert bytes(BankedHash.objects.get(removed=False).value) == b"sea shells"


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [
        *(("keyword", text, "known") for text in KNOWN_TEXTS),
        *(("keyword", text, "clear") for text in CLEAR_TEXTS),
        *(("url", url, "known") for url in KNOWN_URLS),
        *(("url", url, "clear") for url in CLEAR_URLS),
    ],
)
def test_each_door_reads_a_text_and_a_url_alike(
    call: Caller, reviewer: Staff, kind: str, asked: str, expected: str
) -> None:
    sent = {"text": asked} if kind == "keyword" else {"urls": [asked]}
    query = {"signal_type": kind, "signal": asked}
    shown = signed_in(reviewer).post("/banks/search", {"kind": kind, "value": asked})
    said = CliRunner().invoke(bank_command, ["search", "--hash", f"{kind}:{asked}"])
    assert {
        "/v1/text": careless.of_text(call("POST", "/v1/text", json=sent)),
        "/m/lookup": careless.of_hma(call("GET", "/m/lookup", params=query)),
        "/m/raw_lookup": careless.of_hma(call("GET", "/m/raw_lookup", params=query)),
        "console": careless.of_staff(shown.content.decode(), shown.status_code != 200),
        "command": careless.of_staff(said.output, said.exit_code != 0),
    } == dict.fromkeys(("/v1/text", "/m/lookup", "/m/raw_lookup", "console", "command"), expected)


def test_a_redirector_is_read_only_if_the_operator_says_so(
    call: Caller, configure: Configure
) -> None:
    url = "https://r.example/to?u=https%3A%2F%2Fpages.example%2Fa%2Fb"

    def read() -> set[str]:
        query = {"signal_type": "url", "signal": url}
        return {
            careless.of_text(call("POST", "/v1/text", json={"urls": [url]})),
            careless.of_hma(call("GET", "/m/lookup", params=query)),
        }

    assert read() == {"clear"}
    configure(read_redirects=True)
    assert read() == {"known"}


@pytest.mark.parametrize("more", [3, 6, 18, 60])
def test_no_parts_beside_it_hide_a_banked_query(call: Caller, texts: Bank, more: int) -> None:
    beside = "&".join(f"p{number}={number}" for number in range(more))

    def read(*parts: str) -> set[str]:
        url = f"https://x.q.example:81/list?{'&'.join(parts)}&{beside}"
        query = {"signal_type": "url", "signal": url}
        return {
            careless.of_text(call("POST", "/v1/text", json={"urls": [url]})),
            careless.of_hma(call("GET", "/m/lookup", params=query)),
        }

    unknown = {"clear"} if more < 30 else {"partial", "refused"}
    assert read("c=3", "b=2", "a=1") == unknown
    rows = [listed("url", "q.example/list?a=1&b=2&c=3")]
    add_hashes(bank=texts, hashes=rows, provenance="p", actor=ACTOR)
    assert read("c=3", "b=2", "a=1") == {"known"}
    assert read("a=1", "b=2", "c=4") == unknown
    remove_hashes(bank=texts, values=[row.value for row in rows], actor=ACTOR)
    assert read("c=3", "b=2", "a=1") == unknown


def test_a_url_that_was_cut_is_clear_at_no_door(call: Caller, reviewer: Staff) -> None:
    url = "https://other.example/?" + "&".join(f"p{number}=1" for number in range(50))
    said = call("POST", "/v1/text", json={"urls": [url]}).json()
    assert (said["unread_urls"], said["not_checked"]) == ([0], ["text.unread"])
    query = {"signal_type": "url", "signal": url}
    for path in ("/m/lookup", "/m/raw_lookup"):
        assert call("GET", path, params=query).status_code == 422
    shown = signed_in(reviewer).post("/banks/search", {"kind": "url", "value": url})
    assert shown.status_code == 422
    assert CliRunner().invoke(bank_command, ["search", "--hash", f"url:{url}"]).exit_code != 0


def test_a_text_that_was_not_read_to_its_end_is_not_clear(
    call: Caller, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keywords, "MAX_STEPS", 5)
    text = "dr1ftwoodx " * 9
    alone = call("POST", "/v1/text", json={"text": text})
    assert (alone.status_code, alone.json()["code"]) == (422, "text.unread")
    beside = call("POST", "/v1/text", json={"text": text, "urls": ["https://other.example"]}).json()
    assert (beside["outcome"], beside["checked"]) == ("clear", ["url"])
    assert beside["not_checked"] == ["text.unread"]
    found = call("POST", "/v1/text", json={"text": f"ebb {text}"}).json()
    assert (found["outcome"], found["checked"]) == ("known", ["keyword"])
    query = {"signal_type": "keyword", "signal": text}
    assert call("GET", "/m/lookup", params=query).status_code == 422
    shown = signed_in(reviewer).post("/banks/search", {"kind": "keyword", "value": text})
    assert shown.status_code == 422
    assert CliRunner().invoke(bank_command, ["search", "--hash", f"keyword:{text}"]).exit_code != 0


def test_fifty_urls_with_every_form_are_one_answer(call: Caller) -> None:
    deep = "a." * 12 + "pages.example:81/a/" + "b/" * 12 + "?" + "&".join("abcdefgh")
    urls = [f"http://{number}.{deep}" for number in range(50)]
    assert careless.of_text(call("POST", "/v1/text", json={"urls": urls})) == "known"
