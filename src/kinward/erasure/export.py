"""The export of what is held of a person, from the declarations of all rooms."""

from typing import Any

import msgspec
from django.db import models, transaction

from kinward.erasure.registry import gathered, person_of
from kinward.ground.personal import Holding, Person
from kinward.people.api import get_account

MOST = 10_000  # rows of one table in one answer


class HeldRows(msgspec.Struct, frozen=True):
    """The rows of one table about a person, oldest first. `more`: how many are left out."""

    table: str
    rows: list[dict[str, Any]]
    more: int = 0


class HeldData(msgspec.Struct, frozen=True):
    """All that a person is told of what is held of them, and which tables are withheld and why."""

    account_id: str
    held: list[HeldRows]
    withheld: dict[str, str]


@transaction.atomic
def export_data(platform_id: str) -> HeldData:
    """Return what is held of an account, without a word on anybody else. Raises `AccountUnknown`.

    A table counts as withheld whether or not it has rows about the person: nobody learns from the
    answer that there is a report or a dispute.
    """
    person = person_of(get_account(platform_id))
    declared = gathered()
    told = [holding for holding in declared if holding.told]
    withheld = {_name(one.model): one.untold for one in declared if not one.told}
    for holding in told:
        withheld.pop(_name(holding.model), None)
    held = [_rows(holding, person) for holding in told]
    return HeldData(platform_id, [rows for rows in held if rows.rows], withheld)


def _rows(holding: Holding, person: Person) -> HeldRows:
    rows = holding.rows(person)
    if holding.shown is not None:
        rows = rows.filter(holding.shown(person))
    found = list(rows.order_by("pk").values(*holding.told)[: MOST + 1])
    more = rows.count() - MOST if len(found) > MOST else 0
    return HeldRows(_name(holding.model), msgspec.to_builtins(found[:MOST]), more)


def _name(model: type[models.Model]) -> str:
    return f"{model._meta.app_label}.{model._meta.model_name}"
