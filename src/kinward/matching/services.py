"""Services for banks and for the checks of uploaded content."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any

import msgspec
from django.db import IntegrityError, transaction

from kinward.access import Actor, Permission
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.events import Event
from kinward.ledger.api import kinds, record
from kinward.matching.agreements import Weakening
from kinward.matching.confidence import Confidence
from kinward.matching.hashlists import ListedHash
from kinward.matching.kinds import kind_of
from kinward.matching.models import (
    Addition,
    Bank,
    BankedHash,
    BankedHashes,
    Check,
    Sha256,
    Unheld,
)
from kinward.matching.sql import add_rows, find_rows
from kinward.matching.strength import require_two_people, switched_off
from kinward.matching.versions import next_version, renew_if_negative
from kinward.matching.views import pack_views, unpack_views
from kinward.matching.withdrawals import withdraw_hashes, withdraw_named
from kinward.media import Digests, Hashed, View, views_of
from kinward.people.api import Account

CHUNK = 5000
HASHES_ADDED = Event("matching.hashes_added")
LOOKING_UP = "matching.looking_up"  # a lock: uploads that are looked up but not committed yet


class BankExists(KinwardError):
    """A bank with this name exists already."""

    code = "bank.exists"
    status = 409


class HashSaysTooLittle(KinwardError):
    """This is the hash of an empty file or of nothing. It is neither banked nor looked up."""

    code = "hash.says_too_little"
    status = 422


class Upload(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """An uploaded file: what the platform says about it, and its hashes."""

    content_id: str
    uploaded_at: datetime
    filename: str = ""
    ip: str | None = None
    port: int | None = None
    public: bool | None = None
    sent_to: list[str] = []
    size: int | None = None
    digests: Digests | None = None
    hashed: Hashed | None = None

    @cached_property
    def values(self) -> list[tuple[str, bytes]]:
        """Its hashes, each with the name of its kind."""
        return values_of(self.digests, self.hashed)

    @property
    def views(self) -> Sequence[View]:
        """What a viewer would show of it."""
        return views_looked_up(self.hashed)


@transaction.atomic
def create_bank(*, name: str, confidence: str, description: str = "", actor: Actor) -> Bank:
    """Create an empty bank. Its confidence caps that of every addition.

    Raises `BankExists` or `Invalid`.
    """
    actor.must(Permission.FILL_BANKS)
    if confidence not in list(Confidence):
        raise Invalid("A bank is `verified` or `unverified`.")
    try:
        with transaction.atomic():
            bank = Bank.objects.create(name=name, confidence=confidence, description=description)
    except IntegrityError as error:
        raise BankExists(f"{name!r} exists already.") from error
    record(actor=actor, subject=f"bank:{name}", fact=kinds.BankCreated(confidence=confidence))
    return bank


def get_bank(name: str) -> Bank:
    """Return a bank by name. Raises `NotFound`."""
    try:
        return Bank.objects.get(name=name)
    except Bank.DoesNotExist as error:
        raise NotFound(f"There is no bank {name!r}. `kinward bank list` shows them.") from error


def begin_addition(
    *, bank: Bank, provenance: str, actor: Actor, confidence: str | None = None
) -> Addition:
    """Begin an addition, which `extend` then fills in any number of parts."""
    actor.must(Permission.FILL_BANKS)
    return Addition.objects.create(
        bank=bank,
        provenance=provenance[:200],
        confidence=_capped(confidence, bank),
        added_by=str(actor),
    )


class Filled(msgspec.Struct, frozen=True):
    """What an addition did: hashes that are new or came back, and hashes that went."""

    added: int
    removed: int


def add_hashes(
    *,
    bank: Bank,
    hashes: Iterable[ListedHash],
    provenance: str,
    actor: Actor,
    confidence: str | None = None,
) -> int:
    """Add hashes to a bank, and withdraw those that are listed as removed: see `fill_bank`.

    Returns how many hashes are new or came back.
    """
    return fill_bank(
        bank=bank, hashes=hashes, provenance=provenance, actor=actor, confidence=confidence
    ).added


@transaction.atomic
def fill_bank(
    *,
    bank: Bank,
    hashes: Iterable[ListedHash],
    provenance: str,
    actor: Actor,
    confidence: str | None = None,
    agreed: int | None = None,
) -> Filled:
    """Add hashes to a bank in one transaction, and withdraw those that are listed as removed.

    `agreed`: how many withdrawals a person agreed to. Raises `RemovesTooMuch` if that is needed,
    and `HashSaysTooLittle` if there are hashes and none of them says enough.
    """
    addition = begin_addition(bank=bank, provenance=provenance, actor=actor, confidence=confidence)
    added, gone = 0, set[int]()
    met, meant = 0, 0
    rows = iter(hashes)
    while chunk := list(islice(rows, CHUNK)):
        met += len(chunk)
        meant += sum(row.removed or says_something(row) for row in chunk)
        added += extend(addition, [row for row in chunk if not row.removed])[0]
        pairs = [(row.kind, row.value) for row in chunk if row.removed]
        gone.update(find_rows(bank.pk, pairs).values() if pairs else ())
    if met and not meant:
        raise HashSaysTooLittle
    removed = withdraw_hashes(bank, gone, agreed=agreed, apart_from=addition)
    record(
        actor=actor,
        subject=f"bank:{bank.name}",
        fact=kinds.BankAdded(
            addition=addition.pk,
            provenance=addition.provenance,
            confidence=addition.confidence,
            hashes=added,
            removed=removed,
        ),
    )
    if added:
        announce_new_hashes()
    return Filled(added, removed)


def announce_new_hashes() -> None:
    """Announce new hashes after commit, so that uploaded content is compared with them."""
    if Check.objects.exists():
        HASHES_ADDED.announce_once()


def _capped(confidence: str | None, bank: Bank) -> str:
    if Confidence.UNVERIFIED in (confidence, bank.confidence):
        return Confidence.UNVERIFIED
    return Confidence.VERIFIED


def extend(
    addition: Addition, hashes: list[ListedHash]
) -> tuple[int, dict[tuple[str, bytes], int]]:
    """Add hashes to an addition. Requires a transaction.

    Returns how many are new or came back, and the id of each hash by kind and value. Hashes that
    say too little are left out, whoever lists them.
    """
    unique = {(row.kind, row.value): row for row in hashes if says_something(row)}
    if not unique:
        return 0, {}
    added = add_rows(addition, next_version(), list(unique.values()))
    return added, find_rows(addition.bank_id, unique)


def says_something(row: ListedHash) -> bool:
    """Return whether a hash may be banked. That of an empty file may not."""
    return not kind_of(row.kind).too_little(row.value)


def count_as_new(rows: BankedHashes) -> None:
    """Make banked hashes count as new, so that uploaded content is compared with them."""
    rows.update(version=next_version())
    announce_new_hashes()


def digest(value: bytes) -> bytes:
    """Return the digest by which the database finds a value."""
    return hashlib.sha256(value).digest()


@transaction.atomic
def remove_hashes(
    *,
    bank: Bank,
    values: list[bytes],
    reference: str = "",
    actor: Actor,
    agreed: int | None = None,
) -> int:
    """Remove hashes from a bank by reference, or else by value. Returns how many were removed.

    Whoever names a few values agrees to them. A reference may be that of many hashes: `agreed` says
    to how many a person agreed. Raises `NotFound` if there were none, or `RemovesTooMuch`.
    """
    actor.must(Permission.FILL_BANKS)
    live = BankedHash.objects.filter(bank=bank, removed=False)
    digests = [digest(value) for value in values]
    chosen = (
        live.filter(reference=reference)
        if reference
        else live.annotate(digest=Sha256("value")).filter(digest__in=digests)
    )
    hash_ids = set(chosen.values_list("pk", flat=True))
    if reference:
        count = withdraw_hashes(bank, hash_ids, agreed=agreed)
    else:
        count = withdraw_named(bank, hash_ids)
    if not count:
        raise NotFound("No such hash is in this bank.")
    record(actor=actor, subject=f"bank:{bank.name}", fact=kinds.BankRemoved(hashes=count))
    return count


def get_hash(hash_id: int) -> BankedHash:
    """Return a banked hash by id. Raises `NotFound`."""
    try:
        return BankedHash.objects.select_related("bank", "addition").get(pk=hash_id)
    except BankedHash.DoesNotExist as error:
        raise NotFound(f"There is no banked hash {hash_id}.") from error


@transaction.atomic
def disable_bank(
    *, bank: Bank, disabled: bool, actor: Actor, agreed: Weakening | None = None
) -> None:
    """Disable a bank, or enable it again. It keeps its hashes.

    All hashes of an enabled bank count as new, so uploaded content is compared with them.
    `agreed`: what two people agreed to. Raises `WeakensBank` without it, where it is needed.
    """
    actor.must(Permission.SWITCH_BANKS)
    row = Bank.objects.select_for_update(no_key=True).get(pk=bank.pk)
    if disabled:
        require_two_people(row, switched_off(row), agreed)
    Bank.objects.filter(pk=bank.pk).update(disabled=disabled)
    if disabled:
        renew_if_negative(bank)
    else:
        count_as_new(BankedHash.objects.filter(bank=bank, removed=False))
    fact = kinds.BankDisabled() if disabled else kinds.BankEnabled()
    record(actor=actor, subject=f"bank:{bank.name}", fact=fact)


def values_of(digests: Digests | None, hashed: Hashed | None) -> list[tuple[str, bytes]]:
    """Return the meaningful hashes of a file, each with the name of its kind."""
    known = digests.known() if digests else []
    values = [pair for pair in known if kind_of(pair[0]).says_enough(pair[1], None)]
    if hashed and kind_of(hashed.kind).says_enough(hashed.signature, hashed.quality):
        values.append((hashed.kind, hashed.signature))
    return values


def views_looked_up(hashed: Hashed | None) -> Sequence[View]:
    """Return the views by which a file is looked up: its own, or those that its signature says."""
    if hashed is None or hashed.views:
        return hashed.views if hashed else ()
    kind = kind_of(hashed.kind)
    enough = kind.says_enough(hashed.signature, hashed.quality)
    return views_of(kind.asked(hashed.signature)) if enough else ()


def check_values(check: Check) -> list[tuple[str, bytes]]:
    """Return the meaningful hashes of a checked file, each with the name of its kind."""
    hashed = Hashed(check.signature_kind, bytes(check.signature), quality=check.quality)
    return values_of(Digests(check.md5, check.sha1, check.sha256), hashed)


def check_views(check: Check) -> list[View]:
    """Return the views of a checked file; none if its hashes say it all."""
    return unpack_views(bytes(check.views))


def file_hashes(digests: Digests, hashed: Hashed | None, reference: str = "") -> list[ListedHash]:
    """Return the hashes of a file for a bank, without a PDQ hash of low quality."""
    return [ListedHash(kind, value, reference) for kind, value in values_of(digests, hashed)]


def check_hashes(check: Check, label: str = "") -> list[ListedHash]:
    """Return the hashes of a checked file for a bank, with its content's id as the reference."""
    return [ListedHash(*pair, check.content_id, label) for pair in check_values(check)]


def record_check(*, account: Account, upload: Upload, matched: bool) -> Check:
    """Store the hashes of an upload, so that hashes added later can be compared with them."""
    check = new_check(account.pk, upload, matched=matched)
    check.save(force_insert=True)
    Unheld.objects.create(check_made=check)
    return check


def new_check(account: int, upload: Upload, *, matched: bool) -> Check:
    """Return the check of an upload, not stored yet. `account`: its key in the database."""
    return Check(
        id=uuid.uuid4(),
        account_id=account,
        content_id=upload.content_id,
        filename=upload.filename,
        size=upload.size,
        ip=upload.ip,
        port=upload.port,
        uploaded_at=upload.uploaded_at,
        public=upload.public,
        sent_to=upload.sent_to,
        matched=matched,
        **(msgspec.structs.asdict(upload.digests) if upload.digests else {}),
        **(_columns(upload.hashed) if upload.hashed else {}),
    )


def _columns(hashed: Hashed) -> dict[str, Any]:
    return {
        "signature": hashed.signature,
        "signature_kind": hashed.kind,
        "views": pack_views(hashed),
        "quality": hashed.quality,
        "media_type": hashed.media_type,
        "frames": hashed.frames,
    }
