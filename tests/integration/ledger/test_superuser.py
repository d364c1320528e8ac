"""Who holds the database and the key can rewrite everything to fit, and does not stay unnoticed.

What nobody can see from inside, a witness refuses and an earlier receipt contradicts. Without the
key, `kinward ledger verify` alone says it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kinward.ledger import NotVerified, WitnessFolder, verify_files
from kinward.ledger.exporting import export_log, prove_entry
from kinward.ledger.merkle import prove_consistency
from kinward.ledger.models import Leaf, Log
from kinward.ledger.pinned import LogContradicted, pinned_path
from kinward.ledger.sequencing import begin_again, sequence_all
from kinward.ledger.signing import publish_checkpoint, tile_reader
from kinward.ledger.verification import verify_ledger
from kinward.ledger.witness_policy import parse_policy
from kinward.ledger.witnesses import Word, ask_witnesses
from tests.integration.ledger.test_witnessing import honest
from tests.support.forging import rebuild, replace_entry
from tests.support.ledgers import past_the_triggers, write
from tests.support.strangers import stranger

pytestmark = pytest.mark.django_db(transaction=True)

SIZE, FROM, CUT = 20, 9, 15  # entries 0 to 8 stay as they are
Forgery = Callable[[list[int]], list[int]]


def delete(*numbers: int) -> None:
    for number in numbers:
        past_the_triggers("DELETE FROM ledger_entry WHERE seq = %s", number)


def change(order: list[int]) -> list[int]:
    replace_entry(order[FROM])
    return order


def remove(order: list[int]) -> list[int]:
    delete(order[FROM])
    return order[:FROM] + order[FROM + 1 :] + write(1)  # so that the log is no smaller


def insert(order: list[int]) -> list[int]:
    return order[:FROM] + write(1) + order[FROM:]


def swap(order: list[int]) -> list[int]:
    return [*order[:FROM], order[FROM + 1], order[FROM], *order[FROM + 2 :]]


def truncate(order: list[int]) -> list[int]:
    delete(*order[CUT:])
    return order[:CUT]


def rewrite(order: list[int]) -> list[int]:
    for number in order[FROM:]:
        replace_entry(number)
    return order


FORGERIES: Sequence[tuple[Forgery, int]] = (
    (change, FROM + 1),
    (remove, FROM + 1),
    (insert, FROM + 1),
    (swap, FROM + 1),
    (truncate, CUT + 1),
    (rewrite, FROM + 1),
)
EACH = pytest.mark.parametrize(
    ("forge", "first"), FORGERIES, ids=[forge.__name__ for forge, _first in FORGERIES]
)


class Outside:
    """What others hold of a log: a witness that has cosigned, and a receipt at each size."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.receipts = folder, list[Path]()
        first = write(1)[0]
        for size in range(1, SIZE + 1):
            if size > 1:
                write(1)
            sequence_all()
            past_the_triggers("UPDATE ledger_log SET signed_at = NULL")
            assert publish_checkpoint() is not None
            receipt = folder / f"{size}.tlog-proof"
            receipt.write_bytes(prove_entry(first, opened=True).to_bytes())
            self.receipts.append(receipt)
        self.vkey = Log.objects.get().vkey
        self.policy = folder / "policy"
        self.policy.write_text(f"log {self.vkey}\nquorum none\n")
        self.witness = WitnessFolder(folder / "witness")
        self.witness.make_key("w.example/1")
        self.witness.watch(self.vkey)
        assert self.ask().problem == ""

    def ask(self) -> Word:
        """Ask the witness about what the log shows now."""
        log = Log.objects.get()
        with stranger(honest(self.witness)) as other:
            text = f"log {log.vkey}\nwitness A {self.witness.key()[0].vkey} {other.url}\nquorum A\n"
            reader = tile_reader(log.signed_size)
            found = ask_witnesses(
                bytes(log.note),
                parse_policy(text.encode()),
                known={},
                prove=lambda old, new: prove_consistency(old, new, reader),
            )
        return found.words[0]

    def verified(self, name: str, receipts: Sequence[Path]) -> list[str]:
        """Verify a new export of the log as it is now, against receipts."""
        export = self.folder / name
        export_log(export, opened=True, progress=lambda done: None)
        return verify_files(export, self.policy, receipts, workers=1, quiet=True)


@pytest.fixture
def outside(db: None, tmp_path: Path) -> Outside:
    return Outside(tmp_path)


def order() -> list[int]:
    return list(Leaf.objects.order_by("index").values_list("entry_id", flat=True))


@EACH
def test_with_the_key_a_witness_and_a_receipt_say_it(
    outside: Outside, forge: Forgery, first: int
) -> None:
    assert outside.verified("before", outside.receipts)[0].startswith("ok: 20 entries")
    rebuild(forge(order()))
    # From inside nothing is wrong, and an export verifies by itself. It says that this proves
    # nothing against whoever has the key.
    assert verify_ledger().ok
    alone = outside.verified("alone", ())
    assert "Whoever has the key of the log can have rewritten it." in alone[-1].replace("  ", " ")
    # Who kept receipts hears the first size that differs.
    with pytest.raises(NotVerified) as refused:
        outside.verified("after", outside.receipts)
    sentence = str(refused.value)
    if forge is truncate:
        assert f"shows a log of {first} entries. This export has only {CUT}." in sentence
    else:
        assert sentence.startswith(f"At size {first} the log has another root")
        assert f"The largest smaller size that agrees is {first - 1}." in sentence
    # The witness refuses, keeps the request, and says up to which size it has seen the other one.
    word = outside.ask()
    assert (word.alarming, word.signatures) == (True, ())
    assert str(SIZE) in word.problem, word.problem


@EACH
def test_without_the_key_verify_alone_says_it(outside: Outside, forge: Forgery, first: int) -> None:
    assert verify_ledger().ok
    rebuild(forge(order()), with_key=False)
    found = verify_ledger()
    assert not found.ok
    assert str(SIZE) in found.why, found.why


@pytest.mark.parametrize("claim", ["the new tree was signed", "nothing was ever signed"])
def test_without_the_key_no_claim_of_the_database_helps(outside: Outside, claim: str) -> None:
    """They rewrite what the log's own row says of its signature, too."""
    rebuild(rewrite(order()), with_key=False)
    root = verify_ledger().head.root if claim.startswith("the") else b""
    past_the_triggers(
        "UPDATE ledger_log SET signed_size = %s, signed_root = %s, note = %s, vkey = %s",
        SIZE if root else 0,
        root,
        bytes(Log.objects.get().note) if root else b"",
        outside.vkey if root else "",
    )
    found = verify_ledger()
    assert not found.ok
    assert str(SIZE) in found.why, found.why


@pytest.mark.parametrize("name", ["another/2", "an earlier one"])
def test_a_rewritten_log_is_not_signed_under_another_name(outside: Outside, name: str) -> None:
    """A restore begins another log, which what was signed before does not bind."""
    former = Log.objects.get().origin
    if name == "an earlier one":
        begin_again()  # a true restore
        write(1)
        sequence_all()
        publish_checkpoint()
    else:
        rebuild(rewrite(order()), with_key=False)
    past_the_triggers("DELETE FROM ledger_signedtree")
    past_the_triggers(
        "UPDATE ledger_log SET generation = generation + 1, origin = %s, signed_size = 0, "
        "signed_root = '', note = '', vkey = '', signed_at = NULL",
        former if name == "an earlier one" else f"{former}/2",
    )
    assert "this machine signs" in verify_ledger().why
    with pytest.raises(LogContradicted, match="somebody changed the database"):
        publish_checkpoint()


def test_the_origin_is_written_once_and_not_with_each_checkpoint(outside: Outside) -> None:
    written = pinned_path().stat().st_ino
    write(1)
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = NULL")
    assert publish_checkpoint() is not None
    assert pinned_path().stat().st_ino == written


def test_a_machine_of_an_earlier_version_knows_its_log_by_what_it_signed(outside: Outside) -> None:
    pinned_path().unlink()
    assert verify_ledger().ok
    past_the_triggers("UPDATE ledger_log SET generation = 2, origin = origin || '/2'")
    assert "this machine signs another one" in verify_ledger().why


def test_of_two_histories_each_holder_sees_that_theirs_is_not_the_other(outside: Outside) -> None:
    """The log shows one history to the witness, and another one to whoever asks later."""
    rebuild(change(order()))
    first = order()[0]
    other = outside.folder / "other.tlog-proof"
    other.write_bytes(prove_entry(first, opened=True).to_bytes())
    # The receipt of the second history is good by itself, and so is each of the first.
    for receipt in (other, outside.receipts[-1]):
        assert verify_files(None, outside.policy, [receipt])[0].startswith("ok: ")
    assert outside.verified("second", [other])[0].startswith("ok: 20 entries")
    with pytest.raises(NotVerified, match=f"^At size {SIZE} the log has another root"):
        outside.verified("both", [other, outside.receipts[-1]])
    assert outside.ask().alarming
    with outside.witness.trees() as trees:
        assert [refused.size for refused in trees.refused()] == [SIZE]
