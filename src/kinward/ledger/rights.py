"""What the application's role may do with the ledger, where the operator keeps roles apart.

It adds, and forgets the values of an erased person. It owns no table, so it cannot drop what
refuses all else (the triggers of the migrations).
"""

from collections.abc import Mapping
from typing import Final

LEDGER: Final = "ledger_entry"
# By table. In the other tables of the ledger the application may do what it may in any.
APPLICATION_RIGHTS: Final[Mapping[str, str]] = {
    LEDGER: ("SELECT, INSERT, UPDATE (actor, actor_salt, subject, subject_salt, data, data_salt)"),
    "ledger_leaf": "SELECT, INSERT",
    "ledger_tile": "SELECT, INSERT, UPDATE (data)",
    "ledger_log": "SELECT, INSERT, UPDATE",
    "ledger_logrotation": "SELECT, INSERT, UPDATE",
    "ledger_words": "SELECT, INSERT, DELETE",
}
