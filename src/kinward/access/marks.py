"""What the agreement of two people leaves in the ledger: who asked, and who decided."""

from collections.abc import Callable, Mapping
from typing import Any

from kinward.access.agreement import AgreementState
from kinward.ledger.api import Mark, kinds

Row = Any
Fact = type[kinds.Fact]


def asker_of_row(row: Row) -> str:
    """Return who asked, by the name in the ledger."""
    return str(row.asked_by.actor) if row.asked_by is not None else str(row.operator)


def decider_of_row(row: Row) -> str:
    """Return who decided, by the name in the ledger; "" for nobody."""
    if row.decided_by is not None:
        return str(row.decided_by.actor)
    glass = getattr(row, "glass", None)
    return str(glass.operator) if glass is not None else str(getattr(row, "second_operator", ""))


def is_approved(row: Row) -> bool:
    """Return whether somebody approved it. What went ahead by itself was approved by nobody."""
    return row.state not in (AgreementState.ASKED, AgreementState.REFUSED) and bool(
        decider_of_row(row)
    )


def is_refused(row: Row) -> bool:
    """Return whether somebody refused or withdrew it."""
    return bool(row.state == AgreementState.REFUSED)


def went_ahead(row: Row) -> bool:
    """Return whether it went ahead by itself."""
    return getattr(row, "went_ahead_at", None) is not None


def marks_of_agreement(
    *,
    asked: Fact | None = None,
    approved: Fact | None = None,
    refused: Fact | None = None,
    ahead: Fact | None = None,
    same: Mapping[str, Callable[[Row], Any]] | None = None,
) -> tuple[Mark, ...]:
    """Return the marks of a row of two people. `same`: fields that each of its entries has."""
    fields = same or {}

    def decided(row: Row) -> Any:
        return row.decided_at or row.asked_at

    marks = []
    if asked is not None:
        marks.append(
            Mark(facts=(asked,), by=asker_of_row, same=fields, at=lambda row: row.asked_at)
        )
    if approved is not None:
        marks.append(
            Mark(
                facts=(approved,), happened=is_approved, by=decider_of_row, same=fields, at=decided
            )
        )
    if refused is not None:
        marks.append(
            Mark(facts=(refused,), happened=is_refused, by=decider_of_row, same=fields, at=decided)
        )
    if ahead is not None:
        marks.append(
            Mark(
                facts=(ahead,),
                happened=went_ahead,
                same=fields,
                at=lambda row: row.went_ahead_at,
            )
        )
    return tuple(marks)


PEOPLE = ("asked_by", "decided_by")
ANYWHERE = (*PEOPLE, "glass")
