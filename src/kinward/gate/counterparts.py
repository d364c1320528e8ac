"""Why no row of `gate` stands for an entry."""

from kinward.gate.models import KeptAnswer
from kinward.ledger.api import unrecorded

unrecorded("an answer that is repeated for a day", KeptAnswer)
