"""The face of `reconciliation`: what other rooms may use."""

from kinward.reconciliation.gaps import What
from kinward.reconciliation.models import Difference, Run
from kinward.reconciliation.queries import LATE, Comparison, comparison, open_differences
from kinward.reconciliation.services import (
    AlreadyRunning,
    last_whole_run,
    reconcile,
    since_last_run,
)
from kinward.reconciliation.steps import gathered
from kinward.reconciliation.words import advice_of, sentence_of

__all__ = [
    "LATE",
    "AlreadyRunning",
    "Comparison",
    "Difference",
    "Run",
    "What",
    "advice_of",
    "comparison",
    "gathered",
    "last_whole_run",
    "open_differences",
    "reconcile",
    "sentence_of",
    "since_last_run",
]
