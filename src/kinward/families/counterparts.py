"""Which rows of `families` stand for which entries: pairings, disputes, choices and asks."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from kinward.families.models import (
    ActiveHour,
    Activity,
    Answer,
    Ask,
    AskState,
    Choice,
    ExtraMinutes,
    GuardianProof,
    Invitation,
    Keyword,
    Notice,
    Pairing,
    PortalSession,
    TrustedAdult,
    WrongCode,
    ZoneChange,
)
from kinward.ledger.api import (
    Counterpart,
    Entry,
    Mark,
    Told,
    declare,
    kinds,
    rowless,
    unrecorded,
    written_here,
)

# The entries that say that a pairing is disputed, and those that say that it is settled.
DISPUTING = (kinds.PairingPaused, kinds.PairingDisputed, kinds.PairingDisputedQuietly)
SETTLING = (kinds.PairingRestored, kinds.PairingBarred)
ANSWERS = (kinds.AskYes, kinds.AskNo, kinds.AskTalk)


def _newest(told: Told, *facts: type[kinds.Fact]) -> Entry | None:
    said = [told[fact.kind].newest for fact in facts if fact.kind in told]
    return max(said, key=lambda entry: entry.pk, default=None)


def _disputed(row: Pairing, told: Told) -> Iterator[str]:
    """A dispute waits if the newest entry says so, or from the first moment for an earlier one."""
    newest = _newest(told, *DISPUTING, *SETTLING)
    said = newest is not None and newest.kind in {fact.kind for fact in DISPUTING}
    if row.disputed_at is None and said:
        yield "The ledger says that it is disputed, and the row does not."
    inherited = Pairing.objects.filter(
        guardian=row.guardian_id, teen=row.teen_id, disputed_at=row.disputed_at
    ).exclude(pk=row.pk)
    if row.disputed_at is not None and not said and not (newest is None and inherited.exists()):
        yield "It is disputed, and no entry says so."
    quietly = newest is not None and (
        newest.kind == kinds.PairingDisputedQuietly.kind or bool((newest.data or {}).get("quiet"))
    )
    if said and row.disputed_at is not None and row.quiet != quietly:
        yield "Whether the dispute is quiet is not what the newest entry says."


def _barred(row: Pairing, told: Told) -> Iterator[str]:
    """Two who were separated stay so until an entry about any pairing of theirs allows it."""
    barred = told.get("pairing.barred")
    if row.barred_at is not None and barred is None:
        yield "The two may not pair, and no entry says so."
    if barred is None or row.barred_at is not None:
        return
    theirs = Pairing.objects.filter(guardian=row.guardian_id, teen=row.teen_id)
    allowed = Entry.objects.filter(
        kind=kinds.PairingAllowed.kind,
        subject__in=[str(pairing) for pairing in theirs],
        pk__gt=barred.newest.pk,
    )
    if not written_here(allowed):
        yield "The two may pair again, and no entry says that a person allowed it."


def _ending(row: Pairing, told: Told) -> Iterator[str]:
    newest = _newest(told, kinds.PairingEnding, kinds.PairingStayed)
    ending = newest is not None and newest.kind == kinds.PairingEnding.kind
    if ending != (row.ends_at is not None):
        yield "Whether its end is near is not what the newest entry says."


def _homes(row: Pairing, told: Told) -> Iterator[str]:
    said = told.get(kinds.PairingHomes.kind)
    if said is not None and said.newest.data["apart"] != row.apart:
        yield "Whether its home is apart is not what the newest entry says."


def _digest(row: Pairing, told: Told) -> Iterator[str]:
    chosen = told.get("digest.chosen")
    way = "mail" if "@" in row.digest else row.digest
    if chosen is not None and chosen.newest.data["way"] != way:
        yield "Its digest goes another way than the newest entry says."


def _chosen(row: Choice, told: Told) -> Iterator[str]:
    """Some entry says what a choice in force says."""
    said = [told[kind].entries for kind in ("choice.made", "choice.held") if kind in told]
    values = [entry.data["value"] for entries in said for entry in entries]
    if row.ended_at is None and row.value not in values:
        yield "No entry says that this was chosen."


def _trust(row: Any) -> str:
    return f"{row.teen.platform_id} {row.adult.platform_id}"


def _guarded(row: Any) -> str:
    return f"{row.teen.platform_id} {row.guardian.platform_id}"


def _granted(row: Ask) -> bool | None:
    return True if row.state in (AskState.GRANTED, AskState.ENDED) else None


declare(
    Counterpart(
        name="pairing",
        model=Pairing,
        related=("guardian", "teen"),
        marks=(
            Mark(
                facts=(kinds.PairingStarted,),
                by=lambda row: str(row.teen.actor),
                same={
                    "guardian": lambda row: row.guardian.platform_id,
                    "teen": lambda row: row.teen.platform_id,
                },
            ),
            Mark(
                facts=(kinds.PairingEnded,),
                happened=lambda row: row.ended_at is not None,
                same={"why": lambda row: row.ended_why},
            ),
        ),
        also=(
            *DISPUTING,
            *SETTLING,
            kinds.PairingAllowed,
            kinds.PairingEnding,
            kinds.PairingStayed,
            kinds.PairingHomes,
            kinds.DigestChosen,
            kinds.PasscodeShown,
        ),
        checks=(_disputed, _barred, _ending, _homes, _digest),
        made="started_at",
    ),
    Counterpart(
        name="choice",
        model=Choice,
        subject=lambda row: f"pairing:{row.pairing_id}",
        key=lambda row: f"{row.pairing_id} {row.capability}",
        entry_key=lambda entry: (
            f"{(entry.subject or '').removeprefix('pairing:')} {entry.data['capability']}"
        ),
        field="",
        where=Q(ended_at=None),
        group=lambda row: Choice.objects.filter(
            pairing=row.pairing_id, capability=row.capability, ended_at=None
        ),
        also=(kinds.ChoiceMade, kinds.ChoiceHeld, kinds.ChoiceEnded),
        checks=(_chosen,),
        made="made_at",
    ),
    Counterpart(
        name="ask",
        model=Ask,
        marks=(
            Mark(
                facts=(kinds.AskMade,),
                same={
                    "capability": lambda row: row.capability,
                    "value": lambda row: row.value,
                    "minutes": lambda row: row.minutes,
                },
            ),
            Mark(facts=(kinds.AskYes,), happened=_granted, once=False),
            Mark(
                facts=(kinds.AskWithdrawn,),
                happened=lambda row: row.state == AskState.WITHDRAWN,
            ),
        ),
        also=(kinds.AskNo, kinds.AskTalk),
        made="made_at",
    ),
    Counterpart(
        name="invitation",
        model=Invitation,
        subject=lambda row: f"invitation:{row.id}",
        related=("maker",),
        marks=(
            Mark(
                facts=(kinds.InvitationMade,),
                by=lambda row: str(row.maker.actor),
                same={"side": lambda row: row.side},
            ),
        ),
        made="made_at",
    ),
    Counterpart(
        name="trusted adult",
        model=TrustedAdult,
        subject=lambda row: f"account:{row.teen.platform_id}",
        key=_trust,
        entry_key=lambda entry: (
            f"{(entry.subject or '').removeprefix('account:')} {entry.data['adult']}"
        ),
        field="",
        related=("teen", "adult"),
        group=lambda row: TrustedAdult.objects.filter(
            teen=row.teen_id, adult=row.adult_id
        ).select_related("teen", "adult"),
        marks=(
            Mark(facts=(kinds.TrustedNamed,), by=lambda row: str(row.teen.actor)),
            Mark(
                facts=(kinds.TrustedConfirmed,),
                happened=lambda row: row.confirmed_at is not None,
            ),
        ),
        made="named_at",
    ),
    Counterpart(
        name="proof of a guardian",
        model=GuardianProof,
        subject=lambda row: f"account:{row.teen.platform_id}",
        key=_guarded,
        entry_key=lambda entry: (
            f"{(entry.subject or '').removeprefix('account:')} {entry.data['guardian']}"
        ),
        field="",
        related=("teen", "guardian"),
        group=lambda row: GuardianProof.objects.filter(
            teen=row.teen_id, guardian=row.guardian_id
        ).select_related("teen", "guardian"),
        marks=(
            Mark(
                facts=(kinds.GuardianProven,),
                by=lambda row: row.told_by,
                same={
                    "method": lambda row: row.method,
                    "checked_on": lambda row: row.checked_on.isoformat(),
                    "evidence": lambda row: row.evidence,
                },
                at=lambda row: row.told_at,
            ),
            Mark(
                facts=(kinds.GuardianProofEnded,),
                happened=lambda row: row.ended_at is not None,
                same={"method": lambda row: row.method, "why": lambda row: row.ended_why},
                at=lambda row: row.ended_at,
            ),
        ),
        made="told_at",
    ),
)
rowless("it names no adult, so that whoever reads it learns of none", kinds.TrustedEnded)
rowless("it names no adult, so that whoever reads it learns of none", kinds.TrustedCalled)
rowless("it names no word: the word is the teen's own", kinds.KeywordAdded, kinds.KeywordRemoved)
rowless("its minutes are taken back with what gave them", kinds.PasscodeUsed)
rowless("it says what was refused, of which nothing is kept", kinds.InvitationRefused)
rowless("it says what was refused, of which nothing is kept", kinds.PortalRefused)
unrecorded("minutes of use, as the platform counts them", ActiveHour, Activity)
unrecorded("each is an entry about its ask", Answer)
unrecorded("minutes follow from an ask or a pass-code, and are taken back with it", ExtraMinutes)
unrecorded("the teen's own words, which no entry names", Keyword)
unrecorded("is deleted after a while, and its entry stays", Notice)
rowless("the notice itself is deleted after a while", kinds.NoticeMade)
unrecorded("a visit of an hour, forgotten after some days", PortalSession)
unrecorded("counts wrong codes for a day", WrongCode)
unrecorded("the time zone is compared with the account", ZoneChange)
