"""What a witness keeps, in a folder of its own: its key, the logs that it watches, what it saw.

    key            its name and its private key, readable by its owner only
    policy         the logs that it watches, as lines `log VKEY` of a policy, newer keys first
    seen.sqlite3   of each log the last cosigned checkpoint, retired keys, and refused requests

A witness has no part in any database of Kinward: it outlives them, and it judges others' logs.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kinward.ground.errors import Invalid, NotConfigured
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.notes import COSIGNATURE, BadNote, Verifier, decode64, encode64
from kinward.ledger.witness import NOTHING_SEEN, Seen, Witness
from kinward.ledger.witness_policy import (
    MAX_POLICY_BYTES,
    BadPolicy,
    KnownLog,
    parse_policy,
)

KEY_PREFIX: Final = "PRIVATE+KEY+"
POLICY_HEAD: Final = "# The logs that this witness watches: `log VKEY`, one a line.\nquorum none\n"
BUSY_SECONDS: Final = 10.0  # that a request waits for another one's turn
MOST_REFUSED: Final = 10_000  # requests of a log; then a log has shown enough
TABLES: Final = """
CREATE TABLE IF NOT EXISTS seen (
  origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL,
  seconds INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS refused (
  number INTEGER PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL, size INTEGER NOT NULL,
  root BLOB NOT NULL, why TEXT NOT NULL, body BLOB NOT NULL, seconds INTEGER NOT NULL,
  UNIQUE (origin, size, root)
) STRICT;
CREATE TABLE IF NOT EXISTS retired (
  origin TEXT NOT NULL, vkey TEXT NOT NULL, PRIMARY KEY (origin, vkey)
) STRICT;
"""


class Refused(NamedTuple):
    """A request that was refused although the log had signed its checkpoint."""

    number: int
    origin: str
    size: int
    why: str
    body: bytes
    seconds: int


class StoredTrees:
    """What a witness has seen, in SQLite. One connection a request: safe among processes."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(TABLES)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the database from before the read until the write is on disk."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def last(self, origin: str) -> Seen:
        """Return what was cosigned last; `NOTHING_SEEN` if nothing was."""
        row = self._database.execute(
            "SELECT size, root, note, seconds FROM seen WHERE origin = ?", [origin]
        ).fetchone()
        return Seen(*row) if row else NOTHING_SEEN

    def keep(self, origin: str, seen: Seen) -> None:
        """Replace what was cosigned last."""
        self._database.execute(
            "INSERT INTO seen (origin, size, root, note, seconds) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, "
            "note = excluded.note, seconds = excluded.seconds",
            [origin, *seen],
        )

    def refuse(self, checkpoint: Checkpoint, why: str, body: bytes, seconds: int) -> None:
        """Keep a refused request, once for each checkpoint that a log signed."""
        of_log = "SELECT count(*) FROM refused WHERE origin = ?"
        if self._database.execute(of_log, [checkpoint.origin]).fetchone()[0] >= MOST_REFUSED:
            return
        self._database.execute(
            "INSERT OR IGNORE INTO refused (origin, size, root, why, body, seconds) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [checkpoint.origin, checkpoint.size, checkpoint.root, why, body, seconds],
        )

    def retired(self, origin: str) -> frozenset[str]:
        """Return the keys of a log (verifier keys) that count no more."""
        rows = self._database.execute("SELECT vkey FROM retired WHERE origin = ?", [origin])
        return frozenset(row[0] for row in rows)

    def retire(self, origin: str, vkey: str) -> None:
        """Keep for good that a key counts no more. Idempotent."""
        self._database.execute(
            "INSERT OR IGNORE INTO retired (origin, vkey) VALUES (?, ?)", [origin, vkey]
        )

    def refused(self) -> list[Refused]:
        """Return the refused requests, oldest first."""
        rows = self._database.execute(
            "SELECT number, origin, size, why, body, seconds FROM refused ORDER BY number"
        )
        return [Refused(*row) for row in rows]

    def close(self) -> None:
        """Close the connection."""
        self._database.close()


class WitnessFolder:
    """The folder of a witness."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make_key(self, name: str) -> Verifier:
        """Make the key of a new witness. Raises `Invalid` if there is one, or for its name."""
        key = Ed25519PrivateKey.generate()
        try:
            verifier = Verifier(name, COSIGNATURE, key.public_key().public_bytes_raw())
        except BadNote as error:
            raise Invalid(str(error)) from None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        seed = encode64(bytes([COSIGNATURE]) + key.private_bytes_raw())
        line = f"{KEY_PREFIX}{name}+{verifier.key_id.hex()}+{seed}\n"
        try:
            handle = os.open(self._folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise Invalid(f"There is already a key in {self._folder}.") from None
        with os.fdopen(handle, "w") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError), (self._folder / "policy").open("x") as file:
            file.write(POLICY_HEAD)
        return verifier

    def watch(self, vkey: str) -> Verifier:
        """Add a log by its verifier key. Raises `Invalid`."""
        self.key()
        path = self._folder / "policy"
        text = f"log {vkey.strip()}\n{path.read_text()}"
        try:
            parse_policy(text.encode())
            verifier = Verifier.parse(vkey.strip())
        except (BadPolicy, BadNote) as error:
            raise Invalid(str(error)) from None
        fresh = path.with_name("policy.new")
        fresh.write_text(text)
        fresh.replace(path)
        return verifier

    def logs(self) -> list[KnownLog]:
        """Return the logs that it watches. Raises `NotConfigured`."""
        path = self._folder / "policy"
        try:
            with path.open("rb") as file:
                return parse_policy(file.read(MAX_POLICY_BYTES + 1)).logs
        except (OSError, BadPolicy) as error:
            raise NotConfigured(f"{path}: {error}") from error

    def key(self) -> tuple[Verifier, Ed25519PrivateKey]:
        """Return its public and its private key. Raises `NotConfigured`."""
        path = self._folder / "key"
        try:
            line = path.read_text().strip()
        except OSError:
            raise NotConfigured(
                "There is no witness here. Make one: `kinward witness init`."
            ) from None
        try:
            name, key_id, seed = line.removeprefix(KEY_PREFIX).split("+", 2)
            private = Ed25519PrivateKey.from_private_bytes(decode64(seed)[1:])
            verifier = Verifier(name, COSIGNATURE, private.public_key().public_bytes_raw())
        except ValueError as error:
            raise NotConfigured(f"{path} is no key of a witness: {error}") from None
        if not line.startswith(KEY_PREFIX) or verifier.key_id.hex() != key_id:
            raise NotConfigured(f"{path} is no key of a witness.")
        return verifier, private

    @contextlib.contextmanager
    def trees(self) -> Iterator[StoredTrees]:
        """Open what it has seen."""
        trees = StoredTrees(self._folder / "seen.sqlite3")
        try:
            yield trees
        finally:
            trees.close()

    @contextlib.contextmanager
    def open(self) -> Iterator[Witness]:
        """Open the witness for one request. Raises `NotConfigured`."""
        verifier, private = self.key()
        logs = tuple(log.verifier for log in self.logs())
        with self.trees() as trees:
            yield Witness(verifier, private.sign, logs, trees, lambda: int(time.time()))
