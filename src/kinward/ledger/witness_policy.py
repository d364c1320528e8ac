"""Policies of trust (c2sp.org/tlog-policy): which logs, which witnesses, and how many must agree.

A policy is a file of lines: `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME K|any|all
MEMBER…`, and one `quorum NAME|none`. Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kinward.ledger.checkpoints import BadCheckpoint, Checkpoint, parse_checkpoint
from kinward.ledger.notes import (
    COSIGNATURE,
    ED25519,
    BadNote,
    OpenedNote,
    Verifier,
    open_note,
)
from kinward.ledger.succession import Handover, Succession, successions

MAX_POLICY_BYTES: Final = 256 * 1024
MAX_OF_A_KIND: Final = 256  # logs, witnesses, groups: at least 32 of each must be accepted
NO_QUORUM: Final = "none"

_SPACE: Final = re.compile(r"[ \t]+")
_FORBIDDEN: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class BadPolicy(ValueError):
    """A policy that cannot be read. The message names the line."""


class TooFewWitnesses(BadNote):
    """The log signed this checkpoint, but not enough witnesses did."""


@dataclass(frozen=True)
class KnownLog:
    """A log whose checkpoints count. Its key has the name of its origin."""

    verifier: Verifier
    url: str = ""


@dataclass(frozen=True)
class KnownWitness:
    """A witness whose cosignature counts, and where it is asked."""

    name: str
    verifier: Verifier
    url: str = ""


@dataclass(frozen=True)
class _Group:
    threshold: int
    members: tuple[str, ...]


@dataclass
class Policy:
    """What makes a checkpoint valid: a signature of one of the logs, and the quorum."""

    logs: list[KnownLog] = field(default_factory=list)
    witnesses: dict[str, KnownWitness] = field(default_factory=dict)
    quorum: str = ""
    _groups: dict[str, _Group] = field(default_factory=dict)
    _successions: dict[str, Succession] = field(default_factory=dict)

    def follow(self, handovers: Iterable[Handover]) -> None:
        """Trust the keys before and after a known key of a log, each at its sizes.

        Each handover is signed by two keys, so whoever trusts one of them trusts both, up to where
        the one ends and from where the other begins. Raises `BadRotation`.
        """
        known = {log.verifier for log in self.logs}
        for origin, succession in successions(handovers).items():
            if known & set(succession.keys):
                self._successions[origin] = succession
                new = [KnownLog(key) for key in succession.keys if key not in known]
                self.logs = [*self.logs, *new]

    @property
    def needs_witnesses(self) -> bool:
        """Whether the signature of the log alone is not enough."""
        return self.quorum != NO_QUORUM

    def is_met_by(self, cosigners: Iterable[Verifier]) -> bool:
        """Whether these witnesses are enough."""
        keys = {verifier.public for verifier in cosigners}
        return not self.needs_witnesses or self._has_witnessed(self.quorum, keys)

    def open(self, data: bytes) -> tuple[Checkpoint, OpenedNote]:
        """Read a signed checkpoint and hold it to this policy.

        Raises `BadNote`, and `TooFewWitnesses` if only the quorum is missing.
        """
        checkpoint, opened = self.open_signed(data)
        cosigners = [who for who, _signature in opened.verified if who.kind == COSIGNATURE]
        if not self.is_met_by(cosigners):
            known = len(self.witnesses)
            raise TooFewWitnesses(
                f"Of the {known} known witnesses {len({who.public for who in cosigners})} "
                f"cosigned the checkpoint of size {checkpoint.size}. The quorum asks for more."
            )
        return checkpoint, opened

    def open_signed(self, data: bytes) -> tuple[Checkpoint, OpenedNote]:
        """Read a checkpoint that one of the logs signed, whoever cosigned it.

        A key that was retired counts up to the size of its rotation. Raises `BadNote`.
        """
        logs = [log.verifier for log in self.logs]
        witnesses = [witness.verifier for witness in self.witnesses.values()]
        opened = open_note(data, [*logs, *witnesses])
        checkpoint = parse_checkpoint(opened.text)
        signers = [who for who, _signature in opened.verified if who.kind == ED25519]
        if not signers:
            raise BadNote("No log of the policy signed this checkpoint.")
        if all(who.name != checkpoint.origin for who in signers):
            raise BadCheckpoint(f"The checkpoint is of {checkpoint.origin!r}, its key is not.")
        self._require_in_force(checkpoint, signers)
        return checkpoint, opened

    def _require_in_force(self, checkpoint: Checkpoint, signers: list[Verifier]) -> None:
        origin, succession = checkpoint.origin, self._successions.get(checkpoint.origin)
        keys = [log.verifier for log in self.logs if log.verifier.name == origin]
        if len(keys) > 1 and (succession is None or not set(keys) <= set(succession.keys)):
            raise BadNote(
                f"The policy names {len(keys)} keys of {origin}, and no rotation says which of "
                "them counts at which size. Ask for the rotations, or for a newer export."
            )
        if succession is not None:
            succession.require_in_force(signers, checkpoint.size)

    def _has_witnessed(self, name: str, keys: set[bytes]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name].verifier.public in keys
        group = self._groups[name]
        met = sum(self._has_witnessed(member, keys) for member in group.members)
        return met >= group.threshold


def parse_policy(data: bytes) -> Policy:
    """Read a policy. Raises `BadPolicy`, which names the line."""
    if len(data) > MAX_POLICY_BYTES:
        raise BadPolicy(f"A policy has at most {MAX_POLICY_BYTES:,} bytes.")
    if _FORBIDDEN.search(data):
        raise BadPolicy("A policy has no control characters but newlines and tabs.")
    reader = _PolicyReader()
    # Names are compared as bytes: what is not UTF-8 stays what it is.
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = _SPACE.split(line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            continue
        try:
            reader.take(words)
        except ValueError as error:
            raise BadPolicy(f"Line {number} of the policy: {error}") from None
    return reader.policy_read()


class _PolicyReader:
    def __init__(self) -> None:
        self._policy = Policy()
        self._grouped: set[str] = set()

    def take(self, words: list[str]) -> None:
        kinds = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if words[0] not in kinds:
            raise BadPolicy(f"A line begins with {', '.join(kinds)} or #.")
        kinds[words[0]](words[1:])

    def policy_read(self) -> Policy:
        if not self._policy.quorum:
            raise BadPolicy("A policy has one line `quorum NAME`, or `quorum none`.")
        return self._policy

    def _log(self, words: list[str]) -> None:
        if not 1 <= len(words) <= 2:
            raise BadPolicy("Write `log VKEY [URL]`.")
        verifier = _of_kind(words[0], ED25519, "log")
        _refuse_more(self._policy.logs)
        if any(log.verifier == verifier for log in self._policy.logs):
            raise BadPolicy("This key of this log is already there.")
        self._policy.logs.append(KnownLog(verifier, *words[1:]))

    def _witness(self, words: list[str]) -> None:
        if not 2 <= len(words) <= 3:
            raise BadPolicy("Write `witness NAME VKEY [URL]`.")
        name, vkey, *url = words
        self._refuse_taken(name)
        verifier = _of_kind(vkey, COSIGNATURE, "witness")
        _refuse_more(self._policy.witnesses)
        if any(each.verifier.public == verifier.public for each in self._policy.witnesses.values()):
            raise BadPolicy("This key of a witness is already there.")
        self._policy.witnesses[name] = KnownWitness(name, verifier, *url)

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise BadPolicy("Write `group NAME K|any|all MEMBER…`.")
        name, threshold, *members = words
        self._refuse_taken(name)
        for member in members:
            self._refuse_unknown(member)
            if member in self._grouped:
                raise BadPolicy(f"{_shown(member)} is already a member of a group.")
            self._grouped.add(member)
        _refuse_more(self._policy._groups)
        most = len(members)
        if threshold not in {"any", "all"} and not _NUMBER.fullmatch(threshold):
            raise BadPolicy("A group asks for `any`, `all` or a number of its members.")
        least = {"any": 1, "all": most}.get(threshold) or int(threshold)
        if least > most:
            raise BadPolicy(f"A group of {most} cannot ask for {least}.")
        self._policy._groups[name] = _Group(least, tuple(members))

    def _quorum(self, words: list[str]) -> None:
        if len(words) != 1:
            raise BadPolicy("Write `quorum NAME`, or `quorum none`.")
        if self._policy.quorum:
            raise BadPolicy("A policy has one quorum.")
        if words[0] != NO_QUORUM:
            self._refuse_unknown(words[0])
        self._policy.quorum = words[0]

    def _refuse_taken(self, name: str) -> None:
        if name == NO_QUORUM or name in self._policy.witnesses or name in self._policy._groups:
            raise BadPolicy(f"The name {_shown(name)} is taken.")

    def _refuse_unknown(self, name: str) -> None:
        if name not in self._policy.witnesses and name not in self._policy._groups:
            raise BadPolicy(f"No line before this one defines {_shown(name)}.")


def _of_kind(vkey: str, kind: int, what: str) -> Verifier:
    verifier = Verifier.parse(vkey)
    if verifier.kind != kind:
        raise BadPolicy(f"The key of a {what} has type {kind:#04x}, not {verifier.kind:#04x}.")
    return verifier


def _refuse_more(present: object) -> None:
    if len(present) >= MAX_OF_A_KIND:  # type: ignore[arg-type]
        raise BadPolicy(f"A policy has at most {MAX_OF_A_KIND} of a kind.")


def _shown(name: str) -> str:
    return repr(name[:80])
