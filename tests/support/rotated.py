"""A log whose key is in a file and changes, and somebody who has kept the retired one."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kinward.access.actor import Actor
from kinward.access.log_key import LogKeyChange, decide_log_key, request_log_key
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.models import Log
from kinward.ledger.notes import ED25519, Note, Verifier, sign_text
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.signing import publish_checkpoint
from tests.integration.conftest import Configure
from tests.support.ledgers import past_the_triggers, write

ANNA, BO = Actor.operator("anna"), Actor.operator("bo")


class Insider:
    """Whoever has copied the key's file, and signs whatever they like."""

    def __init__(self, path: Path) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
        public = self._key.public_key().public_bytes_raw()
        self.verifier = Verifier(Log.objects.get().origin, ED25519, public)

    @property
    def vkey(self) -> str:
        return self.verifier.vkey

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)

    def note(self, size: int, root: bytes) -> bytes:
        text = Checkpoint(self.verifier.name, size, root).text
        return Note(text, (sign_text(text, self.verifier, self.sign),)).to_bytes()


def key_file(folder: Path, configure: Configure) -> Path:
    """Put the key of the log into a file of its own."""
    path = folder / "key"
    path.write_text("07" * 32)
    configure(ledger_key_file=str(path), ledger_key="")
    return path


def grow(count: int = 1) -> Checkpoint:
    """Write entries, and sign the tree at once."""
    write(count)
    return publish()


def publish() -> Checkpoint:
    """Give all entries their places, and sign the tree at once."""
    sequence_all()
    past_the_triggers("UPDATE ledger_log SET signed_at = NULL")
    made = publish_checkpoint()
    assert made is not None
    return made


def ask_and_agree() -> LogKeyChange:
    """Let one operator ask for another key, and another one agree."""
    change = request_log_key(staff=ANNA)
    return decide_log_key(change_id=change.pk, approve=True, staff=BO)


def rotate() -> LogKeyChange:
    """Change the key: ask, agree, and sign with both keys."""
    change = ask_and_agree()
    publish()
    return change
