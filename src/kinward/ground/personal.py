"""What each table holds of a person: each room declares it, in its `personal.py`.

The declarations are the one source of the export of a person's data and of its erasure. A test
fails for a table that nobody declared. The room `erasure` reads them, and knows no table itself.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from django.db import models
from django.db.models import Q

ERASED: Final = "(erased)"  # stands where the name of an erased account stood


class Person(msgspec.Struct, frozen=True):
    """An account: its key in the database, and the platform's id of it."""

    pk: int
    platform_id: str

    @property
    def actor(self) -> str:
        """The account as an actor or a subject in the ledger and in columns."""
        return f"account:{self.platform_id}"


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a table that are about a person, and what becomes of them.

    `whose`: lookups that lead from a row to the key of the account. `also`: rows that no lookup
    leads to. Such a row is deleted, or if it has values in `blank`, it stays with these instead.
    `mentions`: columns in which any row may have the platform's id of the account: a text, or an
    array of texts. Of a column of JSON it is `column.key`: the texts under that key, and no others,
    since an account may be called like any word. `acts`: columns in which any row may name the
    account as an actor. The name is replaced there. `ids`: columns with ids (UUIDs) by which
    entries, jobs and answers name the row.

    `told`: the columns that the person's export shows, of the rows that `shown` leaves. `untold`:
    why it shows none.
    """

    model: type[models.Model]
    whose: tuple[str, ...] = ()
    also: Callable[[Person], Q] | None = None
    blank: Mapping[str, Any] = {}
    mentions: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    ids: tuple[str, ...] = ("pk",)
    told: tuple[str, ...] = ()
    shown: Callable[[Person], Q] | None = None
    untold: str = ""

    def rows(self, person: Person) -> Any:
        """Return the rows about a person, as a query."""
        about = self.also(person) if self.also else Q()
        for lookup in self.whose:
            about |= Q(**{lookup: person.pk})
        rows = self.model._default_manager.all()
        return rows.filter(about).distinct() if about else rows.none()


class Delay(msgspec.Struct, frozen=True):
    """Why an account cannot be erased yet, and from when on it can. None: nobody knows yet.

    `told`: whether the platform hears that it has to wait. Only for what it knows already: a day
    that is a year ahead, or that there is a day at all, would tell of a report to an authority.
    """

    why: str
    until: datetime | None = None
    told: bool = False


class Going(msgspec.Struct, frozen=True):
    """What goes with a person: the keys of rows by table, and the ids of all these rows."""

    person: Person
    rows: Mapping[type[models.Model], list[Any]]
    ids: list[str]

    @property
    def names(self) -> list[str]:
        """The texts that name the account or one of its rows, wherever they stand.

        The platform's id alone is none of them. It may be `17`, or a word that means something
        else in the rows of others: compare it only where an account's id stands.
        """
        return [*self.ids, self.person.actor]


Delays = Callable[[Person], Iterable[Delay]]
Scrub = Callable[[Going], None]

_holdings: Final[list[Holding]] = []
_nobodys: Final[dict[type[models.Model], str]] = {}
_delays: Final[dict[str, Delays]] = {}
_scrubs: Final[dict[str, Scrub]] = {}


def holds(*holdings: Holding) -> None:
    """Declare what tables hold of a person."""
    _holdings.extend(holdings)


def holds_nobody(why: str, *tables: type[models.Model]) -> None:
    """Say why tables hold nothing of a person."""
    _nobodys.update(dict.fromkeys(tables, why))


def delayed_by(delays: Delays) -> Delays:
    """Declare a function that yields why an account cannot be erased yet."""
    _delays[f"{delays.__module__}.{delays.__qualname__}"] = delays
    return delays


def scrubbed_by(scrub: Scrub) -> Scrub:
    """Declare a function that removes what rows do not show, such as records packed into blocks.

    It is called in the transaction of the erasure, before rows go, with the keys of those that go.
    """
    _scrubs[f"{scrub.__module__}.{scrub.__qualname__}"] = scrub
    return scrub


def holdings() -> list[Holding]:
    """Return every declaration, in the order in which rooms made them."""
    return list(_holdings)


def nobodys_tables() -> Mapping[type[models.Model], str]:
    """Return the tables that hold nothing of a person, each with the reason."""
    return _nobodys


def delays_of(person: Person) -> list[Delay]:
    """Return all that delays the erasure of an account."""
    return [delay for delays in _delays.values() for delay in delays(person)]


def scrubs() -> list[Scrub]:
    """Return every function that removes what rows do not show."""
    return list(_scrubs.values())
