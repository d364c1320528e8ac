"""The interfaces of partners, from the `threatexchange` package and its extensions.

Ours add what the package lacks: a record that cannot be read is skipped by itself, a page that is
not in the agreed form is refused, withdrawals are honoured, and opinions can be sent. `sessions`
bounds every call of `requests` that any of them makes.
"""

from kinward.exchanges import hashing  # noqa: F401  `threatexchange` imports `pdqhash`

# isort: split
from kinward.exchanges.partners.entries import checkpoint_from_json, checkpoint_to_json, signals
from kinward.exchanges.partners.registry import connect
from kinward.exchanges.partners.sessions import bound_sessions, pages_of

bound_sessions()

__all__ = ["checkpoint_from_json", "checkpoint_to_json", "connect", "pages_of", "signals"]
