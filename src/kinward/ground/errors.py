"""One small hierarchy of errors: a stable code, an HTTP status and a sentence for the caller.

The API, the command line and the pages show the first line of a class's docstring. `detail` adds
the particulars of one occurrence: where, how much, and what to do.
"""

import math
from typing import Any, ClassVar, Final


class KinwardError(Exception):
    """Something went wrong inside Kinward."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        self.members: dict[str, Any] = {}  # further members of the problem document
        self.retry_after: float | None = None  # seconds after which another attempt is worth it
        super().__init__(f"{self.sentence} {detail}".strip())

    @property
    def retry_seconds(self) -> int | None:
        """The whole seconds of the header `Retry-After`, if it is known when to try again."""
        return None if self.retry_after is None else max(1, math.ceil(self.retry_after))

    @property
    def sentence(self) -> str:
        """The sentence for a person, without the particulars."""
        return (type(self).__doc__ or "").strip().splitlines()[0]

    @property
    def for_operator(self) -> str:
        """What an operator reads at the command line: without a title that only the API needs.

        Where the particulars are a whole answer, the general sentence before them is noise.
        """
        return self.detail if self.detail and type(self) in _GENERAL else str(self)

    def problem(self) -> dict[str, Any]:
        """The RFC 9457 problem document for this error."""
        return {
            "type": f"urn:kinward:problem:{self.code}",
            "title": self.sentence,
            "status": self.status,
            "code": self.code,
            **({"detail": self.detail} if self.detail else {}),
            **self.members,
        }


class NotFound(KinwardError):
    """There is nothing here by that name."""

    code = "not_found"
    status = 404


class Forbidden(KinwardError):
    """You may not do this."""

    code = "forbidden"
    status = 403


class Invalid(KinwardError):
    """The request is not in the form that this endpoint takes."""

    code = "invalid"
    status = 422


class NotConfigured(KinwardError):
    """A setting is missing. `kinward doctor` says which, and what to do."""

    code = "not_configured"
    status = 503


class SettingWrong(NotConfigured):
    """A setting has a value that it cannot have. `kinward doctor` says which, and what to do."""

    code = "config.wrong"


class NotInstalled(NotConfigured):
    """A part that this needs is not installed. `kinward doctor` says which."""

    code = "not_installed"


_GENERAL: Final = frozenset(
    {NotFound, Forbidden, Invalid, NotConfigured, SettingWrong, NotInstalled}
)
