"""The result of a check: fine, a warning or a fault."""

from typing import Final

import msgspec

from kinward.ground.calls_out import Limits

PROBE: Final = Limits(seconds=5.0, answer_bytes=64 * 1024)  # of the doctor's own calls


class Result(msgspec.Struct, frozen=True):
    """The result of one check. `level` is `ok`, `warning` or `fault`; `text` says what to do."""

    level: str
    text: str


def fine(text: str) -> Result:
    """Return a result that needs no action."""
    return Result("ok", text)


def warn(text: str) -> Result:
    """Return a warning: Kinward works, but a person should look at it."""
    return Result("warning", text)


def fault(text: str) -> Result:
    """Return a fault, with which the doctor exits with 1."""
    return Result("fault", text)
