"""A person's data: `GET /v1/accounts/{id}/data` and `POST /v1/accounts/{id}/erasure`."""

from typing import Any

import msgspec

from kinward.erasure.api import HeldData, Wanted, export_data, want_erasure
from kinward.gate.calls import Call


class HeldTable(msgspec.Struct, frozen=True):
    """The rows of one table about a person, oldest first. `more` rows are left out."""

    table: str
    rows: list[dict[str, Any]]
    more: int


class PersonsData(msgspec.Struct, frozen=True):
    """What is held of a person, and why some tables are withheld from everybody."""

    account_id: str
    held: list[HeldTable]
    withheld: dict[str, str]


class ErasureAnswer(msgspec.Struct, frozen=True):
    """How far an erasure is. It `waits` until the platform has deleted the account."""

    account_id: str
    state: Wanted


def see_data(call: Call[None], account_id: str) -> PersonsData:
    """Return what is held of a person, and nothing about anybody else."""
    data: HeldData = export_data(account_id)
    held = [HeldTable(one.table, one.rows, one.more) for one in data.held]
    return PersonsData(data.account_id, held, data.withheld)


def want_account_erased(call: Call[None], account_id: str) -> ErasureAnswer:
    """Ask for an account to be erased. Two people carry it out once nothing keeps its data."""
    wanted = want_erasure(platform_id=account_id, actor=call.actor)
    return ErasureAnswer(account_id, wanted)
