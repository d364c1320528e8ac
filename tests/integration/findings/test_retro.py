"""A list that grows is compared with everything uploaded before, once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case, Finding
from kinward.demo import pictures
from kinward.findings.retro import retro_match
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ledger.models import Entry
from kinward.matching import retro, uploaded
from kinward.matching.hashlists import ListedHash
from kinward.matching.kinds import Md5, Pdq
from kinward.matching.marks import mark_hash_false_positive
from kinward.matching.models import BankedHash, Check, HeldBlock, RetroRun, Unheld
from kinward.matching.retro import pack_checks
from kinward.matching.services import (
    add_hashes,
    create_bank,
    disable_bank,
    file_hashes,
)
from kinward.matching.uploaded import Uploaded, candidates, new_hashes, pack, unpack
from kinward.media import digest_bytes, read_video
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.review.lease import take_case
from kinward.verdicts.form import VerdictForm
from tests.support import videos
from tests.support.helpers import UNKNOWN, run_jobs, upload
from tests.support.verdicts import decide_case

ACTOR = Actor.system("test")


def run() -> None:
    for _ in retro_match():
        pass


def found() -> Counter[str | None]:
    return Counter(Finding.objects.values_list("check_made__content_id", flat=True))


def hold(account: Account, values: list[bytes], prefix: str = "held") -> None:
    """Checks of files that were sent as their PDQ hashes."""
    made = Check.objects.bulk_create(
        Check(
            account=account,
            content_id=f"{prefix}-{number}",
            signature=value,
            signature_kind=Pdq.name,
            quality=100,
            uploaded_at=timezone.now(),
            matched=False,
        )
        for number, value in enumerate(values)
    )
    Unheld.objects.bulk_create(Unheld(check_made=each) for each in made)


def near(value: bytes, bits: int) -> bytes:
    return (int.from_bytes(value) ^ ((1 << bits) - 1)).to_bytes(32)


def database_url() -> str:
    """The tests' database, for another process."""
    at = connection.settings_dict
    return f"postgresql://{at['USER']}:{at['PASSWORD']}@/{at['NAME']}?" + urlencode(
        {"host": at["HOST"], "port": at["PORT"] or 5432}
    )


@pytest.mark.django_db(transaction=True)
def test_what_was_uploaded_before_the_list_grew_is_found_by_the_worker(account: Account) -> None:
    assert upload(account, UNKNOWN, content_id="old").outcome == "clear"
    video = videos.encode(range(20, 24))
    assert upload(account, video, content_id="film").outcome == "clear"
    bank = create_bank(name="late", confidence="verified", actor=ACTOR)
    hashes = [*file_hashes(digest_bytes(UNKNOWN), None), *file_hashes(digest_bytes(b""), None)]
    hashes += file_hashes(digest_bytes(b"another encoding"), read_video(video))
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    run_jobs()
    assert found() == {"old": 1, "film": 1}
    account.refresh_from_db()
    assert account.standing == "suspended"
    assert Case.objects.count() == 1
    assert Entry.objects.filter(kind="retro.finished").count() == 1
    add_hashes(
        bank=bank, hashes=[ListedHash(Md5.name, bytes(15) + b"1")], provenance="q", actor=ACTOR
    )
    run_jobs()
    assert found() == {"old": 1, "film": 1}, "no finding is made twice"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [7, 64])
def test_blocks_and_what_is_not_packed_yet_are_searched_alike(account: Account, size: int) -> None:
    rng = np.random.default_rng(3)
    values = [rng.bytes(32) for _ in range(100)]
    hold(account, values)
    packed = pack_checks(size)
    assert packed == 100 // size
    assert HeldBlock.objects.count() == packed
    assert Unheld.objects.count() == 100 % size
    bank = create_bank(name="late", confidence="unverified", actor=ACTOR)
    wanted = {3: 31, 50: 0, 99: 12, 60: 32}
    hashes = [ListedHash(Pdq.name, near(values[row], bits)) for row, bits in wanted.items()]
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    run()
    assert found() == {"held-3": 1, "held-50": 1, "held-99": 1}
    finished = RetroRun.objects.get()
    assert finished.finished_at is not None
    assert (finished.held, finished.found) == (100, 3)


@pytest.mark.django_db(transaction=True)
def test_a_run_goes_on_where_it_was_cut_off(account: Account) -> None:
    rng = np.random.default_rng(4)
    values = [rng.bytes(32) for _ in range(60)]
    hold(account, values)
    pack_checks(10)
    bank = create_bank(name="late", confidence="unverified", actor=ACTOR)
    hashes = [ListedHash(Pdq.name, near(value, 5)) for value in values[::7]]
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    seen: list[int] = []

    def join(blocks: Sequence[uploaded.Block], new: uploaded.New) -> set[UUID]:
        seen.extend(block.pk for block in blocks)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return retro.join_here(blocks, new)

    with pytest.raises(KeyboardInterrupt):
        for _ in retro_match(join, group=1):
            pass
    assert RetroRun.objects.get().finished_at is None
    for _ in retro_match(join, group=1):
        pass
    blocks = list(HeldBlock.objects.order_by("pk").values_list("pk", flat=True))
    assert seen == [*blocks[:4], *blocks[3:]], "only the block that was cut off is read again"
    assert found() == {f"held-{row}": 1 for row in range(0, 60, 7)}


# Whoever makes the fortieth finding waits for a lock that the test holds.
HALF_WAY = """
CREATE FUNCTION half_way() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) >= 39 FROM casebook_finding) THEN
    PERFORM pg_advisory_xact_lock(%s);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER half_way BEFORE INSERT ON casebook_finding
  FOR EACH ROW EXECUTE FUNCTION half_way();
"""
LOCK = 90125
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"


@contextmanager
def stopped_half_way() -> Iterator[Callable[[], bool]]:
    """Let a run stop in the middle; yields whether it has."""
    with connection.cursor() as cursor:
        cursor.execute(HALF_WAY, [LOCK])
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])

        def waits() -> bool:
            cursor.execute(WAITS, [LOCK])
            return bool(cursor.fetchone()[0])

        try:
            yield waits
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
            cursor.execute("DROP TRIGGER half_way ON casebook_finding; DROP FUNCTION half_way")


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_repeats_no_finding(account: Account) -> None:
    rng = np.random.default_rng(5)
    values = [rng.bytes(32) for _ in range(90)]
    hold(account, values)
    pack_checks(20)
    bank = create_bank(name="late", confidence="unverified", actor=ACTOR)
    hashes = [ListedHash(Pdq.name, value) for value in values]
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    environment = {**os.environ, "KINWARD_DATABASE_URL": database_url()}
    command = [sys.executable, "-m", "kinward", "match", "retro"]
    with stopped_half_way() as waits:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 300
        while not waits():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert 0 < Finding.objects.count() < 40
    subprocess.run(command, env=environment, check=True)
    assert found() == {f"held-{row}": 1 for row in range(90)}


@pytest.mark.django_db(transaction=True)
def test_uploads_go_on_during_a_run_and_one_under_way_is_not_missed(account: Account) -> None:
    """An upload that was looked up before the list grew, and commits after the run began."""
    looked_up, go_on = threading.Event(), threading.Event()

    def slow_upload() -> None:
        with transaction.atomic():
            upload(account, UNKNOWN, content_id="slow")
            looked_up.set()
            go_on.wait(20)
        connection.close()

    def quick_upload() -> None:
        assert upload(account, pictures.encode(pictures.draw(77))).outcome == "clear"
        finished.set()
        connection.close()

    def late_list() -> None:
        bank = create_bank(name="late", confidence="unverified", actor=ACTOR)
        hashes = file_hashes(digest_bytes(UNKNOWN), None)
        add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
        for _ in retro_match():
            other = threading.Thread(target=quick_upload)
            other.start()
            other.join(10)
        connection.close()

    finished = threading.Event()
    uploading = threading.Thread(target=slow_upload)
    uploading.start()
    assert looked_up.wait(20)
    matching = threading.Thread(target=late_list)
    matching.start()
    assert not finished.wait(1), "a run begins once uploads under way are there"
    go_on.set()
    uploading.join()
    matching.join(30)
    assert finished.is_set(), "an upload waited for the run"
    assert found() == {"slow": 1}


@pytest.mark.django_db(transaction=True)
def test_a_two_worker_ray_cluster_finds_the_same(account: Account, tmp_path: Path) -> None:
    from kinward.matching.cluster import Cluster

    rng = np.random.default_rng(6)
    values = [rng.bytes(32) for _ in range(300)]
    hold(account, values)
    pack_checks(50)
    bank = create_bank(name="late", confidence="unverified", actor=ACTOR)
    picked = list(range(0, 300, 11))
    hashes = [ListedHash(Pdq.name, near(values[row], row % 40)) for row in picked]
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    new = retro.hashes_of_run(RetroRun(since=0, upto=10**9))
    blocks = list(HeldBlock.objects.order_by("pk"))
    cluster = Cluster("local", tmp_path, cpus=2)
    try:
        assert cluster.join(blocks, new) == retro.join_here(blocks, new)
        assert len(list(tmp_path.glob("*.parquet"))) == 6
        for _ in retro_match(cluster.join):
            pass
    finally:
        cluster.close()
    assert found() == {f"held-{row}": 1 for row in picked if row % 40 <= 31}


@pytest.mark.django_db(transaction=True)
def test_what_was_called_wrong_or_is_disabled_is_not_looked_for(account: Account) -> None:
    hold(account, [b"\x0f" * 32, b"\xf0" * 32])
    bank = create_bank(name="late", confidence="unverified", actor=ACTOR)
    hashes = [ListedHash(Pdq.name, b"\x0f" * 32), ListedHash(Pdq.name, b"\xf0" * 32)]
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    wrong = BankedHash.objects.get(value=b"\x0f" * 32)
    mark_hash_false_positive(row=wrong, wrong=True, actor=ACTOR)
    disable_bank(bank=bank, disabled=True, actor=ACTOR)
    run()
    assert found() == {}
    disable_bank(bank=bank, disabled=False, actor=ACTOR)
    run()
    assert found() == {"held-1": 1}
    mark_hash_false_positive(row=wrong, wrong=False, actor=ACTOR)
    run()
    assert found() == {"held-0": 1, "held-1": 1}


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(0, 300),
    st.integers(0, 300),
    st.sampled_from(["scan", "index uploaded", "index new", ""]),
)
def test_no_candidate_is_missed_whichever_way_is_chosen(
    seed: int, count: int, new: int, way: str
) -> None:
    rng = np.random.default_rng(seed)
    centres = [rng.bytes(32) for _ in range(8)]

    def some() -> bytes:
        return near(centres[int(rng.integers(8))], int(rng.integers(0, 80)))

    rows = [
        Uploaded(uuid4(), [some() for _ in range(int(rng.integers(0, 4)))], {"md5": rng.bytes(16)})
        for _ in range(count)
    ]
    frames = [some() for _ in range(new)]
    md5s = [each.exact["md5"] for each in rows[::9]]
    wanted = {
        each.check
        for number, each in enumerate(rows)
        if number % 9 == 0
        or any(
            (int.from_bytes(a) ^ int.from_bytes(b)).bit_count() <= 31
            for a in each.frames
            for b in frames
        )
    }
    got = candidates(unpack(pack(rows)), new_hashes(frames, {"md5": md5s}), way)
    assert got == wanted


@pytest.mark.django_db(transaction=True)
def test_what_a_person_confirms_is_banked_and_its_copies_are_found(
    account: Account, reviewer: Staff
) -> None:
    """What nobody's list knows is reported, confirmed, and then found wherever it is."""
    other = put_account(platform_id="member-2", profile=Profile())[0]
    smaller = pictures.encode(pictures.draw(3).resize((500, 375)), "WEBP", quality=80)
    assert upload(account, UNKNOWN, content_id="reported").outcome == "clear"
    assert upload(account, videos.encode([8, 9]), content_id="untouched").outcome == "clear"
    assert upload(other, smaller, content_id="copy").outcome == "clear"
    report = UserReportIn(account_id=account.platform_id, category="image", content_id="reported")
    receive_user_report(report=report, actor=ACTOR)
    case = Case.objects.get()
    take_case(case=case, staff=reviewer)
    form = VerdictForm(outcome="confirmed", clause="CS-1", bank=True)
    decide_case(case_id=case.id, staff=reviewer, form=form)
    run_jobs()
    run_jobs()
    assert {row.reference for row in BankedHash.objects.all()} == {"reported"}
    addition = BankedHash.objects.filter(kind="pdq").get().addition
    assert (addition.provenance, addition.added_by) == (str(case), "staff:robin")
    assert found() == {"copy": 1, None: 1}, "the report, and the copy"
    other.refresh_from_db()
    assert other.standing == "suspended", "a person verified it"
    third = put_account(platform_id="member-3", profile=Profile())[0]
    assert upload(third, UNKNOWN, content_id="again").outcome == "quarantine"
