"""An authority as a plug-in would bring it: reports are lines of a file in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from kinward.ground.config import Config, Section
from kinward.reporting.answer import Answer
from kinward.reporting.authority import Receipt
from kinward.reporting.filing import Filing, TryLater
from kinward.reporting.vocabulary import Vocabulary

ACCEPTED = 202


class TideSettings(Section, frozen=True, kw_only=True):
    """Where the reports go, and how many there can be."""

    prefix: ClassVar[str] = "tide"

    folder: Path
    most: int = 100


class Tide:
    """Its answers have no codes: HTTP 202 is a success. It confirms only when a file is there."""

    settings: ClassVar[type[TideSettings]] = TideSettings
    vocabulary: ClassVar[Vocabulary] = Vocabulary(
        classes=("red", "blue"),
        annotations={"loud": "Loud and often"},
        incidents=frozenset({"imagery"}),
        places=frozenset({"pages"}),
    )

    def __init__(self, config: Config, settings: TideSettings) -> None:
        self._folder = settings.folder

    @property
    def production(self) -> str:
        return ""

    def check(self) -> str:
        return f"{self._folder} is there."

    def prior(self, numbers: Sequence[str]) -> list[str]:
        return [f"earlier:{number}" for number in numbers]

    def succeeded(self, answer: Answer) -> bool:
        return answer.http_status == ACCEPTED

    def file(self, filing: Filing) -> Receipt:
        number = filing.call("submit", "a report", self._submit).body
        filing.call("confirm", number, self._confirm, repeatable=True)
        return Receipt(number, number)

    def withdraw(self, filing: Filing) -> Receipt | None:
        filing.restart("withdrawn")
        return None

    def submitted(self) -> list[str]:
        path = self._folder / "submitted"
        return path.read_text().splitlines() if path.exists() else []

    def _submit(self) -> Answer:
        number = f"T{len(self.submitted()) + 1}"
        with (self._folder / "submitted").open("a") as file:
            file.write(number + "\n")
        return Answer(ACCEPTED, None, number)

    def _confirm(self) -> Answer:
        if not (self._folder / "open").exists():
            raise TryLater("It is closed.")
        return Answer(ACCEPTED, None, "")
