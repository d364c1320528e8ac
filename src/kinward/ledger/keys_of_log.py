"""The keys of this log in their order, and what they signed."""

from kinward.ledger.checkpoints import Checkpoint, parse_checkpoint
from kinward.ledger.handovers import handovers_of
from kinward.ledger.models import Log
from kinward.ledger.notes import BadNote, Verifier, open_note
from kinward.ledger.succession import Handover, Succession


class LogKeys:
    """The keys of a log, each verified by the one before and by the one after.

    Raises `BadNote` if they do not follow each other. The last one is what the database says, so
    whoever does not trust that compares it with the key itself.
    """

    def __init__(self, log: Log) -> None:
        self._origin = log.origin
        self.handovers: list[Handover] = handovers_of(log.origin)
        self._succession = Succession(self.handovers) if self.handovers else None
        last = [Verifier.parse(log.vkey)] if log.vkey else []
        self.all = self._succession.keys if self._succession else last
        if self.all[-1:] != last:
            raise BadNote("The key that signs now did not take over from the one before.")

    def open(self, note: bytes) -> Checkpoint:
        """Open a checkpoint that a key signed which was in force at its size. Raises `BadNote`."""
        opened = open_note(note, self.all)
        checkpoint = parse_checkpoint(opened.text)
        if checkpoint.origin != self._origin:
            raise BadNote(f"This checkpoint is of {checkpoint.origin!r}.")
        if self._succession is not None:
            signers = [key for key, _signature in opened.verified]
            self._succession.require_in_force(signers, checkpoint.size)
        return checkpoint


def read_keys() -> tuple[Log, LogKeys]:
    """Return the log and its keys as they were together. Raises `BadNote`."""
    while True:
        log = Log.objects.get()
        try:
            return log, LogKeys(log)
        except BadNote:
            if Log.objects.get().vkey == log.vkey:  # otherwise it took over in between
                raise
