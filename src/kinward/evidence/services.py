"""Sealing, looking, keeping and destroying: the only ways to the bytes."""

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import Staff
from kinward.evidence import storage
from kinward.evidence.keys import keys, keys_of
from kinward.evidence.models import Evidence
from kinward.evidence.queries import held_file
from kinward.evidence.sealing import decrypt, seal
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.jobs import enqueue
from kinward.ledger.api import record
from kinward.matching.api import Check
from kinward.media import View, decoders, digest_bytes, medium_of

DELETE: Final = "evidence.delete_object"
DISMISSED_DAYS: Final = 30  # a dismissed case's files are kept this long, in case of a mistake


class Held(KinwardError):
    """This evidence is under a legal hold. Who set it has to end it first."""

    code = "evidence.held"
    status = 409


class EvidenceGone(KinwardError):
    """This evidence was destroyed: its term ended, or an authority asked for it."""

    code = "evidence.gone"
    status = 410


class Damaged(KinwardError):
    """This evidence is not what was sealed. Tell an administrator before anything else."""

    code = "evidence.damaged"


def seal_file(*, case_id: UUID, check: Check, data: bytes, actor: Actor) -> Evidence:
    """Seal a checked file for a case, in the caller's transaction; the same file twice is one."""
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
    """Seal what was said in a chat for a case, in the caller's transaction; the same twice is one.

    Its content id is made of its digest, and no content of the platform's.
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
    same = Evidence.objects.filter(
        case_id=evidence.case_id, content_id=evidence.content_id, sha256=evidence.sha256
    ).first()
    if same is not None:
        return same
    ciphertext, data_key = seal(data)
    evidence.size, evidence.ciphertext = len(data), ciphertext
    evidence.sealed_sha256 = hashlib.sha256(ciphertext).hexdigest()
    evidence.wrapped_key, evidence.key_id = keys().wrap(data_key, evidence.id), keys().current
    evidence.save(force_insert=True)
    record(
        actor=actor,
        kind="evidence.sealed",
        subject=str(evidence),
        case=str(evidence.case_id),
        sha256=evidence.sha256,
        size=evidence.size,
    )
    return evidence


def get_evidence(evidence_id: UUID) -> Evidence:
    """The evidence by its id, sealed."""
    try:
        return Evidence.objects.get(pk=evidence_id)
    except Evidence.DoesNotExist as error:
        raise NotFound(f"There is no evidence {evidence_id}.") from error


def open_evidence(*, evidence: Evidence, staff: Staff, reason: str, moving: bool = False) -> View:
    """Show a person a file. The look is in the ledger before a byte of it leaves.

    A still picture is shown whole, re-encoded and without metadata. Of what moves some frames are
    shown; the whole of it if it is asked for `moving`: a video encoded anew, which is seen whole
    once it was `watched`, anything else as it is.
    """
    _require_reason(staff, reason)
    view = _render(evidence, _open(evidence), moving=moving)
    with transaction.atomic(durable=True):
        _record_look("evidence.viewed", evidence, staff, reason, entire=view.entire)
    return view


def record_evidence_watched(*, evidence: Evidence, staff: Staff, reason: str) -> None:
    """Write down that a person played all of a video that was shown to them."""
    _require_reason(staff, reason)
    with transaction.atomic(durable=True):
        _record_look("evidence.viewed", evidence, staff, reason, entire=True)


def veil_evidence(*, evidence: Evidence, staff: Staff, reason: str) -> bytes:
    """A tiny grey blur of a file, as JPEG: enough to tell files apart, not enough to see."""
    _require_reason(staff, reason)
    rendering = decoders().still(_open(evidence), veiled=True)
    with transaction.atomic(durable=True):
        _record_look("evidence.veiled", evidence, staff, reason)
    return rendering


def read_for_report(*, evidence: Evidence, report_id: UUID) -> bytes:
    """The bytes of a file, for the authority that it is reported to; no person sees them here."""
    data = _open(evidence)
    with transaction.atomic(durable=True):
        record(
            actor=Actor.system("reporting"),
            kind="evidence.read",
            subject=str(evidence),
            reason=f"report:{report_id}",
        )
    return data


def read_for_restoration(*, case_id: UUID, content_id: str, actor: Actor) -> bytes:
    """The bytes of a file that is to be given back to the platform that sent it."""
    found = held_file(case_id, content_id)
    if found is None:
        raise NotFound("No file of this content is held.")
    evidence = get_evidence(found.pk)
    data = _open(evidence)
    with transaction.atomic(durable=True):
        record(
            actor=actor,
            kind="evidence.given_back",
            subject=str(evidence),
            case=str(case_id),
            sha256=evidence.sha256,
        )
    return data


def read_for_release(*, evidence_id: UUID, release_id: UUID, actor: Actor) -> bytes:
    """The bytes of a file for a package that two people agreed on; no person sees them here."""
    actor.must(Permission.RELEASE_RECORDS)
    evidence = get_evidence(evidence_id)
    data = _open(evidence)
    with transaction.atomic(durable=True):
        record(
            actor=actor,
            kind="evidence.released",
            subject=str(evidence),
            case=str(evidence.case_id),
            reason=f"release:{release_id}",
        )
    return data


def _require_reason(staff: Staff, reason: str) -> None:
    staff.must(Permission.OPEN_EVIDENCE)
    if not reason.strip():
        raise Invalid("Say why this evidence is opened.")


def _record_look(kind: str, evidence: Evidence, staff: Staff, reason: str, **data: bool) -> None:
    record(
        actor=staff.actor,
        kind=kind,
        subject=str(evidence),
        case=str(evidence.case_id),
        reason=reason,
        **data,
    )


def _open(evidence: Evidence) -> bytes:
    if evidence.wrapped_key is None:
        raise EvidenceGone(f"It was destroyed on {evidence.destroyed_at:%Y-%m-%d}.")
    ciphertext = sealed_bytes(evidence)
    wrapped = bytes(evidence.wrapped_key)
    data_key = keys_of(evidence.key_id).unwrap(wrapped, evidence.key_id, evidence.id)
    data = decrypt(ciphertext, data_key)
    if digest_bytes(data).sha256 != evidence.sha256:
        raise Damaged(f"{evidence} does not have the SHA-256 that it was sealed with.")
    return data


def sealed_bytes(evidence: Evidence) -> bytes:
    """The ciphertext, from the database or from the store."""
    return (
        storage.read_object(evidence.location)
        if evidence.ciphertext is None
        else bytes(evidence.ciphertext)
    )


def _render(evidence: Evidence, data: bytes, *, moving: bool) -> View:
    if evidence.is_excerpt:
        return View(data, "text/plain", entire=True)
    return medium_of(data).show(data, decoders(), moves=evidence.moving, moving=moving)


@transaction.atomic
def keep_until(*, case_id: UUID, until: datetime, why: str, actor: Actor) -> int:
    """Set when a case's evidence ends; returns how many files that touches."""
    count = Evidence.objects.filter(case_id=case_id, destroyed_at=None).update(expires_at=until)
    record(
        actor=actor,
        kind="evidence.term_set",
        subject=f"case:{case_id}",
        until=until.isoformat(),
        why=why,
        files=count,
    )
    return count


def keep_after_report(*, case_id: UUID, finished_at: datetime) -> None:
    """The preservation term that a finished report starts: one year by 18 USC 2258A(h)."""
    until = finished_at + timedelta(days=config().preservation_days)
    keep_until(case_id=case_id, until=until, why="report finished", actor=Actor.system("reporting"))


def keep_shortly(*, case_id: UUID, why: str, actor: Actor) -> None:
    """The files of a case that came to nothing are kept a short while, then destroyed."""
    until = timezone.now() + timedelta(days=DISMISSED_DAYS)
    keep_until(case_id=case_id, until=until, why=why, actor=actor)


def keep_for_appeals(*, case_id: UUID, days: int, actor: Actor) -> None:
    """Where nothing was reported, the files are kept while an appeal may come and be answered."""
    until = timezone.now() + timedelta(days=days)
    keep_until(case_id=case_id, until=until, why="an appeal may come", actor=actor)


@transaction.atomic
def set_legal_hold(*, case_id: UUID, reference: str, actor: Actor) -> int:
    """Put a case's evidence under legal hold (it cannot expire), or with "" release it."""
    actor.must(Permission.HOLD_EVIDENCE)
    count = Evidence.objects.filter(case_id=case_id, destroyed_at=None).update(
        hold_reference=reference
    )
    if not count:
        raise NotFound(f"Case {case_id} has no evidence.")
    kind = "evidence.held" if reference else "evidence.hold_ended"
    record(actor=actor, kind=kind, subject=f"case:{case_id}", reference=reference, files=count)
    return count


def destroy_expired_evidence(now: datetime) -> int:
    """Destroy the keys and bytes of what has expired and is not held; returns how many.

    Without its key an object in the store is noise already; it goes as soon as the store lets it.
    """
    due = Evidence.objects.filter(destroyed_at=None, expires_at__lte=now, hold_reference="")
    return sum(_expire(pk, now) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _expire(pk: UUID, now: datetime) -> int:
    evidence = Evidence.objects.select_for_update().get(pk=pk)
    expired = evidence.expires_at is not None and evidence.expires_at <= now
    if evidence.destroyed_at or evidence.hold_reference or not expired:
        return 0
    _destroy(evidence, reason="its term ended", actor=Actor.system("evidence"))
    return 1


@transaction.atomic
def destroy_on_request(*, case_id: UUID, reason: str, actor: Actor) -> int:
    """Destroy a case's evidence before its term ends; returns how many files. All, or none."""
    actor.must(Permission.DESTROY_EVIDENCE)
    files = list(Evidence.objects.select_for_update().filter(case_id=case_id, destroyed_at=None))
    if not files:
        raise NotFound(f"Case {case_id} has no evidence.")
    if held := next((each.hold_reference for each in files if each.hold_reference), ""):
        raise Held(f"The hold is {held}.")
    for evidence in files:
        _destroy(evidence, reason=reason, actor=actor)
    return len(files)


def _destroy(evidence: Evidence, *, reason: str, actor: Actor) -> None:
    evidence.ciphertext = evidence.wrapped_key = None
    evidence.destroyed_at = timezone.now()
    evidence.save(update_fields=["ciphertext", "wrapped_key", "destroyed_at"])
    record(
        actor=actor,
        kind="evidence.destroyed",
        subject=str(evidence),
        case=str(evidence.case_id),
        sha256=evidence.sha256,
        reason=reason,
    )
    if storage.has_store() or evidence.location:
        enqueue(DELETE, location=evidence.location or storage.object_location(evidence.id))
