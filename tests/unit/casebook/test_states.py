"""Every move that is not allowed is an error."""

from itertools import product

import pytest

from kinward.casebook.states import CaseState, MoveForbidden, check_move

ALLOWED = {
    ("open", "escalated"),
    ("open", "confirmed"),
    ("open", "dismissed"),
    ("escalated", "confirmed"),
    ("escalated", "dismissed"),
    ("confirmed", "reported"),
    ("confirmed", "enforced"),
    ("confirmed", "overturned"),
    ("reported", "overturned"),
    ("enforced", "overturned"),
}


@pytest.mark.parametrize(("current", "to"), product(CaseState, CaseState))
def test_moves(current: CaseState, to: CaseState) -> None:
    if (current, to) in ALLOWED:
        check_move(current, to)
    else:
        with pytest.raises(MoveForbidden):
            check_move(current, to)
