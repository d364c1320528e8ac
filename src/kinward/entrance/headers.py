"""The security headers of every answer, whoever made it."""

from collections.abc import Iterable
from typing import Final

HSTS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
# An answer of its own needs nothing from anywhere. Pages say what they need.
ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)

Headers = list[tuple[bytes, bytes]]


def guarded(headers: Iterable[tuple[bytes, bytes]], *, secure: bool) -> Headers:
    """Return the headers of an answer, with those that it lacks. `secure`: over TLS only."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    wanted = (*ALWAYS, HSTS) if secure else ALWAYS
    return given + [(name, value) for name, value in wanted if name not in names]
