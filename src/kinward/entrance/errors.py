"""Why a request goes no further than the entrance."""

from typing import Final

from kinward.ground.errors import KinwardError

UNKNOWN: Final = 2  # seconds: of a fault that has no queue, such as a database that is away


class TooLarge(KinwardError):
    """The body is too large."""

    code = "body.too_large"
    status = 413


class TooSlow(KinwardError):
    """The body did not arrive in time."""

    code = "body.too_slow"
    status = 408


class HeadersTooLarge(KinwardError):
    """The request's headers or its address are too large."""

    code = "headers.too_large"
    status = 431


class TooManyAtOnce(KinwardError):
    """Too many requests at once. Try again in a moment."""

    code = "address.busy"
    status = 429


class Unavailable(KinwardError):
    """Kinward cannot reach its database. Hold the upload back and try again."""

    code = "state.unavailable"
    status = 503


class Elsewhere(KinwardError):
    """Another port answers this address."""

    code = "door.elsewhere"
    status = 421


class Disconnected(Exception):
    """The caller has closed the connection, so no answer can be sent."""


def retry_after(error: KinwardError) -> int | None:
    """Return the seconds of the header `Retry-After`, or None if waiting does not help."""
    known = error.retry_seconds
    return UNKNOWN if known is None and error.status in {429, 503} else known
