"""What the guidelines say: clauses, what a finding sets off at once, strikes. Pure.

A document of them is one TOML file. `reading` judges a new one, `formats` decodes a stored one,
and `consequences` applies it.
"""

from typing import Final, Literal

import msgspec

# What an authority is told of.
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
AtOnceContent = Literal["keep", "quarantine"]
AtOnceAccount = Literal["keep", "suspend"]
OnVerdictContent = Literal["keep", "remove", "remove everywhere"]
OnVerdictAccount = Literal["keep", "warn", "restrict", "suspend", "terminate"]
# What a person can report.
CATEGORIES: Final = (
    *("contact", "abuse", "image", "threats", "harm", "home", "bullying", "other", "guardian"),
)


class Silence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That the account holder is told nothing for so many days, and why not."""

    days: int
    why: str


class Dsa(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a clause is named in the EU's DSA Transparency Database, without the prefixes."""

    category: str
    keywords: tuple[str, ...] = ()
    illegal: bool = False


class FindingRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a kind of finding sets off before a person has looked: nothing that cannot be undone.

    The first rule that fits a finding is the one that counts. `categories` are those of reports by
    people; `exact` asks for a match byte for byte. `verdict` is a clause: the rule alone then
    confirms, which only an exact match with a verified bank allows.
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
    """What happens to an account that has come to so many strikes. No days means: for good."""

    at: int
    account: OnVerdictAccount
    days: int = 0
    capabilities: tuple[str, ...] = ()


class Strikes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How strikes add up. One counts for `decay_days`."""

    decay_days: int
    step: tuple[Step, ...]


class Clause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One clause: what it says in each language, and what breaking it comes to.

    Either `account` says what happens to the account, or `strikes` are counted and their steps do.
    `report` is the kind of incident that an authority is told of.
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
    silence: Silence | None = None
    dsa: Dsa | None = None

    def says(self, language: str) -> tuple[str, str]:
        """Its title and its text in a language, else in English."""
        return (
            self.title.get(language) or self.title["en"],
            self.text.get(language) or self.text["en"],
        )


class Guidelines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole document, at a version. Appeals may come for `appeal_days`."""

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
        """Its name and version, as the ledger and the pages have it."""
        return f"{self.name} {self.version}"

    @property
    def clauses(self) -> dict[str, Clause]:
        """The clauses by their codes, in order."""
        return {each.code: each for each in self.clause}
