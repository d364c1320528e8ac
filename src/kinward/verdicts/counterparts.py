"""Why no row of `verdicts` stands for an entry."""

from kinward.ledger.api import unrecorded
from kinward.verdicts.models import Backing

unrecorded("which cases back a hash of our own bank, whose additions are compared", Backing)
