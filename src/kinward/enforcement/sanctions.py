"""Sanctions: imposed by a case, and lifted with the case or by the clock.

The standing of an account is never stored as such. It follows from the account's live sanctions:
the severest one counts, and every restriction of each applies. So a dismissed case gives back what
it took itself, and nothing that another case took.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kinward.access import Actor
from kinward.casebook.api import Act
from kinward.enforcement.effects import EFFECTS
from kinward.enforcement.models import Effect, Sanction, SanctionKind, Target
from kinward.enforcement.services import issue_account
from kinward.evidence.api import Warrant, require_warrant
from kinward.experience.api import withhold
from kinward.guidelines import LONG_DAYS
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, Standing, lock_account, set_standing

STANDINGS: Final = (Standing.ACTIVE, Standing.SUSPENDED, Standing.TERMINATED)
_EFFECTS: Final = {
    Standing.SUSPENDED: Effect.SUSPEND,
    Standing.TERMINATED: Effect.TERMINATE,
}


class CurrentStanding(msgspec.Struct, frozen=True):
    """An account's standing, and the capabilities withheld from it. No end means for good."""

    standing: Standing = Standing.ACTIVE
    until: datetime | None = None
    withheld: dict[str, datetime | None] = {}

    def as_dict(self) -> dict[str, Any]:
        """Return the standing in the form of an action."""
        return {
            "standing": str(self.standing),
            "until": None if self.until is None else self.until.isoformat(),
            "restricted": [
                {"capability": name, "until": None if until is None else until.isoformat()}
                for name, until in sorted(self.withheld.items())
            ],
        }


def current_standing(account: Account) -> CurrentStanding:
    """Work out the standing of an account from its live sanctions."""
    now = timezone.now()
    live = Sanction.objects.filter(Q(until=None) | Q(until__gt=now), account=account, ended_at=None)
    standing, untils = Standing.ACTIVE, list[datetime | None]()
    withheld: dict[str, datetime | None] = {}
    for sanction in live.order_by("began_at"):
        if sanction.kind == SanctionKind.RESTRICT:
            for name in sanction.capabilities:
                withheld[name] = _later(withheld.get(name, sanction.until), sanction.until)
            continue
        kind = Standing.SUSPENDED
        if sanction.kind == SanctionKind.TERMINATE:
            kind = Standing.TERMINATED
        if STANDINGS.index(kind) > STANDINGS.index(standing):
            standing, untils = kind, []
        if kind == standing:
            untils.append(sanction.until)
    until = None
    if untils and None not in untils:
        until = max(end for end in untils if end is not None)
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
    warrant: Warrant | None = None,
) -> None:
    """Impose a case's sanction on an account, in place of the case's earlier one.

    Raises `WarrantNeeded` if it is grave and no `warrant` allows it. Whoever imposes one by a
    verdict gives its `warrant`. Without, it is what a finding does until a person has looked.
    """
    require_warrant(warrant, EFFECTS[Effect(kind)].act, case_id)
    if warrant is not None and kind == SanctionKind.SUSPEND and _is_long(until):
        require_warrant(warrant, Act.SUSPEND_LONG, case_id)

    def change() -> None:
        _end(Sanction.objects.filter(case_id=case_id, account=account), "replaced")
        sanction = Sanction.objects.create(
            account=account,
            case_id=case_id,
            kind=kind,
            capabilities=sorted(capabilities),
            until=until,
        )
        record(
            actor=actor,
            subject=str(sanction),
            fact=kinds.SanctionImposed(
                case=str(case_id),
                account=account.platform_id,
                sanction=str(kind),
                until=None if until is None else until.isoformat(),
            ),
        )

    _apply(account, case_id, actor, change)


def _is_long(until: datetime | None) -> bool:
    return until is None or until > timezone.now() + timedelta(days=LONG_DAYS)


def sanctioned_by(case_id: UUID, account: Account) -> bool:
    """Return whether a case has a live sanction on an account."""
    return Sanction.objects.filter(case_id=case_id, account=account, ended_at=None).exists()


def cases_that_ended(account: Account) -> list[UUID]:
    """Return the cases whose sanctions in force end an account."""
    live = Sanction.objects.filter(account=account, kind=SanctionKind.TERMINATE, ended_at=None)
    return list(live.order_by("began_at").values_list("case_id", flat=True))


def lift_sanction(*, account: LockedAccount, case_id: UUID, why: str, actor: Actor) -> None:
    """End the sanction that a case imposed on an account, if there is one."""

    def change() -> None:
        fact = kinds.SanctionLifted(case=str(case_id), account=account.platform_id, why=why)
        ended = _end(Sanction.objects.filter(case_id=case_id, account=account), why)
        for sanction in ended:
            record(actor=actor, subject=str(sanction), fact=fact)

    _apply(account, case_id, actor, change)


def _end(sanctions: Iterable[Sanction], why: str) -> list[Sanction]:
    ended = [sanction for sanction in sanctions if sanction.ended_at is None]
    Sanction.objects.filter(pk__in=[sanction.pk for sanction in ended]).update(
        ended_at=timezone.now(), ended_why=why[:80]
    )
    return ended


def _apply(account: LockedAccount, case_id: UUID, actor: Actor, change: Callable[[], None]) -> None:
    """Change the sanctions of an account, and tell the platform if its standing changes."""
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
    """Return the standing that the platform was told last."""
    told = account.actions.filter(target_kind=Target.ACCOUNT, standing__isnull=False)
    last = told.order_by("-number").values_list("standing", flat=True).first()
    return CurrentStanding(Standing(account.standing)).as_dict() if last is None else dict(last)


def _effect(told: dict[str, Any], tell: dict[str, Any]) -> Effect:
    """Name the effect of a change of standing: what was taken, or a restoration."""
    before, after = (STANDINGS.index(standing["standing"]) for standing in (told, tell))
    if after < before:
        return Effect.RESTORE
    if after > before or (after and told["until"] != tell["until"]):
        return _EFFECTS[STANDINGS[after]]
    return Effect.RESTRICT if len(tell["restricted"]) >= len(told["restricted"]) else Effect.RESTORE


def end_due() -> int:
    """Lift expired sanctions, with a transaction for each; return their number."""
    now = timezone.now()
    expired = Sanction.objects.filter(until__lte=now, ended_at=None).order_by("until")
    lifted = 0
    for account_id, case_id in list(expired.values_list("account_id", "case_id")[:1000]):
        with transaction.atomic():
            account = lock_account(account_id)
            lift_sanction(
                account=account, case_id=case_id, why="over", actor=Actor.system("enforcement")
            )
            lifted += 1
    return lifted
