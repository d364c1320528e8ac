"""Timestamps of checkpoints, asked for beside the work of the log. Off unless an address is set."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from django.utils import timezone

from kinward.ground.config import config
from kinward.ground.locks import exclusive
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.holder_words import note_failed, note_received, word_of
from kinward.ledger.models import Log, StampedTree
from kinward.ledger.timestamps import (
    WITHOUT_CLIENT,
    NotStamped,
    ask_for_stamp,
    has_client,
    read_roots,
    verify_stamp,
)

logger = structlog.get_logger(__name__)

AUTHORITY: Final = "authority"
AFTER_PROBLEM: Final = timedelta(minutes=5)


class StampCheck(NamedTuple):
    """How many stored timestamps are right, and how many nobody could verify here."""

    verified: int
    unverified: int


def stamp_newest(now: datetime | None = None) -> datetime | None:
    """Let the authority stamp the newest checkpoint; return its time.

    None if there is no authority, nothing new, or it is too soon. One process at a time asks. Must
    run outside a transaction. Raises `SettingWrong` and `NotInstalled`.
    """
    if not config().ledger_tsa_url:
        return None
    with exclusive("ledger.stamper") as mine:
        return _stamp(now or timezone.now()) if mine else None


def _stamp(now: datetime) -> datetime | None:
    chosen, log = config(), Log.objects.first()
    if log is None or not log.note:
        return None
    word = word_of(log, AUTHORITY)
    if word is not None:
        wait = AFTER_PROBLEM if word.problem else timedelta(minutes=chosen.ledger_tsa_minutes)
        if timedelta() <= now - word.tried_at < wait or (
            word.size == log.signed_size and not word.problem
        ):
            return None
    text = Checkpoint(log.origin, log.signed_size, bytes(log.signed_root)).text.encode()
    try:
        stamp = ask_for_stamp(chosen.ledger_tsa_url, text, read_roots(chosen.ledger_tsa_roots))
    except NotStamped as error:
        if note_failed(log, AUTHORITY, word, error.detail, now, alarming=False):
            logger.error("ledger.not_stamped", problem=error.detail)
        return None
    StampedTree.objects.update_or_create(
        origin=log.origin,
        size=log.signed_size,
        defaults={"root": log.signed_root, "response": stamp.response, "at": stamp.at},
    )
    note_received(log, AUTHORITY, log.signed_size, now)
    return stamp.at


def stamp_problem() -> str:
    """Return what is wrong with the timestamps, as a sentence. Empty if nothing or if off."""
    log = Log.objects.first()
    if not config().ledger_tsa_url or log is None or not log.note:
        return ""
    if not has_client():
        return WITHOUT_CLIENT
    word = word_of(log, AUTHORITY)
    if word is None:
        return "The timestamp authority has not been asked yet. Is a worker running?"
    return f"The timestamp authority: {word.problem}" if word.problem else ""


def check_stamps() -> StampCheck:
    """Verify the stored timestamps by the authorities of the setting.

    Without the extra `time` or certificates they are only counted. Raises `NotStamped`, which names
    the size, and `SettingWrong`.
    """
    if not (has_client() and config().ledger_tsa_roots):
        return StampCheck(0, StampedTree.objects.count())
    roots, count = read_roots(config().ledger_tsa_roots), 0
    for tree in StampedTree.objects.order_by("id").iterator():
        try:
            stamp = verify_stamp(bytes(tree.response), _stamped_text(tree), roots)
        except NotStamped as error:
            raise NotStamped(f"The timestamp of {tree.size:,} leaves: {error.detail}") from None
        if stamp.at != tree.at:
            raise NotStamped(f"The timestamp of {tree.size:,} leaves says another time.")
        count += 1
    return StampCheck(count, 0)


def stamp_lines(origin: str, size: int) -> Iterator[bytes]:
    """Yield each timestamp of a log up to a size: its text, and the authority's answer, in JSON."""
    for tree in StampedTree.objects.filter(origin=origin, size__lte=size).order_by("size"):
        answer = base64.b64encode(bytes(tree.response)).decode()
        yield json.dumps({"checkpoint": _stamped_text(tree).decode(), "response": answer}).encode()


def _stamped_text(tree: StampedTree) -> bytes:
    return Checkpoint(tree.origin, tree.size, bytes(tree.root)).text.encode()
