"""Banked URLs whose query has several parts, and which of them a URL with more parts has. Pure.

A URL with many parts has too many choices of them to look each up. So the banked ones are looked up
among its parts, and no part that somebody adds hides a page.
"""

from collections import defaultdict

from kinward.matching.links import MAX_CHOICES


class Pages:
    """Banked URLs in normal form, each with a number. Not safe for threads."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[int, frozenset[str]]] = defaultdict(dict)
        self._places: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, number: int, form: str) -> None:
        """Add a URL, unless its query has fewer than two parts, which `links.forms` covers."""
        page, _, query = form.partition("?")
        if "&" not in query:
            return
        parts = query.split("&")
        place = self._places[number] = f"{page}?{min(parts)}"
        self._parts[place][number] = frozenset(parts)

    def remove(self, number: int) -> None:
        """Remove a URL. Idempotent."""
        place = self._places.pop(number, None)
        if place is None:
            return
        del self._parts[place][number]
        if not self._parts[place]:
            del self._parts[place]

    def find(self, form: str) -> set[int]:
        """Return the numbers of the URLs of which a form of a page has each part.

        >>> pages = Pages()
        >>> pages.add(7, "a.example/w?t=1&v=abc")
        >>> pages.find("a.example/w?a=1&b=1&c=1&t=1&v=abc&x=2")
        {7}
        """
        page, _, query = form.partition("?")
        asked = set(query.split("&"))
        known = (self._parts.get(f"{page}?{part}") for part in asked)
        return {number for urls in known if urls for number in urls if urls[number] <= asked}


def has_many_parts(form: str) -> bool:
    """Return whether the query of a URL has so many parts that its forms do not have each choice.

    >>> has_many_parts("a.example/w?t=1&v=abc"), has_many_parts("a.example/w?a&b&c&d&e&f")
    (False, True)
    """
    return form.count("&") >= MAX_CHOICES and "?" in form
