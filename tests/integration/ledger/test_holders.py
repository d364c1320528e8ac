"""A mirror and a webhook hold what was signed: each whole, in time, and never in the way."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from kinward.cli.doctor.ledger import check_holders, check_witnesses
from kinward.cli.first_run import make_secrets
from kinward.ground.config import random_webhook_secret
from kinward.ledger import checkpoint_webhook, holders, mirror, verify_files
from kinward.ledger.holders import ATTEMPTS, mirror_newest, send_newest
from kinward.ledger.mirror import Mirror
from kinward.ledger.models import HolderWord, Log
from kinward.ledger.running import keep_mirroring, keep_sequencing
from kinward.ledger.witnessing import is_witnessed
from tests.integration.conftest import Configure
from tests.support.forging import rewritten
from tests.support.ledgers import past_the_triggers, write
from tests.support.rotated import Insider, grow, key_file, rotate
from tests.support.strangers import Stranger, drips, stranger

pytestmark = pytest.mark.django_db(transaction=True)
Behaviour = Callable[[Stranger], None]


def later(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


@pytest.fixture
def folder(tmp_path: Path, configure: Configure) -> Path:
    """A folder for the mirror, which stands for another mount."""
    folder = tmp_path / "mount"
    folder.mkdir()
    configure(ledger_mirror=str(folder))
    return folder


def of_log(folder: Path) -> Path:
    return Mirror(folder, Log.objects.get().origin).folder


def verified(folder: Path, tmp_path: Path) -> list[str]:
    policy = tmp_path / "policy"
    policy.write_text(f"log {Log.objects.get().vkey}\nquorum none\n")
    return verify_files(of_log(folder), policy, workers=1, quiet=True)


def test_a_mirror_has_each_checkpoint_with_its_hashes_and_verifies(
    folder: Path, tmp_path: Path
) -> None:
    assert mirror_newest() is None, "nothing is signed"
    moment = 0.0
    for count in (3, 300, 1, 250):
        size = grow(count).size
        moment += 1
        assert mirror_newest(later(moment)) == size
        assert verified(folder, tmp_path)[0].startswith(f"ok: {size} entries")
        assert mirror_newest(later(moment + 0.5)) is None, "nothing is new"
        assert mirror_newest(later(moment + 0.5), at_once=True) == size, "it is compared"
    # What was not full is there once, with all its hashes.
    names = sorted(path.name for path in (of_log(folder) / "tile/0").rglob("*") if path.is_file())
    assert names == ["000", "001", "42"]
    assert check_holders().text == "The mirror received the last checkpoints."
    assert not list(folder.rglob(".*")), "nothing is left half written"


def test_the_last_checkpoint_of_each_hour_stays(folder: Path, tmp_path: Path) -> None:
    for number, count in enumerate((2, 3, 4)):
        grow(count)
        assert mirror_newest(later(number)) is not None
        checkpoint = of_log(folder) / "checkpoint"
        os.utime(checkpoint, (1, 1))  # it was written long ago
    notes = (of_log(folder) / "checkpoints.jsonl").read_text().splitlines()
    assert [json.loads(note).split("\n")[1] for note in notes] == ["2", "5"]
    assert "Earlier checkpoints that agree: 2." in "\n".join(verified(folder, tmp_path))


def test_a_mirror_goes_on_with_the_next_key(
    folder: Path, tmp_path: Path, configure: Configure
) -> None:
    key_file(tmp_path, configure)
    grow(3)
    assert mirror_newest() is not None
    rotate()
    grow(3)
    assert mirror_newest(later(1)) is not None
    assert "Changes of the key, each signed by both keys: 1." in "\n".join(
        verified(folder, tmp_path)
    )


def test_a_rewritten_log_is_named_with_the_first_size_that_differs(
    folder: Path, tmp_path: Path
) -> None:
    grow(300)
    assert mirror_newest() == 300
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    rewritten(280)
    write(1)
    with capture_logs() as lines:
        assert mirror_newest(later(1)) is None
    (line,) = [line for line in lines if line["event"] == "ledger.not_held"]
    assert (line["log_level"], line["alarming"]) == ("error", True)
    assert "The first size that differs is 281." in line["problem"]
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert "The first size that differs is 281." in check_holders().text
    assert check_holders().level == check_witnesses().level == "fault"
    assert not is_witnessed()


def test_a_log_that_was_set_back_is_named(folder: Path) -> None:
    grow(3)
    log = Log.objects.get()
    grow(4)
    assert mirror_newest() == 7
    past_the_triggers("DELETE FROM ledger_leaf WHERE index > 2")
    past_the_triggers("UPDATE ledger_tile SET data = substr(data, 1, 96)")
    past_the_triggers(
        "UPDATE ledger_log SET size = 3, frontier = %s, signed_size = 3, signed_root = %s, "
        "note = %s",
        bytes(log.frontier),
        bytes(log.signed_root),
        bytes(log.note),
    )
    assert mirror_newest(later(1)) is None
    word = HolderWord.objects.get()
    assert word.alarming
    assert "The first size that differs is 4. It has 7 entries" in word.problem


def test_a_log_whose_signature_was_set_back_is_named(folder: Path) -> None:
    grow(3)
    log = Log.objects.get()
    grow(4)
    assert mirror_newest() == 7
    past_the_triggers(
        "UPDATE ledger_log SET signed_size = 3, signed_root = %s, note = %s",
        bytes(log.signed_root),
        bytes(log.note),
    )
    assert mirror_newest(later(1)) is None
    assert (
        "only 3 were signed. The first size that differs is 4." in HolderWord.objects.get().problem
    )


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("checkpoint", b"nothing", "not one that this log signed"),
        ("checkpoint", b"", "not one that this log signed"),
        ("checkpoint", b"x" * 300_000, "not one that this log signed"),
    ],
)
def test_what_somebody_wrote_into_the_mirror_is_named(
    folder: Path, name: str, data: bytes, sentence: str
) -> None:
    grow(3)
    assert mirror_newest() == 3
    (of_log(folder) / name).write_bytes(data)
    grow(1)
    assert mirror_newest(later(1)) is None
    assert sentence in HolderWord.objects.get().problem
    assert check_holders().level == "fault"


def test_a_checkpoint_of_a_retired_key_in_the_mirror_is_named(
    folder: Path, tmp_path: Path, configure: Configure
) -> None:
    key = key_file(tmp_path, configure)
    grow(3)
    insider = Insider(key)
    rotate()
    tree = grow(2)
    assert mirror_newest() == tree.size
    (of_log(folder) / "checkpoint").write_bytes(insider.note(tree.size, tree.root))
    assert "was retired at size" in check_holders().text


def test_killed_between_hashes_and_checkpoint_the_mirror_still_verifies(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(300)
    assert mirror_newest() == 300
    grow(300)
    real = mirror._put
    for killed_at in ("tile", "rotations.jsonl", "checkpoint"):

        def put(path: Path, data: bytes, at: str = killed_at) -> None:
            if at in str(path.relative_to(folder)):
                raise KeyboardInterrupt
            real(path, data)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(mirror, "_put", put)
            mirror_newest(later(1))
        assert verified(folder, tmp_path)[0].startswith("ok: 300 entries")
    assert mirror_newest(later(1)) == 600
    assert verified(folder, tmp_path)[0].startswith("ok: 600 entries")


def test_a_mirror_that_is_not_mounted_or_full_is_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(3)
    folder.rmdir()
    assert mirror_newest() is None
    assert "Is it mounted?" in check_holders().text
    assert "Nobody outside holds" in check_witnesses().text
    folder.mkdir()
    assert mirror_newest() is None, "it is left alone for some seconds"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(mirror, "_put", full)
        assert mirror_newest(later(1)) is None
    assert "No space left on device" in check_holders().text
    assert mirror_newest(later(5)) == 3
    assert check_holders().level == "ok"


def test_a_mirror_that_hangs_holds_up_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To open a pipe without a writer takes for ever, as on a mount whose server is gone."""
    monkeypatch.setattr(holders, "PATIENCE", 0.5)
    monkeypatch.setattr("kinward.ledger.running.ASK_PAUSE", 0.05)
    size = grow(3).size
    pipe = of_log(folder) / "checkpoint"
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    stop = threading.Event()
    hung = threading.Thread(target=keep_mirroring, args=[stop], daemon=True)
    sequencer = threading.Thread(target=keep_sequencing, args=[stop])
    hung.start()
    sequencer.start()
    try:
        write(5)
        deadline = time.monotonic() + 60
        while Log.objects.get().signed_size < size + 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert Log.objects.get().signed_size == size + 5
        assert "It has not answered" in check_holders().text
        assert hung.is_alive()
    finally:
        stop.set()
        sequencer.join(60)
        while hung.is_alive():  # let whoever waits for a writer go
            handle = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
            hung.join(0.2)
            os.close(handle)
            hung.join(0.2)
        release(pipe)


def release(pipe: Path) -> None:
    """Let the doctor's own thread end, too."""
    for thread in threading.enumerate():
        if thread.name == "mirror":
            while thread.is_alive():
                handle = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
                thread.join(0.2)
                os.close(handle)
                thread.join(0.2)


# --- the webhook ---


@pytest.fixture
def receive(configure: Configure) -> Iterator[Callable[[Behaviour], Any]]:
    """Start a receiver, and name it in the settings."""
    checkpoint_webhook._caller.cache_clear()
    with ExitStack() as stack:

        def start(behave: Behaviour) -> Any:
            other = stack.enter_context(stranger(behave))
            stack.callback(other.over.set)
            configure(
                ledger_webhook_url=f"{other.url}/checkpoints",
                ledger_webhook_secret=SECRET,
                webhook_seconds=2.0,
            )
            return other

        yield start


SECRET = random_webhook_secret()


def test_the_webhook_gets_each_checkpoint_signed(
    receive: Callable[[Behaviour], Any],
) -> None:
    bodies: list[Any] = []

    def accept(one: Stranger) -> None:
        headers = dict(
            line.decode().lower().split(": ", 1)
            for line in one.head.split(b"\r\n")[1:]
            if b": " in line
        )
        raw = {name: headers[name] for name in headers if name.startswith("webhook-")}
        signature = next(
            line.decode().split(": ", 1)[1]
            for line in one.head.split(b"\r\n")
            if line.lower().startswith(b"webhook-signature")
        )
        Webhook(SECRET).verify(one.body.decode(), raw | {"webhook-signature": signature})
        bodies.append(json.loads(one.body))
        one.answer(b"")

    receive(accept)
    grow(3)
    assert "It has received nothing yet" in check_holders().text
    assert "Nobody outside holds" in check_witnesses().text
    assert send_newest() == 3
    grow(4)
    assert send_newest() is None, "too soon after the one before"
    assert send_newest(later(1)) == 7
    assert send_newest(later(2)) is None, "nothing is new"
    log = Log.objects.get()
    assert [body["data"]["size"] for body in bodies] == [3, 7]
    assert bodies[-1]["data"]["checkpoint"].encode() == bytes(log.note)
    assert (bodies[-1]["type"], bodies[-1]["data"]["origin"]) == ("ledger.checkpoint", log.origin)
    # It is a holder, and a weak one: it only said that something arrived.
    assert check_holders().level == "ok"
    assert check_witnesses().level == "warning"
    assert "a webhook only says that something arrived" in check_witnesses().text
    # Once it lacks the newest for an hour, it holds nothing.
    grow(1)
    past_the_triggers("UPDATE ledger_holderword SET received_at = now() - interval '2 hours'")
    assert "Nobody outside holds" in check_witnesses().text


@pytest.mark.parametrize(
    ("behave", "sentence"),
    [
        (lambda one: one.answer(b"", status="500 so"), "the status 500"),
        (lambda one: one.answer(b"", "Location: http://127.0.0.1/", status="302 so"), "status 302"),
        (drips, "in time"),
    ],
)
def test_a_webhook_that_fails_is_tried_a_few_times(
    receive: Callable[[Behaviour], Any], behave: Behaviour, sentence: str
) -> None:
    other = receive(behave)
    grow(3)
    assert send_newest() is None
    assert sentence in HolderWord.objects.get().problem
    assert check_holders().level == "fault"
    if behave is drips:
        return
    for attempt in range(1, 30):
        send_newest(later(61 * attempt))
    assert other.asked == ATTEMPTS
    other.behave = lambda one: one.answer(b"")
    assert send_newest(later(5000)) is None, "until there is a newer one"
    grow(1)
    assert send_newest(later(6000)) == 4
    assert check_holders().level == "ok"


def test_it_waits_longer_after_each_failure(receive: Callable[[Behaviour], Any]) -> None:
    other = receive(lambda one: one.answer(b"", status="500 so"))
    grow(1)
    start, asked = timezone.now(), []
    for second in range(0, 200, 2):
        grown = other.asked
        send_newest(start + timedelta(seconds=second))
        if other.asked > grown:
            asked.append(second)
    assert asked == [0, 6, 16, 36, 76, 156]
    # A clock that was set back delays nothing.
    before = other.asked
    send_newest(start - timedelta(days=1))
    assert other.asked == before + 1


def test_checkpoints_do_not_leave_this_machine_in_clear(
    configure: Configure, tmp_path: Path
) -> None:
    configure(ledger_webhook_url="http://holder.example/", ledger_webhook_secret=SECRET)
    grow(1)
    assert send_newest() is None
    assert "must be https" in HolderWord.objects.get().problem


def test_the_first_run_makes_the_secret_of_the_webhook(
    configure: Configure, tmp_path: Path
) -> None:
    chosen = configure(ledger_webhook_url="https://holder.example/", data_dir=tmp_path)
    make_secrets()
    assert chosen.secret("ledger_webhook_secret").startswith("whsec_")
