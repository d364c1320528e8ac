"""Counts in the sentences of the command line."""

from gettext import ngettext


def counted(number: int, singular: str, plural: str) -> str:
    """Return a number with the words for it, such as `1 file` or `2,000 files`."""
    return f"{number:,} {ngettext(singular, plural, number)}"
