"""A bank that a partner fills is equal to the partner's, whatever happens on the way."""

import json
import time
from collections.abc import Generator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from click.testing import CliRunner
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.cli.doctor.connections import check_partners
from kinward.cli.exchange import exchange as command
from kinward.exchanges import sandbox
from kinward.exchanges.kinds import OpinionKind
from kinward.exchanges.models import Exchange, Opinion, Signal, Sync
from kinward.exchanges.opinions import give_opinion, send
from kinward.exchanges.sandbox import Entry, Partner, generated
from kinward.exchanges.services import add_exchange, due
from kinward.exchanges.sync import SyncFailed, sync_exchange
from kinward.ground.errors import Invalid
from kinward.matching.lookup import look_up
from kinward.matching.models import BankedHash
from kinward.media import digest_bytes
from kinward.people.models import Account
from kinward.review.lease import take_case
from kinward.verdicts.form import VerdictForm
from tests.integration.web.test_console import signed_in
from tests.support.deep import DEEP
from tests.support.helpers import KNOWN, due_jobs, listening, quarantined
from tests.support.marked import marked_by_two
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")
REAL = time.time
NAMES = {"pdna": "photodna"}


class Clock:
    """The partner's time and the client's: reading takes none, and then a minute passes."""

    ahead = 0

    def __call__(self) -> float:
        return REAL() + self.ahead


CLOCK = Clock()


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    CLOCK.ahead = 0
    monkeypatch.setattr(time, "time", CLOCK)


def now() -> int:
    """When something changes at a partner: after all that was read, before the next reading."""
    return int(CLOCK()) - 20


@pytest.fixture
def partner() -> Iterator[Partner]:
    with listening(sandbox.serve()) as server:
        yield server


def add(partner: Partner, api: str = "ncmec", **changes: Any) -> Exchange:
    paths = {"ncmec": "hashsharing", "stop_ncii": "stopncii", "fb_threatexchange": "graph"}
    credentials = {
        "ncmec": {"user": "sandbox", "password": "sandbox"},
        "stop_ncii": {
            "subscription_key": "sandbox",
            "fetch_function_key": "f",
            "feedback_function_key": "b",
        },
        "fb_threatexchange": {"api_token": "1|sandbox"},
    }
    config: dict[str, Any] = {"url": f"{partner.url}/{paths.get(api, '')}"}
    if api == "fb_threatexchange":
        config["privacy_group"] = 1
    return add_exchange(
        **{
            "name": "partner",
            "api": api,
            "confidence": "verified",
            "config": config,
            "credentials": credentials.get(api, {}),
            "actor": ACTOR,
            **changes,
        }
    )


def read(exchange: Exchange, steps: int = 10**9) -> int:
    """Sync, and let go after some steps; how many there were."""
    done = 0
    reading = cast("Generator[Sync, None, None]", sync_exchange(exchange, actor=ACTOR))
    for done, _ in enumerate(reading, 1):
        if done >= steps:
            reading.close()
            break
    CLOCK.ahead += 60
    return done


def banked(exchange: Exchange) -> set[tuple[str, bytes]]:
    rows = BankedHash.objects.filter(bank=exchange.bank, removed=False)
    return {(kind, bytes(value)) for kind, value in rows.values_list("kind", "value")}


def shared(partner: Partner) -> set[tuple[str, bytes]]:
    return {
        (NAMES.get(kind, kind), text.encode() if kind == "pdna" else bytes.fromhex(text))
        for entry in partner.live()
        for kind, text in entry.fingerprints.items()
    }


def gone(entry: Entry) -> Entry:
    return msgspec.structs.replace(
        entry, at=now(), deleted=True, fingerprints={}, classification=""
    )


@pytest.mark.parametrize("pages", [200 if DEEP else 20])
def test_a_sync_cut_three_times_ends_equal_to_the_source(partner: Partner, pages: int) -> None:
    partner.put(*generated(1000 * pages))
    exchange = add(partner)
    assert read(exchange, steps=pages // 5) == pages // 5  # the process ends
    entries = partner.live()
    partner.put(*(gone(each) for each in entries[::20]))
    partner.faults = [""] * (pages * 3 // 10) + ["cut"]
    with pytest.raises(SyncFailed):
        read(exchange)
    changed = [
        msgspec.structs.replace(each, at=now(), fingerprints={"md5": f"{number:032x}"})
        for number, each in enumerate(entries[1::40], 1)
    ]
    partner.put(*changed)
    partner.faults = [""] * (pages * 3 // 10) + ["html"]
    with pytest.raises(SyncFailed):
        read(exchange)
    exchange.refresh_from_db()
    assert exchange.problem
    served = partner.served
    read(exchange)
    assert partner.served - served < pages * 5, "it read much anew"
    exchange.refresh_from_db()
    assert exchange.generation == 1, "it began again"
    assert not exchange.problem
    assert exchange.finished_at is not None
    assert banked(exchange) == shared(partner)
    assert len(banked(exchange)) > 1000 * pages


def test_a_deleted_entry_takes_its_hash_along_unless_another_shares_it(partner: Partner) -> None:
    one = Entry(1, "a", now(), {"md5": "11" * 16, "pdq": "22" * 32})
    two = Entry(2, "b", now(), {"md5": "11" * 16})
    partner.put(one, two)
    exchange = add(partner)
    read(exchange)
    partner.put(gone(one))
    read(exchange)
    assert banked(exchange) == {("md5", b"\x11" * 16)}
    partner.put(gone(two))
    read(exchange)
    assert banked(exchange) == set()
    assert not Signal.objects.exists()


def test_what_is_no_good_is_counted_and_the_rest_goes_in(partner: Partner) -> None:
    partner.put(
        Entry(1, "a", now(), {"md5": "not hex", "sha1": "e" * 40}),
        Entry(1, "b", now(), {"md5": "33" * 16, "sha1": "d" * 40, "netclean": "any text"}),
        Entry(1, "c", now(), {"md5": "d41d8cd98f00b204e9800998ecf8427e"}),
    )
    exchange = add(partner)
    read(exchange)
    exchange.refresh_from_db()
    assert exchange.unusable == 2
    assert {kind for kind, _ in banked(exchange)} == {"md5", "sha1", "netclean"}
    assert ("sha1", b"\xee" * 20) in banked(exchange), "the good half of a bad entry"
    row = BankedHash.objects.get(kind="netclean")
    assert bytes(row.value) == b"any text"


@pytest.mark.parametrize("api", ["ncmec", "stop_ncii", "fb_threatexchange"])
@pytest.mark.parametrize("fault", ["html", "cut"])
def test_a_partner_that_answers_nonsense_changes_nothing(
    partner: Partner, api: str, fault: str
) -> None:
    partner.put(*(each for each in generated(500) if "pdq" in each.fingerprints))
    exchange = add(partner, api)
    read(exchange)
    before = banked(exchange)
    assert before
    partner.faults = [fault] * 9
    with pytest.raises(SyncFailed):
        read(exchange)
    assert banked(exchange) == before
    exchange.refresh_from_db()
    assert exchange.problem
    assert exchange.checkpoint


@pytest.mark.parametrize(("api", "kind"), [("stop_ncii", "pdq"), ("fb_threatexchange", "md5")])
def test_the_other_partners_are_kept_equal_too(partner: Partner, api: str, kind: str) -> None:
    partner.put(*(each for each in generated(20_000) if "pdq" in each.fingerprints))
    exchange = add(partner, api)
    read(exchange)
    withdrawn = partner.live()[:30]
    partner.put(*(msgspec.structs.replace(each, at=now(), deleted=True) for each in withdrawn))
    read(exchange)
    assert banked(exchange) == {(k, value) for k, value in shared(partner) if k == kind}


def test_a_file_is_read_whole_and_what_left_it_goes(tmp_path: Path, partner: Partner) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"pdq {'ab' * 32}\nvideo_md5 {'cd' * 16}\nphotodna AAAA\n")
    exchange = add(partner, api="local_file", config={"filename": str(path)})
    read(exchange)
    assert {kind for kind, _ in banked(exchange)} == {"pdq", "md5", "photodna"}
    path.write_text(f"pdq {'ab' * 32}\n")
    read(exchange)
    assert banked(exchange) == {("pdq", b"\xab" * 32)}


def test_an_extension_of_threatexchange_works(partner: Partner) -> None:
    exchange = add(partner, api="practice", extension="tests.support.extension", config={})
    read(exchange)
    assert banked(exchange) == {("pdq", b"\x0f" * 32)}


def test_opinions_go_back(partner: Partner, account: Account, reviewer: Staff) -> None:
    partner.put(Entry(4, "e", now(), {"md5": digest_bytes(KNOWN).md5, "pdq": "22" * 32}))
    exchange = add(partner, opinions=True)
    read(exchange)
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    form = VerdictForm(outcome="confirmed", clause="CS-1")
    decide_case(case_id=case.id, staff=reviewer, form=form)
    wrong = BankedHash.objects.get(bank=exchange.bank, kind="pdq")
    marked_by_two(wrong, reviewer)
    for opinion in Opinion.objects.all():
        send(opinion.pk)
        send(opinion.pk)  # a job may run twice
    about = {"member": 4, "entry": "e"}
    assert partner.opinions == [
        {**about, "kind": "MD5", "vote": "affirmative"},
        {**about, "kind": "PDQ", "vote": "negative"},
    ]
    assert Opinion.objects.get(kind="seen").answer.startswith("not taken")
    assert look_up([("pdq", b"\x22" * 32)]) == []
    partner.put(Entry(4, "e", now(), {"pdq": "22" * 32}))
    read(exchange)
    assert look_up([("pdq", b"\x22" * 32)]) == [], "a sync must not bring it back"


@pytest.mark.parametrize(
    ("api", "said"), [("stop_ncii", "NotBlocked"), ("fb_threatexchange", "NOT_HELPFUL")]
)
def test_other_partners_hear_opinions_too(partner: Partner, api: str, said: str) -> None:
    partner.put(Entry(4, "77", now(), {"md5": "11" * 16, "pdq": "22" * 32}))
    exchange = add(partner, api, opinions=True)
    read(exchange)
    row = BankedHash.objects.get(bank=exchange.bank)
    marked_by_two(row)
    send(Opinion.objects.get().pk)
    assert said in json.dumps(partner.opinions)


def test_nothing_is_sent_where_the_operator_did_not_say_so(partner: Partner) -> None:
    partner.put(Entry(4, "77", now(), {"md5": "11" * 16}))
    exchange = add(partner)
    read(exchange)
    give_opinion(hashes=[BankedHash.objects.get().pk], kind=OpinionKind.CONFIRMED, actor=ACTOR)
    assert Opinion.objects.count() == 1
    assert "exchanges.send_opinion" not in due_jobs()
    assert exchange.opinions is False


def test_credentials_are_sealed_and_never_shown(partner: Partner) -> None:
    exchange = add(partner, credentials={"user": "sandbox", "password": "a-marked-password"})
    assert "a-marked-password" not in exchange.credentials
    with pytest.raises(SyncFailed) as refused:
        read(exchange)
    assert "401" in refused.value.detail
    shown = CliRunner().invoke(command, ["status"], catch_exceptions=False).output
    assert "401" in shown
    assert "a-marked-password" not in shown


def test_a_token_in_an_address_is_not_told(partner: Partner) -> None:
    secret = "1|a/marked token"
    exchange = add(partner, "fb_threatexchange", credentials={"api_token": secret})
    with pytest.raises(SyncFailed) as refused:
        read(exchange)
    exchange.refresh_from_db()
    assert "400" in exchange.problem
    for text in (refused.value.detail, exchange.problem):
        assert "marked" not in text


def test_long_keys_do_not_meet(partner: Partner, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    long = "x" * 500
    path.write_text(f"netclean {long}a\nnetclean {long}b\n")
    exchange = add(partner, api="local_file", config={"filename": str(path)})
    read(exchange)
    path.write_text(f"netclean {long}b\n")
    read(exchange)
    assert banked(exchange) == {("netclean", f"{long}b".encode())}


@pytest.mark.parametrize(
    "changes",
    [
        {"api": "nobody"},
        {"config": {"url": "http://partner.example"}},
        {"config": {"environment": "nowhere"}},
        {"config": {"url": "https://partner.example", "colour": "red"}},
        {"credentials": {"user": "sandbox"}},
        {"extension": "no.such.module"},
        {"minutes": 0},
    ],
)
def test_what_cannot_work_is_refused_at_once(partner: Partner, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        add(partner, **changes)
    assert not Exchange.objects.exists()


def test_the_doctor_and_the_page_say_how_partners_are(partner: Partner, operator: Staff) -> None:
    assert check_partners().level == "warning"
    exchange = add(partner)
    read(exchange)
    assert check_partners().level == "ok"
    page = signed_in(operator)
    assert "healthy" in page.get("/banks").content.decode()
    assert "last read" in page.get("/banks/of/partner").content.decode()
    ages_ago = timezone.now() - timedelta(hours=4)
    Exchange.objects.update(began_at=ages_ago, finished_at=ages_ago)
    assert "not read for a while" in check_partners().text
    assert "overdue" in page.get("/banks").content.decode()
    partner.faults = ["html"] * 9
    with pytest.raises(SyncFailed):
        read(exchange)
    assert "not XML" in check_partners().text
    assert "failed" in page.get("/banks").content.decode()


def test_an_exchange_is_read_when_it_is_due_and_by_one_at_a_time(partner: Partner) -> None:
    exchange = add(partner)
    assert due() == [exchange]
    read(exchange)
    assert due() == []


def test_the_command_line(partner: Partner, tmp_path: Path) -> None:
    partner.put(*generated(30))
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"user": "sandbox", "password": "sandbox"}))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    run("add", "ncmec", "--api", "ncmec", "--config", f"url={partner.url}/hashsharing",
        "--credentials", str(file), "--confidence", "verified")  # fmt: skip
    assert "is up to date" in run("sync", "ncmec")
    assert "ncmec  ncmec" in run("status")
    run("disable", "ncmec")
    assert "disabled" in run("status")
