"""Care of the vault: moving files to the store, changing keys, and checking for damage."""

import hashlib
from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.evidence import storage
from kinward.evidence.authenticity import find_difference, mac_of, mark_damaged
from kinward.evidence.keys import keys, keys_of
from kinward.evidence.models import Evidence
from kinward.evidence.services import sealed_bytes
from kinward.ledger.api import kinds, record

Progress = Callable[[int], None]
ACTOR: Final = Actor.system("evidence")


def store_next_file() -> bool:
    """Move the oldest file in the database to the store; return whether there was one."""
    if not storage.has_store():
        return False
    with transaction.atomic():
        here = Evidence.objects.select_for_update(skip_locked=True).filter(
            ciphertext__isnull=False, damaged_at=None
        )
        evidence = here.order_by("sealed_at").first()
        if evidence is None or evidence.ciphertext is None:
            return False
        if difference := find_difference(evidence) or _find_rot(evidence):
            mark_damaged(evidence, difference)  # and stays where it is
            return True
        location = storage.object_location(evidence.id)
        storage.write_object(location, bytes(evidence.ciphertext))
        evidence.ciphertext, evidence.location = None, location
        evidence.save(update_fields=["ciphertext", "location"])
        record(
            actor=ACTOR,
            subject=str(evidence),
            fact=kinds.EvidenceStored(
                case=str(evidence.case_id), sealed_sha256=evidence.sealed_sha256
            ),
        )
    return True


def rewrap_keys(progress: Progress = lambda done: None) -> int:
    """Wrap every data key with the current key; return how many another key had wrapped.

    The sealed bytes stay as they are. An interrupted run resumes with the next call.
    """
    done = 0
    others = Evidence.objects.filter(destroyed_at=None).exclude(key_id=keys().current)
    for pk in list(others.order_by("sealed_at").values_list("pk", flat=True)):
        done += _rewrap(pk)
        progress(done)
    return done


@transaction.atomic
def _rewrap(pk: UUID) -> int:
    evidence = Evidence.objects.select_for_update().defer("ciphertext").get(pk=pk)
    current = keys().current
    if evidence.wrapped_key is None or evidence.key_id == current:
        return 0
    before = evidence.key_id
    if difference := find_difference(evidence):
        mark_damaged(evidence, difference)
        return 0
    data_key = keys_of(before).unwrap(bytes(evidence.wrapped_key), before, pk)
    evidence.wrapped_key, evidence.key_id = keys().wrap(data_key, pk), current
    evidence.mac = mac_of(evidence)
    evidence.save(update_fields=["wrapped_key", "key_id", "mac"])
    record(
        actor=ACTOR,
        subject=str(evidence),
        fact=kinds.EvidenceRewrapped(case=str(evidence.case_id), before=before, after=current),
    )
    return 1


def scrub_evidence(progress: Progress = lambda done: None) -> int:
    """Check that every file is the one that was sealed; return the number of damaged ones.

    No file is opened and no key is needed, because the digests are those of the ciphertext.
    """
    live = Evidence.objects.filter(destroyed_at=None).order_by("sealed_at")
    damaged = 0
    for number, pk in enumerate(list(live.values_list("pk", flat=True)), 1):
        damaged += not _is_whole(pk)
        progress(number)
    return damaged


@transaction.atomic
def _is_whole(pk: UUID) -> bool:
    evidence = Evidence.objects.select_for_update().get(pk=pk)
    if evidence.destroyed_at is not None:
        return True
    difference = find_difference(evidence) or _find_rot(evidence)
    if difference:
        mark_damaged(evidence, difference)
    else:
        evidence.damaged_at = None
    evidence.scrubbed_at = timezone.now()
    evidence.save(update_fields=["damaged_at", "scrubbed_at"])
    return not difference


def _find_rot(evidence: Evidence) -> str:
    try:
        digest = hashlib.sha256(sealed_bytes(evidence)).hexdigest()
    except storage.StoreUnreachable as error:
        return f"Its sealed bytes are unreadable: {error}"
    return "" if digest == evidence.sealed_sha256 else "Its sealed bytes have changed."
