"""Roles of the database: an owner makes the tables, the application uses them, a reader reads.

Only `kinward migrate` and `kinward restore` run as the owner. Whoever takes over another process of
Kinward has the application's role, which can neither change a table nor drop a trigger.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from django.db import connection, transaction
from psycopg import sql

from kinward.cli.first_run import NotOwner
from kinward.ground.errors import Invalid, NotFound
from kinward.ground.locks import in_turn
from kinward.ledger.api import APPLICATION_RIGHTS, LEDGER, Rights

LOCK: Final = "cli.grants"
ANY_TABLE: Final = Rights(frozenset({"INSERT", "UPDATE", "DELETE"}))
NARROW: Final[Mapping[str, Rights]] = {
    **APPLICATION_RIGHTS,
    "django_migrations": Rights(frozenset()),
}
NOTHING: Final = Rights(frozenset())
PARAMETERS: Final = 150_000  # the version of PostgreSQL from which on a parameter can be granted

_TABLES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
_IS_OWNER: Final = """
SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass
"""
_ROLE: Final = """
SELECT rolsuper, rolcreaterole OR rolreplication OR rolbypassrls OR rolcreatedb,
  ARRAY(
    SELECT other.rolname FROM pg_roles AS other
    WHERE other.oid <> role.oid AND other.rolname <> 'pg_database_owner'  -- follows from another
      AND pg_has_role(role.oid, other.oid, 'MEMBER')
  ),
  EXISTS (
    SELECT FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass AND refobjid = role.oid AND deptype = 'o'
      AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  ),
  has_database_privilege(role.oid, current_database(), 'CREATE') OR EXISTS (
    SELECT FROM pg_namespace
    WHERE nspname !~ '^pg_(toast_)?temp_' AND has_schema_privilege(role.oid, oid, 'CREATE')
  )
FROM pg_roles AS role WHERE rolname = %s
"""
_PARAMETER: Final = """
SELECT parname FROM pg_parameter_acl WHERE has_parameter_privilege(%s, parname, 'SET, ALTER SYSTEM')
"""
_CAN: Final = """
SELECT relname, ARRAY(
  SELECT name FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES',
    'TRIGGER']) AS name WHERE has_table_privilege(%(role)s, pg_class.oid, name)
), ARRAY(
  SELECT attname FROM pg_attribute
  WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    AND has_column_privilege(%(role)s, attrelid, attnum, 'UPDATE, REFERENCES')
), has_any_column_privilege(%(role)s, oid, 'INSERT')
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_SET_NUMBERS: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace
  AND CASE WHEN relkind = 'S' THEN has_sequence_privilege(%(role)s, oid, 'UPDATE') END
"""


class Shared(msgspec.Struct, frozen=True):
    """The roles that have rights. A comment on the ledger says so, which only its owner writes."""

    application: list[str] = []
    reader: list[str] = []


def is_owner() -> bool:
    """Return whether this connection has the rights of the owner of the tables."""
    return bool(_rows(_IS_OWNER, [LEDGER])[0][0])


def this_role() -> str:
    """Return the role of this connection."""
    return str(_rows("SELECT current_user")[0][0])


def may_add() -> bool:
    """Return whether this connection may add to the ledger."""
    return bool(_rows("SELECT has_table_privilege(%s, 'INSERT')", [LEDGER])[0][0])


def grant(application: str = "", reader: str = "") -> list[str]:
    """Give roles what they need and no more, in all tables; return what to tell the operator.

    Roles that were named in an earlier call have their rights in new tables, too. No other role is
    touched. Raises `NotOwner`, `NotFound` for a role that is not there, and `Invalid` for one that
    can do more however little it is given. Then nobody's rights change. Waits for its turn.
    """
    if not is_owner():
        raise NotOwner
    with transaction.atomic():
        in_turn(LOCK)
        known = _shared()
        adding = sorted({*known.application, application} - {""})
        reading = sorted({*known.reader, reader} - {"", *adding})
        if reader and reader not in reading:
            raise Invalid(f"{reader} is the application's role. Name another one to read.")
        for role in adding:
            _give(role, adds=True)
        for role in reading:
            _give(role, adds=False)
        if (shared := Shared(adding, reading)) != known:
            _note(shared)
    return [
        *(f"{role} may use the tables, and only add to the ledger." for role in adding),
        *(f"{role} may read the ledger." for role in reading),
    ]


def more_than_needed(role: str, *, adds: bool) -> str:
    """Return in words what a role can do beyond its task, by whatever way; "" if nothing.

    `adds`: it is the application, and not a reader. Raises `NotFound`.
    """
    superuser, attributes, memberships, owns, creates = _found(role)
    if superuser:
        return "is a superuser"
    if owns:
        return "owns something in this database"
    if memberships:
        return f"has the rights of {memberships[0]}"
    if attributes:
        return "may make roles or databases, replicate, or pass by the security of rows"
    if creates:
        return "may make schemas, tables or functions beside those of Kinward"
    if connection.pg_version >= PARAMETERS and (named := _rows(_PARAMETER, [role])):  # type: ignore[attr-defined]
        return f"may set the parameter {named[0][0]}"
    return next(_excess(role, adds=adds), "")


def _found(role: str) -> tuple[Any, ...]:
    """Return what a role is, beside its rights in tables. Raises `NotFound`."""
    found = _rows(_ROLE, [role])
    if not found:
        raise NotFound(f"This database knows no role {role}. `CREATE ROLE … LOGIN` makes one.")
    return found[0]


def _excess(role: str, *, adds: bool) -> Iterator[str]:
    """Yield each right in a table, a column or a sequence beyond those that are given."""
    for table, rights, columns, inserts in _rows(_CAN, {"role": role}):
        may = _may(table, adds=adds)
        reads = adds or table.startswith("ledger_")
        if beyond := set(rights) - may.table - ({"SELECT"} if reads else set()):
            yield f"may do this with {table}: {', '.join(sorted(beyond))}"
        if "UPDATE" not in may.table and (beyond := set(columns) - may.columns):
            yield f"may write to {table}: {', '.join(sorted(beyond))}"
        if inserts and "INSERT" not in may.table:
            yield f"may add to {table}"
    for (name,) in _rows(_SET_NUMBERS, {"role": role}):
        yield f"may set the numbers of {name}"


def _may(table: str, *, adds: bool) -> Rights:
    return NARROW.get(table, ANY_TABLE) if adds else NOTHING


def _give(role: str, *, adds: bool) -> None:
    """Take all rights in the tables from a role, give it its own, and see that it has no more."""
    _found(role)
    tables = [name for (name,) in _rows(_TABLES)]
    schema = sql.Identifier(_rows("SELECT current_schema()")[0][0])
    names = {"role": sql.Identifier(role), "schema": schema}
    sequences = "SELECT, USAGE" if adds else "SELECT"
    for statement in (
        "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA {schema} FROM {role}",
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
        "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT {sequences} ON ALL SEQUENCES IN SCHEMA {{schema}} TO {{role}}",
    ):
        _run(statement, **names)
    for table in tables:
        if adds or table.startswith("ledger_"):
            may = _may(table, adds=adds)
            rights = ["SELECT", *sorted(may.table)]
            if may.columns:
                rights.append(f"UPDATE ({', '.join(sorted(may.columns))})")
            _run(f"GRANT {', '.join(rights)} ON {{table}} TO {{role}}", table=table, **names)
    if more := more_than_needed(role, adds=adds):
        raise Invalid(f"The role {role} {more}. Make another one for this: `CREATE ROLE … LOGIN`.")


def _shared() -> Shared:
    """Return the roles that an earlier call named and that are here: none of another server."""
    ((text,),) = _rows("SELECT obj_description(%s::regclass, 'pg_class')", [LEDGER])
    try:
        said = msgspec.json.decode(text or "{}", type=Shared)
    except msgspec.DecodeError:
        return Shared()
    here = {name for (name,) in _rows("SELECT rolname FROM pg_roles")}
    return Shared(
        [role for role in said.application if role in here],
        [role for role in said.reader if role in here],
    )


def _note(shared: Shared) -> None:
    text = sql.Literal(msgspec.json.encode(shared).decode())
    _run("COMMENT ON TABLE {table} IS {text}", table=LEDGER, text=text)


def _rows(query: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _run(statement: str, **names: Any) -> None:
    parts = {
        name: sql.Identifier(each) if isinstance(each, str) else each
        for name, each in names.items()
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**parts))
