"""Remove a person: rows of every room, names in other rows, jobs, and values of entries."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from kinward.erasure.errors import ErasureTakesTwo
from kinward.erasure.list import Line, hash_of, read_list
from kinward.erasure.models import Erasure
from kinward.erasure.registry import children_first, gathered, person_of
from kinward.ground.personal import ERASED, Going, Holding, scrubs
from kinward.ledger.api import Said, count_values, find_said, forget_said
from kinward.people.api import LockedAccount

AT_ONCE: Final = 1000  # keys in one statement
OF_ACCOUNTS: Final = ("account_id", "teen_id", "guardian_id")  # arguments with a row's key

Table = type[models.Model]

_JOBS: Final = """
DELETE FROM procrastinate_jobs WHERE EXISTS (
  SELECT FROM jsonb_each_text(args) AS said
  WHERE said.value = ANY(%(names)s) OR (said.key = ANY(%(keys)s) AND said.value = %(pk)s)
)
"""


class Plan(msgspec.Struct, frozen=True):
    """What a removal comes to: the keys of rows that go, of rows that stay without the person."""

    going: Going
    blanked: Sequence[tuple[Holding, list[Any]]]
    said: list[Said]

    @property
    def rows(self) -> int:
        """How many rows go."""
        return sum(map(len, self.going.rows.values()))

    @property
    def values(self) -> int:
        """How many values of entries go."""
        return count_values(self.said)


def plan_removal(account: LockedAccount) -> Plan:
    """Return what has to go of a person."""
    person = person_of(account)
    going: dict[Table, dict[Any, None]] = defaultdict(dict)
    blanked: list[tuple[Holding, list[Any]]] = []
    ids: set[str] = set()
    for holding in gathered():
        if not (holding.whose or holding.also):
            continue
        rows = list(holding.rows(person).order_by().values_list("pk", *holding.ids))
        keys = [row[0] for row in rows]
        if holding.blank:
            blanked.append((holding, keys))
        else:
            going[holding.model].update(dict.fromkeys(keys))
            ids |= {str(value) for row in rows for value in row[1:] if isinstance(value, UUID)}
    gone = {table: list(keys) for table, keys in going.items()}
    said = find_said(name=person.platform_id, ids=sorted(ids))
    return Plan(Going(person, gone, sorted(ids)), blanked, said)


def carry_out(plan: Plan, decided: Erasure | Line) -> None:
    """Remove it all, in the caller's transaction, which has its entry already.

    `decided`: the request that two people agreed to, or after a restore its line in the list.
    Raises `ErasureTakesTwo` if it is neither in the database nor in the list. The database refuses
    the whole if a row is left that points at one which went.
    """
    _require_decided(plan, decided)
    for scrub in scrubs():
        scrub(plan.going)
    forget_said(plan.said)
    _forget_jobs(plan)
    for holding, keys in plan.blanked:
        for some in _parts(keys):
            holding.model._default_manager.filter(pk__in=some).update(**holding.blank)
    for holding in gathered():
        for column in holding.mentions:
            _unname(holding.model, column, plan.going.person.platform_id)
        for column in holding.acts:
            _unname(holding.model, column, plan.going.person.actor)
    for table in children_first(plan.going.rows):
        _delete(table, plan.going.rows[table])
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _require_decided(plan: Plan, decided: Erasure | Line) -> None:
    if isinstance(decided, Line):
        named = decided.account == hash_of(plan.going.person.platform_id)
        if not named or decided not in read_list():
            raise ErasureTakesTwo
        return
    row = Erasure.objects.filter(pk=decided.pk).first()
    if row is None or not row.by_two or (row.rows, row.values) != (plan.rows, plan.values):
        raise ErasureTakesTwo


def _parts(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def _delete(table: Table, keys: Sequence[Any]) -> None:
    """Delete rows, and nothing with them: what points at them is declared, or it is refused."""
    for some in _parts(keys):
        for through, column in _links(table):
            rows = through._base_manager.filter(**{f"{column}__in": some})
            rows._raw_delete(rows.db)
        rows = table._base_manager.filter(pk__in=some)
        rows._raw_delete(rows.db)


def _links(table: Table) -> Iterator[tuple[Any, str]]:
    """Yield the tables of many-to-many links to a table, each with its column."""
    for field in table._meta.get_fields(include_hidden=True):
        through = getattr(field, "through", None)
        if field.many_to_many and through is not None:
            for column in through._meta.concrete_fields:
                if column.related_model is table:
                    yield through, column.name


def _forget_jobs(plan: Plan) -> None:
    key = str(plan.going.person.pk)
    values: dict[str, Any] = {"names": plan.going.names, "keys": list(OF_ACCOUNTS), "pk": key}
    with connection.cursor() as cursor:
        cursor.execute(_JOBS, values)


def _unname(table: Table, column: str, name: str) -> None:
    """Replace a name in a column of any row, or under a key of a column of JSON."""
    column, _, key = column.partition(".")
    rows = table._default_manager.all()
    if key:
        _unname_json(table, column, key, name)
    elif isinstance(table._meta.get_field(column), ArrayField):
        for row in rows.filter(**{f"{column}__contains": [name]}):
            left = [one for one in getattr(row, column) if one != name]
            rows.filter(pk=row.pk).update(**{column: left})
    else:
        rows.filter(**{column: name}).update(**{column: ERASED})


def _unname_json(table: Table, column: str, key: str, name: str) -> None:
    found = (
        f'SELECT "{table._meta.pk.column}", {column} FROM {table._meta.db_table} '  # noqa: S608
        f"WHERE jsonb_path_exists({column}, '$.**.\"{key}\" ? (@ == $name)', "
        "jsonb_build_object('name', %s::text))"
    )
    with connection.cursor() as cursor:
        cursor.execute(found, [name])
        rows = cursor.fetchall()
    for pk, value in rows:
        known = json.loads(value) if isinstance(value, str) else value
        left = _without(known, key, name)
        table._default_manager.filter(pk=pk).update(**{column: left})


def _without(value: Any, key: str, name: str, *, under: bool = False) -> Any:
    """Return a value without a name in the texts under a key, and in lists of texts there."""
    if isinstance(value, dict):
        return {one: _without(part, key, name, under=one == key) for one, part in value.items()}
    if isinstance(value, list):
        return [_without(part, key, name, under=under) for part in value]
    return ERASED if under and value == name else value
