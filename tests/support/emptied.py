"""Emptying the tests' database. Deleting a few rows costs a fiftieth of truncating all tables."""

from typing import Any, Final

from django.core.management.commands import flush
from django.db import connection, transaction

# The queue's tables are not Django's, so Django's own clean-up would leave them.
QUEUE: Final = (
    "procrastinate_events",
    "procrastinate_periodic_defers",
    "procrastinate_jobs",
    "procrastinate_workers",
)
# Neither a trigger nor a foreign key has a say. Nothing else may delete from the ledger.
UNHEARD: Final = "SET LOCAL session_replication_role = replica"


def install() -> None:
    """Have Django empty its tables and the queue's like this after each test that commits.

    Requires the tests' database and its superuser.
    """
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    emptying = f"{UNHEARD}; {_deletes(*QUEUE, *tables)}"

    def empty(*_: object, **__: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(emptying)

    # Django would also make permissions for its models anew, which nothing here asks.
    flush.Command.handle = empty  # type: ignore[method-assign]


def empty_queue() -> None:
    """Delete what other connections left in the queue."""
    with connection.cursor() as cursor:
        cursor.execute(_deletes(*QUEUE))


def _deletes(*tables: str) -> str:
    return "; ".join(f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables)
