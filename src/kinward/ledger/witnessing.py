"""Cosignatures: what witnesses said of the log, asked again and again beside the work of the log.

Whoever asks holds neither a transaction nor the locks of the sequencer and of the signer while it
waits. So a witness that is down or slow delays its own cosignature, and nothing else.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from django.db import transaction
from django.utils import timezone

from kinward.ground.config import config
from kinward.ground.errors import SettingWrong
from kinward.ground.locks import exclusive
from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.handovers import handovers_of
from kinward.ledger.holders import holder_states
from kinward.ledger.merkle import prove_consistency
from kinward.ledger.models import CosignedTree, Log, WitnessWord
from kinward.ledger.notes import BadNote, Verifier
from kinward.ledger.signing import tile_reader
from kinward.ledger.witness_policy import (
    MAX_POLICY_BYTES,
    BadPolicy,
    KnownLog,
    KnownWitness,
    Policy,
    parse_policy,
)
from kinward.ledger.witnesses import Cosigned, Word, ask_witnesses

log = structlog.get_logger(__name__)

ASKER: Final = "ledger.asker"  # the lock of whoever asks
EVERY: Final = timedelta(seconds=5)  # no checkpoint is asked about sooner after the one before
AFTER_PROBLEM: Final = timedelta(minutes=1)  # a witness with a problem is left alone for so long
STALE: Final = timedelta(hours=1)  # an older cosigned checkpoint is an alarm


def policy_of_ours() -> Policy | None:
    """Read the policy of the setting: the witnesses that cosign this log. None without one.

    It follows the key of the log as that changes. Raises `SettingWrong`, and `BadRotation`.
    """
    path = config().ledger_policy_file
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            policy = parse_policy(file.read(MAX_POLICY_BYTES + 1))
    except (OSError, BadPolicy) as error:
        raise SettingWrong(f"KINWARD_LEDGER_POLICY_FILE: {error}") from error
    shown = Log.objects.first()
    if shown is not None and shown.vkey:
        _follow(policy, shown)
    return policy


def _follow(policy: Policy, shown: Log) -> None:
    """Let the keys of this log count in their order if the policy names one of them.

    It may name the next one, too, before that signs.
    """
    handovers = handovers_of(shown.origin)
    ours = {Verifier.parse(shown.vkey), *(key for each in handovers for key in each[-2:])}
    named = [each for each in policy.logs if each.verifier in ours]
    if named:
        others = [each for each in policy.logs if each.verifier.name != shown.origin]
        policy.logs = [*others, KnownLog(Verifier.parse(shown.vkey), named[0].url)]
        policy.follow(handovers)


def witnesses_of(policy: Policy | None) -> list[KnownWitness]:
    """Return the witnesses of a policy that can be asked."""
    return [] if policy is None else [each for each in policy.witnesses.values() if each.url]


def ask_about_newest(now: datetime | None = None) -> Cosigned | None:
    """Ask the witnesses to cosign the newest checkpoint, and store what they answer.

    None if there is nothing to ask, or it is too soon. One process at a time asks. Must run outside
    a transaction. Raises `SettingWrong`, and `BadNote` if the policy does not name this log's key.
    """
    policy = policy_of_ours()
    if policy is None or not witnesses_of(policy):
        return None
    with exclusive(ASKER) as mine:
        return _ask(policy, now or timezone.now()) if mine else None


def _ask(policy: Policy, now: datetime) -> Cosigned | None:
    shown = Log.objects.first()
    if shown is None or not shown.note:
        return None
    earlier = CosignedTree.objects.filter(origin=shown.origin).order_by("-at").first()
    if earlier is not None and timedelta() <= now - earlier.at < EVERY:
        return None
    start, known = _start(shown, earlier), _known(shown.origin)
    size = policy.open_signed(start)[0].size
    due = {each.name for each in witnesses_of(policy) if _is_due(known.get(each.name), size, now)}
    if not due:
        return None

    def prove(old: int, new: int) -> Sequence[bytes]:
        return prove_consistency(old, new, tile_reader(new))

    sizes = {name: word.size for name, word in known.items()}
    found = ask_witnesses(start, policy, known=sizes, prove=prove, only=due)
    _store(policy, found, now)
    return found


def _start(shown: Log, earlier: CosignedTree | None) -> bytes:
    """Return the newest checkpoint, with the cosignatures that it has already."""
    same = earlier is not None and earlier.size == shown.signed_size
    return bytes(earlier.note) if same and earlier is not None else bytes(shown.note)


def _known(origin: str) -> dict[str, WitnessWord]:
    return {word.witness: word for word in WitnessWord.objects.filter(origin=origin)}


def _is_due(word: WitnessWord | None, size: int, now: datetime) -> bool:
    if word is None:
        return True
    if word.problem:
        return not timedelta() <= now - word.asked_at < AFTER_PROBLEM
    return word.size != size


@transaction.atomic
def _store(policy: Policy, found: Cosigned, now: datetime) -> None:
    checkpoint, _opened = policy.open_signed(found.note)
    for word in found.words:
        _store_word(checkpoint, word, now)
    others = CosignedTree.objects.filter(origin=checkpoint.origin)
    hour = now.replace(minute=0, second=0, microsecond=0)
    CosignedTree.objects.update_or_create(
        origin=checkpoint.origin,
        size=checkpoint.size,
        defaults={
            "root": checkpoint.root,
            "note": found.note,
            "is_met": found.is_met,
            "at": now,
        },
    )
    older = others.filter(size__lt=checkpoint.size)
    older.filter(is_met=False).delete()
    if found.is_met:
        older.filter(at__gte=hour).delete()  # of each hour the last one is kept


def _store_word(checkpoint: Checkpoint, word: Word, now: datetime) -> None:
    place: dict[str, Any] = {"origin": checkpoint.origin, "witness": word.witness}
    before = WitnessWord.objects.filter(**place).first()
    if word.problem and (before is None or before.problem != word.problem):
        log.error(
            "ledger.not_cosigned",
            witness=word.witness,
            size=checkpoint.size,
            problem=word.problem,
            alarming=word.alarming,
        )
    told: dict[str, Any] = {
        "size": word.size if word.signatures or before is None else before.size,
        "problem": word.problem[:500],
        "alarming": word.alarming,
        "asked_at": now,
    }
    if word.signatures:
        told["cosigned_at"] = now
    elif before is None:
        told["size"] = 0
    WitnessWord.objects.update_or_create(**place, defaults=told)


def newest_cosigned() -> CosignedTree | None:
    """Return the newest checkpoint of this log that enough witnesses cosigned, if any."""
    origin = Log.objects.values_list("origin", flat=True).first()
    met = CosignedTree.objects.filter(origin=origin, is_met=True)
    return met.order_by("-size").first()


def cosigned_checkpoint() -> bytes:
    """Return the newest checkpoint with a quorum of cosignatures, a signed note. Empty if none."""
    tree = newest_cosigned()
    return b"" if tree is None else bytes(tree.note)


def fault_of_holders(now: datetime | None = None) -> str:
    """Return what is wrong with the holders outside, as a sentence. Empty if nothing is.

    Raises `SettingWrong`.
    """
    states = holder_states(now)
    if alarms := [state for state in states if state.alarming]:
        return f"A {alarms[0].holder} contradicts the ledger. {alarms[0].problem}"
    try:
        policy = policy_of_ours()
    except BadNote as error:
        return f"The keys of the ledger do not follow each other: {error}"
    if policy is None or not witnesses_of(policy) or not policy.needs_witnesses:
        if any(state.counts for state in states):
            return ""
        return (
            "Nobody outside holds the checkpoints of the ledger, so whoever has its key can "
            "rewrite it unnoticed. Name witnesses and a quorum in KINWARD_LEDGER_POLICY_FILE."
        )
    shown = Log.objects.first()
    if shown is None or not shown.note:
        return ""
    try:
        policy.open_signed(bytes(shown.note))
    except BadNote as error:
        return f"The policy of the ledger's witnesses does not name its key: {error}"
    return _fault_of_words(shown, policy, now or timezone.now())


def has_witnesses() -> bool:
    """Return whether the policy asks for witnesses, and names some. Raises `SettingWrong`."""
    policy = policy_of_ours()
    return policy is not None and bool(witnesses_of(policy)) and policy.needs_witnesses


def is_witnessed() -> bool:
    """Return whether holders outside hold the log, and none of them contradicts it."""
    try:
        return not fault_of_holders()
    except SettingWrong:
        return False


def _fault_of_words(shown: Log, policy: Policy, now: datetime) -> str:
    names = {each.name for each in witnesses_of(policy)}
    words = WitnessWord.objects.filter(origin=shown.origin, witness__in=names).order_by("witness")
    told = " ".join(f"{word.witness}: {word.problem}" for word in words if word.problem)
    if any(word.alarming for word in words):
        return f"A witness contradicts the ledger. {told}"
    tree = newest_cosigned()
    if tree is None:
        return f"No checkpoint of the ledger has enough cosignatures yet. {told}".strip()
    # A log in which nothing happens has no newer tree to cosign.
    if tree.size < shown.signed_size and now - tree.at > STALE:
        return (
            f"The newest checkpoint with enough cosignatures is from {tree.at:%Y-%m-%d %H:%M} UTC. "
            f"{told}".strip()
        )
    return ""


def witness_problems() -> list[str]:
    """Return what each witness is in trouble with, as sentences, by its name."""
    origin = Log.objects.values_list("origin", flat=True).first()
    names = [each.name for each in witnesses_of(policy_of_ours())]
    words = WitnessWord.objects.filter(origin=origin, witness__in=names).exclude(problem="")
    return [f"{word.witness}: {word.problem}" for word in words.order_by("witness")]
