"""A fresh second factor for what is grave: whoever is at the console shows it again.

The console says how long ago its person showed a factor. What is grave asks here, where it is
carried out, so that no page goes round it. Jobs, the API and the command line have no console.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from kinward.ground.config import config
from kinward.ground.errors import KinwardError

NEVER: Final = float("inf")
_age: ContextVar[float | None] = ContextVar("kinward_factor_age", default=None)


class FactorNotFresh(KinwardError):
    """This is grave. Confirm your second factor, then do it again."""

    code = "factor.not_fresh"
    status = 403


@contextmanager
def at_console(age: float) -> Iterator[None]:
    """Act for somebody at a console who showed a second factor this many seconds ago."""
    token = _age.set(age)
    try:
        yield
    finally:
        _age.reset(token)


def require_fresh_factor() -> None:
    """Raise `FactorNotFresh` if somebody at a console has not shown a second factor lately."""
    age = _age.get()
    if age is not None and age >= config().factor_minutes * 60:
        raise FactorNotFresh
