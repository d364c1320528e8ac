"""Authorities without a reporting API: a sealed package, and a person who hands it over.

The package is signed. It contains the report as JSON and PDF, and the files. Only the authority's
own key opens it. The report waits until a custodian records the hand-over and the authority's
number.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from kinward.evidence.api import PackageItem, check_recipient, write_package
from kinward.ground.config import Config, Section
from kinward.ground.errors import NotConfigured
from kinward.reporting.answer import Answer
from kinward.reporting.authority import Receipt
from kinward.reporting.draft import to_json
from kinward.reporting.filing import Filing, HandOverNeeded
from kinward.reporting.vocabulary import COMMON_ANNOTATIONS, INDUSTRY_CLASSES, Vocabulary

DONE: Final = 200


class HandOverSettings(Section, frozen=True, kw_only=True):
    """The keys that packages are sealed to (`name=age1…`, with commas), and their directory."""

    prefix: ClassVar[str] = "handover"

    keys: str = ""
    dir: str = ""


class HandOver:
    """An authority to which a person delivers the report. Subclasses differ in name and law."""

    code: ClassVar[str]
    title: ClassVar[str]

    settings: ClassVar[type[HandOverSettings]] = HandOverSettings
    vocabulary: ClassVar[Vocabulary] = Vocabulary(
        classes=INDUSTRY_CLASSES, annotations=COMMON_ANNOTATIONS
    )

    def __init__(self, config: Config, settings: HandOverSettings) -> None:
        self._config, self._settings = config, settings

    @property
    def production(self) -> str:
        """Empty: nothing leaves by itself, so there is nothing to guard."""
        return ""

    def check(self) -> str:
        """Return the key of the authority that packages are sealed to. Raises `NotConfigured`."""
        return f"{self.title}: packages are sealed to {self._recipient()[:16]}…"

    def prior(self, numbers: Sequence[str]) -> list[str]:
        """Return all of them: a person reads the numbers, whatever their form."""
        return list(numbers)

    def succeeded(self, answer: Answer) -> bool:
        """Return whether the package was written."""
        return answer.http_status == DONE

    def file(self, filing: Filing) -> Receipt:
        """Write the package once, then raise `HandOverNeeded`. It never returns a receipt."""
        path = self._path(filing)
        if not path.exists():
            write_package(
                path,
                recipients=[self._recipient()],
                title=f"Report to {self.title}",
                facts={
                    "Platform": filing.draft.platform,
                    "Account": filing.draft.account.platform_id,
                    "Incident": filing.draft.incident,
                    "At": filing.draft.incident_at.isoformat(),
                    "Report": str(filing.report.id),
                    **({"URGENT": filing.draft.escalate} if filing.draft.escalate else {}),
                },
                items=_items(filing),
            )
        filing.call("package", path.name, lambda: Answer(DONE, None, str(path)))
        raise HandOverNeeded(f"Deliver {path} to {self.title}, and record its number.")

    def withdraw(self, filing: Filing) -> Receipt | None:
        """Delete the package, which nobody has delivered yet."""
        self._path(filing).unlink(missing_ok=True)
        filing.restart("withdrawn")
        return None

    def _path(self, filing: Filing) -> Path:
        chosen = self._settings.dir
        base = Path(chosen) if chosen else self._config.data_dir / "handover"
        return base / self.code / f"{filing.report.id}.age"

    def _recipient(self) -> str:
        pairs = (pair.partition("=") for pair in self._settings.keys.split(","))
        keys = {name.strip(): key.strip() for name, _, key in pairs}
        if not keys.get(self.code):
            raise NotConfigured(f"Set the key of {self.title}: KINWARD_HANDOVER_KEYS={self.code}=…")
        return check_recipient(keys[self.code])


def _items(filing: Filing) -> Iterator[PackageItem]:
    report = msgspec.json.format(msgspec.json.encode(to_json(filing.draft)))
    yield PackageItem("report.json", report, "what is reported")
    for file in filing.draft.files:
        about = f"{file.filename or 'a file'}, {'seen' if file.viewed else 'not seen'} by a person"
        yield PackageItem(f"files/{file.evidence_id}", filing.read_file(file), about)


class NationalCrimeAgency(HandOver):
    """The authority of the UK (Online Safety Act 2023, s. 66; SI 2026/268, in force 2026-04-07).

    A report under another country's scheme counts as a report in the UK.
    """

    code = "nca"
    title = "the National Crime Agency"


class CybertipCa(HandOver):
    """Canada's tipline, run by the Canadian Centre for Child Protection."""

    code = "cybertip-ca"
    title = "Cybertip.ca"


class ESafety(HandOver):
    """Australia's eSafety Commissioner."""

    code = "esafety"
    title = "the eSafety Commissioner"


class EuAuthority(HandOver):
    """An authority of an EU member state, under Art. 18 of the Digital Services Act."""

    code = "eu"
    title = "a member state's authority"
