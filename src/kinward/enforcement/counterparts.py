"""Which rows of `enforcement` stand for which entries: actions, sanctions and standings."""

from collections.abc import Iterator

from django.db.models import Q

from kinward.enforcement.models import (
    Action,
    ActionState,
    BlockedIdentifier,
    Removal,
    Sanction,
    Strike,
)
from kinward.enforcement.sanctions import current_standing
from kinward.ledger.api import Counterpart, Mark, Told, declare, kinds, unrecorded
from kinward.people.api import Account, Standing


def _case(row: Action) -> str | None:
    return None if row.case_id is None else str(row.case_id)


def _lifted(row: Sanction) -> bool | None:
    """A sanction that the case's next one replaced was not lifted."""
    return row.ended_at is not None and row.ended_why != "replaced"


def _standing(row: Account, told: Told) -> Iterator[str]:
    """The standing follows from the sanctions in force."""
    standing = current_standing(row).standing
    if standing != row.standing:
        yield f"Its standing is {row.standing}, and its sanctions make it {standing}."


declare(
    Counterpart(
        name="action",
        model=Action,
        field="id",
        marks=(
            Mark(
                facts=(kinds.ActionIssued,),
                same={
                    "case": _case,
                    "type": lambda row: row.type,
                    "target": lambda row: row.target,
                },
            ),
            Mark(
                facts=(kinds.ActionDelivered,),
                happened=lambda row: row.state == ActionState.DELIVERED,
                same={"case": _case},
            ),
            Mark(
                facts=(kinds.ActionParked,),
                happened=lambda row: row.state == ActionState.PARKED or None,
                once=False,
            ),
        ),
        also=(kinds.ActionReplayed,),
        defer=("notice", "standing", "answer"),
        made="created_at",
    ),
    Counterpart(
        name="sanction",
        model=Sanction,
        related=("account",),
        marks=(
            Mark(
                facts=(kinds.SanctionImposed,),
                same={
                    "case": lambda row: str(row.case_id),
                    "account": lambda row: row.account.platform_id,
                    "sanction": lambda row: row.kind,
                    "until": lambda row: row.until and row.until.isoformat(),
                },
            ),
            Mark(facts=(kinds.SanctionLifted,), happened=_lifted),
        ),
        made="began_at",
    ),
    Counterpart(
        name="standing",
        model=Account,
        subject=lambda row: f"account:{row.platform_id}",
        field="",
        where=~Q(standing=Standing.ACTIVE)
        | Q(pk__in=Sanction.objects.filter(ended_at=None).values("account")),
        checks=(_standing,),
    ),
)
unrecorded("the bytes that a verdict keeps removed; its actions are compared", Removal)
unrecorded("counts verdicts, which are compared", Strike)
unrecorded("keyed hashes that a verdict blocks", BlockedIdentifier)
