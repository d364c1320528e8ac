"""Growing up: on the day an age range changes, the experience does, once, and the person hears."""

from datetime import date

import msgspec

from kinward.access import Actor
from kinward.experience.live import live, load_states, person_of, today
from kinward.experience.models import Layer, Setting
from kinward.experience.settings import decide_everything, end_guardian_settings
from kinward.ledger.api import record
from kinward.people.api import Account, LockedAccount, lock_account, set_age
from kinward.policy import (
    EFFECTS,
    AgeRange,
    Decision,
    Pack,
    Person,
    bounds_in_general,
    decide,
    direction,
)

BATCH = 500


class Growth(msgspec.Struct, frozen=True):
    """What changed for a person: sentences in their language, and the settings that ended."""

    opened: dict[str, str]
    closed: dict[str, str]
    ended: list[str]


def birthdays_due(day: date) -> list[int]:
    """The accounts whose range changes on a day or before it, a batch of them."""
    found = Account.objects.filter(age_changes_on__lte=day).order_by("age_changes_on", "pk")
    return list(found.values_list("pk", flat=True)[:BATCH])


def apply_birthday(account_id: int) -> tuple[LockedAccount, Growth] | None:
    """Let one account grow, in the caller's transaction; None if it has grown already."""
    account = lock_account(account_id)
    day = today()
    if account.age_changes_on is None or account.age_changes_on > day:
        return None
    pack = live().in_force().for_account(account.platform_id)
    age = person_of(account).age
    before = {} if pack is None else _as_was(account, pack)
    set_age(account=account, age=age)
    ended = [] if pack is None else end_guardian_settings(account, _past(account, pack), "grown up")
    after = {} if pack is None else decide_everything(account, pack)
    growth = _compare(before, after, account.language, ended)
    record(
        actor=Actor.system("experience"),
        kind="account.grown",
        subject=f"account:{account.platform_id}",
        age=[age.lower, age.upper],
        opened=sorted(growth.opened),
        closed=sorted(growth.closed),
        ended=ended,
    )
    return account, growth


def _as_was(account: Account, pack: Pack) -> dict[str, Decision]:
    """Every decision by the range as it is stored, without the years that have passed since."""
    state = load_states([account.platform_id])[account.platform_id]
    stored = AgeRange(
        account.age_lower,
        account.age_upper,
        account.age_source,
        account.age_assurance,  # type: ignore[arg-type]
    )
    person = Person(stored, account.jurisdiction)
    return {
        name: decide(
            pack, name, person, guardian=state.guardian.get(name), self_=state.self_.get(name)
        )
        for name in pack.capabilities
    }


def _past(account: Account, pack: Pack) -> list[str]:
    """The capabilities for which no guardian decides any more at the account's age."""
    found = []
    made = Setting.objects.filter(account=account, layer=Layer.GUARDIAN, ended_at=None)
    for name in made.values_list("capability", flat=True):
        bounds = bounds_in_general(pack.ruling, name, person_of(account))
        if bounds is not None and not bounds.guardian_moves:
            found.append(name)
    return found


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
