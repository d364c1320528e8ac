"""What a page of JSON must have. A page that does not say so is never taken for an empty one."""

from typing import Any, TypeVar

from kinward.exchanges.bounds import FeedUnreadable

T = TypeVar("T")


def member(page: Any, name: str, kind: type[T]) -> T:
    """Return a member of a page. Raises `FeedUnreadable` if it is missing or of another type."""
    if not isinstance(page, dict):
        raise FeedUnreadable("It is not a JSON object.")
    value = page.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise FeedUnreadable(f"It has no {name}.")
    return value


def objects(page: Any, name: str, *, empty: bool = False) -> list[Any]:
    """Return a list of a page. `empty`: the page says that it has none, so null means none."""
    if isinstance(page, dict) and page.get(name) is None and empty:
        return []
    return member(page, name, list)


def mark_until(value: Any, start: int, began: int) -> int:
    """Return the time from which the next sync reads, once a span was read to its end.

    `value`: what the partner says. `start`: where the span starts. `began`: when its reading began.
    The mark is never later than `began`, because what changed after it may not have been read.
    Unix seconds. Without a number from the partner, the mark stays where it was.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        return start
    return max(start, min(value, began))
