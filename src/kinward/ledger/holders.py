"""Holders outside beside witnesses: a mirror, and a webhook for checkpoints.

Each is served by a thread of its own, which holds neither a transaction nor the locks of the
sequencer and of the signer. So one that hangs or fails delays nothing but itself. What arrived, and
what is wrong, is in a row for the doctor.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import structlog
from django.utils import timezone

from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.ground.locks import exclusive
from kinward.ledger.checkpoint_webhook import Undelivered, send_checkpoint
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.handovers import rotation_lines
from kinward.ledger.holder_words import note_failed, note_received, word_of
from kinward.ledger.keys_of_log import read_keys
from kinward.ledger.mirror import NOTHING_HELD, Held, Mirror, MirrorDiffers
from kinward.ledger.models import HolderWord, Log
from kinward.ledger.sequencing import tile_data
from kinward.ledger.tiles import Tile

logger = structlog.get_logger(__name__)

MIRROR: Final = "mirror"
WEBHOOK: Final = "webhook"
EVERY: Final = timedelta(seconds=5)  # no checkpoint sooner after the one before
COMPARE_EVERY: Final = timedelta(minutes=1)  # the mirror, also where nothing is new
FIRST_WAIT: Final = timedelta(seconds=5)  # after a failure; it doubles with each one
LONGEST_WAIT: Final = timedelta(hours=1)
ATTEMPTS: Final = 10  # for one checkpoint; then a newer one is waited for
STALE: Final = timedelta(hours=1)  # what has lacked a newer checkpoint for so long holds nothing
PATIENCE: Final = 10.0  # seconds that the doctor waits for a mirror


class MirrorFault(KinwardError):
    """The mirror of the ledger cannot be used. The ledger goes on without it."""

    code = "ledger.mirror"
    status = 503


class HolderState(msgspec.Struct, frozen=True):
    """What a holder has. `counts`: it received the last checkpoints. `problem`: "" if none."""

    holder: str
    counts: bool
    problem: str
    alarming: bool
    received_at: datetime | None


def mirror_newest(now: datetime | None = None, *, at_once: bool = False) -> int | None:
    """Compare the mirror with the log, and write the newest checkpoint to it; return the size.

    None if there is no mirror, or it is too soon and not to be `at_once`. One process at a time
    writes. Must run outside a transaction.
    """
    folder = config().ledger_mirror
    if not folder:
        return None
    with exclusive("ledger.mirror") as mine:
        if not mine:
            return None
        again = timedelta() if at_once else COMPARE_EVERY
        return _attempt(MIRROR, lambda log: _mirror(Path(folder), log), now, again)


def send_newest(now: datetime | None = None) -> int | None:
    """Send the newest checkpoint to the webhook; return the size.

    None if there is no webhook, nothing new, or it is too soon. Must run outside a transaction.
    """
    if not config().ledger_webhook_url:
        return None
    with exclusive("ledger.webhook") as mine:
        return _attempt(WEBHOOK, _send, now, None) if mine else None


def _attempt(
    holder: str, act: Callable[[Log], int], now: datetime | None, again: timedelta | None
) -> int | None:
    log = Log.objects.first()
    if log is None or not log.note:
        return None
    moment = now or timezone.now()
    word = word_of(log, holder)
    if word is not None and not _is_due(word, log.signed_size, moment, again):
        return None
    try:
        size = act(log)
    except (MirrorDiffers, Undelivered, OSError, KinwardError) as error:
        _failed(holder, word, log, error, moment)
        return None
    note_received(log, holder, size, moment)
    return size


def _is_within(since: timedelta, wait: timedelta) -> bool:
    """A moment to come is that of a clock which was set back since: that is not within."""
    return timedelta() <= since < wait


def _is_due(word: HolderWord, size: int, now: datetime, again: timedelta | None) -> bool:
    """Whether to try a holder now. `again`: after how long also if nothing is new."""
    since = now - word.tried_at
    if not word.problem:
        is_new = word.size != size and not _is_within(since, EVERY)
        return is_new or (again is not None and not _is_within(since, again))
    if word.failures >= ATTEMPTS and word.tried == size and again is None:
        return False
    wait = min(FIRST_WAIT * 2 ** min(word.failures - 1, 12), LONGEST_WAIT)
    return not _is_within(since, wait)


def _failed(
    holder: str, word: HolderWord | None, log: Log, error: Exception, now: datetime
) -> None:
    problem, alarming = _sentence(error), isinstance(error, MirrorDiffers)
    if note_failed(log, holder, word, problem, now, alarming=alarming):
        logger.error("ledger.not_held", holder=holder, problem=problem, alarming=alarming)


def _sentence(error: Exception) -> str:
    if isinstance(error, KinwardError):
        return error.for_operator.split("\n")[0]
    if isinstance(error, OSError):
        return f"It cannot be read or written: {error.strerror or error}."
    return str(error)


def _mirror(folder: Path, log: Log) -> int:
    if not folder.is_dir():
        raise MirrorFault(f"{folder} is no folder. Is it mounted?")
    mirror = Mirror(folder, log.origin)
    held = _compared(mirror)
    now = Log.objects.get()  # the log only grows, so it has what the mirror has
    rotations = b"".join(line + b"\n" for line in rotation_lines(now.origin))
    if held.note == bytes(now.note):
        return held.size
    if held.size > now.signed_size:
        raise MirrorDiffers(
            f"It holds a signed log of {held.size:,} entries, and the database says that only "
            f"{now.signed_size:,} were signed. The first size that differs is "
            f"{now.signed_size + 1:,}."
        )
    return mirror.write(held, bytes(now.note), rotations, _fetch)


def _compared(mirror: Mirror) -> Held:
    """Read the mirror before the log: what was written meanwhile is in both."""
    held = mirror.held(_opened)
    if held != NOTHING_HELD:
        mirror.compare(held, Log.objects.get().size, _fetch)
    return held


def _opened(note: bytes) -> Checkpoint:
    """Open a checkpoint that this log signed, with whichever of its keys counts at that size."""
    return read_keys()[1].open(note)


def _fetch(tile: Tile) -> bytes:
    return tile_data(tile.level, tile.number)[: tile.width * 32]


def _send(log: Log) -> int:
    send_checkpoint(log.origin, log.signed_size, bytes(log.note))
    return log.signed_size


def fault_of_mirror() -> str:
    """Compare the mirror with the log now; return what differs, as a sentence. Empty if nothing.

    A mirror that hangs is left to itself after some seconds.
    """
    told: list[str] = []

    def look() -> None:
        told.append(_look_at_mirror())

    looking = threading.Thread(target=look, name="mirror", daemon=True)
    looking.start()
    looking.join(PATIENCE)
    return told[0] if told else f"It has not answered for {PATIENCE:.0f} seconds."


def _look_at_mirror() -> str:
    from django.db import connection

    try:
        log = Log.objects.first()
        if log is not None and log.note:
            _compared(Mirror(Path(config().ledger_mirror), log.origin))
        return ""
    except (MirrorDiffers, OSError, KinwardError) as error:
        return _sentence(error)
    finally:
        connection.close()


def holder_states(now: datetime | None = None) -> list[HolderState]:
    """Return what the mirror and the webhook have, of those that are set."""
    chosen = config()
    named = {MIRROR: chosen.ledger_mirror, WEBHOOK: chosen.ledger_webhook_url}
    log = Log.objects.first()
    return [
        _state(holder, log, now or timezone.now()) for holder, setting in named.items() if setting
    ]


def _state(holder: str, log: Log | None, now: datetime) -> HolderState:
    if log is None or not log.note:
        return HolderState(holder, counts=True, problem="", alarming=False, received_at=None)
    word = word_of(log, holder)
    if word is None:
        problem = "It has received nothing yet. Is a worker running?"
        return HolderState(holder, counts=False, problem=problem, alarming=False, received_at=None)
    fresh = word.received_at is not None and (
        word.size == log.signed_size or timedelta() <= now - word.received_at < STALE
    )
    counts = fresh and not word.alarming
    return HolderState(holder, counts, word.problem, word.alarming, word.received_at)
