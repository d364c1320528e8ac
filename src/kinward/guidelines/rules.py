"""The guidelines as values: rules for findings, clauses and strikes. Pure.

The guidelines are one TOML document. `reading` judges a new document, `formats` decodes a stored
one, and `consequences` applies it.
"""

from typing import Final, Literal

import msgspec

# The kinds of incident in a report to an authority.
Incident = Literal[
    "imagery",
    "enticement",
    "trafficking",
    "tourism",
    "molestation",
    "misleading domain",
    "misleading words",
    "unsolicited",
]
Priority = Literal["imminent", "high", "normal"]
# What a finding is: a match by the bank that was hit, or `reported` by a person. A kind of finding
# that asks for rules of its own has a word of its own here.
Confidence = Literal["verified", "unverified", "reported"]
MATCHES: Final[tuple[Confidence, ...]] = ("verified", "unverified")
BY_PEOPLE: Final[tuple[Confidence, ...]] = ("reported",)  # such a finding never acts by itself
AtOnceContent = Literal["keep", "quarantine"]
AtOnceAccount = Literal["keep", "suspend"]
OnVerdictContent = Literal["keep", "remove", "remove everywhere"]
OnVerdictAccount = Literal["keep", "warn", "restrict", "suspend", "terminate"]
LONG_DAYS: Final = 365  # a suspension that lasts longer weighs as much as the end of the account
# The categories of a user report.
CATEGORIES: Final = (
    *("contact", "abuse", "image", "threats", "harm", "home", "bullying", "other", "guardian"),
)


class Silence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days the account holder is told nothing, and why."""

    days: int
    why: str


class Dsa(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clause in the words of the EU's DSA Transparency Database, without prefixes."""

    category: str
    keywords: tuple[str, ...] = ()
    illegal: bool = False


class FindingRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The effect of a kind of finding before a person has looked. It can always be undone.

    The first rule that fits a finding counts. `categories` are those of user reports, and `exact`
    requires a match byte for byte. `verdict` names a clause under which the rule alone confirms the
    finding, which is allowed for an exact match with a verified bank only.
    """

    id: str
    confidence: Confidence
    categories: tuple[str, ...] = ()
    exact: bool | None = None
    content: AtOnceContent = "keep"
    account: AtOnceAccount = "keep"
    priority: Priority = "normal"
    within_hours: int
    verdict: str = ""
    silence: Silence | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The consequence for an account `at` so many strikes. `days` of 0 means for good."""

    at: int
    account: OnVerdictAccount
    days: int = 0
    capabilities: tuple[str, ...] = ()


class Strikes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The steps of strikes. Each strike counts for `decay_days`."""

    decay_days: int
    step: tuple[Step, ...]


class Clause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One clause: its words in each language, and the consequences of a breach.

    A clause has either a fixed consequence for the `account`, or `strikes` whose steps decide.
    `report` is the kind of incident for the authority. `two_people`: each verdict under this clause
    takes a second person, also where Kinward would ask for none.
    """

    code: str
    title: dict[str, str]
    text: dict[str, str]
    content: OnVerdictContent = "remove"
    account: OnVerdictAccount | None = None
    days: int = 0
    capabilities: tuple[str, ...] = ()
    strikes: int = 0
    report: Incident | None = None
    block_registration: bool = False
    bank: bool = False
    two_people: bool = False
    silence: Silence | None = None
    dsa: Dsa | None = None

    @property
    def banks(self) -> bool:
        """Whether a person's confirmation banks the hashes without being asked to.

        What is removed everywhere is found by its hashes.
        """
        return self.bank or self.content == "remove everywhere"

    def says(self, language: str) -> tuple[str, str]:
        """Return the title and the text in a language, or in English where they are missing."""
        return (
            self.title.get(language) or self.title["en"],
            self.text.get(language) or self.text["en"],
        )


class Guidelines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of the whole document. An appeal is possible for `appeal_days`."""

    format: Literal[1]
    name: str
    version: str
    appeal_days: int
    appeal_answer_days: int
    finding: tuple[FindingRule, ...]
    strikes: Strikes
    clause: tuple[Clause, ...]

    @property
    def label(self) -> str:
        """The name and version, as in the ledger and on pages."""
        return f"{self.name} {self.version}"

    @property
    def clauses(self) -> dict[str, Clause]:
        """The clauses by their codes, in the document's order."""
        return {clause.code: clause for clause in self.clause}
