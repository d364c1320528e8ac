"""Whether a restore into this database has begun and not ended: then nothing may use it.

Until its end the ledger would go on from an older tree under its old origin, and who was erased
since would be back. A table says so, so that each machine sees it, and a process that is killed
leaves it there.
"""

from typing import Final

from django.db import connection

from kinward.ground.errors import KinwardError

TABLE: Final = "kinward_restoring"
BEGIN: Final = f"CREATE TABLE IF NOT EXISTS {TABLE} (began_at timestamptz NOT NULL DEFAULT now())"
END: Final = f"DROP TABLE {TABLE}"


class RestoreUnfinished(KinwardError):
    """A restore into this database did not end."""

    code = "restore.unfinished"
    status = 503


def require_restored() -> None:
    """Raise `RestoreUnfinished` while a restore has not ended, or after it was cut short."""
    if TABLE in connection.introspection.table_names():
        raise RestoreUnfinished(
            "Wait for its end. If it was cut short, drop this database, and restore again into a "
            "new one."
        )
