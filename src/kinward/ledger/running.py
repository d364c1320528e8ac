"""Sequence, sign, ask witnesses and tell holders, again and again, in each worker.

One worker does it at a time. What waits for others has a thread of its own.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from django.db import Error, close_old_connections, connection

from kinward.ground.errors import KinwardError
from kinward.ledger.holders import mirror_newest, send_newest
from kinward.ledger.notes import BadNote
from kinward.ledger.sequencing import BATCH, sequence
from kinward.ledger.signing import publish_checkpoint
from kinward.ledger.stamping import stamp_newest
from kinward.ledger.witnessing import ask_about_newest

log = structlog.get_logger(__name__)

PAUSE: Final = 0.25  # seconds between two looks for new entries
ASK_PAUSE: Final = 1.0  # seconds between two looks for a checkpoint to ask about
AFTER_FAULT: Final = 5.0  # seconds before the next attempt


def keep_sequencing(stop: threading.Event) -> None:
    """Sequence entries and sign checkpoints until `stop` is set. A fault is logged and tried again.

    Without a key, or against what was signed, entries still get their places.
    """
    again = {"sequenced": 0.0, "signed": 0.0}
    try:
        while not stop.is_set():
            close_old_connections()
            count = _attempt("sequenced", again)
            _attempt("signed", again)
            if count != BATCH:
                stop.wait(PAUSE)
    finally:
        connection.close()


def keep_asking(stop: threading.Event) -> None:
    """Ask witnesses to cosign the newest checkpoint until `stop` is set, in a thread of its own."""
    _keep(stop, ask_about_newest, "ledger.not_asked")


def keep_mirroring(stop: threading.Event) -> None:
    """Compare the mirror and write to it until `stop` is set, in a thread of its own."""
    again = {"at_once": True}  # at the start it is compared whatever was there before

    def mirror() -> None:
        mirror_newest(at_once=again.pop("at_once", False))

    _keep(stop, mirror, "ledger.not_mirrored")


def keep_sending(stop: threading.Event) -> None:
    """Send checkpoints to the webhook until `stop` is set, in a thread of its own."""
    _keep(stop, send_newest, "ledger.not_sent")


def keep_stamping(stop: threading.Event) -> None:
    """Ask a timestamp authority until `stop` is set, in a thread of its own."""
    _keep(stop, stamp_newest, "ledger.not_stamped")


def _keep(stop: threading.Event, act: Callable[[], object], event: str) -> None:
    """Do something again and again. A fault is logged and tried again."""
    try:
        while not stop.wait(ASK_PAUSE):
            close_old_connections()
            try:
                act()
            except (KinwardError, Error, OSError, BadNote) as error:
                told = error.for_operator if isinstance(error, KinwardError) else str(error)
                log.error(event, error=told.split("\n")[0])
                stop.wait(AFTER_FAULT)
    finally:
        connection.close()


def _attempt(what: str, again: dict[str, float]) -> int | None:
    if time.monotonic() < again[what]:
        return None
    try:
        if what == "sequenced":
            return sequence()
        publish_checkpoint()
    except (KinwardError, Error, OSError) as error:
        again[what] = time.monotonic() + AFTER_FAULT
        told = error.for_operator if isinstance(error, KinwardError) else str(error)
        log.error(f"ledger.not_{what}", error=told.split("\n")[0])
    return None
