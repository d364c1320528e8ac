"""How many bytes of bodies are kept in memory at a time, in all and for one address."""

import contextlib
from collections.abc import Callable, Iterator

from kinward.entrance.errors import TooManyAtOnce


class Budget:
    """At most `total` bytes at a time, and `each` of one address. Only what has arrived counts."""

    def __init__(self, *, total: int, each: int) -> None:
        self._total, self._each = total, each
        self._used = 0
        self._by_address: dict[str, int] = {}

    @contextlib.contextmanager
    def share(self, address: str) -> Iterator[Callable[[int], None]]:
        """Yield a function that takes bytes for an address, which are given back at the end.

        The function raises `TooManyAtOnce` where the budget does not allow more.
        """
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            used = self._by_address.get(address, 0) + count
            if used > self._each or self._used + count > self._total:
                raise TooManyAtOnce("Bodies that are not complete yet fill the memory for them.")
            self._by_address[address] = used
            self._used += count
            taken += count

        try:
            yield take
        finally:
            self._used -= taken
            left = self._by_address.get(address, 0) - taken
            if left:
                self._by_address[address] = left
            else:
                self._by_address.pop(address, None)
