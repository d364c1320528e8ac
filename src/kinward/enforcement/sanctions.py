"""Sanctions: imposed by a case, lifted with it or by the clock; the account stands accordingly.

How an account stands is never remembered but follows from the sanctions that hold: the severest
counts, and what several of them restrict is restricted by all. So a case that is dismissed gives
back what it took, and nothing that another one took.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor
from kinward.enforcement.models import Effect, Sanction, SanctionKind, Target
from kinward.enforcement.services import issue_account
from kinward.experience.api import withhold
from kinward.ledger.api import record
from kinward.people.api import Account, LockedAccount, Standing, lock_account, set_standing

STANDINGS: Final = (Standing.ACTIVE, Standing.SUSPENDED, Standing.TERMINATED)
_EFFECTS: Final = {
    Standing.SUSPENDED: Effect.SUSPEND,
    Standing.TERMINATED: Effect.TERMINATE,
}


class CurrentStanding(msgspec.Struct, frozen=True):
    """How an account stands: whether it may be used, what is withheld, and until when each."""

    standing: Standing = Standing.ACTIVE
    until: datetime | None = None
    withheld: dict[str, datetime | None] = {}

    def as_dict(self) -> dict[str, Any]:
        """What the platform is told."""
        return {
            "standing": str(self.standing),
            "until": None if self.until is None else self.until.isoformat(),
            "restricted": [
                {"capability": name, "until": None if until is None else until.isoformat()}
                for name, until in sorted(self.withheld.items())
            ],
        }


def current_standing(account: Account) -> CurrentStanding:
    """How an account stands now."""
    now = timezone.now()
    live = Sanction.objects.filter(Q(until=None) | Q(until__gt=now), account=account, ended_at=None)
    standing, untils = Standing.ACTIVE, list[datetime | None]()
    withheld: dict[str, datetime | None] = {}
    for each in live.order_by("began_at"):
        if each.kind == SanctionKind.RESTRICT:
            for name in each.capabilities:
                withheld[name] = _later(withheld.get(name, each.until), each.until)
            continue
        kind = Standing.SUSPENDED
        if each.kind == SanctionKind.TERMINATE:
            kind = Standing.TERMINATED
        if STANDINGS.index(kind) > STANDINGS.index(standing):
            standing, untils = kind, []
        if kind == standing:
            untils.append(each.until)
    until = None
    if untils and None not in untils:
        until = max(each for each in untils if each is not None)
    return CurrentStanding(standing, until, withheld)


def _later(a: datetime | None, b: datetime | None) -> datetime | None:
    return None if a is None or b is None else max(a, b)


def impose_sanction(
    *,
    account: LockedAccount,
    case_id: UUID,
    kind: SanctionKind,
    actor: Actor,
    capabilities: Iterable[str] = (),
    until: datetime | None = None,
) -> None:
    """Impose a case's sanction on an account, in place of the case's earlier one."""

    def change() -> None:
        _end(Sanction.objects.filter(case_id=case_id, account=account), "replaced")
        made = Sanction.objects.create(
            account=account,
            case_id=case_id,
            kind=kind,
            capabilities=sorted(capabilities),
            until=until,
        )
        record(
            actor=actor,
            kind="sanction.imposed",
            subject=str(made),
            case=str(case_id),
            account=account.platform_id,
            sanction=str(kind),
            until=None if until is None else until.isoformat(),
        )

    _apply(account, case_id, actor, change)


def sanctioned_by(case_id: UUID, account: Account) -> bool:
    """Whether a case has imposed something on an account that holds."""
    return Sanction.objects.filter(case_id=case_id, account=account, ended_at=None).exists()


def lift_sanction(*, account: LockedAccount, case_id: UUID, why: str, actor: Actor) -> None:
    """End the sanction that a case imposed on an account, if there is one."""

    def change() -> None:
        for each in _end(Sanction.objects.filter(case_id=case_id, account=account), why):
            record(
                actor=actor,
                kind="sanction.lifted",
                subject=str(each),
                case=str(case_id),
                account=account.platform_id,
                why=why,
            )

    _apply(account, case_id, actor, change)


def _end(found: Iterable[Sanction], why: str) -> list[Sanction]:
    ended = [each for each in found if each.ended_at is None]
    Sanction.objects.filter(pk__in=[each.pk for each in ended]).update(
        ended_at=timezone.now(), ended_why=why[:80]
    )
    return ended


def _apply(account: LockedAccount, case_id: UUID, actor: Actor, change: Callable[[], None]) -> None:
    """Change the sanctions of an account, and tell the platform if that changes how it stands."""
    change()
    now = current_standing(account)
    told, tell = _told(account), now.as_dict()
    if told == tell:
        return
    withhold(account=account, until=now.withheld, why="sanctions changed")
    if account.standing != now.standing:
        set_standing(account=account, standing=now.standing)
    effect = _effect(told, tell)
    issue_account(case_id=case_id, account=account, effect=effect, standing=tell, actor=actor)


def _told(account: Account) -> dict[str, Any]:
    """What the platform was told last of how an account stands."""
    told = account.actions.filter(target_kind=Target.ACCOUNT, standing__isnull=False)
    last = told.order_by("-number").values_list("standing", flat=True).first()
    return CurrentStanding(Standing(account.standing)).as_dict() if last is None else dict(last)


def _effect(told: dict[str, Any], tell: dict[str, Any]) -> Effect:
    """What to call a change: whatever was taken last, or a restoration where less is."""
    before, after = (STANDINGS.index(each["standing"]) for each in (told, tell))
    if after < before:
        return Effect.RESTORE
    if after > before or (after and told["until"] != tell["until"]):
        return _EFFECTS[STANDINGS[after]]
    return Effect.RESTRICT if len(tell["restricted"]) >= len(told["restricted"]) else Effect.RESTORE


def end_due() -> int:
    """Lift what has run its time, each account in a transaction of its own; returns how many."""
    now = timezone.now()
    due = Sanction.objects.filter(until__lte=now, ended_at=None).order_by("until")
    lifted = 0
    for account_id, case_id in list(due.values_list("account_id", "case_id")[:1000]):
        with transaction.atomic():
            account = lock_account(account_id)
            lift_sanction(
                account=account, case_id=case_id, why="over", actor=Actor.system("enforcement")
            )
            lifted += 1
    return lifted
