"""Problems of a pack. Each names its file and line."""

from typing import Literal

import msgspec

from kinward.ground.errors import KinwardError

Level = Literal["error", "notice"]


class Problem(msgspec.Struct, frozen=True, order=True):
    """One problem. An `error` makes the pack unusable, and a `notice` asks for a second look."""

    file: str
    line: int
    level: Level
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.level}: {self.text}"


class PackInvalid(KinwardError):
    """This policy pack cannot be used."""

    code = "pack.invalid"
    status = 422

    def __init__(self, problems: list[Problem] | str) -> None:
        self.problems = [] if isinstance(problems, str) else sorted(problems)
        text = problems if isinstance(problems, str) else "\n".join(map(str, self.problems))
        super().__init__(text)


class PackExpired(KinwardError):
    """This exported pack has expired. Export it again."""

    code = "pack.expired"
    status = 422


class SignatureRefused(KinwardError):
    """This exported pack was not signed with the key you trust."""

    code = "pack.signature_refused"
    status = 422
