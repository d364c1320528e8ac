"""The kinds of findings: one class each, found by its name.

Whoever reads a finding asks its kind. Nobody infers the kind from the source row that is there.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, cast

import msgspec
from django.utils.translation import ngettext

from kinward.casebook.models import Finding, UserReport
from kinward.guidelines import Clause, Confidence, FindingRule, Guidelines, rule_for
from kinward.matching.api import DIGESTS, Check, Match, kind_of
from kinward.matching.api import Confidence as BankConfidence


class Ground(msgspec.Struct, frozen=True):
    """One reason, in words for a reviewer."""

    text: str
    verified: bool


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a finding asks the guidelines: which of their rules fits it."""

    confidence: Confidence
    exact: bool = False
    category: str = ""

    @property
    def verified(self) -> bool:
        """Whether it is a match with a verified list."""
        return self.confidence == "verified"


class FindingKind(ABC):
    """A kind of finding. A subclass with a `name` belongs in `FINDING_KINDS`.

    Its examples for the tests are in `tests/support/sensed.py`.

    `name` is stored in `Finding.kind`. `tally` is the name under which the queue counts it.
    `by_person`: a person reported it, so that nobody was found by automatic means.
    `of_file`: its words describe a file, and may stand in the place of the file.
    """

    name: ClassVar[str]
    tally: ClassVar[str]
    by_person: ClassVar[bool] = False
    of_file: ClassVar[bool] = False

    @abstractmethod
    def asks(self, finding: Finding) -> Asked:
        """Return what decides which rule of the guidelines fits a finding."""

    @abstractmethod
    def in_words(self, finding: Finding) -> list[Ground]:
        """Return the reasons for a finding, in words for a reviewer."""

    @abstractmethod
    def counted(self, confidence: str, count: int) -> str:
        """Return how many findings of one confidence there are, in words for the queue."""

    @abstractmethod
    def for_authority(self, finding: Finding) -> list[str]:
        """Return what a report says of a finding, line by line; empty if the files say it all."""

    def fits(self, finding: Finding, clause: Clause) -> bool:
        """Return whether a finding of this kind can be confirmed under a clause."""
        return True

    def contacts(self, finding: Finding) -> Iterator[tuple[str, str]]:
        """Yield accounts that the account was in contact with, by platform id, and why."""
        yield from ()

    def rule(self, guidelines: Guidelines, finding: Finding) -> FindingRule:
        """Return the rule of the guidelines that fits a finding.

        A finding that waits for a person keeps its content in quarantine and takes nothing else.
        """
        asked = self.asks(finding)
        rule = rule_for(
            guidelines,
            asked.confidence,
            exact=asked.exact,
            category=asked.category,
            given_back=finding.given_back,
        )
        if not finding.waits:
            return rule
        return msgspec.structs.replace(rule, content="quarantine", account="keep", verdict="")

    def sense(
        self,
        *,
        at: datetime,
        grounds: list[dict[str, Any]],
        content_id: str = "",
        given_back: bool = False,
        waits: bool = False,
        **source: Check | UserReport,
    ) -> Finding:
        """Return a finding that is in no case yet and not saved.

        `at` is the moment of what was sensed. `source` is the row that it comes from, by its field
        in `Finding`, for a kind that has one.
        """
        finding = Finding(
            kind=self.name,
            at=at,
            content_id=content_id,
            grounds=grounds,
            given_back=given_back,
            waits=waits,
            **source,
        )
        finding.confidence = self.asks(finding).confidence
        return finding


FLOODED: Final = Ground(
    "One of these hashes hit many accounts at once, so it may be wrong. A person decides.",
    verified=False,
)


class BankMatch(FindingKind):
    """A checked file hit hashes in banks. Each ground is one `Match`."""

    name = "match"
    tally = "match"
    of_file = True

    def of_check(
        self, check: Check, matches: Sequence[Match], *, given_back: bool, waits: bool = False
    ) -> Finding:
        """Return the finding that a check's matches come to. `waits`: the flood guard holds one."""
        return self.sense(
            at=check.uploaded_at,
            content_id=check.content_id,
            grounds=msgspec.to_builtins(matches),
            given_back=given_back,
            waits=waits,
            check_made=check,
        )

    def asks(self, finding: Finding) -> Asked:
        verified = [
            ground for ground in finding.grounds if ground["confidence"] == BankConfidence.VERIFIED
        ]
        return Asked(
            confidence="verified" if verified else "unverified",
            exact=any(ground["kind"] in DIGESTS for ground in verified or finding.grounds),
        )

    def in_words(self, finding: Finding) -> list[Ground]:
        words = [_match_in_words(ground) for ground in finding.grounds]
        return [*words, FLOODED] if finding.waits else words

    def fits(self, finding: Finding, clause: Clause) -> bool:
        """A verified list is about children. What an unverified one has may be anything."""
        about_children = clause.dsa is not None and clause.dsa.category == "PROTECTION_OF_MINORS"
        return about_children or clause.report is not None or not self.asks(finding).verified

    def counted(self, confidence: str, count: int) -> str:
        if confidence == BankConfidence.VERIFIED:
            return ngettext("%d verified match", "%d verified matches", count) % count
        return ngettext("%d unverified match", "%d unverified matches", count) % count

    def for_authority(self, finding: Finding) -> list[str]:
        return []

    def contacts(self, finding: Finding) -> Iterator[tuple[str, str]]:
        for platform_id in cast("Check", finding.check_made).sent_to:
            yield platform_id, f"was sent {finding.content_id}"


class UserReported(FindingKind):
    """A person reported an account, a contact or a content item. There is one ground."""

    name = "user_report"
    tally = "user_report"
    by_person = True

    def of_report(self, report: UserReport, *, title: str, writers: Sequence[str] = ()) -> Finding:
        """Return the finding that a user report comes to; `writers` wrote in its chat."""
        ground = {
            "kind": "user report",
            "title": title,
            "content_id": report.content_id,
            "text": report.text,
            "writers": list(writers),
        }
        return self.sense(
            at=report.at, content_id=report.content_id, grounds=[ground], user_report=report
        )

    def asks(self, finding: Finding) -> Asked:
        return Asked(confidence="reported", category=_report_of(finding).category)

    def in_words(self, finding: Finding) -> list[Ground]:
        ground = finding.grounds[0]
        quote = f" They wrote: {ground['text']}" if ground["text"] else ""
        about = f" Content {ground['content_id']}." if ground["content_id"] else ""
        return [Ground(f"A person reported: {ground['title']}.{about}{quote}", verified=False)]

    def fits(self, finding: Finding, clause: Clause) -> bool:
        """What was shown needs something that was posted; what was said does not."""
        return clause.report != "imagery" or bool(finding.content_id)

    def counted(self, confidence: str, count: int) -> str:
        return ngettext("%d user report", "%d user reports", count) % count

    def for_authority(self, finding: Finding) -> list[str]:
        report = _report_of(finding)
        about = f", content {finding.content_id}" if finding.content_id else ""
        line = f"Reported by a user at {finding.at.isoformat()}{about}: {report.category}."
        # Further lines are indented, so that no text can pass for another line of the report.
        quote = "\n    ".join(report.text.splitlines())
        return [line, f"They wrote: {quote}"] if quote else [line]

    def contacts(self, finding: Finding) -> Iterator[tuple[str, str]]:
        for platform_id in finding.grounds[0].get("writers", []):
            yield platform_id, "wrote in the chat that was reported"


class Disputed(UserReported):
    """A teen says that somebody is not their guardian. Their user report names the pairing."""

    name = "dispute"


class Ward(FindingKind):
    """A guardian's account was ended for child safety. Somebody looks at the teen it guarded.

    A person decided about the guardian. It says nothing against the teen, so it weighs as little as
    one person's word.
    """

    name = "ward"
    tally = "ward"
    by_person = True

    def asks(self, finding: Finding) -> Asked:
        return Asked(confidence="reported", category="home")

    def in_words(self, finding: Finding) -> list[Ground]:
        text = (
            f"The account of a guardian, {finding.grounds[0]['guardian']}, was ended for child "
            "safety. Look whether this child is safe. Nothing is said against the child."
        )
        return [Ground(text, verified=False)]

    def counted(self, confidence: str, count: int) -> str:
        words = "%d child of an ended guardian", "%d children of ended guardians"
        return ngettext(*words, count) % count

    def for_authority(self, finding: Finding) -> list[str]:
        return [
            f"The account of this child's guardian, {finding.grounds[0]['guardian']}, was ended "
            f"for child safety before {finding.at.isoformat()}."
        ]

    def contacts(self, finding: Finding) -> Iterator[tuple[str, str]]:
        yield finding.grounds[0]["guardian"], "was this child's guardian"


class Intake(FindingKind):
    """Somebody who speaks for a child says what should become of a pairing, and is not known to us.

    It proves nothing and changes nothing until a person has asked the office itself.
    """

    name = "intake"
    tally = "intake"
    by_person = True

    def asks(self, finding: Finding) -> Asked:
        return Asked(confidence="reported", category="home")

    def in_words(self, finding: Finding) -> list[Ground]:
        said = finding.grounds[0]
        text = (
            f"Somebody who says to be a {said['who']} of {said['office']} writes: {said['text']} "
            f"Reference {said['reference']}. Ask the office itself, by an address that you looked "
            f"up yourself. They gave: {said['reach']}."
        )
        return [Ground(text, verified=False)]

    def counted(self, confidence: str, count: int) -> str:
        return ngettext("%d word for a child", "%d words for a child", count) % count

    def for_authority(self, finding: Finding) -> list[str]:
        said = finding.grounds[0]
        return [f"A {said['who']} of {said['office']} wrote about it: {said['reference']}."]


class Unreadable(FindingKind):
    """A finding of a kind that this version lacks: a newer one, or a plug-in that is gone.

    It stays in its case and waits for a person. It has no consequence of its own.
    """

    tally = "unreadable"

    def __init__(self, name: str = "") -> None:
        self.missing = name

    def asks(self, finding: Finding) -> Asked:
        return Asked(confidence="unverified")

    def in_words(self, finding: Finding) -> list[Ground]:
        text = f"This version of Kinward cannot read findings of the kind {self.missing!r}."
        return [Ground(f"{text} Ask an administrator before you decide.", verified=False)]

    def counted(self, confidence: str, count: int) -> str:
        return ngettext("%d unreadable finding", "%d unreadable findings", count) % count

    def for_authority(self, finding: Finding) -> list[str]:
        return []


MATCH: Final = BankMatch()
USER_REPORT: Final = UserReported()
DISPUTE: Final = Disputed()
WARD: Final = Ward()
INTAKE: Final = Intake()

# By name, in the order of the words in the queue.
FINDING_KINDS: Final[dict[str, FindingKind]] = {
    kind.name: kind for kind in (MATCH, USER_REPORT, DISPUTE, WARD, INTAKE)
}


def finding_kind(name: str) -> FindingKind:
    """Return the kind with the name that `Finding.kind` has, or `Unreadable` if there is none."""
    return FINDING_KINDS.get(name) or Unreadable(name)


def names_by_people() -> list[str]:
    """Return the names of the kinds that people report."""
    return [kind.name for kind in FINDING_KINDS.values() if kind.by_person]


def _report_of(finding: Finding) -> UserReport:
    return cast("UserReport", finding.user_report)  # the constraint on Finding says so


def _match_in_words(ground: dict[str, Any]) -> Ground:
    bank = f"the {ground['confidence']} bank “{ground['bank']}”"
    text = kind_of(str(ground["kind"])).in_words(bank, int(ground["distance"]))
    if ground.get("label"):
        text += f" The list calls it {ground['label']}."
    return Ground(text, ground["confidence"] == BankConfidence.VERIFIED)
