"""Roles of the database: an owner makes the tables, the application uses them, a reader reads.

Only `kinward migrate` and `kinward restore` run as the owner. Whoever takes over another process of
Kinward has the application's role, which can neither change a table nor drop a trigger.
"""

from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction
from psycopg import sql

from kinward.cli.first_run import NotOwner
from kinward.ground.errors import Invalid, NotFound
from kinward.ledger.api import APPLICATION_RIGHTS, LEDGER

ANY_TABLE: Final = "SELECT, INSERT, UPDATE, DELETE"
NARROW: Final = {**APPLICATION_RIGHTS, "django_migrations": "SELECT"}

_TABLES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v') ORDER BY relname
"""
# Whom an earlier call let add to the ledger is the application. Whom it let only read, a reader.
_KNOWN: Final = """
SELECT role.rolname, bool_or(given.privilege_type = 'INSERT')
FROM pg_class AS ledger, aclexplode(ledger.relacl) AS given
  JOIN pg_roles AS role ON role.oid = given.grantee
WHERE ledger.oid = %s::regclass AND given.grantee <> ledger.relowner
GROUP BY role.rolname
"""
_IS_OWNER: Final = """
SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass
"""
_RIGHTS: Final = """
SELECT role.rolsuper, pg_has_role(role.oid, ledger.relowner, 'MEMBER'),
  has_table_privilege(role.oid, ledger.oid, 'DELETE, TRUNCATE, TRIGGER'),
  has_schema_privilege(role.oid, ledger.relnamespace, 'CREATE'),
  has_any_column_privilege(role.oid, ledger.oid, 'INSERT, UPDATE')
FROM pg_roles AS role, pg_class AS ledger
WHERE role.rolname = %s AND ledger.oid = %s::regclass
"""


def is_owner() -> bool:
    """Return whether this connection has the rights of the owner of the tables."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_OWNER, [LEDGER])
        return bool(cursor.fetchall()[0][0])


def may_add() -> bool:
    """Return whether this connection may add to the ledger."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'INSERT')", [LEDGER])
        return bool(cursor.fetchall()[0][0])


def grant(application: str = "", reader: str = "") -> list[str]:
    """Give roles what they need and no more, in all tables; return what to tell the operator.

    Roles that an earlier call gave rights have them in new tables, too. Raises `NotOwner`,
    `NotFound` for a role that is not there, and `Invalid` for one that can do more however little
    it is given. Then nobody's rights change.
    """
    if not is_owner():
        raise NotOwner
    with transaction.atomic():
        adding, reading = _known()
        if reader in adding | {application} - {""}:
            raise Invalid(f"{reader} is the application's role. Name another one to read.")
        for role in sorted(adding | {application} - {""}):
            rights = ((NARROW.get(table, ANY_TABLE), table) for table in _tables())
            _give(role, rights, sequences="SELECT, USAGE")
            _require_no_more(role, adds=True)
            adding.add(role)
        for role in sorted(reading | {reader} - {"", application}):
            rights = (("SELECT", table) for table in _tables() if table.startswith("ledger_"))
            _give(role, rights, sequences="SELECT")
            _require_no_more(role, adds=False)
            reading.add(role)
    return [
        *(f"{role} may use the tables, and only add to the ledger." for role in sorted(adding)),
        *(f"{role} may read the ledger." for role in sorted(reading - adding)),
    ]


def more_than_needed(role: str, *, adds: bool) -> str:
    """Return in words what a role can do to the ledger beyond its task; "" if nothing.

    `adds`: its task is to add to the ledger. Raises `NotFound`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS, [role, LEDGER])
        found = cursor.fetchone()
    if found is None:
        raise NotFound(f"This database knows no role {role}. `CREATE ROLE … LOGIN` makes one.")
    superuser, owner, changes, creates, writes = found
    if superuser:
        return "is a superuser"
    if owner:
        return "has the rights of the owner of the tables"
    if changes:
        return "may delete from the ledger, or put triggers on it"
    if creates:
        return "may make tables and functions beside those of Kinward"
    return "may write to the ledger" if writes and not adds else ""


def _known() -> tuple[set[str], set[str]]:
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [LEDGER])
        known = dict(cursor.fetchall())
    adding = {role for role, adds in known.items() if adds}
    return adding, known.keys() - adding


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [name for (name,) in cursor.fetchall()]


def _give(role: str, rights: Iterable[tuple[str, str]], *, sequences: str) -> None:
    """Take all rights in the tables from a role, and give it these."""
    more_than_needed(role, adds=True)  # that it is there
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        names = {"role": sql.Identifier(role), "schema": sql.Identifier(cursor.fetchall()[0][0])}
        for statement in (
            "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",
            "REVOKE ALL ON SCHEMA {schema} FROM {role}",
            "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
            "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT {sequences} ON ALL SEQUENCES IN SCHEMA {{schema}} TO {{role}}",
        ):
            cursor.execute(sql.SQL(statement).format(**names))
        for right, table in rights:
            statement = f"GRANT {right} ON {{table}} TO {{role}}"
            cursor.execute(sql.SQL(statement).format(table=sql.Identifier(table), **names))


def _require_no_more(role: str, *, adds: bool) -> None:
    if more := more_than_needed(role, adds=adds):
        raise Invalid(f"The role {role} {more}. Make another one for this: `CREATE ROLE … LOGIN`.")
