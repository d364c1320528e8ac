"""Filling banks, and looking files up in them."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import F

from kinward.errors import Invalid, KinwardError, NotFound
from kinward.ledger.services import record
from kinward.matching.hashlists import ListedHash
from kinward.matching.index import pdq_index
from kinward.matching.kinds import Confidence, HashKind
from kinward.matching.models import Addition, Bank, BankedHash, BankVersion, Check
from kinward.matching.pdq import MIN_QUALITY
from kinward.matching.picture import Digests, Picture
from kinward.people.models import Account

CHUNK = 5000


class BankExists(KinwardError):
    """There is a bank by that name."""

    code = "bank.exists"
    status = 409


class Match(msgspec.Struct, frozen=True):
    """One banked hash that a file hit. Never leaves Kinward."""

    bank: str
    confidence: str
    kind: str
    distance: int
    reference: str = ""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform says of a file, and what was computed from it."""

    content_id: str
    uploaded_at: datetime
    filename: str = ""
    ip: str | None = None
    port: int | None = None
    public: bool | None = None
    size: int | None = None
    digests: Digests | None = None
    picture: Picture | None = None


@transaction.atomic
def create_bank(*, name: str, confidence: str, description: str = "", actor: str) -> Bank:
    """Make an empty bank; no addition to it can be surer than the bank itself."""
    if confidence not in list(Confidence):
        raise Invalid("A bank is `verified` or `unverified`.")
    try:
        with transaction.atomic():
            bank = Bank.objects.create(name=name, confidence=confidence, description=description)
    except IntegrityError as error:
        raise BankExists(f"{name!r} exists already.") from error
    record(actor=actor, kind="bank.created", subject=f"bank:{name}", confidence=confidence)
    return bank


def get_bank(name: str) -> Bank:
    """A bank by its name."""
    try:
        return Bank.objects.get(name=name)
    except Bank.DoesNotExist as error:
        raise NotFound(f"There is no bank {name!r}. `kinward bank list` shows them.") from error


@transaction.atomic
def add_hashes(
    *,
    bank: Bank,
    hashes: Iterable[ListedHash],
    provenance: str,
    actor: str,
    confidence: str | None = None,
) -> int:
    """Add hashes to a bank in one transaction; returns how many are new or back again."""
    addition = Addition.objects.create(
        bank=bank,
        provenance=provenance[:200],
        confidence=_capped(confidence, bank),
        added_by=actor,
    )
    version = _next_version()
    added = 0
    rows = iter(hashes)
    while chunk := list(islice(rows, CHUNK)):
        added += _insert(addition, version, chunk)
    record(
        actor=actor,
        kind="bank.added",
        subject=f"bank:{bank.name}",
        addition=addition.pk,
        provenance=addition.provenance,
        confidence=addition.confidence,
        hashes=added,
    )
    return added


def _capped(confidence: str | None, bank: Bank) -> str:
    if Confidence.UNVERIFIED in (confidence, bank.confidence):
        return Confidence.UNVERIFIED
    return Confidence.VERIFIED


def _next_version() -> int:
    BankVersion.objects.get_or_create(pk=1)
    BankVersion.objects.filter(pk=1).update(version=F("version") + 1)
    return BankVersion.objects.get(pk=1).version


def _insert(addition: Addition, version: int, chunk: list[ListedHash]) -> int:
    unique = {(item.kind, item.value): item for item in chunk}
    bank = addition.bank
    known = BankedHash.objects.filter(bank=bank, value__in=[value for _, value in unique])
    back = []
    for row in known:
        unique_key = (HashKind(row.kind), bytes(row.value))
        if unique.pop(unique_key, None) is not None and row.removed:
            row.removed, row.version, row.addition = False, version, addition
            back.append(row)
    BankedHash.objects.bulk_update(back, ["removed", "version", "addition"])
    rows = [
        BankedHash(
            addition=addition,
            bank=bank,
            kind=item.kind,
            value=item.value,
            reference=item.reference,
            version=version,
        )
        for item in unique.values()
    ]
    BankedHash.objects.bulk_create(rows)
    return len(rows) + len(back)


@transaction.atomic
def remove_hashes(*, bank: Bank, values: list[bytes], reference: str = "", actor: str) -> int:
    """Take hashes out of a bank, by value or by reference; returns how many were there."""
    version = _next_version()
    live = BankedHash.objects.filter(bank=bank, removed=False)
    chosen = live.filter(reference=reference) if reference else live.filter(value__in=values)
    count = chosen.update(removed=True, version=version)
    if not count:
        raise NotFound("No such hash is in this bank.")
    record(actor=actor, kind="bank.removed", subject=f"bank:{bank.name}", hashes=count)
    return count


def file_hashes(digests: Digests, picture: Picture | None, reference: str = "") -> list[ListedHash]:
    """All hashes of one file that a bank should hold; a PDQ of low quality is left out."""
    listed = [
        ListedHash(HashKind.MD5, bytes.fromhex(digests.md5), reference),
        ListedHash(HashKind.SHA1, bytes.fromhex(digests.sha1), reference),
        ListedHash(HashKind.SHA256, bytes.fromhex(digests.sha256), reference),
    ]
    if picture and picture.quality >= MIN_QUALITY:
        listed.append(ListedHash(HashKind.PDQ, bytes.fromhex(picture.pdq), reference))
    return listed


def look_up(*, digests: Digests | None, picture: Picture | None) -> list[Match]:
    """Every live banked hash that these hit, surest and nearest first."""
    distances: dict[int, int] = {}
    if picture and picture.quality >= MIN_QUALITY:
        distances |= dict(pdq_index().search(bytes.fromhex(picture.pdq)))
    distances |= dict.fromkeys(_digest_hits(digests), 0)
    rows = BankedHash.objects.filter(pk__in=distances, removed=False)
    matches = [
        Match(
            bank=row.bank.name,
            confidence=row.addition.confidence,
            kind=row.kind,
            distance=distances[row.pk],
            reference=row.reference,
        )
        for row in rows.select_related("bank", "addition")
    ]
    return sorted(matches, key=lambda m: (m.confidence != Confidence.VERIFIED, m.distance, m.kind))


def _digest_hits(digests: Digests | None) -> Iterator[int]:
    for kind, text in msgspec.structs.asdict(digests).items() if digests else ():
        if text:
            hits = BankedHash.objects.filter(kind=kind, value=bytes.fromhex(text), removed=False)
            yield from hits.values_list("pk", flat=True)


def record_check(*, account: Account, upload: Upload, matches: list[Match]) -> Check:
    """Keep what was looked up, by its hashes."""
    digests, picture = upload.digests, upload.picture
    return Check.objects.create(
        id=uuid.uuid4(),
        account=account,
        content_id=upload.content_id,
        filename=upload.filename,
        size=upload.size,
        ip=upload.ip,
        port=upload.port,
        uploaded_at=upload.uploaded_at,
        public=upload.public,
        matched=bool(matches),
        **(msgspec.structs.asdict(digests) if digests else {}),
        **(
            {
                "pdq": picture.pdq,
                "quality": picture.quality,
                "media_type": picture.media_type,
                "frames": picture.frames,
            }
            if picture
            else {}
        ),
    )
