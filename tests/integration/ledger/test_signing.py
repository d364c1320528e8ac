"""Nothing that was signed is contradicted, whatever is killed, set back or done twice."""

import pytest
from django.utils import timezone

from kinward.ground.errors import SettingWrong
from kinward.ledger import signing
from kinward.ledger.checkpoints import open_checkpoint
from kinward.ledger.claims import Head
from kinward.ledger.models import Log, SignedTree
from kinward.ledger.pinned import LogContradicted
from kinward.ledger.rotating import OtherKey
from kinward.ledger.sequencing import begin_again, sequence_all
from kinward.ledger.signers import log_signer, log_verifier
from kinward.ledger.signing import kept, kept_path, publish_checkpoint
from kinward.ledger.verification import verify_ledger
from tests.integration.conftest import Configure
from tests.support.ledgers import past_the_triggers, write

pytestmark = pytest.mark.django_db(transaction=True)


def at_once() -> None:
    past_the_triggers("UPDATE ledger_log SET signed_at = NULL")


def test_a_checkpoint_is_signed_and_shown() -> None:
    write(5)
    assert publish_checkpoint() is None, "there is no log yet"
    sequence_all()
    made = publish_checkpoint()
    assert made is not None
    log = Log.objects.get()
    checkpoint, _ = open_checkpoint(bytes(log.note), log_verifier(log.origin))
    assert checkpoint == made == kept(log.origin)
    found = verify_ledger()
    assert (found.ok, found.signed) == (True, 5)
    assert found.head == Head(made.size, made.root)


def test_no_second_checkpoint_within_a_second_unless_the_clock_was_set_back() -> None:
    write(1)
    sequence_all()
    assert publish_checkpoint() is not None
    assert publish_checkpoint() is None, "nothing is new"
    write(1)
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = now() + interval '200 milliseconds'")
    past_the_triggers("UPDATE ledger_log SET signed_at = now()")
    now = timezone.now()
    log = Log.objects.get()
    log.signed_at = now
    assert signing._too_soon(log, now)
    at_once()
    assert publish_checkpoint() is not None
    write(1)
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = now() + interval '1 hour'")
    assert publish_checkpoint() is not None


def test_who_is_killed_between_the_file_and_the_row_has_shown_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(2)
    sequence_all()

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(signing, "_show", killed)
        publish_checkpoint()
    assert Log.objects.get().signed_size == 0
    write(1)
    sequence_all()
    made = publish_checkpoint()
    assert made is not None
    assert made.size == 3
    assert verify_ledger().ok


def test_of_two_signers_one_shows() -> None:
    """The other one had read the log before. Compare and swap keeps it from showing."""
    write(2)
    sequence_all()
    log = Log.objects.get()
    write(1)
    sequence_all()
    later = publish_checkpoint()
    assert later is not None
    kept_path(log.origin).unlink()  # the other one is on another machine
    assert signing._sign(log, timezone.now()) is None
    assert Log.objects.get().signed_size == 3
    assert SignedTree.objects.count() == 1


def test_a_database_that_was_set_back_signs_nothing_and_begins_again_elsewhere() -> None:
    write(2)
    sequence_all()
    publish_checkpoint()
    log = Log.objects.get()
    write(2)
    sequence_all()
    at_once()
    shown = publish_checkpoint()
    assert shown is not None
    # What a backup from before has: the log of two leaves.
    past_the_triggers("DELETE FROM ledger_leaf WHERE index > 1")
    past_the_triggers("DELETE FROM ledger_signedtree WHERE size > 2")
    past_the_triggers(
        "DELETE FROM ledger_entry WHERE seq > (SELECT max(entry_id) FROM ledger_leaf)"
    )
    past_the_triggers("UPDATE ledger_tile SET data = substr(data, 1, 64)")
    past_the_triggers(
        "UPDATE ledger_log SET size = 2, frontier = %s, signed_size = 2, signed_root = %s, "
        "note = %s, signed_at = NULL",
        bytes(log.frontier),
        bytes(log.signed_root),
        bytes(log.note),
    )
    assert "a log of 4 leaves was signed, and its end is missing" in verify_ledger().why
    moved = kept_path(log.origin).rename(kept_path(log.origin).with_suffix(".moved"))
    assert verify_ledger().ok, "nothing inside the database shows it"
    moved.rename(kept_path(log.origin))
    assert not verify_ledger(kept=Head(shown.size, shown.root)).ok
    write(1)
    sequence_all()
    with pytest.raises(LogContradicted, match=r"A tree of 4 was signed, and the database has 3"):
        publish_checkpoint()
    write(1)
    sequence_all()
    with pytest.raises(LogContradicted, match="another root"):
        publish_checkpoint()
    before = Log.objects.get().origin
    begin_again()
    made = publish_checkpoint()
    assert made is not None
    assert made.origin.startswith(f"{before}/2-")
    assert verify_ledger().ok


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_tile SET data = overlay(data PLACING sha256('') FROM 1)",
        "UPDATE ledger_log SET frontier = overlay(frontier PLACING sha256('') FROM 9)",
        "DELETE FROM ledger_tile",
    ],
)
def test_a_changed_tree_is_not_signed(change: str) -> None:
    write(3)
    sequence_all()
    publish_checkpoint()
    write(1)
    sequence_all()
    at_once()
    past_the_triggers(change)
    with pytest.raises(LogContradicted, match="another root"):
        publish_checkpoint()


def test_of_each_hour_the_last_checkpoint_is_kept() -> None:
    write(1)
    sequence_all()
    publish_checkpoint()
    for before, kept_sizes in (
        ("- interval '2 hours'", [1, 2]),
        ("+ interval '3 seconds'", [1, 3]),
    ):
        write(1)
        sequence_all()
        past_the_triggers(f"UPDATE ledger_log SET signed_at = now() {before}")
        if kept_sizes == [1, 3] and _hours_differ():
            return  # the moment of the test is at the end of an hour
        publish_checkpoint()
        assert list(SignedTree.objects.values_list("size", flat=True)) == kept_sizes
    assert verify_ledger().ok


def _hours_differ() -> bool:
    signed_at = Log.objects.get().signed_at
    assert signed_at is not None
    return signed_at.hour != timezone.now().hour


def test_a_checkpoint_with_another_signature_is_found_out() -> None:
    write(1)
    sequence_all()
    publish_checkpoint()
    past_the_triggers("UPDATE ledger_signedtree SET note = overlay(note PLACING 'x' FROM 3)")
    assert "is not signed" in verify_ledger().why


def test_another_key_signs_nothing_for_this_origin(configure: Configure) -> None:
    write(1)
    sequence_all()
    publish_checkpoint()
    write(1)
    sequence_all()
    at_once()
    configure(ledger_key="ab" * 32)
    with pytest.raises(OtherKey):
        publish_checkpoint()
    begin_again()
    assert publish_checkpoint() is not None
    assert verify_ledger().ok


def test_a_key_that_is_none_is_named(configure: Configure) -> None:
    configure(ledger_key="ab")
    with pytest.raises(SettingWrong, match="64 hex digits"):
        log_signer()
    write(1)
    sequence_all()
    assert Log.objects.get().size == 1


def test_a_file_that_is_no_checkpoint_stops_the_signer() -> None:
    write(1)
    sequence_all()
    path = kept_path(Log.objects.get().origin)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("nothing")
    with pytest.raises(LogContradicted, match="is no checkpoint"):
        publish_checkpoint()
