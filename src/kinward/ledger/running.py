"""Sequence and sign, again and again, in each worker. One does the work, and another takes over."""

import threading
import time
from typing import Final

import structlog
from django.db import Error, close_old_connections, connection

from kinward.ground.errors import KinwardError
from kinward.ledger.sequencing import BATCH, sequence
from kinward.ledger.signing import publish_checkpoint

log = structlog.get_logger(__name__)

PAUSE: Final = 0.25  # seconds between two looks for new entries
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
