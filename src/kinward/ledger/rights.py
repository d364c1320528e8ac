"""What the application's role may do with the ledger, where the operator keeps roles apart.

It adds, and forgets the values of an erased person. It owns no table, so it cannot drop what
refuses all else (the triggers of the migrations).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

LEDGER: Final = "ledger_entry"


class Rights(NamedTuple):
    """What a role may do with a table beside reading it, and which columns it may update."""

    table: frozenset[str]
    columns: frozenset[str] = frozenset()


_ADD: Final = frozenset({"INSERT"})
_VALUES: Final = frozenset({"actor", "subject", "data"})
# By table. In the other tables of the ledger the application may do what it may in any.
APPLICATION_RIGHTS: Final[Mapping[str, Rights]] = {
    LEDGER: Rights(_ADD, _VALUES | {f"{name}_salt" for name in _VALUES}),
    "ledger_leaf": Rights(_ADD),
    "ledger_tile": Rights(_ADD, frozenset({"data"})),
    "ledger_log": Rights(_ADD | {"UPDATE"}),
    "ledger_logrotation": Rights(_ADD | {"UPDATE"}),
    "ledger_words": Rights(_ADD | {"DELETE"}),
}
