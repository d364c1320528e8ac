"""Which rows of `matching` stand for which entries: banks, hashes, floods, and agreements."""

from collections.abc import Iterator

from django.db.models import Q

from kinward.access.api import ANYWHERE, PEOPLE, AgreementState, marks_of_agreement
from kinward.ledger.api import (
    PARTNER,
    Counterpart,
    Entry,
    Mark,
    Told,
    declare,
    each_written,
    kinds,
    named,
    rowless,
    unrecorded,
    written_here,
)
from kinward.matching.agreements import Marking, Silencing, Weakening, WithdrawalRequest
from kinward.matching.models import (
    Addition,
    Bank,
    BankedHash,
    BankVersion,
    Check,
    Flood,
    HashHit,
    HeldBlock,
    IndexSnapshot,
    QuietHit,
    RetroRun,
    Unheld,
    Withdrawal,
    WithdrawalAllowance,
)

RULES_OF_BANK = ("role", "distance", "enabled_ratio")


def _newest(told: Told, *names: str) -> Entry | None:
    said = [told[name].newest for name in names if name in told]
    return max(said, key=lambda entry: entry.pk, default=None)


def _switched(row: Bank, told: Told) -> Iterator[str]:
    newest = _newest(told, "bank.enabled", "bank.disabled")
    said = newest is not None and newest.kind == "bank.disabled"
    if row.disabled != said:
        state = "disabled" if row.disabled else "enabled"
        yield f"It is {state}, and the ledger says otherwise."


def _tuned(row: Bank, told: Told) -> Iterator[str]:
    """Its rules are those of the newest entry, or those with which every bank begins."""
    tuned = told.get("bank.tuned")
    fresh = Bank()
    said = (
        {name: getattr(fresh, name) for name in RULES_OF_BANK}
        if tuned is None
        else tuned.newest.data
    )
    for name in RULES_OF_BANK:
        if getattr(row, name) != said[name]:
            yield f"Its {name} is not what the ledger says."


def _silences(row: Bank, told: Told) -> Iterator[str]:
    if not row.silences_upto:
        return
    agreed = row.silencings.filter(state=AgreementState.APPROVED, upto__gte=row.silences_upto)
    if not agreed.exists():
        yield "Its hashes silence matches, and no two people agreed to that."


def _size(row: Bank, told: Told) -> Iterator[str]:
    """A bank has the hashes that entries added and did not remove. A partner's are its own."""
    if _has_partner(row.name):
        return
    said = 0
    entries = Entry.objects.filter(subject=f"bank:{row.name}")
    of_hashes = entries.filter(kind__in=(kinds.BankAdded.kind, kinds.BankRemoved.kind))
    for entry in each_written(of_hashes):
        told_here = entry.data or {}  # it may have been erased
        hashes, removed = int(told_here.get("hashes", 0)), int(told_here.get("removed", 0))
        said += hashes - removed if entry.kind == kinds.BankAdded.kind else -hashes
    live = BankedHash.objects.filter(bank=row, removed=False).count()
    if live != said:
        yield f"It has {live} hashes, and the ledger makes that {said}."


def _has_partner(name: str) -> bool:
    added = Entry.objects.filter(kind=kinds.ExchangeAdded.kind, subject=f"exchange:{name}")
    return bool(written_here(added))


def _wrong(row: BankedHash, told: Told) -> Iterator[str]:
    newest = _newest(told, "hash.false_positive", "hash.reinstated")
    said = newest is not None and newest.kind == "hash.false_positive"
    if row.false_positive != said:
        state = "a false positive" if row.false_positive else "no false positive"
        yield f"It is {state}, and the ledger says otherwise."


def _by_partner(row: Addition) -> str:
    """A partner's list fills the bank of its name, with an entry about the partner."""
    return PARTNER if _has_partner(row.bank.name) else ""


declare(
    Counterpart(
        name="bank",
        model=Bank,
        subject=lambda row: f"bank:{row.name}",
        field="name",
        marks=(
            Mark(
                facts=(kinds.BankCreated,),
                same={"confidence": lambda row: row.confidence},
                once=False,  # an empty one may be deleted and made again
            ),
        ),
        also=(
            kinds.BankEnabled,
            kinds.BankDisabled,
            kinds.BankTuned,
            kinds.BankAdded,
            kinds.BankRemoved,
            kinds.SilencingEnded,
            kinds.WithdrawalAllowed,
        ),
        gone=(kinds.BankDeleted,),
        checks=(_switched, _tuned, _silences, _size),
        made="created_at",
    ),
    Counterpart(
        name="addition of hashes",
        model=Addition,
        subject=lambda row: f"bank:{row.bank.name}",
        key=lambda row: str(row.pk),
        entry_key=named("addition"),
        related=("bank",),
        marks=(
            Mark(
                facts=(kinds.BankAdded,),
                by=lambda row: row.added_by,
                same={
                    "provenance": lambda row: row.provenance,
                    "confidence": lambda row: row.confidence,
                },
                explains=_by_partner,
            ),
        ),
        made="added_at",
    ),
    Counterpart(
        name="hash",
        model=BankedHash,
        where=Q(false_positive=True),
        by_entries=True,
        also=(
            kinds.HashFalsePositive,
            kinds.HashReinstated,
            kinds.HashMarkAsked,
            kinds.HashMarkRefused,
        ),
        checks=(_wrong,),
    ),
    Counterpart(
        name="flood",
        model=Flood,
        where=Q(began_at__isnull=False),
        marks=(
            Mark(facts=(kinds.FloodBegan,), once=False),
            Mark(
                facts=(kinds.FloodReleased,),
                happened=lambda row: row.right or None,
                by=lambda row: row.settled_by,
                once=False,
            ),
        ),
        field="pk",
        made="began_at",
    ),
    Counterpart(
        name="marking",
        model=Marking,
        subject=lambda row: f"hash:{row.hash_id}",
        field="",
        related=ANYWHERE,
        group=lambda row: Marking.objects.filter(hash=row.hash_id).select_related(*ANYWHERE),
        marks=marks_of_agreement(asked=kinds.HashMarkAsked, refused=kinds.HashMarkRefused),
        made="asked_at",
    ),
    Counterpart(
        name="silencing",
        model=Silencing,
        related=(*PEOPLE, "bank"),
        marks=marks_of_agreement(
            asked=kinds.SilencingAsked,
            approved=kinds.SilencingApproved,
            refused=kinds.SilencingRefused,
            same={
                "bank": lambda row: row.bank.name,
                "hashes": lambda row: row.hashes,
                "upto": lambda row: row.upto,
                "distance": lambda row: row.distance,
            },
        ),
        made="asked_at",
    ),
    Counterpart(
        name="weakening",
        model=Weakening,
        related=(*ANYWHERE, "bank"),
        marks=marks_of_agreement(
            asked=kinds.WeakeningAsked,
            approved=kinds.WeakeningApproved,
            refused=kinds.WeakeningRefused,
            ahead=kinds.WeakeningWentAhead,
            same={
                "bank": lambda row: row.bank.name,
                "role": lambda row: row.role,
                "distance": lambda row: row.distance,
                "enabled_ratio": lambda row: row.enabled_ratio,
                "disabled": lambda row: row.disabled,
            },
        ),
        made="asked_at",
    ),
    Counterpart(
        name="withdrawal",
        model=WithdrawalRequest,
        related=(*ANYWHERE, "bank"),
        marks=marks_of_agreement(
            asked=kinds.WithdrawalAsked,
            refused=kinds.WithdrawalRefused,
            same={
                "bank": lambda row: row.bank.name,
                "hashes": lambda row: row.hashes,
            },
        ),
        made="asked_at",
    ),
    Counterpart(
        name="run over uploads",
        model=RetroRun,
        marks=(
            Mark(
                facts=(kinds.RetroFinished,),
                happened=lambda row: bool(row.finished_at and row.hashes),
                same={"hashes": lambda row: row.hashes, "found": lambda row: row.found},
            ),
        ),
        made="began_at",
    ),
)
rowless("it says that somebody searched, of which nothing is kept", kinds.BankSearched)
unrecorded("counts changes, so that processes learn of them", BankVersion, IndexSnapshot)
unrecorded("a check without a match has no entry; a match is compared as a finding", Check)
unrecorded("packs the hashes of checks", HeldBlock, Unheld)
unrecorded("counts hits, to guard against floods", HashHit)
unrecorded("a hit without any consequence", QuietHit)
unrecorded("counts for a day what left a bank", Withdrawal)
unrecorded("for a day, what an entry allowed", WithdrawalAllowance)
