"""What an entry of the ledger says: the base of every kind."""

from typing import Any, ClassVar

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry says beside who, when and about what. `kind` names it in the ledger."""

    kind: ClassVar[str]

    @property
    def data(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields
