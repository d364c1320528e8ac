"""Ignorance never reads as clear: every door of lookups, asked for every kind of hash and file."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from click.testing import CliRunner
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.cli.bank import bank as bank_command
from kinward.demo import pictures
from kinward.findings import upload as upload_module
from kinward.findings.retro import retro_match
from kinward.gate.models import KeptAnswer
from kinward.ground.errors import KinwardError
from kinward.matching.hashlists import ListedHash, read_list
from kinward.matching.models import Bank, BankedHash, Check
from kinward.matching.services import add_hashes, create_bank, disable_bank, file_hashes
from kinward.media import Busy, Undecodable, decoders, digest_bytes, read_video
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in
from tests.support import careless, joined, videos
from tests.support.helpers import KNOWN, KNOWN_PNG, UNKNOWN, listening
from tests.support.weakened import tuned_by_two

pytestmark = pytest.mark.django_db(transaction=True)

ACTOR: Final = Actor.system("test")
ABOUT: Final = {"account_id": "member-1", "content_id": "x"}
DIGESTS: Final = ["md5", "sha1", "sha256"]
UNKNOWN_PDQ: Final = "0" * 63 + "1"
OTHER: Final = digest_bytes(b"something that nobody has banked")


def plain(shade: int) -> bytes:
    """A picture of one colour, whose PDQ says nothing."""
    return pictures.encode(Image.new("RGB", (64, 64), (shade, shade, shade)))


ZIP: Final = b"PK\x03\x04" + bytes(1000)
BROKEN: Final = UNKNOWN[: len(UNKNOWN) // 2]
NO_JPEG: Final = b"\xff\xd8\xff and then no picture"
FILM: Final = videos.encode(range(40, 44))
SOUND: Final = videos.encode_sound()
KNOWN_FILM: Final = videos.encode(range(30, 33))
PAGE: Final = joined.pdf(UNKNOWN)
SEALED: Final = PAGE + joined.pdf_of(
    b"/Subtype/Image/Width 9/Height 9/BitsPerComponent 1/Filter/JBIG2Decode", b"stored"
)
DRAWN: Final = PAGE + joined.pdf_of(b"", b"q 9 9 m 99 99 l S Q")
BANKED: Final = (ZIP + b"1", BROKEN[:-1], plain(41), NO_JPEG + b"1")  # by a digest
# Each file, and what the gate, a door of HMA and a member of the staff are told of it.
FILES: Final = {
    "a known picture": (KNOWN, "known", "known", "known"),
    "an unknown picture": (UNKNOWN, "clear", "clear", "clear"),
    "a known film": (KNOWN_FILM, "known", "known", "known"),
    "an unknown film": (FILM, "clear", "clear", "clear"),
    "a zip": (ZIP, "partial", "refused", "partial"),
    "a banked zip": (BANKED[0], "known", "known", "known"),
    "a page": (PAGE, "clear", "clear", "clear"),
    "a page that draws": (DRAWN, "partial", "refused", "partial"),
    "a page with a picture that nobody reads": (SEALED, "partial", "refused", "partial"),
    "a text": (b"harbour, lighthouse, gull\n", "partial", "refused", "partial"),
    "sound alone in a film's container": (SOUND, "partial", "refused", "partial"),
    "a cut picture": (BROKEN, "refused", "refused", "partial"),
    "a banked cut picture": (BANKED[1], "known", "known", "known"),
    "a plain picture": (plain(40), "partial", "refused", "partial"),
    "a banked plain picture": (BANKED[2], "known", "known", "known"),
    "no picture after a picture's first bytes": (NO_JPEG, "refused", "refused", "partial"),
    "the same, banked": (BANKED[3], "known", "known", "known"),
    "nothing after a film's first bytes": (b"OggS" + bytes(99), "refused", "refused", "partial"),
}
# The name of a kind, a value, and what a door of HMA and a member of the staff are told.
VALUES: Final = [
    *((name, UNKNOWN_PDQ, "clear", "clear") for name in ("pdq", "PDQ", "video")),
    *((name, OTHER.md5, "clear", "clear") for name in ("md5", "video_md5", "hash-md5")),
    ("sha1", OTHER.sha1, "clear", "clear"),
    ("sha256", OTHER.sha256, "clear", "clear"),
    ("url", "https://other.example/b", "clear", "clear"),
    ("keyword", "lighthouse", "clear", "clear"),
    *((name, digest_bytes(KNOWN).md5, "known", "known") for name in ("md5", "video_md5")),
    ("sha1", digest_bytes(KNOWN_PNG).sha1, "known", "known"),
    ("sha256", digest_bytes(KNOWN_PNG).sha256, "known", "known"),
    ("url", "https://x.pages.example/a/b", "known", "known"),
    ("keyword", "a sea shell", "known", "known"),
    # misspelt and unknown names
    *((name, UNKNOWN_PDQ, "refused", "refused") for name in ("pdqq", "pqd", "sha 512", "?", "")),
    *((name, UNKNOWN_PDQ, "refused", "refused") for name in ("tmk", "vpdq", "raw_text", "clip")),
    # carried, and not matched
    ("photodna", "AAEC", "refused", "known"),
    ("photodna", "AAED", "refused", "partial"),
    ("pdna", "AAED", "refused", "partial"),
    # empty
    *((name, "", "refused", "refused") for name in ("pdq", "md5", "video", "url", "photodna")),
    ("pdq", "0" * 64, "refused", "refused"),
    ("md5", digest_bytes(b"").md5, "refused", "refused"),
    # the wrong length, and no hash at all
    *((name, "00ff", "refused", "refused") for name in ("pdq", "md5", "sha1", "sha256", "video")),
    *((name, "x" * 64, "refused", "refused") for name in ("pdq", "sha256", "video")),
    ("md5", OTHER.sha256, "refused", "refused"),
    ("pdq", UNKNOWN_PDQ * 2, "refused", "refused"),
    ("url", "no page at all", "refused", "refused"),
    ("keyword", "a", "refused", "refused"),
]


@pytest.fixture
def banks(bank: Bank) -> Bank:
    """Hashes of every kind that is matched, and of one that is carried."""
    rows = [ListedHash("photodna", b"AAEC", "r")]
    for format, line in (("keywords", "Sea Shell"), ("urls", "http://pages.example/a")):
        rows += [row for row in read_list([line], format) if isinstance(row, ListedHash)]
    rows += file_hashes(digest_bytes(KNOWN_FILM), read_video(KNOWN_FILM), "film")
    for data in (*BANKED, KNOWN):
        rows.append(ListedHash("md5", bytes.fromhex(digest_bytes(data).md5), "banked"))
    add_hashes(bank=bank, hashes=rows, provenance="p", actor=ACTOR)
    return bank


@pytest.fixture
def call(banks: Bank, account: Account) -> Caller:
    return Caller(create_key(name="all", scopes=SCOPES, actor=ACTOR))


@pytest.fixture
def fetched(configure: Configure) -> Iterator[Callable[[bytes], str]]:
    """Serves one file at a time, from a host that Kinward may fetch from. Returns its URL."""
    served = [b""]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(served[0])

        def log_message(self, format: str, *args: Any) -> None: ...

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        configure(fetch_hosts="127.0.0.1")

        def serve(data: bytes) -> str:
            served[0] = data
            return f"http://127.0.0.1:{server.server_port}/file"

        yield serve


def keyed(call: Caller, path: str) -> list[tuple[Caller, str]]:
    """A door of HMA with the key in a header, and in the path as Coop joins it."""
    return [(call, path), (Caller(""), f"/hma/{call.key}/{path}")]


def pdq_of_known() -> str:
    return bytes(BankedHash.objects.get(kind="pdq").value).hex()


# -- hashes


@pytest.mark.parametrize("path", ["/m/lookup", "/m/raw_lookup"])
def test_hma_answers_for_a_hash_only_if_it_was_looked_up(call: Caller, path: str) -> None:
    wrong = []
    for name, value, expected, _ in [*VALUES, ("pdq", pdq_of_known(), "known", "")]:
        for caller, door in keyed(call, path):
            answer = caller("GET", door, params={"signal_type": name, "signal": value})
            status = 400 if expected == "refused" else 200
            if (careless.of_hma(answer), answer.status_code) != (expected, status):
                wrong.append((door, name, value, answer.status_code, answer.text))
    assert wrong == []


def test_staff_learn_whether_a_hash_was_looked_up(banks: Bank, reviewer: Staff) -> None:
    wrong, page = [], signed_in(reviewer)
    for name, value, _, expected in [*VALUES, ("pdq", pdq_of_known(), "", "known")]:
        shown = page.post("/banks/search", {"kind": name, "value": value})
        said = CliRunner().invoke(bank_command, ["search", "--hash", f"{name}:{value}"])
        read = (
            careless.of_staff(shown.content.decode(), shown.status_code != 200),
            careless.of_staff(said.output, said.exit_code != 0),
        )
        if read != (expected, expected):
            wrong.append((name, value, read, said.output))
    assert wrong == []


@pytest.mark.parametrize(
    ("sent", "expected", "checked", "not_checked"),
    [
        ({"md5": OTHER.md5}, "clear", ["md5"], []),
        ({"sha256": OTHER.sha256, "pdq": UNKNOWN_PDQ}, "clear", ["pdq", "sha256"], []),
        ({"frames": [UNKNOWN_PDQ]}, "clear", ["video"], []),
        ({"md5": digest_bytes(KNOWN).md5}, "known", ["md5"], []),
        ({"pdq": UNKNOWN_PDQ, "quality": 50}, "clear", ["pdq"], []),
        (
            {"pdq": UNKNOWN_PDQ, "quality": 49, "sha1": OTHER.sha1},
            "partial",
            ["sha1"],
            ["media.too_plain"],
        ),
        ({"pdq": UNKNOWN_PDQ, "quality": 49}, "refused", None, None),
        ({"photodna": "AAEC"}, "refused", None, None),
        ({"pdqq": UNKNOWN_PDQ, "md5": OTHER.md5}, "refused", None, None),
        ({"md5": ""}, "refused", None, None),
        ({"frames": []}, "refused", None, None),
        ({"md5": "00ff"}, "refused", None, None),
        ({"pdq": UNKNOWN_PDQ * 2}, "refused", None, None),
        ({"frames": [UNKNOWN_PDQ, "00"]}, "refused", None, None),
    ],
)
def test_the_gate_names_the_hashes_that_it_looked_up(
    call: Caller, sent: dict[str, Any], expected: str, checked: Any, not_checked: Any
) -> None:
    answer = call("POST", "/v1/media/hashes", json=ABOUT | sent)
    assert careless.of_media(answer) == expected
    said = answer.json()
    assert (said.get("checked"), said.get("not_checked")) == (checked, not_checked)


@pytest.mark.parametrize(
    ("sent", "expected", "checked", "unread"),
    [
        ({"text": "lighthouse"}, "clear", ["keyword"], []),
        ({"text": "a sea shell"}, "known", ["keyword"], []),
        ({"urls": ["https://other.example"]}, "clear", ["url"], []),
        ({"urls": ["no page at all", "pages.example/a/b"]}, "known", ["url"], [0]),
        ({"urls": ["https://other.example", "no page at all"]}, "partial", ["url"], [1]),
        ({"urls": ["\u200bhttp://pages.example/a/b"]}, "known", ["url"], []),
        ({"urls": ["<http://http://pages.example/a/b>"]}, "known", ["url"], []),
        ({"urls": ["\u2020http://pages.example/a/b", "x.example"]}, "partial", ["url"], [0]),
        ({"text": "x", "urls": ["no page at all"]}, "partial", ["keyword"], [0]),
        ({"text": "x", "urls": ["https://other.example"]}, "clear", ["keyword", "url"], []),
        ({"urls": ["no page at all", "gopher://other.example"]}, "refused", None, None),
        ({"text": "", "urls": []}, "refused", None, None),
        ({"text": "x" * 20_001}, "refused", None, None),
        ({"urls": ["https://other.example"] * 51}, "refused", None, None),
        ({"keyword": "lighthouse"}, "refused", None, None),
    ],
)
def test_the_gate_says_of_a_text_what_it_looked_up(
    call: Caller, sent: dict[str, Any], expected: str, checked: Any, unread: Any
) -> None:
    answer = call("POST", "/v1/text", json=sent)
    assert careless.of_text(answer) == expected
    said = answer.json()
    assert (said.get("checked"), said.get("unread_urls")) == (checked, unread)


LONG = "https://other.example/?" + "&".join(f"p{number}=1" for number in range(50))


def test_a_url_that_was_cut_is_not_clear(call: Caller) -> None:
    said = call("POST", "/v1/text", json={"urls": ["https://other.example", LONG]})
    assert careless.of_text(said) == "partial"
    assert (said.json()["unread_urls"], said.json()["not_checked"]) == ([1], ["text.unread"])
    met = call(
        "POST", "/v1/text", json={"urls": [LONG.replace("other.example/", "pages.example/a/b")]}
    )
    assert met.json()["outcome"] == "known"


# -- files


def test_each_door_says_what_it_looked_up_of_each_file(
    call: Caller, reviewer: Staff, fetched: Callable[[bytes], str], tmp_path: Path
) -> None:
    page, path, wrong = signed_in(reviewer), tmp_path / "file", []
    for name, (data, gate, hma, staff) in FILES.items():
        read = {"gate": (careless.of_media(call.media(data, content_id=name)), gate)}
        for caller, door in keyed(call, "/m/lookup"):
            sent = caller("POST", door, files={"photo": ("a", data)})
            url = caller("GET", door, params={"url": fetched(data)})
            read[f"POST {door}"] = (careless.of_hma(sent), hma)
            read[f"GET {door}"] = (careless.of_hma(url), hma)
        path.write_bytes(data)
        said = CliRunner().invoke(bank_command, ["search", str(path)])
        read["command"] = (careless.of_staff(said.output, said.exit_code != 0), staff)
        shown = page.post("/banks/search", {"file": SimpleUploadedFile("a", data)})
        read["page"] = (careless.of_staff(shown.content.decode(), shown.status_code != 200), staff)
        wrong += [(name, door, *pair) for door, pair in read.items() if pair[0] != pair[1]]
    assert wrong == []


def test_what_of_a_document_cannot_be_read_is_named(call: Caller) -> None:
    whole, partly = (call.media(data, content_id=str(len(data))).json() for data in (PAGE, SEALED))
    assert (whole["outcome"], whole["not_checked"]) == ("clear", [])
    assert {"pdq", *DIGESTS} == set(partly["checked"])
    assert (partly["outcome"], partly["not_checked"]) == ("clear", ["media.part_unread"])
    drawn = call.media(DRAWN, content_id="drawn").json()
    assert (drawn["outcome"], drawn["not_checked"]) == ("clear", ["media.drawings_unread"])


def test_that_banks_were_not_asked_because_of_their_ratio_is_said(
    call: Caller, banks: Bank
) -> None:
    tuned_by_two(banks, enabled_ratio=0.0)
    answer = call.media(KNOWN, content_id="ratio").json()
    assert (answer["outcome"], answer["not_checked"]) == ("clear", ["bank.not_asked"])


MD5: Final = digest_bytes(KNOWN).md5
NOT_ASKED_ROADS: Final[list[tuple[str, str, dict[str, Any]]]] = [
    ("GET", "/m/lookup", {"params": {"signal_type": "md5", "signal": MD5}}),
    ("GET", "/m/lookup", {"params": {"signal_type": "md5", "signal": MD5, "banks": "known"}}),
    ("GET", "/m/raw_lookup", {"params": {"signal_type": "md5", "signal": MD5}}),
    ("POST", "/m/lookup", {"files": {"photo": ("a", KNOWN)}}),
    ("POST", "/m/lookup", {"files": {"photo": ("a", KNOWN)}, "params": {"types": "md5"}}),
    ("POST", "/m/lookup", {"files": {"photo": ("a", KNOWN)}, "params": {"banks": "known"}}),
]


@pytest.mark.parametrize(("method", "path", "sent"), NOT_ASKED_ROADS)
def test_no_lookup_promises_what_a_bank_was_not_asked(
    call: Caller, banks: Bank, method: str, path: str, sent: dict[str, Any]
) -> None:
    assert call(method, path, **sent).status_code == 200
    tuned_by_two(banks, enabled_ratio=0.0)
    answer = call(method, path, **sent)
    assert (answer.status_code, answer.headers["kinward-error"]) == (422, "bank.not_asked")
    assert "known" in answer.text
    create_bank(name="whole", confidence="verified", actor=ACTOR)
    other = {**sent, "params": {**sent.get("params", {}), "banks": "whole"}}
    assert call(method, path, **other).status_code == 200  # that bank was asked


def test_text_names_a_bank_of_which_some_entries_are_not_asked(call: Caller, banks: Bank) -> None:
    tuned_by_two(banks, enabled_ratio=0.5)
    asked = {"text": "a neutral line", "urls": ["http://elsewhere.example/a"]}
    answer = call("POST", "/v1/text", json=asked).json()
    assert (answer["outcome"], answer["not_checked"]) == ("clear", ["bank.not_asked"])


@pytest.mark.parametrize(
    ("query", "data", "status", "keys"),
    [
        ({}, KNOWN, 200, {"pdq", *DIGESTS}),
        ({}, FILM, 200, {"video", "video_md5", *DIGESTS}),
        ({"types": "pdq, md5"}, KNOWN, 200, {"pdq", "md5"}),
        ({"types": "md5,sha256"}, ZIP, 200, {"md5", "sha256"}),
        ({"types": "video_md5"}, FILM, 200, {"video_md5"}),
        ({"types": "md5"}, BROKEN, 200, {"md5"}),
        ({"types": "video_md5"}, KNOWN, 400, None),
        ({"types": "pdq"}, FILM, 400, None),
        ({"types": "pdq"}, ZIP, 415, None),
        ({"types": "pdqq"}, KNOWN, 400, None),
        ({"types": "md5,photodna"}, KNOWN, 400, None),
        ({"types": "url"}, KNOWN, 400, None),
        ({"types": ","}, KNOWN, 400, None),
        ({}, ZIP, 415, None),
        ({}, BROKEN, 422, None),
        ({}, b"", 400, None),
    ],
)
def test_hma_has_the_types_that_a_tool_asks_for_or_refuses(
    call: Caller, query: dict[str, str], data: bytes, status: int, keys: Any
) -> None:
    for path in ("/h/hash", "/m/lookup"):
        for caller, door in keyed(call, path):
            answer = caller("POST", door, params=query, files={"photo": ("a", data)})
            assert answer.status_code == status, (door, answer.text)
            assert keys is None or set(answer.json()) == keys, door


@pytest.mark.parametrize("data", [SEALED, DRAWN])
def test_hma_gives_no_hash_of_what_it_could_not_read(call: Caller, data: bytes) -> None:
    answer = call("POST", "/h/hash", files={"photo": ("a", data)})
    assert (answer.status_code, careless.of_hma(answer)) == (422, "refused")
    digests = call("POST", "/h/hash", params={"types": "md5"}, files={"photo": ("a", data)})
    assert digests.json() == {"md5": digest_bytes(data).md5}


def test_a_hash_that_says_too_little_is_empty_as_in_hma_and_is_then_refused(call: Caller) -> None:
    hashes = call("POST", "/h/hash", files={"photo": ("a", plain(40))}).json()
    assert (hashes["pdq"], hashes["md5"]) == ("", digest_bytes(plain(40)).md5)
    asked = {"signal_type": "pdq", "signal": hashes["pdq"]}
    assert call("GET", "/m/lookup", params=asked).status_code == 400


def test_a_type_with_a_url_has_the_shape_of_hma(
    call: Caller, fetched: Callable[[bytes], str]
) -> None:
    def ask(data: bytes, **more: str) -> httpx.Response:
        return call("GET", "/m/lookup", params={"url": fetched(data), **more})

    assert [*ask(KNOWN, signal_type="pdq").json()] == ["known"]
    assert ask(UNKNOWN, signal_type="pdq", content_type="photo").json() == {}
    assert ask(UNKNOWN, types="pdq").json() == {"pdq": {}}
    assert ask(ZIP, signal_type="md5").json() == {}
    for more in (
        {"signal_type": "photodna"},
        {"signal_type": "pdqq"},
        {"signal_type": "url"},
        {"signal_type": "video_md5"},
        {"signal_type": "pdq", "types": "md5"},
        {"signal_type": "pdq", "signal": UNKNOWN_PDQ},
        {"content_type": "phot"},
        {"banks": "none such"},
    ):
        assert ask(KNOWN, **more).status_code == 400, more
    assert call("GET", "/m/lookup").status_code == 400


def test_hma_looks_only_in_the_banks_that_a_tool_names(call: Caller) -> None:
    create_bank(name="other", confidence="verified", actor=ACTOR)
    off = create_bank(name="off", confidence="verified", actor=ACTOR)
    disable_bank(bank=off, disabled=True, actor=ACTOR)
    asked = {"signal_type": "pdq", "signal": pdq_of_known()}
    for path in ("/m/lookup", "/m/raw_lookup"):
        for banks, expected in (
            ("known", "known"),
            ("other, known", "known"),
            ("other", "clear"),
            ("Known", "refused"),
            ("known,missing", "refused"),
            ("off", "refused"),
            (",", "refused"),
        ):
            answer = call("GET", path, params={**asked, "banks": banks})
            assert careless.of_hma(answer) == expected, (path, banks)
    sent = call("POST", "/m/lookup", params={"banks": "other"}, files={"photo": ("a", KNOWN)})
    assert careless.of_hma(sent) == "clear"
    assert call("GET", "/m/lookup", params={**asked, "types": "md5"}).status_code == 400


class Failing:
    """Decoders that fail in one way."""

    def __init__(self, error: KinwardError) -> None:
        self._error = error

    def hash(self, *_: object, **__: object) -> None:
        raise self._error


@pytest.mark.parametrize("error", [Busy, Undecodable])
def test_a_banked_digest_is_found_though_no_decoder_answers(
    call: Caller, monkeypatch: pytest.MonkeyPatch, error: type[KinwardError]
) -> None:
    monkeypatch.setattr(upload_module, "decoders", lambda: Failing(error()))
    known = call.media(KNOWN).json()
    assert (known["outcome"], known["checked"]) == ("quarantine", DIGESTS)
    assert known["not_checked"] == [error.code]
    unknown = call.media(UNKNOWN)
    assert (unknown.status_code, unknown.json()["code"]) == (error.status, error.code)
    assert unknown.json()["checked"] == DIGESTS
    for data, expected in ((KNOWN, "known"), (UNKNOWN, "refused")):
        answer = call("POST", "/m/lookup", files={"photo": ("a", data)})
        assert careless.of_hma(answer) == expected


def test_of_a_known_film_nothing_is_missing_though_reading_stopped(call: Caller) -> None:
    longer = videos.encode([*range(30, 33), *range(50, 66)])
    assert upload_module.prepare(longer).fault is not None, "it was read to its end"
    answer = call.media(longer).json()
    assert (answer["outcome"], answer["not_checked"]) == ("quarantine", [])
    assert answer["checked"] == [*DIGESTS, "video"]


def test_a_film_that_is_cut_short_is_refused_unless_it_is_known(
    call: Caller, configure: Configure
) -> None:
    configure(video_seconds=0.001)
    decoders.cache_clear()
    try:
        assert call.media(FILM).json()["checked"] == DIGESTS
        for path in ("/m/lookup", "/h/hash"):
            answer = call("POST", path, files={"video": ("a", FILM)})
            assert careless.of_hma(answer) == "refused"
        assert (
            "Looked up: md5, sha1, sha256, video_md5."
            in call("POST", "/m/lookup", files={"video": ("a", FILM)}).text
        )
        known = call("POST", "/m/lookup", files={"video": ("a", KNOWN_FILM)})
        assert careless.of_hma(known) == "known"
    finally:
        decoders.cache_clear()


def test_a_file_of_another_kind_is_found_again_by_its_digest(call: Caller, banks: Bank) -> None:
    answer = call.media(ZIP).json()
    assert (answer["outcome"], answer["checked"]) == ("clear", DIGESTS)
    check = Check.objects.get(pk=answer["check_id"])
    assert (check.sha256, check.media_type) == (digest_bytes(ZIP).sha256, "")
    row = ListedHash("sha256", bytes.fromhex(check.sha256), "r")
    add_hashes(bank=banks, hashes=[row], provenance="later", actor=ACTOR)
    list(retro_match())
    assert check.account.cases.get().findings.get().content_id == "post-1"


def test_an_answer_from_before_claims_nothing(call: Caller) -> None:
    first = call.media(UNKNOWN, key="k").json()
    old = {name: first[name] for name in ("check_id", "outcome")}
    KeptAnswer.objects.update(answer=old)
    assert call.media(UNKNOWN, key="k").json() == old | {"checked": []}


# -- what is not served

GATE: Final = "http://gate"  # so that two slashes stay a path
UNSERVED: Final = [
    *("/c/banks", "/c/bank/COOP_A_B", "/c/bank/X/content/1", "/c/exchanges", "/c/signal_type"),
    *("/c/exchange/X/status", "/c/exchanges/api/ncmec/schema", "/c", "/m", "/h", "/h/other"),
    *("/m/index/status", "/m/compare", "/m/lookup/more", "/ui", "/ui/banks", "/status", "/livez"),
    *("/readyz", "/site-map", "/site-verification", "/dev/setup", "/m/lookup%2Fmore"),
]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_what_is_not_served_of_hma_is_no_404(call: Caller, method: str) -> None:
    weak = create_key(name="app", scopes=frozenset({"media:check"}), actor=ACTOR)
    for path in (*UNSERVED, "/", ""):
        doors = [(f"/hma/{{key}}{path}", ""), (f"//hma/{{key}}/{path}", "")]
        if path.strip("/"):
            doors += [(path, "{key}"), (f"/{path}", "{key}")]
        for door, bearer in doors:
            for key, status in ((call.key, 501), (weak, 403), ("kw_guess", 401)):
                answer = Caller(bearer.format(key=key))(method, GATE + door.format(key=key))
                assert answer.status_code == status, (method, door, answer.text)
                assert careless.of_hma(answer) == "refused"


def test_what_strangers_ask_of_hma_tells_them_nothing(call: Caller) -> None:
    paths = ("/m/lookup", "/c/bank/known", "/c/bank/none", "/status")
    for key in ("", "kw_guess"):
        answers = {Caller(key)("GET", path).text for path in paths}
        assert len(answers) == 1
    keyed = {Caller(call.key)("GET", f"/hma/kw_guess{path}").text for path in paths}
    assert keyed == answers
    assert Caller(call.key)("GET", "/hma").status_code == 401


def test_the_pages_are_not_taken_for_hma() -> None:
    from kinward.gate.api import is_for_gate

    for path in (*UNSERVED, "/healthz", "/v1/media", "//c/banks", "/hma"):
        assert is_for_gate(path), path
    for path in ("/", "/cases/1", "/custody", "/uid", "/statuses", "/family", "/hmac", "/queue"):
        assert not is_for_gate(path), path
