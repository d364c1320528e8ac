"""Columns whose values have one text, whatever an earlier version stored."""

from typing import Any

from django.db import models

from kinward.ground.addresses import normal_address


class AddressField(models.GenericIPAddressField):  # type: ignore[type-arg]
    """An IP address in its one text. Rows of earlier versions are read in it, too."""

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        """Return the one text of a stored address."""
        return None if value is None else normal_address(value)

    def get_prep_value(self, value: Any) -> Any:
        """Store the one text, and look for it. Raises `Invalid`."""
        return None if value is None else normal_address(str(value))

    def deconstruct(self) -> Any:
        """Stay Django's own column in migrations: nothing about the table differs."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.GenericIPAddressField", args, options
