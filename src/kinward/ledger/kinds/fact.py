"""What an entry of the ledger says: the base of every kind."""

from functools import cache
from typing import Annotated, Any, ClassVar, get_args, get_type_hints

import msgspec

# What a person typed, or a name or address. The entry holds a commitment to it, and the words are
# in a row of their own, so that they can be erased.
Words = Annotated[str, msgspec.Meta(description="words")]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry says beside who, when and about what. `kind` names it in the ledger.

    Its fields are ids, codes, names of rows, numbers, times and digests, or `Words`.
    """

    kind: ClassVar[str]

    @property
    def data(self) -> dict[str, Any]:
        """Return the fields as JSON values, with the words themselves."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields


@cache
def words_of_kind(fact: type[Fact]) -> tuple[str, ...]:
    """Return the names of the fields of a kind that are `Words`."""
    hints = get_type_hints(fact, include_extras=True)
    return tuple(name for name, hint in hints.items() if Words in (hint, *get_args(hint)))
