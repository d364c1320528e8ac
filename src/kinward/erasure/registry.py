"""The declarations of all rooms, and the order in which rows go."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.module_loading import autodiscover_modules

from kinward.erasure.errors import ErasureDelayed
from kinward.ground.personal import Delay, Holding, Person, delays_of, holdings
from kinward.people.api import Account


def gathered() -> list[Holding]:
    """Return what each room declares. Loads the `personal.py` of each room.

    They are loaded here and not at the start, so that no door loads them.
    """
    autodiscover_modules("personal")
    return holdings()


def person_of(account: Account) -> Person:
    """Return an account as the person about whom tables hold something."""
    return Person(account.pk, account.platform_id)


def delays(person: Person) -> list[Delay]:
    """Return why the account cannot be erased yet; empty if it can."""
    gathered()
    return delays_of(person)


def require_erasable(person: Person) -> None:
    """Raise `ErasureDelayed` with each reason, and the day from which on it can be erased."""
    found = delays(person)
    if found:
        raise ErasureDelayed(" ".join(map(_sentence, found)))


def _sentence(delay: Delay) -> str:
    if delay.until is None:
        return delay.why
    return f"{delay.why.removesuffix('.')}, until {delay.until:%Y-%m-%d %H:%M} UTC."


def children_first(tables: Iterable[type[models.Model]]) -> list[type[models.Model]]:
    """Return tables in an order in which each comes before those that it points at."""
    left = list(dict.fromkeys(tables))
    ordered: list[type[models.Model]] = []
    while left:
        pointed = {_target(field) for table in left for field in table._meta.concrete_fields}
        free = [table for table in left if table not in pointed] or left[:1]
        ordered += free
        left = [table for table in left if table not in free]
    return ordered


def _target(field: Any) -> type[models.Model] | None:
    target: type[models.Model] | None = field.related_model
    return None if target is field.model else target
