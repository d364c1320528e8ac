"""Evidence: sealed, opened, kept and destroyed. There is no other way to the bytes."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import Staff, TwoPeople
from kinward.evidence import storage
from kinward.evidence.authenticity import mac_of, refuse, require_authentic, require_destroyed
from kinward.evidence.holds import AFTER_HOLD, free_of_holds, is_free_of_holds
from kinward.evidence.keys import keys, keys_of
from kinward.evidence.models import Evidence
from kinward.evidence.queries import file_in_vault
from kinward.evidence.sealing import decrypt, seal
from kinward.evidence.terms import TERM_ENDED, term_of
from kinward.evidence.warrants import require_two_people
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.jobs import enqueue
from kinward.ground.turns import Payer
from kinward.ledger.api import kinds, record
from kinward.matching.api import Check
from kinward.media import decoders, digest_bytes

log = structlog.get_logger(__name__)
DELETE: Final = "evidence.delete_object"


class UnderLegalHold(KinwardError):
    """This evidence is under legal hold. Two custodians must lift the hold first."""

    code = "evidence.held"
    status = 409


class ObjectNeeded(KinwardError):
    """A job asked to delete what is no object of destroyed evidence. Nothing was deleted."""

    code = "evidence.object_needed"
    status = 409


class EvidenceGone(KinwardError):
    """This evidence was destroyed: its term ended, or an authority asked for it."""

    code = "evidence.gone"
    status = 410


def seal_file(*, case_id: UUID, check: Check, data: bytes, actor: Actor) -> Evidence:
    """Seal a checked file for a case, in the caller's transaction. Idempotent."""
    evidence = Evidence(
        case_id=case_id,
        check_made=check,
        content_id=check.content_id,
        sha256=check.sha256,
        moving=check.frames > 1,
        decodable=bool(check.signature),
    )
    return _seal(evidence, data, actor)


def seal_excerpt(*, case_id: UUID, text: str, actor: Actor) -> Evidence:
    """Seal an excerpt of a chat for a case, in the caller's transaction. Idempotent.

    Its content id is made from its digest, and names no content of the platform.
    """
    data = text.encode()
    digests = digest_bytes(data)
    evidence = Evidence(
        case_id=case_id,
        content_id=f"chat-{digests.sha256[:12]}",
        sha256=digests.sha256,
        md5=digests.md5,
        decodable=False,
    )
    return _seal(evidence, data, actor)


def _seal(evidence: Evidence, data: bytes, actor: Actor) -> Evidence:
    earlier = Evidence.objects.filter(
        case_id=evidence.case_id, content_id=evidence.content_id, sha256=evidence.sha256
    ).first()
    if earlier is not None:
        return earlier
    ciphertext, data_key = seal(data)
    evidence.size, evidence.ciphertext = len(data), ciphertext
    evidence.sealed_sha256 = hashlib.sha256(ciphertext).hexdigest()
    evidence.wrapped_key, evidence.key_id = keys().wrap(data_key, evidence.id), keys().current
    evidence.mac = mac_of(evidence)
    evidence.save(force_insert=True)
    record(
        actor=actor,
        subject=str(evidence),
        fact=kinds.EvidenceSealed(
            case=str(evidence.case_id), sha256=evidence.sha256, size=evidence.size
        ),
    )
    return evidence


def get_evidence(evidence_id: UUID) -> Evidence:
    """Return the evidence with this id, still sealed. Raises `NotFound`."""
    try:
        return Evidence.objects.get(pk=evidence_id)
    except Evidence.DoesNotExist as error:
        raise NotFound(f"There is no evidence {evidence_id}.") from error


def veil_evidence(*, evidence: Evidence, staff: Staff, reason: str) -> bytes:
    """Return a tiny grey blur of a file as JPEG: enough to tell files apart, too little to see."""
    require_reason(staff, reason)
    payer = Payer("", staff.username)
    rendering = decoders().still(unsealed_bytes(evidence), veiled=True, payer=payer)
    with transaction.atomic(durable=True):
        fact = kinds.EvidenceVeiled(case=str(evidence.case_id), reason=reason)
        record(actor=staff.actor, subject=str(evidence), fact=fact)
    return rendering


def read_for_report(*, evidence: Evidence, report_id: UUID) -> bytes:
    """Return the bytes of a file for the authority of a report. No person sees them here."""
    data = unsealed_bytes(evidence)
    with transaction.atomic(durable=True):
        record(
            actor=Actor.system("reporting"),
            subject=str(evidence),
            fact=kinds.EvidenceRead(reason=f"report:{report_id}"),
        )
    return data


def read_for_restoration(*, case_id: UUID, content_id: str, actor: Actor) -> bytes:
    """Return the bytes of a file to restore, for the platform that sent it. Raises `NotFound`."""
    file = file_in_vault(case_id, content_id)
    if file is None:
        raise NotFound("No file of this content is held.")
    evidence = get_evidence(file.pk)
    data = unsealed_bytes(evidence)
    with transaction.atomic(durable=True):
        record(
            actor=actor,
            subject=str(evidence),
            fact=kinds.EvidenceGivenBack(case=str(case_id), sha256=evidence.sha256),
        )
    return data


def read_for_release(*, evidence_id: UUID, agreed: TwoPeople, actor: Actor) -> bytes:
    """Return the bytes of a file for a release that two people agreed to. No person sees them here.

    Raises `WarrantNeeded` unless they did.
    """
    actor.must(Permission.RELEASE_RECORDS)
    require_two_people(agreed)
    evidence = get_evidence(evidence_id)
    data = unsealed_bytes(evidence)
    with transaction.atomic(durable=True):
        record(
            actor=actor,
            subject=str(evidence),
            fact=kinds.EvidenceReleased(case=str(evidence.case_id), reason=str(agreed)),
        )
    return data


def require_reason(staff: Staff, reason: str) -> None:
    """Require the permission to open evidence, and some words. Raises `Forbidden` or `Invalid`."""
    staff.must(Permission.OPEN_EVIDENCE)
    if not reason.strip():
        raise Invalid("Say why this evidence is opened.")


def unsealed_bytes(evidence: Evidence) -> bytes:
    """Return the decrypted bytes of a file. Raises `EvidenceGone`, or `Damaged` for another's."""
    if evidence.wrapped_key is None:
        require_destroyed(evidence)
        raise EvidenceGone(f"It was destroyed on {evidence.destroyed_at:%Y-%m-%d}.")
    require_authentic(evidence)
    ciphertext = sealed_bytes(evidence)
    if hashlib.sha256(ciphertext).hexdigest() != evidence.sealed_sha256:
        refuse(evidence, "Its sealed bytes have changed.")
    wrapped = bytes(evidence.wrapped_key)
    data_key = keys_of(evidence.key_id).unwrap(wrapped, evidence.key_id, evidence.id)
    data = decrypt(ciphertext, data_key)
    if digest_bytes(data).sha256 != evidence.sha256:
        refuse(evidence, "Its bytes do not have the SHA-256 that they were sealed with.")
    return data


def sealed_bytes(evidence: Evidence) -> bytes:
    """Return the ciphertext, from the database or from the store."""
    return (
        storage.read_object(evidence.location)
        if evidence.ciphertext is None
        else bytes(evidence.ciphertext)
    )


def destroy_expired_evidence(now: datetime) -> int:
    """Destroy the keys and bytes of expired evidence that no legal hold keeps; return the count.

    A hold keeps it for seven days after its end, too. A file of which the ledger does not say the
    same stays: somebody changed its row.

    Without its key an object in the store is noise. A job deletes it as soon as the store answers.
    """
    due = Evidence.objects.filter(free_of_holds(now), destroyed_at=None, expires_at__lte=now)
    return sum(_expire(pk, now) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _expire(pk: UUID, now: datetime) -> int:
    evidence = Evidence.objects.select_for_update().get(pk=pk)
    expired = evidence.expires_at is not None and evidence.expires_at <= now
    if evidence.destroyed_at or not is_free_of_holds(evidence, now) or not expired:
        return 0
    if not term_of(evidence).is_over(now):
        log.error("evidence.term_differs", evidence=str(evidence))  # the comparison names it daily
        return 0
    _destroy(evidence, reason=TERM_ENDED, actor=Actor.system("evidence"))
    return 1


@transaction.atomic
def destroy_on_request(*, case_id: UUID, agreed: TwoPeople, actor: Actor) -> int:
    """Destroy all of a case's evidence before its term ends; return the number of files.

    `agreed` is the request that two people agreed to. Raises `WarrantNeeded` unless they did, and
    `UnderLegalHold` if a hold keeps one file; then none is destroyed.
    """
    actor.must(Permission.DESTROY_EVIDENCE)
    require_two_people(agreed)
    files = list(Evidence.objects.select_for_update().filter(case_id=case_id, destroyed_at=None))
    if not files:
        raise NotFound(f"Case {case_id} has no evidence.")
    if reference := next((file.hold_reference for file in files if file.hold_reference), ""):
        raise UnderLegalHold(f"The hold is {reference}.")
    now = timezone.now()
    if not all(is_free_of_holds(file, now) for file in files):
        raise UnderLegalHold(f"It ended less than {AFTER_HOLD.days} days ago.")
    if any(term_of(file).is_held(now) for file in files):
        raise UnderLegalHold("So the ledger says, and its row does not.")
    for evidence in files:
        _destroy(evidence, reason=str(agreed), actor=actor)
    return len(files)


def _destroy(evidence: Evidence, *, reason: str, actor: Actor) -> None:
    evidence.ciphertext = evidence.wrapped_key = None
    evidence.destroyed_at = timezone.now()
    evidence.save(update_fields=["ciphertext", "wrapped_key", "destroyed_at"])
    record(
        actor=actor,
        subject=str(evidence),
        fact=kinds.EvidenceDestroyed(
            case=str(evidence.case_id), sha256=evidence.sha256, reason=reason
        ),
    )
    if storage.has_store() or evidence.location:
        _delete_object(evidence)


def _delete_object(evidence: Evidence) -> None:
    """Have a job delete the object of a file, and never another's, whatever its row says."""
    own = storage.evidence_of(evidence.location) == evidence.pk
    location = evidence.location if own else storage.object_location(evidence.id)
    enqueue(DELETE, location=location)


def delete_stored(location: str) -> None:
    """Delete an object of a store. Idempotent. Raises `StoreUnreachable`.

    Raises `ObjectNeeded` for what is no object of destroyed evidence: whoever can write into the
    queue of jobs destroys nothing by it.
    """
    evidence_id = storage.evidence_of(location)
    live = Evidence.objects.filter(Q(pk=evidence_id) | Q(location=location), destroyed_at=None)
    if evidence_id is None or live.exists():
        raise ObjectNeeded(f"It is {location!r}.")
    storage.delete(location)


def forget_objects(files: Iterable[UUID]) -> None:
    """Have a job delete the stored bytes of files whose rows, and so their keys, go now.

    In the caller's transaction. Without its key an object in the store is noise.
    """
    for evidence in Evidence.objects.filter(pk__in=list(files), destroyed_at=None):
        if evidence.location:
            _delete_object(evidence)
