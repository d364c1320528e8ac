"""How far each holder outside has received the log: one row for each, for the doctor."""

from datetime import datetime
from typing import Final

from kinward.ledger.models import HolderWord, Log

MOST_FAILURES: Final = 1000  # that are counted


def word_of(log: Log, holder: str) -> HolderWord | None:
    """Return what is known of a holder; None before the first attempt."""
    return HolderWord.objects.filter(origin=log.origin, holder=holder).first()


def note_received(log: Log, holder: str, size: int, now: datetime) -> None:
    """Note that a holder received the tree with this size, and that nothing is wrong with it."""
    told = {"size": size, "tried": size, "failures": 0, "problem": "", "alarming": False}
    _note(log, holder, told | {"tried_at": now, "received_at": now})


def note_failed(
    log: Log, holder: str, word: HolderWord | None, problem: str, now: datetime, *, alarming: bool
) -> bool:
    """Note that an attempt failed; return whether its problem is a new one. `word`: before it."""
    problem = problem[:500]
    told = {
        "tried": log.signed_size,
        "failures": 1 if word is None else min(word.failures + 1, MOST_FAILURES),
        "problem": problem,
        "alarming": alarming,
        "tried_at": now,
    }
    _note(log, holder, told)
    return word is None or word.problem != problem


def _note(log: Log, holder: str, told: dict[str, object]) -> None:
    HolderWord.objects.update_or_create(origin=log.origin, holder=holder, defaults=told)
