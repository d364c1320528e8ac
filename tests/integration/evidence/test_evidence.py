"""The vault: sealed at once, opened by few, kept as long as it must be."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.demo import pictures
from kinward.evidence import holds, terms
from kinward.evidence import services as vault
from kinward.evidence.authenticity import Damaged
from kinward.evidence.excerpts import Message
from kinward.evidence.models import Evidence
from kinward.evidence.queries import viewed_entirely
from kinward.evidence.viewing import open_evidence, play_evidence, record_evidence_watched
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.ground.errors import Forbidden, Invalid, NotFound
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.review.lease import LeaseNeeded, take_case
from kinward.review.look import look_at_file, veil_file
from kinward.verdicts.draft import ReportDetails
from kinward.verdicts.form import VerdictForm
from tests.integration.conftest import Configure
from tests.support.compared import gaps
from tests.support.custody import end_hold, end_term
from tests.support.factories import agreed_release
from tests.support.families import make_account
from tests.support.helpers import KNOWN, KNOWN_PNG, quarantined
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def evidence(bank: Bank, account: Account) -> Evidence:
    quarantined(account)
    return Evidence.objects.get()


def memory_of(pid: int) -> Iterator[bytes]:
    """What a core of a process would hold: every part of its memory that can be read."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_, name = [*line.split(), ""][:7]
            start, end = (int(each, 16) for each in span.split("-"))
            if "r" not in rights or name in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            with suppress(OSError, ValueError):
                memory.seek(start)
                yield memory.read(end - start)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_core_of_the_database_holds_no_bytes_in_clear(bank: Bank, account: Account) -> None:
    marker = b"neutral-marker-93bd"
    quarantined(account, data=KNOWN + marker)
    evidence = Evidence.objects.get()
    with connection.cursor() as cursor:
        cursor.execute(  # a server may hold other tests' databases
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() OR datname IS NULL"
        )
        pids = [row[0] for row in cursor.fetchall()]
    try:
        Path(f"/proc/{pids[0]}/mem").open("rb").close()
    except PermissionError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("This kernel lets only root read the memory of another process.")
    told = f"/proc/{pids[0]}/status"
    parent = next(x for x in Path(told).read_text().splitlines() if x.startswith("PPid"))
    known = 0
    for pid in {*pids, int(parent.split()[1])}:
        for part in memory_of(pid):
            assert marker not in part
            known += evidence.sha256.encode() in part
    assert known, "what is in the database's memory is found there"


def test_nothing_in_the_database_holds_the_bytes_in_clear(
    bank: Bank, account: Account, reviewer: Staff
) -> None:
    marker = b"neutral-marker-7c1f"
    case = quarantined(account, data=KNOWN + marker)
    said = [Message("wren", timezone.now(), marker.decode())]
    report = UserReportIn(account_id=account.platform_id, category="contact", messages=said)
    receive_user_report(report=report, actor=Actor.key("test"))
    take_case(case=case, staff=reviewer)
    details = ReportDetails(chat=f"Pasted: {marker.decode()}")
    form = VerdictForm(outcome="confirmed", clause="CS-2", details=details)
    decide_case(case_id=case.id, staff=reviewer, form=form)
    sealed = list(Evidence.objects.all())
    assert len(sealed) == 3, "a file, a chat of a report, a chat of a verdict"
    assert all(vault.unsealed_bytes(each).endswith(marker) for each in sealed)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{marker.hex()}%"]
            )
            assert cursor.fetchone() == (0,), table
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{marker.decode()}%"]
            )
            assert cursor.fetchone() == (0,), table


def test_a_look_needs_lease_role_and_reason_and_is_in_the_ledger(
    evidence: Evidence, reviewer: Staff, operator: Staff
) -> None:
    from kinward.casebook.queries import get_case

    case = get_case(evidence.case_id)
    with pytest.raises(LeaseNeeded):
        look_at_file(case_id=case.id, evidence_id=evidence.id, staff=reviewer, reason="to decide")
    with pytest.raises(Forbidden):
        open_evidence(evidence=evidence, staff=operator, reason="curious")
    take_case(case=case, staff=reviewer)
    with pytest.raises(Invalid):
        look_at_file(case_id=case.id, evidence_id=evidence.id, staff=reviewer, reason=" ")
    assert not Entry.objects.filter(kind="evidence.viewed").exists()

    assert veil_file(case_id=case.id, evidence_id=evidence.id, staff=reviewer)[:2] == b"\xff\xd8"
    assert not viewed_entirely(evidence)

    view = look_at_file(
        case_id=case.id, evidence_id=evidence.id, staff=reviewer, reason="to decide"
    )
    assert view.entire
    assert viewed_entirely(evidence)
    entry = Entry.objects.get(kind="evidence.viewed")
    assert (entry.actor, entry.data["reason"]) == ("staff:robin", "to decide")


def test_a_file_of_another_case_is_not_shown(evidence: Evidence, reviewer: Staff) -> None:
    with pytest.raises(NotFound):
        veil_file(case_id=evidence.id, evidence_id=evidence.id, staff=reviewer)


def test_the_reporting_read_is_no_persons_look(evidence: Evidence) -> None:
    assert vault.read_for_report(evidence=evidence, report_id=evidence.id) == KNOWN
    assert not viewed_entirely(evidence)
    assert Entry.objects.filter(kind="evidence.read", actor=Actor.system("reporting")).exists()


def test_a_file_is_sealed_once_in_a_case_and_each_of_its_versions_beside_it(
    bank: Bank, account: Account
) -> None:
    first = quarantined(account)
    quarantined(account)
    assert Evidence.objects.count() == 1, "the same again"
    quarantined(account, data=KNOWN_PNG)  # a new version of the same post
    quarantined(account, content_id="post-2")
    other = quarantined(make_account("heron", 40))
    sealed = Evidence.objects.order_by("sealed_at")
    assert [(file.case_id, file.content_id, vault.unsealed_bytes(file)) for file in sealed] == [
        (first.pk, "post-1", KNOWN),
        (first.pk, "post-1", KNOWN_PNG),
        (first.pk, "post-2", KNOWN),
        (other.pk, "post-1", KNOWN),
    ]


# Every road to the bytes of a file, or to a picture of it.
Road = Callable[[Evidence, Staff], object]
ROADS: dict[str, Road] = {
    "a blur": lambda file, who: vault.veil_evidence(evidence=file, staff=who, reason="x"),
    "a picture": lambda file, who: open_evidence(evidence=file, staff=who, reason="x"),
    "a film": lambda file, who: play_evidence(evidence=file, staff=who, reason="x", strand=0),
    "a film's end": lambda file, who: record_evidence_watched(
        evidence=file, staff=who, reason="x", strand=0, seconds=1
    ),
    "a chat": lambda file, who: open_evidence(evidence=chat(file), staff=who, reason="x"),
    "a report": lambda file, who: vault.read_for_report(evidence=file, report_id=uuid4()),
    "a restoration": lambda file, who: vault.read_for_restoration(
        case_id=file.case_id, content_id=file.content_id, actor=Actor.key("app")
    ),
    "a release": lambda file, who: vault.read_for_release(
        evidence_id=file.pk,
        agreed=agreed_release(file.case.account),
        actor=Actor.operator("test"),
    ),
}


def chat(file: Evidence) -> Evidence:
    return vault.seal_excerpt(case_id=file.case_id, text="Hello.", actor=Actor.key("app"))


@pytest.mark.parametrize("road", ROADS)
def test_no_byte_leaves_before_the_ledger_has_it_for_good(
    road: str, bank: Bank, account: Account, reviewer: Staff
) -> None:
    """In a transaction of somebody else the entry could still be rolled back."""
    data = pictures.encode(
        pictures.draw(901), "GIF", save_all=True, append_images=[pictures.draw(2)], duration=500
    )
    quarantined(account, data=data)
    file = Evidence.objects.get()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        ROADS[road](file, reviewer)
    assert ROADS[road](file, reviewer), "alone it goes"


def test_changed_ciphertext_does_not_open(evidence: Evidence) -> None:
    assert evidence.ciphertext is not None
    changed = bytearray(evidence.ciphertext)
    changed[-1] ^= 1
    evidence.ciphertext = bytes(changed)
    with pytest.raises(Damaged):
        vault.read_for_report(evidence=evidence, report_id=evidence.id)


def test_expiry_destroys_the_key_and_a_hold_stops_it(evidence: Evidence) -> None:
    now, case_id = timezone.now(), evidence.case_id
    assert vault.destroy_expired_evidence(now + timedelta(days=9999)) == 0  # undecided: no term yet
    terms.keep_after_report(case_id=case_id, finished_at=now)
    assert vault.destroy_expired_evidence(now + timedelta(days=364)) == 0
    holds.set_legal_hold(case_id=case_id, reference="case 12/34", actor=Actor.operator("test"))
    assert vault.destroy_expired_evidence(now + timedelta(days=366)) == 0
    with pytest.raises(holds.HoldEndsByTwo):
        holds.set_legal_hold(case_id=case_id, reference="", actor=Actor.operator("test"))
    end_hold(case_id)
    assert vault.destroy_expired_evidence(now + timedelta(days=6)) == 0
    assert vault.destroy_expired_evidence(now + timedelta(days=366)) == 1
    evidence.refresh_from_db()
    assert (evidence.ciphertext, evidence.wrapped_key) == (None, None)
    with pytest.raises(vault.EvidenceGone):
        vault.read_for_report(evidence=evidence, report_id=evidence.id)
    kinds = [entry.kind for entry in Entry.objects.filter(kind__startswith="evidence.")]
    assert kinds == [
        "evidence.sealed",
        "evidence.term_set",
        "evidence.held",
        "evidence.hold_end_asked",
        "evidence.hold_ended",
        "evidence.destroyed",
    ]


def test_a_term_is_of_the_files_of_one_case_that_are_still_there(
    bank: Bank, account: Account
) -> None:
    case = quarantined(account)
    quarantined(make_account("heron", 40))
    past, until = timezone.now() - timedelta(days=1), timezone.now() + timedelta(days=90)
    terms.keep_until(case_id=case.pk, until=past, why="x", actor=Actor.key("app"))
    quarantined(account, content_id="post-2")
    assert vault.destroy_expired_evidence(timezone.now()) == 1
    made = terms.keep_until(case_id=case.pk, until=until, why="x", actor=Actor.key("app"))
    assert made == 1
    ends = Evidence.objects.order_by("content_id", "sealed_at").values_list("expires_at", flat=True)
    assert list(ends) == [past, None, until], "when it was destroyed stays as it was"
    entry = Entry.objects.filter(kind="evidence.term_set").latest("pk")
    assert (entry.data["files"], entry.data["until"]) == (1, until.isoformat())


@pytest.mark.parametrize(
    ("store", "location", "deleted"),
    [
        ("", "", []),
        ("file:///vault", "", ["file:///vault/{id}.age"]),  # a move may have been cut off
        ("", "file:///earlier/{id}.age", ["file:///earlier/{id}.age"]),  # named no more
        ("file:///vault", "file:///earlier/{id}.age", ["file:///earlier/{id}.age"]),
    ],
)
def test_what_is_destroyed_is_deleted_wherever_it_may_lie(
    evidence: Evidence, configure: Configure, store: str, location: str, deleted: list[str]
) -> None:
    configure(evidence_store=store)
    now = timezone.now()
    Evidence.objects.update(location=location.format(id=evidence.pk))
    end_term(evidence, now)
    assert vault.destroy_expired_evidence(now) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'location' FROM procrastinate_jobs WHERE task_name = %s", [vault.DELETE]
        )
        jobs = [row[0] for row in cursor.fetchall()]
    assert jobs == [where.format(id=evidence.pk) for where in deleted]


def test_a_job_deletes_no_object_that_is_needed_and_no_other_file(
    evidence: Evidence, configure: Configure, tmp_path: Path
) -> None:
    """Whoever can write into the queue of jobs destroys nothing by it."""
    secret, kept = tmp_path / "secret_key", tmp_path / f"{evidence.pk}.age"
    for file in (secret, kept):
        file.write_bytes(b"neutral")
    addresses = [f"file://{secret}", f"file://{kept}", f"file://{tmp_path}/../{kept.name}"]
    for address in addresses:
        with pytest.raises(vault.ObjectNeeded):
            vault.delete_stored(address)
    assert secret.exists()
    assert kept.exists()
    now = timezone.now()
    Evidence.objects.update(location=f"file://{kept}")
    end_term(evidence, now)
    assert vault.destroy_expired_evidence(now) == 1
    vault.delete_stored(f"file://{kept}")
    assert not kept.exists()
    vault.delete_stored(f"file://{tmp_path}/{uuid4()}.age")  # of a row that was erased


def test_a_legal_hold_adds_to_another_and_replaces_none(evidence: Evidence) -> None:
    """Else one custodian writes a reference over a court's, and a colleague lifts that one."""
    one, two = (
        Staff.objects.create_user(username=name, roles=["evidence custodian"])
        for name in ("cleo", "kim")
    )
    case_id = evidence.case_id
    for reference in ("court 1", "a mistake", "court 1"):
        assert holds.set_legal_hold(case_id=case_id, reference=reference, actor=one.actor) == 1
    evidence.refresh_from_db()
    assert evidence.hold_reference == "court 1; a mistake"
    ending = holds.request_hold_end(case_id=case_id, why="A mistake.", staff=one)
    assert ending.reference == "court 1; a mistake", "the second person reads all of it"
    holds.set_legal_hold(case_id=case_id, reference="court 2", actor=two.actor)
    with pytest.raises(holds.HoldChanged):
        holds.decide_hold_end(ending_id=ending.pk, approve=True, staff=two)
    evidence.refresh_from_db()
    assert evidence.hold_reference == "court 1; a mistake; court 2"
    ending.refresh_from_db()
    assert ending.state == "asked"
    holds.decide_hold_end(ending_id=ending.pk, approve=False, staff=two)
    with pytest.raises(Invalid, match="at most 200 characters together"):
        holds.set_legal_hold(case_id=case_id, reference="x" * 190, actor=one.actor)
    assert gaps(["evidence of a case", "end of a legal hold"]) == []


@pytest.mark.parametrize(
    ("why", "accepted"), [(" ", False), ("x" * 2000, True), ("x" * 2001, False)]
)
def test_the_end_of_a_hold_needs_a_reason_of_at_most_2000_characters(
    evidence: Evidence, why: str, accepted: bool
) -> None:
    holds.set_legal_hold(
        case_id=evidence.case_id, reference="court 1", actor=Actor.operator("test")
    )
    custodian = Staff.objects.create_user(username="cleo", roles=["evidence custodian"])
    ask: dict[str, Any] = {"case_id": evidence.case_id, "why": why, "staff": custodian}
    if accepted:
        assert holds.request_hold_end(**ask).why == why
        return
    with pytest.raises(Invalid, match="at most 2000 characters"):
        holds.request_hold_end(**ask)


def test_evidence_that_changed_after_it_was_listed_is_not_destroyed(evidence: Evidence) -> None:
    """The job lists what is due, and takes each file afterwards under its lock."""
    now = timezone.now()
    assert vault._expire(evidence.pk, now) == 0  # without a term
    end_term(evidence, now + timedelta(seconds=1))
    assert vault._expire(evidence.pk, now) == 0  # not yet
    due = now + timedelta(seconds=2)
    Evidence.objects.update(hold_reference="case 12/34")
    assert vault._expire(evidence.pk, due) == 0  # held meanwhile
    Evidence.objects.update(hold_reference="")
    assert vault._expire(evidence.pk, due) == 1
    assert vault._expire(evidence.pk, due) == 0  # by another worker
    assert Entry.objects.filter(kind="evidence.destroyed").count() == 1


def test_the_database_refuses_destroyed_evidence_that_is_still_there(evidence: Evidence) -> None:
    with pytest.raises(IntegrityError, match="destroyed_is_gone"), transaction.atomic():
        Evidence.objects.update(destroyed_at=timezone.now())
