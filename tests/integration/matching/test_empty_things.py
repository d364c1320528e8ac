"""What says nothing is never banked, by any road, and never `clear` as if it had been looked up."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.cli.bank import bank as bank_command
from kinward.matching.hashlists import ListedHash
from kinward.matching.models import Addition, Bank, BankedHash, Check
from kinward.matching.services import (
    HashSaysTooLittle,
    Upload,
    add_hashes,
    begin_addition,
    check_hashes,
    extend,
    record_check,
)
from kinward.matching.sql import add_rows
from kinward.matching.versions import next_version
from kinward.media import digest_bytes
from kinward.people.models import Account
from tests.integration.gate.test_gate import Caller
from tests.support.helpers import UNKNOWN

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.system("test")
EMPTY = {name: hashlib.new(name, b"").digest() for name in ("md5", "sha1", "sha256")}
NOTHING = [
    *EMPTY.items(),
    *(("md5", bytes(16)), ("sha1", bytes(20)), ("sha256", bytes(32))),
    *(("pdq", bytes(32)), ("video", bytes(32)), ("video", bytes(96))),
]
SOMETHING = ListedHash("md5", b"\1" * 16)
ABOUT = {"account_id": "member-1", "content_id": "x"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(bank_command, [*arguments])


def banked(bank: Bank) -> set[tuple[str, bytes]]:
    rows = BankedHash.objects.filter(bank=bank, removed=False).values_list("kind", "value")
    return {(kind, bytes(value)) for kind, value in rows}


def bank_anyway(bank: Bank, values: list[tuple[str, bytes]]) -> Addition:
    """Bank values as an earlier version did."""
    addition = begin_addition(bank=bank, provenance="earlier", actor=ACTOR)
    add_rows(addition, next_version(), [ListedHash(*pair) for pair in values])
    return addition


@pytest.mark.parametrize(("kind", "value"), NOTHING)
def test_no_road_banks_what_says_nothing(bank: Bank, kind: str, value: bytes) -> None:
    before, nothing = banked(bank), ListedHash(kind, value)
    with pytest.raises(HashSaysTooLittle):
        add_hashes(bank=bank, hashes=[nothing], provenance="p", actor=ACTOR)
    addition = begin_addition(bank=bank, provenance="p", actor=ACTOR)
    assert extend(addition, [nothing]) == (0, {})
    assert banked(bank) == before
    hashes = [nothing, SOMETHING]
    assert add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR) == 1
    assert banked(bank) == before | {("md5", SOMETHING.value)}


def test_an_empty_file_is_named_and_not_banked(bank: Bank, tmp_path: Path) -> None:
    before = banked(bank)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "good.png").write_bytes(UNKNOWN)
    alone = run("add", "known", str(tmp_path / "empty.png"), "--provenance", "p")
    assert alone.exit_code != 0
    assert banked(bank) == before
    both = [str(tmp_path / name) for name in ("empty.png", "good.png")]
    beside = run("add", "known", *both, "--provenance", "p")
    assert beside.exit_code == 0, beside.output
    assert "empty.png: nothing of it was added. It is empty." in beside.output
    assert not banked(bank) & set(NOTHING)
    assert len(banked(bank)) > len(before)


@pytest.mark.parametrize("frames", [1, 3])
def test_a_video_of_zeros_is_named_and_not_banked(bank: Bank, tmp_path: Path, frames: int) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"hash_type,value\nvideo,{'0' * 64 * frames}\nmd5,{'1' * 32}\n")
    done = run("import", "known", str(file), "--format", "csv", "--provenance", "p")
    assert done.exit_code == 0, done.output
    assert "row 2: column 'value': this video is all zeros" in done.output
    assert not banked(bank) & set(NOTHING)


def test_a_verdict_on_an_empty_file_banks_nothing(account: Account) -> None:
    upload = Upload(content_id="x", uploaded_at=timezone.now(), digests=digest_bytes(b""))
    record_check(account=account, upload=upload, matched=True)
    assert check_hashes(Check.objects.get()) == []


@pytest.mark.parametrize(
    "hashes",
    [
        *({name: value.hex()} for name, value in EMPTY.items()),
        {name: value.hex() for name, value in EMPTY.items()},
        {"pdq": "0" * 64},
        {"frames": ["0" * 64]},
        {"frames": ["0" * 64] * 3},
        {"md5": "0" * 32},
    ],
)
def test_what_says_nothing_is_not_clear_as_if_looked_up(
    bank: Bank, account: Account, hashes: dict[str, Any]
) -> None:
    bank_anyway(bank, NOTHING)
    call = Caller(create_key(name="all", scopes=SCOPES, actor=ACTOR))
    alone = call("POST", "/v1/media/hashes", json={**ABOUT, **hashes})
    assert alone.status_code == 422, alone.text
    assert alone.json()["code"] in ("hash.says_too_little", "media.too_plain")
    real = {**hashes, "sha256": "1" * 64}
    beside = call("POST", "/v1/media/hashes", json={**ABOUT, **real, "content_id": "y"})
    if "sha256" in hashes and len(hashes) == 1:
        return  # nothing that says too little is left in it
    assert beside.json()["outcome"] == "clear", beside.text
    assert beside.json()["checked"] == ["sha256"]
    assert beside.json()["not_checked"], beside.text


def test_a_frame_of_zeros_among_others_matches_nothing(bank: Bank, account: Account) -> None:
    bank_anyway(bank, NOTHING)
    call = Caller(create_key(name="all", scopes=SCOPES, actor=ACTOR))
    frames = ["0" * 64, "3c" * 32]
    answer = call("POST", "/v1/media/hashes", json={**ABOUT, "frames": frames}).json()
    assert (answer["outcome"], answer["checked"]) == ("clear", ["video"])


def test_staff_are_told_that_an_empty_file_was_not_looked_up(bank: Bank, tmp_path: Path) -> None:
    bank_anyway(bank, NOTHING)
    (tmp_path / "empty.png").write_bytes(b"")
    found = run("search", str(tmp_path / "empty.png"))
    assert "It is neither banked nor looked up." in found.output


def test_what_an_earlier_version_banked_can_be_removed(bank: Bank) -> None:
    bank_anyway(bank, NOTHING)
    done = run("remove", "known", "--hash", f"md5:{EMPTY['md5'].hex()}")
    assert done.exit_code == 0, done.output
    assert ("md5", EMPTY["md5"]) not in banked(bank)
