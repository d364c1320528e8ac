"""That a file of the vault is the one that was sealed, for its case.

Three witnesses must agree before a byte is used. The row has a MAC (HMAC-SHA256, RFC 2104) over all
that it says of the file. Its key comes from the secret key, which the database does not hold. The
ledger has the entry of the sealing. The check has the digests that are reported.
"""

import hashlib
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.db import connection, transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.evidence.models import Evidence
from kinward.evidence.storage import evidence_of
from kinward.ground.errors import KinwardError
from kinward.ground.secrets import is_mac, mac
from kinward.ledger.api import Entry, kinds, record, written_here

log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder(order="deterministic").encode


class Damaged(KinwardError):
    """This evidence has changed since it was sealed. Tell an administrator first."""

    code = "evidence.damaged"


def mac_of(evidence: Evidence) -> bytes:
    """Return the MAC (32 bytes) of what a row says of its file, and of its check's digests."""
    return mac(_told(evidence), "evidence")


def _told(evidence: Evidence) -> bytes:
    check = evidence.check_made
    return _encode(
        [
            1,  # the format
            str(evidence.pk),
            str(evidence.case_id),
            evidence.content_id,
            [evidence.sha256, evidence.md5, evidence.size],
            [evidence.moving, evidence.decodable],
            check and [str(check.pk), check.sha256, check.sha1, check.md5],
            evidence.sealed_sha256,
            evidence.key_id,
            hashlib.sha256(bytes(evidence.wrapped_key or b"")).hexdigest(),
        ]
    )


def find_difference(evidence: Evidence) -> str:
    """Return what differs from the file that was sealed, or "". Reads no byte of the file."""
    if not is_mac(bytes(evidence.mac), _told(evidence), "evidence"):
        return "Its row is not the one that was written."
    if evidence.location and evidence_of(evidence.location) != evidence.pk:
        return "Its object is that of another file."
    if evidence.check_made is not None and evidence.check_made.sha256 != evidence.sha256:
        return "Its check is of another file."
    return _find_otherwise_told(evidence)


def require_destroyed(evidence: Evidence) -> None:
    """Raise `Damaged` for a file without a key whose destruction the ledger does not know.

    Else somebody takes a file out of a package for a court by its row, or by an entry of their own.
    """
    told = Entry.objects.filter(subject=str(evidence), kind=kinds.EvidenceDestroyed.kind)
    if not written_here(told):
        refuse(evidence, "Its row says that it was destroyed, and the ledger does not.")


def _find_otherwise_told(evidence: Evidence) -> str:
    """Return in what the ledger says otherwise of a file than its row, or "".

    An entry that Kinward did not write counts for nothing, but for one of a destruction: it may be
    a true one without its MAC, and what was destroyed is not opened again.
    """
    facts = (kinds.EvidenceSealed, kinds.EvidenceRewrapped, kinds.EvidenceDestroyed)
    entries = Entry.objects.filter(subject=str(evidence), kind__in=[fact.kind for fact in facts])
    told: dict[str, list[dict[str, Any]]] = {fact.kind: [] for fact in facts}
    all_entries = list(entries.order_by("pk"))
    written = written_here(all_entries)
    for entry in written:
        told[entry.kind].append(entry.data if isinstance(entry.data, dict) else {})
    sealed, rewrapped, destroyed = told.values()
    said = {"case": str(evidence.case_id), "sha256": evidence.sha256, "size": evidence.size}
    if not sealed or any({name: data.get(name) for name in said} != said for data in sealed):
        return "The ledger has another entry of its sealing, or none."
    if destroyed:
        return "The ledger says that it was destroyed. Somebody put it back."
    if any(entry.kind == kinds.EvidenceDestroyed.kind for entry in all_entries):
        return "An entry says that it was destroyed, and Kinward did not write it."
    if rewrapped and rewrapped[-1].get("after") != evidence.key_id:
        return "Its key is wrapped by another key than the newest entry says."
    return ""


def require_authentic(evidence: Evidence) -> None:
    """Raise `Damaged` unless a file is the one that was sealed, and mark it for the custodian."""
    if difference := find_difference(evidence):
        refuse(evidence, difference)


def require_authentic_case(case_id: UUID) -> None:
    """Raise `Damaged` unless each file that is held of a case is the one that was sealed."""
    held = Evidence.objects.filter(case_id=case_id, destroyed_at=None)
    for evidence in held.defer("ciphertext").select_related("check_made"):
        require_authentic(evidence)


def refuse(evidence: Evidence, difference: str) -> None:
    """Mark a file as damaged, and raise `Damaged`.

    The mark would be lost with the transaction of a caller. There, the next scrub sets it.
    """
    if not connection.in_atomic_block:
        with transaction.atomic():
            mark_damaged(Evidence.objects.select_for_update().get(pk=evidence.pk), difference)
    raise Damaged(f"{evidence}: {difference}")


def mark_damaged(evidence: Evidence, difference: str) -> None:
    """Write once that a file is damaged, in the row that the caller has locked."""
    if evidence.damaged_at is not None:
        return
    evidence.damaged_at = timezone.now()
    evidence.save(update_fields=["damaged_at"])
    log.error("evidence.damaged", evidence=str(evidence), found=difference)
    fact = kinds.EvidenceDamaged(case=str(evidence.case_id), found=difference[:200])
    record(actor=Actor.system("evidence"), subject=str(evidence), fact=fact)
