"""The bank pages, HMA's lookups, and the check of texts: what each of them answers and refuses."""

import hashlib
import io
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.purposes import scopes_of
from kinward.access.services import create_key
from kinward.cli.bank import bank as bank_command
from kinward.demo import pictures
from kinward.exchanges.models import Opinion
from kinward.findings.upload import search_file
from kinward.gate import hma
from kinward.ledger.models import Entry
from kinward.matching.agreements import Weakening
from kinward.matching.hashlists import ListedHash, read_list
from kinward.matching.kinds import Pdq, VideoFrames
from kinward.matching.lookup import look_up
from kinward.matching.models import Bank, BankedHash
from kinward.matching.services import add_hashes, create_bank, file_hashes
from kinward.matching.weakening import decide_weakening
from kinward.media import Hashed, Undecodable, decoders, digest_bytes, read_video, split_frames
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in
from tests.support import jxl, looks, videos
from tests.support.helpers import KNOWN, UNKNOWN, listening, upload
from tests.support.weakened import disabled_by_two

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.system("test")
FILM = videos.encode(range(30, 36))


@pytest.fixture
def tool(bank: Bank) -> Caller:
    return Caller(create_key(name="tool", scopes=frozenset({"hashes:look-up"}), actor=ACTOR))


@pytest.fixture
def films(bank: Bank) -> Bank:
    made = create_bank(name="films", confidence="verified", actor=ACTOR)
    hashes = [
        each
        for each in file_hashes(digest_bytes(FILM), read_video(FILM), "film")
        if each.kind == VideoFrames.name
    ]
    add_hashes(bank=made, hashes=hashes, provenance="p", actor=ACTOR)
    return made


def code_of(answer: httpx.Response) -> str:
    """The code of an error at an address of HMA, which is plain text."""
    return str(answer.headers["kinward-error"])


def pdq_of_known() -> str:
    return bytes(BankedHash.objects.get(kind="pdq").value).hex()


# -- video at the gate


@pytest.mark.parametrize(
    ("seeds", "known"),
    [
        (range(30, 36), True),  # the same film, encoded again
        (range(31, 33), True),  # a piece of it
        ([1, 2, 3, *range(30, 36), 4, 5], True),  # all of it, in a longer one
        ([1, 2, 3, 30, 4, 5], False),  # one picture of six
        (range(40, 46), False),
    ],
)
def test_a_video_is_known_by_enough_of_its_frames(
    films: Bank, account: Account, seeds: Any, known: bool
) -> None:
    sent = videos.encode(seeds, format="webm", codec="libvpx", size=(256, 192))
    assert upload(account, sent).outcome == ("quarantine" if known else "clear")


def test_a_full_signature_stays_apart_from_the_next_one(bank: Bank, account: Account) -> None:
    """The last frame of one and the first of the next are neighbours in the index."""
    values = [hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(2048)]
    hashes = [
        ListedHash(VideoFrames.name, b"".join(values[:1024]), "one"),
        ListedHash(VideoFrames.name, b"".join(values[1024:]), "two"),
    ]
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    for value, reference in ((values[1023], "one"), (values[1024], "two")):
        assert [match.reference for match in look_up([(Pdq.name, value)])] == [reference]


def test_both_shares_are_settings(films: Bank, account: Account, configure: Configure) -> None:
    configure(video_bank_share=0.1)
    one_of_six = videos.encode([1, 2, 3, 30, 4, 5])
    assert upload(account, one_of_six).outcome == "quarantine"


def test_a_banked_picture_is_found_in_a_video_and_a_frame_of_a_banked_video_as_a_picture(
    films: Bank, account: Account
) -> None:
    assert upload(account, videos.encode([1, 2, 901, 3])).outcome == "quarantine"
    frame = pictures.encode(pictures.draw(33).resize((400, 300)), "JPEG", quality=70)
    assert upload(account, frame, content_id="still").outcome == "quarantine"


def test_the_gate_takes_videos_and_the_hashes_of_their_frames(
    films: Bank, account: Account
) -> None:
    call = Caller(create_key(name="app", scopes=scopes_of(["gate"]), actor=ACTOR))
    assert call.media(FILM).json()["outcome"] == "quarantine"
    frames = [frame.hex() for frame in split_frames(read_video(FILM).signature)]
    about = {"account_id": account.platform_id, "content_id": "x"}
    answer = call("POST", "/v1/media/hashes", json={**about, "frames": frames[:3]})
    assert answer.json()["outcome"] == "quarantine"
    for bad in (["zz"], frames * 200, "no list"):
        assert call("POST", "/v1/media/hashes", json={**about, "frames": bad}).status_code == 422


def test_a_video_that_cannot_be_read_to_its_end_is_not_clear(
    films: Bank, account: Account, configure: Configure
) -> None:
    call = Caller(create_key(name="app", scopes=scopes_of(["gate"]), actor=ACTOR))
    configure(video_seconds=0.001)
    decoders.cache_clear()
    try:
        answer = call.media(videos.encode(range(40, 46)))
    finally:
        decoders.cache_clear()
    assert (answer.status_code, answer.json()["code"]) == (422, "media.undecodable")
    assert "frames" in answer.json()["detail"]


# -- HMA's doors


def test_hma_looks_hashes_up(tool: Caller) -> None:
    row = BankedHash.objects.get(kind="pdq")
    near = f"{int(pdq_of_known(), 16) ^ 0b111:064x}"
    signal = {"signal": near, "signal_type": "pdq"}
    found = tool("GET", "/m/lookup", params=signal).json()
    assert found == {"known": [{"bank_content_id": row.pk, "distance": "3"}]}
    assert tool("GET", "/m/raw_lookup", params=signal).json() == {"matches": [row.pk]}
    raw = tool("GET", "/m/raw_lookup", params={**signal, "include_distance": "true"}).json()
    assert raw["matches"][0]["distance"] == "3"
    nothing = {"signal": "0" * 63 + "1", "signal_type": "pdq"}
    assert tool("GET", "/m/lookup", params=nothing).json() == {}


def test_hma_hashes_and_looks_files_up(tool: Caller) -> None:
    hashes = tool("POST", "/h/hash", files={"photo": ("a.jpg", KNOWN)}).json()
    assert hashes["md5"] == digest_bytes(KNOWN).md5
    found = tool("POST", "/m/lookup", files={"photo": ("a.jpg", KNOWN)}).json()
    assert list(found["pdq"]) == ["known"]
    assert found["md5"] == {}
    assert "video_md5" in tool("POST", "/h/hash", files={"video": ("a.mp4", FILM)}).json()


def test_hma_says_how_many_views_a_file_has_beside_the_one_that_it_hashes(tool: Caller) -> None:
    """A tool that looks up the one hash would take the second frame of a file for unknown."""
    other = looks.plain(77)
    moving = looks.encode(other, "WEBP", save_all=True, append_images=[looks.plain(78)])
    answers = [
        tool("POST", "/h/hash", files={"photo": ("a", data)})
        for data in (looks.encode(other, "PNG"), moving)
    ]
    assert [answer.headers["Kinward-Views"] for answer in answers] == ["1", "2"]
    assert [set(answer.json()) for answer in answers] == [{"pdq", "md5", "sha1", "sha256"}] * 2
    digest = tool("POST", "/h/hash", params={"types": "md5"}, files={"photo": ("a", moving)})
    assert "Kinward-Views" not in digest.headers  # nothing was decoded


def test_views_are_counted_to_a_hundred() -> None:
    """A file may have a hundred thousand that differ, and each is compared with those before it."""
    rng = np.random.default_rng(7)
    many = Hashed(VideoFrames.name, rng.bytes(300 * 32))
    assert hma._apart(many) == hma.MOST_APART
    assert hma._apart(msgspec.structs.replace(many, signature=many.signature[: 5 * 32] * 2)) == 5


def test_a_jpeg_xl_is_known_at_every_door_and_a_broken_one_clear_at_none(
    tool: Caller, account: Account, tmp_path: Path
) -> None:
    app = Caller(create_key(name="app", scopes=scopes_of(["gate"]), actor=ACTOR))
    with Image.open(io.BytesIO(KNOWN)) as image:
        data = jxl.encode(image.convert("RGB"), container=True)
    assert app.media(data).json()["outcome"] == "quarantine"
    assert list(tool("POST", "/m/lookup", files={"photo": ("a", data)}).json()["pdq"]) == ["known"]
    assert [match.bank for match in search_file(data).met.matches] == ["known"]
    broken = b"\xff\x0a" + bytes(range(200))
    assert app.media(broken).json()["code"] == "media.undecodable"
    for path in ("/m/lookup", "/h/hash"):
        assert code_of(tool("POST", path, files={"photo": ("a", broken)})) == "media.undecodable"
    assert [type(error) for error in search_file(broken).missed] == [Undecodable]
    file = tmp_path / "a.jxl"
    for content, words in ((data, "Added 4 hashes"), (broken, "only digests were added")):
        file.write_bytes(content)
        done = CliRunner().invoke(bank_command, ["add", "known", str(file), "--provenance", "p"])
        assert words in done.output


def test_a_tool_that_knows_of_no_key_has_it_in_the_address(tool: Caller) -> None:
    signal = {"signal": pdq_of_known(), "signal_type": "pdq"}
    bare = Caller("")
    # As Coop writes it, with HMA_SERVICE_URL=http://kinward/hma/<key>/
    assert "known" in bare("GET", f"/hma/{tool.key}//m/lookup", params=signal).json()
    assert bare("GET", "/hma/kw_guess/m/lookup", params=signal).status_code == 401
    assert bare("GET", "/m/lookup", params=signal).status_code == 401
    app = Caller(create_key(name="app", scopes=scopes_of(["gate"]), actor=ACTOR))
    assert app("GET", "/m/lookup", params=signal).status_code == 403


@pytest.mark.parametrize(
    "given",
    [
        {"signal": "zz", "signal_type": "pdq"},
        {"signal": "00", "signal_type": "md5"},
        {"signal_type": "pdq"},
        {"signal": "x", "signal_type": "what is it?"},
        {f"p{number}": "1" for number in range(40)},
    ],
)
def test_hma_says_what_is_wrong_with_a_question(tool: Caller, given: dict[str, str]) -> None:
    answer = tool("GET", "/m/lookup", params=given)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.fixture
def files() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            moved = self.path == "/moved"
            self.send_response(302 if moved else 200)
            self.send_header("Location", "/known.jpg")
            self.end_headers()
            self.wfile.write(b"" if moved else KNOWN)

        def log_message(self, format: str, *args: Any) -> None: ...

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def test_hma_fetches_only_from_hosts_that_the_operator_named(
    tool: Caller, files: str, configure: Configure
) -> None:
    asked = {"url": f"{files}/known.jpg"}
    assert code_of(tool("GET", "/h/hash", params=asked)) == "fetch.refused"
    configure(fetch_hosts="pictures.example, 127.0.0.1")
    assert tool("GET", "/h/hash", params=asked).json()["md5"] == digest_bytes(KNOWN).md5
    assert list(tool("GET", "/m/lookup", params=asked).json()["pdq"]) == ["known"]
    moved = tool("GET", "/h/hash", params={"url": f"{files}/moved"})
    assert (moved.status_code, code_of(moved)) == (502, "fetch.failed")
    for url in ("file:///etc/passwd", "http://169.254.169.254/", "http://127.0.0.1@other.example/"):
        assert code_of(tool("GET", "/h/hash", params={"url": url})) == "fetch.refused"
    configure(fetch_hosts="127.0.0.1", max_body=1000)
    assert code_of(tool("GET", "/h/hash", params=asked)) == "fetch.failed"


# -- texts


def test_a_banked_keyword_or_url_makes_a_text_known() -> None:
    words = create_bank(name="words", confidence="unverified", actor=ACTOR)
    for format, line in (("keywords", "Sea Shell"), ("urls", "http://Pages.example/a/")):
        rows = [each for each in read_list([line], format) if not hasattr(each, "why")]
        add_hashes(bank=words, hashes=rows, provenance="p", actor=ACTOR)
    call = Caller(create_key(name="app", scopes=frozenset({"text:check"}), actor=ACTOR))

    def outcome(**sent: Any) -> str:
        return str(call("POST", "/v1/text", json=sent).json()["outcome"])

    assert outcome(text="where are S.E.A. 5hells? a sea shell") == "known"
    assert outcome(text="shell of the sea") == "clear"
    assert outcome(urls=["https://x.pages.example/a/b?c=d"]) == "known"
    assert outcome(urls=["https://pages.example/b", "not a url"]) == "clear"
    for bad in ({}, {"text": "x" * 20_001}, {"urls": ["u"] * 51}, {"text": 1}, {"words": "x"}):
        assert call("POST", "/v1/text", json=bad).status_code == 422
    assert not Entry.objects.filter(data__icontains="pages.example/a/b").exists()


# -- the console


def test_a_file_is_searched_by_its_hashes_and_the_search_is_in_the_ledger(
    bank: Bank, reviewer: Staff
) -> None:
    page = signed_in(reviewer)
    shown = page.post("/banks/search", {"file": SimpleUploadedFile("a.jpg", KNOWN)})
    text = shown.content.decode()
    assert "1 matching banked hash." in text
    assert "a test, by system:test" in text
    assert "<img" not in text.partition("<main")[2]
    entry = Entry.objects.filter(kind="bank.searched").get()
    assert entry.actor == "staff:robin"
    nothing = page.post("/banks/search", {"file": SimpleUploadedFile("a.jpg", UNKNOWN)})
    assert "No banked hash matches." in nothing.content.decode()
    value = page.post("/banks/search", {"kind": "pdq", "value": pdq_of_known()})
    assert "generated 901" in value.content.decode()
    for sent in ({"kind": "pdq", "value": "zz"}, {"kind": "?", "value": "1"}, {}):
        assert page.post("/banks/search", sent).status_code == 422


def test_a_false_positive_matches_nothing_until_it_is_taken_back(
    bank: Bank, reviewer: Staff, second_reviewer: Staff, account: Account
) -> None:
    page = signed_in(reviewer)
    row = BankedHash.objects.get(kind="pdq")
    page.post(f"/banks/hashes/{row.pk}/mark", {"wrong": "yes"})
    signed_in(second_reviewer).post(f"/banks/hashes/{row.pk}/mark", {"wrong": "yes"})
    assert upload(account, KNOWN).outcome == "clear"
    assert "false positive" in page.get("/banks/of/known").content.decode()
    assert not Opinion.objects.exists(), "this bank is no partner's"
    page.post(f"/banks/hashes/{row.pk}/mark", {"wrong": "no"})
    assert upload(account, KNOWN, content_id="again").outcome == "quarantine"


def test_a_bank_page_shows_where_hashes_came_from_and_a_disabled_one_matches_nothing(
    bank: Bank, operator: Staff, account: Account
) -> None:
    page = signed_in(operator)
    text = page.get("/banks/of/known?kind=md5").content.decode()
    assert "a test" in text
    assert "md5 (1)" in text
    disabled_by_two(bank)
    assert upload(account, KNOWN).outcome == "clear"
    assert "disabled" in page.get("/banks").content.decode()
    page.post("/banks/of/known/switch", {"disabled": "no"})
    assert upload(account, KNOWN, content_id="again").outcome == "quarantine"
    assert page.get("/banks/of/nothing").status_code == 404


def test_hashes_are_shown_page_by_page(bank: Bank, operator: Staff) -> None:
    hashes = [
        each for number in range(120) for each in file_hashes(digest_bytes(bytes([number])), None)
    ]
    add_hashes(bank=bank, hashes=hashes, provenance="many", actor=ACTOR)
    page, seen, path = signed_in(operator), set[str](), "/banks/of/known?kind=sha1"
    for _ in range(10):
        text = page.get(path).content.decode()
        seen |= {part.partition("<")[0] for part in text.split('<td class="mono wrap">')[1:]}
        if "More hashes" not in text:
            break
        link = text.split('<p><a href="?')[1].partition('"')[0]
        path = "/banks/of/known?" + link.replace("&amp;", "&")
    assert len(seen) == 121


# -- the command line


def test_lists_of_every_kind_go_in_and_come_out_as_they_were(bank: Bank, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(bank_command, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    source = tmp_path / "list.csv"
    rows = ["hash_type,value,reference,label"]
    rows += [f"pdq,{'3c' * 32},r1,A1", "photodna,AAEC+/=,r2,B2", "tmk_pdqf,any thing at all,r3,"]
    source.write_text("\n".join([*rows, *["md5,d41d8cd98f00b204e9800998ecf8427e,,"] * 31]) + "\n")
    run("create", "list", "--confidence", "verified")
    bad = tmp_path / "bad.txt"
    said = run("import", "list", str(source), "--format", "csv", "--provenance", "p",
               "--bad-rows", str(bad))  # fmt: skip
    assert "Added 3 new hashes to" in said
    assert "31 hashes were not banked" in said
    assert len(bad.read_text().splitlines()) == 31
    assert bad.read_text().startswith("5\tcolumn 'value': this md5 is that of an empty file")
    assert run("export", "list").splitlines() == rows
    assert json.loads(run("export", "list", "--format", "jsonl").splitlines()[0])["label"] == "A1"
    file = tmp_path / "known.jpg"
    file.write_bytes(KNOWN)
    assert "known (verified)  pdq" in run("search", str(file))
    assert "list (verified)  photodna" in run("search", "--hash", "photodna:AAEC+/=")
    second = Staff.objects.create_user(username="bo", password="a long word", roles=["operator"])
    assert "Another person must approve it" in run("disable", "list")
    asked = Weakening.objects.get()
    decide_weakening(weakening_id=asked.id, approve=True, staff=second)
    assert "No banked photodna is identical." in run("search", "--hash", "photodna:AAEC+/=")


def test_project_vic_needs_its_categories(bank: Bank, tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    media = [{"MediaID": 1, "Category": 1, "MD5": "0f" * 16}, {"Category": 5, "MD5": "11" * 16}]
    file.write_text(json.dumps({"value": media}))
    arguments = ["import", "known", str(file), "--format", "vic", "--provenance", "p"]
    refused = CliRunner().invoke(bank_command, arguments)
    assert refused.exit_code == 2
    assert "--category" in refused.output
    done = CliRunner().invoke(bank_command, [*arguments, "--category", "1"])
    assert "Added 1 new hash to" in done.output
    assert BankedHash.objects.get(reference="1").label == "vic: 1"
