"""Which rows of `people` stand for which entries: accounts with their ages, and waves."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from kinward.ledger.api import Counterpart, Mark, Told, declare, kinds, unrecorded
from kinward.people.days import local_day
from kinward.people.models import (
    Account,
    Change,
    ChangeWave,
    Consent,
    Identifier,
    UnreadSignal,
)
from kinward.policy import AgeRange, crossed


def _age(row: Account, told: Told) -> Iterator[str]:
    """The age is the one of the newest entry, but for the birthdays since."""
    said = [told[kind].newest for kind in ("account.age_changed", "account.grown") if kind in told]
    newest = max(said, key=lambda entry: entry.pk, default=None)
    if newest is None:
        return
    now = row.age.on(local_day(row.time_zone))
    lower, upper = newest.data["age"]
    years = _birthdays(row.age_changes_on, newest.at.date(), timezone.now().date())
    then = [AgeRange(min(lower + n, 149), min(upper + n, 150)) for n in range(years + 1)]
    if all(crossed(age, now) for age in then):
        yield "Its age is another one than the newest entry says."
    changed = told.get("account.age_changed")
    if changed is not None and changed.newest.data["assurance"] != row.age_assurance:
        yield "Its age is assured in another way than the newest entry says."


def _birthdays(changes_on: date | None, since: date, until: date) -> int:
    """Return how many birthdays there were, of somebody whose next one is known.

    A day more on both sides, since a day begins elsewhere at another time.
    """
    if changes_on is None:
        return 0
    since, until = since - timedelta(days=1), until + timedelta(days=1)
    day = (changes_on.month, changes_on.day)
    years = until.year - since.year
    return max(years - ((until.month, until.day) < day) + ((since.month, since.day) < day), 0)


def _place(row: Account, told: Told) -> Iterator[str]:
    moved, zone = told.get("account.moved"), told.get("account.time_zone")
    if moved is not None and moved.newest.data["place"] != row.jurisdiction:
        yield "Its place is another one than the newest entry says."
    if zone is not None and zone.newest.data["zone"] != row.time_zone:
        yield "Its time zone is another one than the newest entry says."


def _deleted(row: Account, told: Told) -> Iterator[str]:
    said = [told[kind].newest for kind in ("account.deleted", "account.returned") if kind in told]
    newest = max(said, key=lambda entry: entry.pk, default=None)
    gone = newest is not None and newest.kind == "account.deleted"
    if gone != (row.deleted_at is not None):
        yield "Whether the account was deleted is not what the newest entry says."


def _consent(row: Account, told: Told) -> Iterator[str]:
    """Consent that was withdrawn closes an account until an entry gives it."""
    said = [told[kind].newest for kind in ("consent.withdrawn", "consent.given") if kind in told]
    newest = max(said, key=lambda entry: entry.pk, default=None)
    withdrawn = newest is not None and newest.kind == "consent.withdrawn"
    if row.consent_withdrawn != withdrawn:
        yield "Whether consent was withdrawn is not what the newest entry says."


def _asked(row: Account, told: Told) -> Iterator[str]:
    """An account is closed to a change only if an entry says so."""
    if row.change_consent and "consent.change" not in told:
        yield "No entry says that consent for a change is missing."


def _actor(row: Any) -> str:
    return str(row.actor)


declare(
    Counterpart(
        name="account",
        model=Account,
        subject=lambda row: f"account:{row.platform_id}",
        field="platform_id",
        also=(
            kinds.AccountAgeChanged,
            kinds.AccountAgeKept,
            kinds.AccountGrown,
            kinds.AccountMoved,
            kinds.AccountTimeZone,
            kinds.AccountDeleted,
            kinds.AccountReturned,
            kinds.ConsentWithdrawn,
            kinds.ConsentGiven,
            kinds.ConsentChange,
            kinds.AgeProven,
        ),
        checks=(_age, _place, _deleted, _consent, _asked),
        made="created_at",
    ),
    Counterpart(
        name="wave",
        model=ChangeWave,
        subject=_actor,
        key=_actor,
        entry_key=lambda entry: entry.subject or "",
        field="actor",
        related=("looked_by",),
        group=lambda row: ChangeWave.objects.filter(actor=row.actor).select_related("looked_by"),
        marks=(
            Mark(facts=(kinds.WaveBegan,)),
            Mark(
                facts=(kinds.WaveEnded,),
                happened=lambda row: row.looked_at is not None,
                by=lambda row: str(row.looked_by.actor),
                at=lambda row: row.looked_at,
            ),
        ),
        made="began_at",
    ),
)
unrecorded("what each source said; the account and its entries have what follows", Consent)
unrecorded("keyed hashes, which nobody reads", Identifier)
unrecorded("when somebody last changed an account, for a day", Change)
unrecorded("words of app stores that Kinward did not know", UnreadSignal)
