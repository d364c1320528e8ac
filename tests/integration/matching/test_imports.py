"""A list goes in as a whole or not at all, and nothing leaves a bank that nobody said or saw."""

import csv
import io
import json
import os
import re
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kinward
from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.cli.bank import bank as bank_command
from kinward.exchanges.services import add_exchange
from kinward.exchanges.sync import SyncFailed, sync_exchange
from kinward.ground.errors import Invalid, NotConfigured
from kinward.ledger.models import Entry
from kinward.matching import withdrawals
from kinward.matching.agreements import WithdrawalRequest
from kinward.matching.allowances import decide_withdrawal, request_withdrawal
from kinward.matching.hashlists import ListedHash
from kinward.matching.imports import ListFile, import_list
from kinward.matching.listfiles import ListRefused
from kinward.matching.models import (
    Addition,
    Bank,
    BankedHash,
    Withdrawal,
    WithdrawalAllowance,
)
from kinward.matching.services import add_hashes, create_bank, fill_bank
from kinward.matching.withdrawals import (
    RemovesTooMuch,
    check_withdrawal,
    leaving_of,
    withdraw_hashes,
)
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.strange_lists import NEITHER, Line, Listing, listings
from tests.support.weakened import allowed_by_two

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")


def md5(number: int) -> str:
    return f"{number + 1:032x}"


def listed(numbers: Sequence[int], *, removed: bool = False) -> list[ListedHash]:
    return [ListedHash("md5", bytes.fromhex(md5(each)), removed=removed) for each in numbers]


@pytest.fixture
def filled(db: None) -> Bank:
    """A bank of 20 hashes."""
    bank = create_bank(name="partner", confidence="verified", actor=ACTOR)
    add_hashes(bank=bank, hashes=listed(range(20)), provenance="a test", actor=ACTOR)
    return bank


def live(bank: Bank) -> set[str]:
    rows = BankedHash.objects.filter(bank=bank, removed=False)
    return {bytes(value).hex() for value in rows.values_list("value", flat=True)}


def ids(bank: Bank, count: int, start: int = 0) -> set[int]:
    rows = BankedHash.objects.filter(bank=bank, removed=False).order_by("pk")
    return set(rows.values_list("pk", flat=True)[start : start + count])


def run(tmp_path: Path, text: str | bytes, *arguments: str, format: str = "csv") -> Result:
    file = tmp_path / "list"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    about = ["import", "partner", str(file), "--format", format, "--provenance", "p"]
    return CliRunner().invoke(bank_command, [*about, *arguments])


# -- by command


@pytest.mark.parametrize("written", ["false", "0", "No", ""])
def test_a_list_that_removes_nothing_removes_nothing(
    filled: Bank, tmp_path: Path, written: str
) -> None:
    rows = "".join(f"{md5(number)},{written}\n" for number in range(20))
    result = run(tmp_path, f"md5,removed\n{rows}")
    assert result.exit_code == 0, result.output
    assert len(live(filled)) == 20


def test_a_list_that_is_refused_changes_nothing(filled: Bank, tmp_path: Path) -> None:
    before = live(filled)
    entries = Entry.objects.count()
    text = f"md5,removed\n{md5(50)},no\n{md5(0)},yes\n{md5(1)},perhaps\n{md5(51)},maybe\n"
    bad = tmp_path / "bad"
    result = run(tmp_path, text, "--bad-rows", str(bad))
    assert result.exit_code == 2
    assert "refused as a whole" in result.output
    assert "Row 4: column 'removed': 'perhaps' is neither true nor false" in result.output
    assert "row 5: column 'removed': 'maybe'" in result.output
    assert len(bad.read_text().splitlines()) == 2
    assert live(filled) == before
    assert Entry.objects.count() == entries
    assert Addition.objects.count() == 1


def test_a_list_that_contradicts_itself_is_refused(filled: Bank, tmp_path: Path) -> None:
    for rows in (f"{md5(0)},yes\n{md5(0)},no\n", f"{md5(0)},no\n{md5(0)},yes\n"):
        result = run(tmp_path, f"md5,removed\n{md5(60)},\n{rows}")
        assert result.exit_code == 2
        assert "as removed and as not removed" in result.output
        assert len(live(filled)) == 20
    assert Addition.objects.count() == 1


def test_an_import_that_removes_more_than_the_share_asks(
    filled: Bank, operator: Staff, tmp_path: Path
) -> None:
    def rows(count: int) -> str:
        return "md5,removed\n" + "".join(f"{md5(each)},true\n" for each in range(count))

    result = run(tmp_path, rows(3))
    assert result.exit_code == 2
    assert "3 of the 20 hashes in 'partner' would be removed, and 17 would be left" in result.output
    assert "--removes 3" in result.output
    assert len(live(filled)) == 20
    for wrong in ("2", "4", "1000000"):
        assert run(tmp_path, rows(3), "--removes", wrong).exit_code == 2
    assert len(live(filled)) == 20
    result = run(tmp_path, rows(3), "--removes", "3")
    assert result.exit_code == 0, result.output
    assert "Requested, and not done yet: 3 hashes may leave 'partner'" in result.output
    assert len(live(filled)) == 20
    asked = WithdrawalRequest.objects.get()
    decide_withdrawal(withdrawal_id=asked.pk, approve=True, staff=operator)
    result = run(tmp_path, rows(3))
    assert result.exit_code == 0, result.output
    assert "removed 3" in result.output
    assert len(live(filled)) == 17
    result = run(tmp_path, rows(4))
    assert result.exit_code == 0, "one more is within the share: what was agreed does not count"
    assert len(live(filled)) == 16


def test_what_an_import_adds_makes_room_for_no_withdrawal(filled: Bank, tmp_path: Path) -> None:
    text = "md5,removed\n" + "".join(f"{md5(each)},\n" for each in range(100, 400))
    result = run(tmp_path, text + "".join(f"{md5(each)},1\n" for each in range(20)))
    assert result.exit_code == 2
    assert "20 of the 20 hashes" in result.output
    assert len(live(filled)) == 20


def test_withdrawal_by_reference_asks_and_a_few_by_value_do_not(
    filled: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawals, "NAMED", 5)
    hashes = [ListedHash("sha1", bytes([each]) * 20, "same") for each in range(1, 9)]
    add_hashes(bank=filled, hashes=hashes, provenance="p", actor=ACTOR)
    by_reference = ["remove", "partner", "--reference", "same"]
    result = CliRunner().invoke(bank_command, by_reference)
    assert result.exit_code == 2
    assert "--removes 8" in result.output
    assert len(live(filled)) == 28
    named = [argument for each in range(5) for argument in ("--hash", f"md5:{md5(each)}")]
    assert CliRunner().invoke(bank_command, ["remove", "partner", *named]).exit_code == 0
    assert len(live(filled)) == 23
    more = ["remove", "partner", "--hash", f"md5:{md5(5)}", "--hash", f"md5:{md5(6)}"]
    many = CliRunner().invoke(bank_command, more)
    assert many.exit_code == 2, "a person names a few a day, and no whole bank"
    assert "2 of the 23 hashes" in many.output
    assert len(live(filled)) == 23
    first_run = CliRunner().invoke(bank_command, [*by_reference, "--removes", "8"])
    assert first_run.exit_code == 0, first_run.output
    assert "Removed 8 hashes" in first_run.output
    assert len(live(filled)) == 15


def test_a_pipe_is_refused_with_a_sentence(filled: Bank, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(f"md5\n{md5(70)}\n"))
    writer.start()
    about = ["import", "partner", str(pipe), "--format", "csv", "--provenance", "p"]
    result = CliRunner().invoke(bank_command, about)
    writer.join()
    assert result.exit_code == 2
    assert "Save it as one first" in result.output


def test_what_was_not_read_is_said(filled: Bank, tmp_path: Path) -> None:
    text = f"md5;Größe\n{md5(80)};12\nd41d8cd98f00b204e9800998ecf8427e;0\n"
    result = run(tmp_path, text.encode("windows-1252"))
    assert result.exit_code == 0
    assert "Columns that are not read: 'Größe'" in result.output
    assert "read as Windows-1252" in result.output
    assert "row 3: column 'md5': this md5 is that of an empty file" in result.output
    keywords = run(tmp_path, "Größe\n".encode("windows-1252"), format="keywords")
    assert keywords.exit_code == 2
    assert "Save it as UTF-8" in keywords.output


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("md5,label\n", "csv"),
        ("\n", "jsonl"),
        ("# nothing\n", "urls"),
        ('{"value": [{"MediaID": 1, "MD5": "' + "1" * 32 + '"}]}', "vic"),
    ],
)
def test_a_list_of_which_nothing_was_read_is_refused(
    filled: Bank, tmp_path: Path, text: str, format: str
) -> None:
    more = ["--category", "1"] if format == "vic" else []
    result = run(tmp_path, text, *more, format=format)
    assert result.exit_code == 2, result.output
    assert "No entry of the list could be read" in result.output


def test_entries_of_other_categories_are_counted(filled: Bank, tmp_path: Path) -> None:
    entries = [{"Category": 2, "MD5": md5(70 + number)} for number in range(3)]
    text = json.dumps({"value": entries})
    result = run(tmp_path, text, "--category", "1", format="vic")
    assert result.exit_code == 0, result.output
    assert "of other categories: 3 entries" in result.output


def test_kinds_that_nothing_matches_are_said(filled: Bank, tmp_path: Path) -> None:
    rows = ["hostname,a.example", "hostname,b.example", "murmur,12", f"md5,{md5(90)}"]
    result = run(tmp_path, "\n".join(["hash_type,value", *rows]))
    assert result.exit_code == 0, result.output
    assert "only carries them: 2 hostname, 1 murmur." in result.output


# -- on the effect


def test_many_small_withdrawals_are_one_large_one(filled: Bank) -> None:
    assert withdraw_hashes(filled, ids(filled, 1)) == 1
    assert withdraw_hashes(filled, ids(filled, 1)) == 1
    with pytest.raises(RemovesTooMuch, match="Removed in the last 24 hours: 2"):
        withdraw_hashes(filled, ids(filled, 1))
    assert len(live(filled)) == 18
    Withdrawal.objects.update(at=timezone.now() - timedelta(hours=25))
    assert withdraw_hashes(filled, ids(filled, 1)) == 1
    assert Withdrawal.objects.count() == 1, "what is over is not kept"


def test_one_place_alone_takes_hashes_out_of_a_bank() -> None:
    source = Path(kinward.__file__).parent
    removing = re.compile(r"update\([^)]*\bremoved=True|SET removed = true")
    found = [
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if removing.search(path.read_text())
    ]
    assert found == ["matching/withdrawals.py"], "every road has to pass the share"


def test_what_is_gone_already_costs_nothing(filled: Bank) -> None:
    chosen = ids(filled, 2)
    assert withdraw_hashes(filled, chosen) == 2
    assert withdraw_hashes(filled, chosen) == 0
    assert withdraw_hashes(filled, set()) == 0


def test_a_check_before_a_withdrawal_changes_nothing(filled: Bank) -> None:
    check_withdrawal(filled, 2)
    check_withdrawal(filled, 0)
    with pytest.raises(RemovesTooMuch, match="3 of the 20"):
        check_withdrawal(filled, 3)
    assert not Withdrawal.objects.exists()


@pytest.mark.parametrize(
    ("share", "most"), [(0, 0), (0.05, 1), (0.1, 2), (0.3, 6), (0.999, 19), (1, 20)]
)
def test_the_share_is_a_setting(
    filled: Bank, configure: Configure, share: float, most: int
) -> None:
    configure(bank_withdrawal_share=share)
    assert leaving_of(filled).free == most
    if most < 20:
        with pytest.raises(RemovesTooMuch), transaction.atomic():
            withdraw_hashes(filled, ids(filled, most + 1))
    assert withdraw_hashes(filled, ids(filled, most)) == most


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_none_removes_nothing(
    filled: Bank, configure: Configure, share: float
) -> None:
    configure(bank_withdrawal_share=share)
    with pytest.raises(NotConfigured, match="KINWARD_BANK_WITHDRAWAL_SHARE"):
        withdraw_hashes(filled, ids(filled, 1))


def test_an_allowance_is_used_up_and_ends(filled: Bank) -> None:
    allowed_by_two(filled, 15)
    assert leaving_of(filled).allowed == 15
    assert withdraw_hashes(filled, ids(filled, 10)) == 10
    assert leaving_of(filled).allowed == 5
    with pytest.raises(RemovesTooMuch):
        withdraw_hashes(filled, ids(filled, 6))
    WithdrawalAllowance.objects.update(until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(RemovesTooMuch):
        withdraw_hashes(filled, ids(filled, 5))
    assert len(live(filled)) == 10
    for wrong in (0, 11, -1):
        with pytest.raises(Invalid, match="Allow 1 to 10"):
            request_withdrawal(bank=filled, hashes=wrong, asker=Actor.operator("root"))


def test_a_partners_sync_waits_for_a_person(tmp_path: Path) -> None:
    file = tmp_path / "shared.txt"

    def share(count: int) -> None:
        file.write_text("".join(f"md5 {md5(number)}\n" for number in range(count)))

    share(20)
    exchange = add_exchange(
        name="partner",
        api="local_file",
        confidence="verified",
        config={"filename": str(file)},
        credentials={},
        actor=ACTOR,
    )
    list(sync_exchange(exchange, actor=ACTOR))
    share(5)
    for _ in range(3):
        with pytest.raises(SyncFailed, match="15 of the 20 hashes in 'partner' would be removed"):
            list(sync_exchange(exchange, actor=ACTOR))
        assert len(live(exchange.bank)) == 20
    exchange.refresh_from_db()
    assert "15 of the 20" in exchange.problem
    allowed_by_two(exchange.bank, 15)
    list(sync_exchange(exchange, actor=ACTOR))
    assert len(live(exchange.bank)) == 5


def test_an_import_is_in_the_ledger_with_what_it_removed(filled: Bank) -> None:
    rows = [*listed([90]), *listed(range(7), removed=True)]
    with pytest.raises(RemovesTooMuch):  # one person's word is not enough for verified hashes
        fill_bank(bank=filled, hashes=rows, provenance="p", agreed=7, actor=ACTOR)
    allowed_by_two(filled, 7)
    fill_bank(bank=filled, hashes=rows, provenance="p", actor=ACTOR)
    entry = Entry.objects.filter(kind="bank.added").latest("pk")
    assert (entry.data["hashes"], entry.data["removed"]) == (1, 7)


@pytest.mark.django_db(transaction=True)
def test_two_withdrawals_at_once_do_not_both_fit(filled: Bank) -> None:
    results: list[object] = []
    together = threading.Barrier(2)

    def remove(chosen: set[int]) -> None:
        together.wait()
        try:
            with transaction.atomic():
                results.append(withdraw_hashes(filled, chosen))
        except RemovesTooMuch:
            results.append("asked")
        finally:
            close_old_connections()

    threads = [threading.Thread(target=remove, args=(ids(filled, 2, start),)) for start in (0, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=str) == [2, "asked"]
    assert len(live(filled)) == 18


# -- in the console


def test_a_person_sees_before_and_after_and_confirms(
    filled: Bank, operator: Staff, reviewer: Staff
) -> None:
    page, path = signed_in(operator), "/banks/of/partner/withdrawal"

    def bank_page() -> str:
        return " ".join(page.get("/banks/of/partner").content.decode().split())

    assert "may remove 2 of its 20 hashes without asking a person" in bank_page()
    shown = page.post(path, {"hashes": "12"})
    text = shown.content.decode()
    assert shown.status_code == 200
    assert "20" in text
    assert ">8<" in text.replace("\n", "")
    assert not WithdrawalAllowance.objects.exists()
    assert page.post(path, {"hashes": "12", "confirmed": "12"}).status_code == 302
    assert leaving_of(filled).allowed == 0
    assert "another person must approve it" in bank_page()
    decide = f"/banks/withdrawals/{WithdrawalRequest.objects.get().pk}"
    assert page.post(decide, {"decision": "agree"}).status_code == 403
    second = Staff.objects.create_user(username="bo", password="x" * 12, roles=["operator"])
    assert "Allow this withdrawal" in signed_in(second).get("/banks/of/partner").content.decode()
    assert signed_in(second).post(decide, {"decision": "agree"}).status_code == 302
    assert leaving_of(filled).allowed == 12
    written = Entry.objects.filter(kind__startswith="withdrawal").values_list("kind", "actor")
    assert sorted(written) == [
        ("withdrawal.allowed", "staff:bo"),
        ("withdrawal.asked", f"staff:{operator.username}"),
    ]
    assert "A person has allowed 12 more." in bank_page()
    assert withdraw_hashes(filled, ids(filled, 12)) == 12
    for wrong in ({"hashes": ""}, {"hashes": "9"}, {"hashes": "x"}, {"hashes": "0"}):
        assert page.post(path, wrong).status_code == 422
    assert page.post(path, {"hashes": "3", "confirmed": "4"}).status_code == 200
    assert leaving_of(filled).allowed == 0
    assert signed_in(reviewer).post(path, {"hashes": "3", "confirmed": "3"}).status_code == 403


# -- whatever is in the file


@given(listings(), st.sampled_from(["", *NEITHER]))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_right_rows_are_in_the_bank_or_it_is_as_it_was(
    filled: Bank, listing: Listing, wrong: str
) -> None:
    before = {("md5", value) for value in live(filled)}
    last = listing.lines[-1]
    if wrong:
        lines = [*listing.lines, Line(last.hashes, "", wrong)]
        listing = msgspec.structs.replace(listing, lines=lines)
    said = {(row.kind, row.value.hex()) for row in listing.expected if not row.removed}
    gone = {(row.kind, row.value.hex()) for row in listing.expected if row.removed}
    with transaction.atomic():
        source = ListFile(io.BytesIO(listing.written()), "csv")
        try:
            with transaction.atomic():
                import_list(bank=filled, source=source, provenance="p", actor=ACTOR)
        except ListRefused:
            assert wrong or said & gone, "it was refused for no reason"
            said = set()
        rows = BankedHash.objects.filter(bank=filled, removed=False)
        found = {(kind, bytes(value).hex()) for kind, value in rows.values_list("kind", "value")}
        assert found == before | said
        transaction.set_rollback(True)


def test_what_is_exported_can_be_imported(filled: Bank, tmp_path: Path) -> None:
    texts = ListedHash("sha1", b"\x01" * 20, 'a "b",\nc; d\r\n| e', "A\t1")
    formulas = [
        ListedHash("sha1", bytes([number]) * 20, reference, label)
        for number, (reference, label) in enumerate(
            [("=1+1", "@SUM(A1)"), ("+1", "-1"), ("'=1", "''@x"), ("'ann", "it's")], 2
        )
    ]
    add_hashes(bank=filled, hashes=[texts, *formulas], provenance="p", actor=ACTOR)
    create_bank(name="copy", confidence="verified", actor=ACTOR)
    for format in ("csv", "jsonl"):
        exported = CliRunner().invoke(bank_command, ["export", "partner", "--format", format])
        file = tmp_path / format
        file.write_text(exported.stdout)
        if format == "csv":  # no spreadsheet takes a cell for a formula
            cells = [cell for row in csv.reader(io.StringIO(exported.stdout)) for cell in row]
            assert "'=1+1" in cells
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
        about = ["import", "copy", str(file), "--format", format, "--provenance", "p"]
        result = CliRunner().invoke(bank_command, about)
        assert result.exit_code == 0, result.output
        assert live(Bank.objects.get(name="copy")) == live(filled)
        BankedHash.objects.filter(bank__name="copy").delete()
