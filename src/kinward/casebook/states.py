"""The states of a case and the moves between them. Pure. Every other move is an error."""

from enum import StrEnum
from typing import Final

from kinward.ground.errors import KinwardError


class CaseState(StrEnum):
    """The state of a case."""

    OPEN = "open"
    ESCALATED = "escalated"  # waits for a second person
    CONFIRMED = "confirmed"  # its consequences are on their way
    REPORTED = "reported"  # the authority has the report; closed
    ENFORCED = "enforced"  # its consequences were drawn, and none was a report; closed
    DISMISSED = "dismissed"  # everything was given back; closed
    # An appeal was won, or a rule relied on a wrong hash; everything was given back; closed.
    OVERTURNED = "overturned"


UNDECIDED: Final = (CaseState.OPEN, CaseState.ESCALATED)
GIVEN_BACK: Final = (CaseState.DISMISSED, CaseState.OVERTURNED)

MOVES: Final[dict[CaseState, frozenset[CaseState]]] = {
    CaseState.OPEN: frozenset({CaseState.ESCALATED, CaseState.CONFIRMED, CaseState.DISMISSED}),
    CaseState.ESCALATED: frozenset({CaseState.CONFIRMED, CaseState.DISMISSED}),
    CaseState.CONFIRMED: frozenset({CaseState.REPORTED, CaseState.ENFORCED, CaseState.OVERTURNED}),
    CaseState.REPORTED: frozenset({CaseState.OVERTURNED}),
    CaseState.ENFORCED: frozenset({CaseState.OVERTURNED}),
    CaseState.DISMISSED: frozenset(),
    CaseState.OVERTURNED: frozenset(),
}


class MoveForbidden(KinwardError):
    """This case cannot move from its state to that one."""

    code = "case.move_forbidden"
    status = 409


def check_move(current: str, to: CaseState) -> None:
    """Raise `MoveForbidden` unless a case may go from `current` to `to`.

    >>> check_move("open", CaseState.CONFIRMED)
    """
    if to not in MOVES[CaseState(current)]:
        raise MoveForbidden(f"It is {current} and cannot become {to}.")
