"""What is added is found by the next lookup, everywhere; what is removed is not."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from kinward.access.actor import Actor
from kinward.cli.bank import bank as bank_command
from kinward.demo import pictures
from kinward.ground.errors import Invalid, NotFound
from kinward.ledger.models import Entry
from kinward.matching import index
from kinward.matching.hashlists import ListedHash
from kinward.matching.index import BankIndex, bank_index, snapshot_path
from kinward.matching.kinds import KINDS, HashKind, Md5, Pdq
from kinward.matching.lookup import Match, look_up
from kinward.matching.models import Bank, BankedHash, IndexSnapshot
from kinward.matching.services import BankExists, add_hashes, create_bank, remove_hashes, values_of
from kinward.media import Digests, Hashed, digest_bytes, read_picture
from tests.support.helpers import KNOWN, UNKNOWN
from tests.support.weakened import allowed_by_two

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")


def known(data: bytes) -> list[Match]:
    return look_up(values_of(digest_bytes(data), read_picture(data, 10**8)))


def test_a_reencoded_and_resized_picture_is_known(bank: Bank) -> None:
    matches = known(KNOWN)
    assert [(m.bank, m.kind, m.confidence) for m in matches] == [("known", "pdq", "verified")]
    assert 0 < matches[0].distance <= 31
    assert known(UNKNOWN) == []


def test_the_same_bytes_are_known_by_every_digest(bank: Bank) -> None:
    matches = known(pictures.encode(pictures.draw(901)))
    assert {m.kind for m in matches} == {"pdq", "md5", "sha1", "sha256"}
    assert {m.distance for m in matches} == {0}


def test_another_process_sees_an_addition_at_its_next_lookup(bank: Bank) -> None:
    elsewhere = BankIndex()
    picture = read_picture(UNKNOWN, 10**8)
    value = picture.signature
    assert elsewhere.search([value]) == []
    add_hashes(bank=bank, hashes=[ListedHash(Pdq.name, value)], provenance="p", actor=ACTOR)
    assert [hit.distance for hit in elsewhere.search([value])] == [0]
    remove_hashes(bank=bank, values=[value], actor=ACTOR)
    assert elsewhere.search([value]) == []
    add_hashes(bank=bank, hashes=[ListedHash(Pdq.name, value)], provenance="q", actor=ACTOR)
    assert [hit.distance for hit in elsewhere.search([value])] == [0]
    assert bank_index().search([value]) == elsewhere.search([value])


def test_a_picture_of_low_quality_matches_by_digest_only(bank: Bank) -> None:
    value = bytes(31) + b"\1"
    flat = Hashed(Pdq.name, value, "image/png", width=9, height=9, quality=10)
    add_hashes(bank=bank, hashes=[ListedHash(Pdq.name, value)], provenance="p", actor=ACTOR)
    assert look_up(values_of(None, flat)) == []
    assert look_up(values_of(None, msgspec.structs.replace(flat, quality=50))) != []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_kind_is_found_by_its_examples_and_by_no_other(bank: Bank, kind: HashKind) -> None:
    banked, other = (kind.parse(example) for example in kind.examples[:2])
    hashes = [ListedHash(kind.name, banked, "example")]
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    hits = look_up([(kind.name, banked)])
    assert [(match.kind, match.distance, match.reference) for match in hits] == [
        (kind.name, 0, "example")
    ]
    assert look_up([(kind.name, other)]) == []


def test_an_addition_is_never_surer_than_its_bank() -> None:
    loose = create_bank(name="loose", confidence="unverified", actor=ACTOR)
    sure = create_bank(name="sure", confidence="verified", actor=ACTOR)
    md5 = ListedHash(Md5.name, b"1" * 16)
    add_hashes(bank=loose, hashes=[md5], provenance="p", confidence="verified", actor=ACTOR)
    add_hashes(bank=sure, hashes=[md5], provenance="p", confidence="unverified", actor=ACTOR)
    found = look_up(Digests("31" * 16, "", "").known())
    assert [(m.bank, m.confidence) for m in found] == [
        ("loose", "unverified"),
        ("sure", "unverified"),
    ]


def test_the_same_hash_twice_is_one(bank: Bank) -> None:
    md5 = ListedHash(Md5.name, b"x" * 16)
    assert add_hashes(bank=bank, hashes=[md5, md5], provenance="p", actor=ACTOR) == 1
    assert add_hashes(bank=bank, hashes=[md5], provenance="p", actor=ACTOR) == 0


def test_every_change_is_in_the_ledger(bank: Bank) -> None:
    allowed_by_two(bank, 4)
    remove_hashes(bank=bank, values=[], reference="generated 901", actor=ACTOR)
    written = Entry.objects.filter(kind__startswith="bank.")
    kinds = list(written.values_list("kind", "data__hashes"))
    assert kinds == [("bank.created", None), ("bank.added", 4), ("bank.removed", 4)]
    assert known(KNOWN) == []


def test_errors(bank: Bank) -> None:
    with pytest.raises(BankExists):
        create_bank(name="known", confidence="verified", actor=ACTOR)
    with pytest.raises(Invalid):
        create_bank(name="other", confidence="rumoured", actor=ACTOR)
    with pytest.raises(NotFound):
        remove_hashes(bank=bank, values=[b"none"], actor=ACTOR)


def test_the_command_line_fills_a_bank(tmp_path: Path) -> None:
    picture, other, listed = tmp_path / "a.png", tmp_path / "b.txt", tmp_path / "list.csv"
    picture.write_bytes(pictures.encode(pictures.draw(4)))
    other.write_bytes(b"no picture")
    listed.write_text(f"md5\n{'ab' * 16}\nd41d8cd98f00b204e9800998ecf8427e\n")

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(bank_command, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    run("create", "mine", "--confidence", "verified")
    output = run("add", "mine", str(picture), str(other), "--provenance", "us")
    assert "7 hashes of 2 files" in output
    output = run("import", "mine", str(listed), "--format", "csv", "--provenance", "them")
    assert "Added 1 new hash to" in output
    assert "row 3: column 'md5': this md5 is that of an empty file" in output
    assert "mine  verified  8 hashes" in run("list")
    assert "4 hashes" in run("remove", "mine", "--reference", "a.png", "--removes", "4")
    assert "Removed 1 hash from" in run("remove", "mine", "--hash", f"md5:{'ab' * 16}")
    assert BankedHash.objects.filter(removed=False).count() == 3


def test_a_process_begins_with_the_snapshot_of_its_machine(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SNAPSHOT_AFTER", 1)
    values = [bytes([number]) * 32 for number in range(1, 40)]
    hashes = [ListedHash(Pdq.name, value) for value in values]
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    assert BankIndex().snapshot() == 40
    row = IndexSnapshot.objects.get()
    assert snapshot_path(row).exists()
    remove_hashes(bank=bank, values=[values[3]], actor=ACTOR)
    add_hashes(bank=bank, hashes=[ListedHash(Pdq.name, b"\xee" * 32)], provenance="q", actor=ACTOR)

    def finds(fresh: BankIndex) -> list[int]:
        return [len(fresh.search([value])) for value in (values[0], values[3], b"\xee" * 32)]

    reading = BankIndex()
    assert finds(reading) == [1, 0, 1]
    assert reading._saved == 40, "it did not begin with the snapshot"
    whole = snapshot_path(row).read_bytes()
    flipped = whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]
    for broken in (whole[: len(whole) // 2], flipped, b""):
        snapshot_path(row).write_bytes(broken)
        reading = BankIndex()
        assert finds(reading) == [1, 0, 1]
        assert reading._saved == 0, "a broken snapshot was read"
    snapshot_path(row).write_bytes(whole)
    IndexSnapshot.objects.all().delete()  # as after the restoration of an older backup
    reading = BankIndex()
    assert finds(reading) == [1, 0, 1]
    assert reading._saved == 0, "a snapshot that this database does not know was read"
    assert BankIndex().snapshot() == 40
    assert len(list(snapshot_path(row).parent.glob("*.kwindex"))) == 2
    assert BankIndex().snapshot() == 0, "nothing has changed since"
