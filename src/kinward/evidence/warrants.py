"""Warrants: what allows a grave act on an account. Only `issue_warrant` makes one.

Who carries out a grave act takes a `Warrant`, as who needs an account's lock takes a
`LockedAccount`. So no door, command, rule or plug-in goes round the check: a grave act needs
grounds that its decider saw, and some need a second person.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from kinward.access.api import Staff, TwoPeople, require_fresh_factor
from kinward.casebook.api import (
    FINDING_KINDS,
    MATCH,
    NOT_ON_ONE_WORD,
    TWO_PEOPLE,
    Act,
    Case,
    CaseState,
    Finding,
    Gravity,
    Verdict,
    VerdictProposal,
    finding_kind,
    require_fresh,
)
from kinward.evidence.authenticity import require_authentic_case
from kinward.evidence.models import Evidence
from kinward.evidence.queries import evidence_of_case, sealed_by, viewed_entirely, viewed_mostly
from kinward.ground.errors import KinwardError
from kinward.matching.api import DIGESTS, BankedHash, Check, Confidence, Flood, held_hashes

_MAKER: Final = object()
ONE_WORD: Final = "one_word"  # nothing speaks for it but one user report
MOSTLY: Final = "seen_mostly"  # no file that was seen can be shown entirely
BY_GUIDELINES: Final = "guidelines"  # the clause asks for a second person
NOT_HELD: Final = "not_held"  # it banks what the vault does not hold, so nobody can see it
NOTHING_HELD: Final = "nothing held"  # the ground of a second person where nothing can be seen
# What a list cannot be the ground for: it says the opposite of the list.
_AGAINST_A_LIST: Final = frozenset({Act.DISMISS_MATCH, Act.LEAVE_UNREPORTED})


class GroundsNeeded(KinwardError):
    """Nobody does this unseen. See a file to its end, or open the transcript, then decide."""

    code = "verdict.grounds_needed"
    status = 409


class SecondPersonNeeded(KinwardError):
    """Another person has to agree to this first."""

    code = "verdict.second_person_needed"
    status = 409

    def __init__(self, reasons: Collection[str] = ()) -> None:
        self.reasons = sorted(map(str, reasons))
        super().__init__()


class WarrantNeeded(KinwardError):
    """This is grave, and nothing allows it: no verdict with grounds that a person saw."""

    code = "act.warrant_needed"
    status = 409


@dataclass(frozen=True, slots=True)
class Warrant:
    """What allows grave acts in one case: who decided, and on which grounds."""

    case_id: UUID
    acts: frozenset[Act]
    grounds: tuple[str, ...]
    _maker: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._maker is not _MAKER:
            raise TypeError("Only `issue_warrant` makes a warrant.")


def require_warrant(warrant: Warrant | None, act: Act, case_id: UUID) -> None:
    """Raise `WarrantNeeded` unless an act is reversible, or a warrant of its case covers it."""
    if act.gravity is Gravity.REVERSIBLE:
        return
    if warrant is None or act not in warrant.acts or warrant.case_id != case_id:
        raise WarrantNeeded(f"The act is {act}.")


def require_two_people(agreed: TwoPeople) -> None:
    """Raise `WarrantNeeded` unless two people agreed to a request, as the database has it."""
    row = type(agreed)._default_manager.filter(pk=agreed.pk).first()
    if row is None or not row.by_two:
        raise WarrantNeeded("Nobody else has approved it.")


def issue_warrant(
    *, case: Case, verdict: Verdict, acts: Collection[Act], more: Collection[str] = ()
) -> Warrant:
    """Return the warrant for the acts of a verdict. Requires the case's row lock.

    Raises `GroundsNeeded` without grounds that the decider saw, `FactorNotFresh` at a console,
    `SecondPersonNeeded` where another person has to agree and has not, and `Damaged` for a grave
    act if one of its files is not the one that was sealed. A rule has the lists alone.
    `more`: further reasons for a second person.
    """
    acts, person = frozenset(acts), verdict.given_by
    grave = {act for act in acts if act.gravity is not Gravity.REVERSIBLE}
    if grave:
        require_authentic_case(case.pk)
    grounds = grounds_of(case, person, lists=not grave & _AGAINST_A_LIST) if grave else []
    if grave and not grounds:
        raise GroundsNeeded(_what_to_see(case))
    if person is not None:
        require_fresh(*acts)
    reasons = [*more, *reasons_for_two(case, grave, grounds)]
    if reasons and person is not None:
        require_fresh_factor()
    if reasons and not _agreed(case, verdict):
        raise SecondPersonNeeded(reasons)
    return Warrant(case.pk, acts, tuple(grounds), _MAKER)


def standing_warrant(verdict: Verdict) -> Warrant:
    """Return the warrant of a verdict that was concluded, for its jobs.

    Raises `WarrantNeeded` unless it stands. A verdict of an earlier version has no recorded
    grounds, and its case was settled under the rules of its day.
    """
    state = Case.objects.values_list("state", flat=True).get(pk=verdict.case_id)
    holds = state in (CaseState.CONFIRMED, CaseState.REPORTED, CaseState.ENFORCED)
    if not holds or verdict.outcome != CaseState.CONFIRMED or verdict.consequence is None:
        raise WarrantNeeded("Its verdict does not stand.")
    if verdict.grounds is None:
        acts = frozenset({Act.REMOVE_EVERYWHERE, Act.BANK})
        return Warrant(verdict.case_id, acts, ("earlier version",), _MAKER)
    acts = frozenset(act for act in Act if act in verdict.grave)
    return Warrant(verdict.case_id, acts, tuple(verdict.grounds), _MAKER)


def grounds_of(case: Case, person: Staff | None, *, lists: bool = True) -> list[str]:
    """Return what a grave act in a case may rest on, by name: the files that a person saw.

    With `lists`, exact matches of a verified list count, too, as long as nothing speaks against
    them. Without, a case of which nothing is held has that as its ground.
    """
    grounds = [] if person is None else [str(file) for file in _files_seen(case, person)]
    if lists:
        return grounds + [f"finding:{finding.pk}" for finding in exact_matches(case, standing=True)]
    return grounds or ([] if _to_see(case) else [NOTHING_HELD])


def has_something_to_see(case: Case) -> bool:
    """Return whether a grave act in a case could have grounds: a file, a chat, an exact match."""
    return bool(_to_see(case)) or bool(exact_matches(case, standing=True))


def grounded_checks(verdict: Verdict) -> QuerySet[Check]:
    """Return the checks of a case that its verdict may bank or remove everywhere.

    They are those of files that the decider saw, and of exact matches. What is not held, so that
    nobody can see it, takes the second person. All, for a verdict of an earlier version.
    """
    case = verdict.case
    checks = Check.objects.filter(account=case.account_id, content_id__in=_contents(case))
    if verdict.grounds is None:
        return checks
    files = _files(case)
    seen = files.filter(pk__in=_ids(verdict.grounds, "evidence"))
    exact = case.findings.filter(pk__in=_ids(verdict.grounds, "finding"))
    grounded = Q(sha256__in=seen.values("sha256")) | Q(pk__in=exact.values("check_made"))
    if verdict.proposal_id is not None:
        grounded |= ~Q(content_id__in=files.values("content_id"))
    return checks.filter(grounded)


def _files(case: Case) -> QuerySet[Evidence]:
    return Evidence.objects.filter(case=case).exclude(check_made=None)


def _contents(case: Case) -> list[str]:
    named = case.findings.exclude(content_id="")
    return sorted(set(named.values_list("content_id", flat=True)))


def _ids(named: Collection[str], kind: str) -> list[str]:
    return [
        name.removeprefix(f"{kind}:").partition(" ")[0]
        for name in named
        if name.startswith(f"{kind}:")
    ]


def reasons_for_two(case: Case, acts: Collection[Act], grounds: Collection[str] = ()) -> list[str]:
    """Return why some acts in a case take two people; empty if one is enough."""
    reasons = [str(act) for act in acts if act in TWO_PEOPLE]
    if NOT_ON_ONE_WORD & set(acts) and _on_one_word(case):
        reasons.append(ONE_WORD)
    if Act.BANK in acts and set(_contents(case)) - {file.content_id for file in _files(case)}:
        reasons.append(NOT_HELD)
    if grounds and all(ground.endswith(MOSTLY) for ground in grounds):
        reasons.append(MOSTLY)
    return sorted(reasons)


def exact_matches(case: Case, *, standing: bool) -> list[Finding]:
    """Return the exact matches of a case with verified lists.

    `standing`: only those that nothing speaks against. No person gave the same back before or
    called the hash wrong, no flood holds it, and it is on the list still. Otherwise all but those
    of a hash that once hit many accounts at once: it is wrong on more than one person's word.
    """
    return [
        finding
        for finding in case.findings.filter(kind=MATCH.name)
        if _is_exact(finding, standing=standing)
    ]


def verified_matches(case: Case) -> list[Finding]:
    """Return the matches of a case with verified lists, exact or near, that are not void."""
    matches = case.findings.filter(kind=MATCH.name, void=False)
    return [finding for finding in matches if finding_kind(finding.kind).asks(finding).verified]


def _is_exact(finding: Finding, *, standing: bool) -> bool:
    if finding.waits or (standing and (finding.void or finding.given_back)):
        return False
    exact = {
        int(ground.get("hash", 0))
        for ground in finding.grounds
        if ground["confidence"] == Confidence.VERIFIED and ground["kind"] in DIGESTS
    }
    if not standing:
        flooded = Flood.objects.filter(pk__in=exact, began_at__isnull=False)
        return bool(exact - set(flooded.values_list("pk", flat=True)))
    exact -= held_hashes(exact)
    live = BankedHash.objects.live().filter(pk__in=exact, bank__confidence=Confidence.VERIFIED)
    return live.exists()


def _files_seen(case: Case, person: Staff) -> list[Evidence | str]:
    """Return the files of a case that a person saw, but for a chat that they typed themselves."""
    seen: list[Evidence | str] = []
    for file in evidence_of_case(case.pk):
        if file.is_excerpt and sealed_by(file, person):
            continue
        if viewed_entirely(file, person):
            seen.append(file)
        elif viewed_mostly(file, person):
            seen.append(f"{file} {MOSTLY}")
    return seen


def _to_see(case: Case) -> list[Evidence]:
    """Return the files of a case that can be shown."""
    held = evidence_of_case(case.pk).filter(destroyed_at=None)
    return [file for file in held if file.decodable or file.is_excerpt]


def _what_to_see(case: Case) -> str:
    if not _to_see(case):
        return "This case has nothing to see, so it cannot end an account or become a report."
    return ""


def _on_one_word(case: Case) -> bool:
    """Return whether nothing speaks for a case but the word of one person, or of nobody known."""
    reporters = set[int | None]()
    for finding in case.findings.filter(void=False).select_related("user_report"):
        if finding.kind not in FINDING_KINDS:
            continue  # a plug-in's word, which this version cannot read
        if not finding_kind(finding.kind).by_person or finding.user_report is None:
            return False
        reporters.add(finding.user_report.reporter_id)
    return len(reporters) <= 1


def _agreed(case: Case, verdict: Verdict) -> bool:
    """Return whether another person agreed to this very verdict, or its moment has come."""
    if verdict.proposal_id is None:
        return False
    proposal = VerdictProposal.objects.get(pk=verdict.proposal_id)
    return (
        proposal.carried_out
        and proposal.case_id == case.pk
        and proposal.asked_by_id == verdict.given_by_id
        and (proposal.outcome, proposal.clause) == (verdict.outcome, verdict.clause)
    )
