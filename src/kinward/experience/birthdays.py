"""Birthdays: on the day an age range changes, so does the experience, and the person is told.

They are told thirty days ahead, too. What will change is then what a rehearsal of the day changes.
"""

from datetime import UTC, date, datetime, timedelta

import msgspec
from django.db import connection, transaction
from django.db.models import F, Q

from kinward.access import Actor
from kinward.experience.changes import brought_by_change
from kinward.experience.live import live, load_states, person_of
from kinward.experience.models import Layer, Setting
from kinward.experience.settings import decide_everything, end_guardian_settings
from kinward.ledger.api import kinds, record
from kinward.people.api import (
    Account,
    LockedAccount,
    Standing,
    local_day,
    lock_account,
    note_told_ahead,
    set_age,
)
from kinward.policy import (
    EFFECTS,
    AgeRange,
    Decision,
    Pack,
    Person,
    bounds_in_general,
    decide_in_state,
)
from kinward.policy.api import direction

BATCH = 500
AHEAD = timedelta(days=30)
EXPERIENCE = Actor.system("experience")


class Growth(msgspec.Struct, frozen=True):
    """What a birthday changed: sentences in the person's language, and the settings that ended."""

    opened: dict[str, str]
    closed: dict[str, str]
    ended: list[str]

    @property
    def changes(self) -> bool:
        """Whether a birthday changes anything."""
        return bool(self.opened or self.closed or self.ended)


def birthdays_due() -> list[int]:
    """Return up to `BATCH` accounts whose birthday has begun by their own day, earliest first."""
    now = _earlier_clock()
    tomorrow = now.date() + timedelta(days=1)  # somewhere it has begun already
    near = Account.objects.filter(age_changes_on__lte=tomorrow)
    zones: dict[date, list[str]] = {}
    for zone in near.order_by().values_list("time_zone", flat=True).distinct():
        zones.setdefault(local_day(zone, now), []).append(zone)
    due = Q(pk=None)
    for day, names in zones.items():
        due |= Q(time_zone__in=names, age_changes_on__lte=day)
    accounts = near.filter(due).order_by("age_changes_on", "pk")
    return list(accounts.values_list("pk", flat=True)[:BATCH])


def _earlier_clock() -> datetime:
    """Return now, by the machine or by the database, whichever is earlier.

    Nobody grows younger again, so one clock that jumps ahead must make nobody older for good.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        database: datetime = cursor.fetchone()[0]
    return min(datetime.now(UTC), database)


def apply_birthday(account_id: int) -> tuple[LockedAccount, Growth] | None:
    """Apply an account's due birthday, in the caller's transaction.

    Locks the account. Ends guardian settings that the new age does not allow. Returns None if no
    birthday is due. The caller tells the person.
    """
    account = lock_account(account_id)
    day = local_day(account.time_zone, _earlier_clock())
    if account.age_changes_on is None or account.age_changes_on > day:
        return None
    return account, _grow(account, day)


def growths_ahead() -> list[int]:
    """Return up to `BATCH` accounts that were not told of their birthday within 30 days yet."""
    day = _earlier_clock().date()
    near = Account.objects.filter(age_changes_on__gt=day, age_changes_on__lte=day + AHEAD)
    told = Q(growth_told_for=F("age_changes_on"), growth_told_for__isnull=False)
    gone = Q(standing=Standing.TERMINATED) | Q(deleted_at__isnull=False)
    return list(near.exclude(told | gone).order_by("pk").values_list("pk", flat=True)[:BATCH])


def growth_ahead(account_id: int) -> tuple[LockedAccount, date, Growth] | None:
    """Return when an account's birthday is and what it will change, as things stand today.

    Locks the account, and notes that it was told, in the caller's transaction. Returns None if it
    was told before, or if no birthday is within 30 days. The caller tells the person.
    """
    account = lock_account(account_id)
    day, today = account.age_changes_on, _earlier_clock().date()
    if day is None or not today < day <= today + AHEAD:
        return None
    if day == account.growth_told_for or account.is_gone:
        return None
    with transaction.atomic():  # the day itself, and then nothing of it has happened
        growth = _grow(lock_account(account_id), day)
        transaction.set_rollback(True)
    note_told_ahead(account)
    return account, day, growth


def _grow(account: LockedAccount, day: date) -> Growth:
    """Make an account as old as it is on a day, end the settings that end, and record it."""
    pack = live().in_force().for_account(account.platform_id)
    age = account.age.on(day)
    before = {} if pack is None else _decide_by_stored_age(account, pack)
    set_age(account=account, age=age, actor=EXPERIENCE)
    ended = (
        [] if pack is None else end_guardian_settings(account, _outgrown(account, pack), "grown up")
    )
    after = {} if pack is None else decide_everything(account, pack)
    growth = _compare(before, after, account.language, ended)
    record(
        actor=EXPERIENCE,
        subject=f"account:{account.platform_id}",
        fact=kinds.AccountGrown(
            age=[age.lower, age.upper],
            opened=sorted(growth.opened),
            closed=sorted(growth.closed),
            ended=ended,
        ),
    )
    return growth


def _decide_by_stored_age(account: Account, pack: Pack) -> dict[str, Decision]:
    """Decide every capability by the stored age range, not counting the years since."""
    state = load_states([account.platform_id])[account.platform_id]
    stored = AgeRange(
        account.age_lower,
        account.age_upper,
        account.age_source,
        account.age_assurance,  # type: ignore[arg-type]
    )
    joined = local_day(account.time_zone, account.created_at)
    person = Person(
        stored,
        account.jurisdiction,
        joined=joined,
        consent_withdrawn=account.consent_withdrawn,
        change=account.change_consent,  # type: ignore[arg-type]
        brings=brought_by_change(),
    )
    state = msgspec.structs.replace(state, person=person)
    return {name: decide_in_state(pack, name, state) for name in pack.capabilities}


def _outgrown(account: Account, pack: Pack) -> list[str]:
    """Return the capabilities with a guardian setting that no guardian may move at the new age."""
    outgrown = []
    settings = Setting.objects.filter(
        account=account, layer__in=(Layer.GUARDIAN, Layer.ASLEEP), ended_at=None
    )
    for name in settings.values_list("capability", flat=True):
        bounds = bounds_in_general(pack.ruling, name, person_of(account))
        if bounds is not None and not bounds.guardian_moves:
            outgrown.append(name)
    return outgrown


def _compare(
    before: dict[str, Decision], after: dict[str, Decision], language: str, ended: list[str]
) -> Growth:
    opened: dict[str, str] = {}
    closed: dict[str, str] = {}
    for name, now in after.items():
        was = before[name]
        if (was.effect, was.code) == (now.effect, now.code) or now.kind is None:
            continue
        turn = direction(
            now.kind,
            (EFFECTS.index(was.effect), was.code),
            (EFFECTS.index(now.effect), now.code),
        )
        (closed if turn == "loses" else opened)[name] = now.sentence(language)
    return Growth(opened, closed, ended)
