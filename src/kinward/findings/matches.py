"""From the matches of a checked file to a finding. Uploads and grown lists share this road."""

from collections.abc import Sequence

from django.db.models import Q

from kinward.access import Actor
from kinward.casebook.api import (
    GIVEN_BACK,
    MATCH,
    Case,
    CaseState,
    Finding,
    Verdict,
    names_by_people,
)
from kinward.evidence.api import seal_file
from kinward.exchanges.api import OpinionKind, give_opinion
from kinward.findings.opening import open_or_join
from kinward.matching.api import Check, Match, guard, record_floods
from kinward.people.api import LockedAccount


def add_match(
    *,
    account: LockedAccount,
    check: Check,
    matches: Sequence[Match],
    data: bytes | None,
    actor: Actor,
) -> Case:
    """Make a finding of what a check matched, and seal its file if `data` is there.

    If a hash hits many accounts at once, the finding waits for a person.
    """
    hashes = [match.hash for match in matches]
    guarded = guard(account, hashes)

    def joined(case: Case) -> None:
        give_opinion(hashes=hashes, kind=OpinionKind.SEEN, actor=actor)
        if data is not None:
            seal_file(case_id=case.id, check=check, data=data, actor=actor)

    sensed = MATCH.of_check(
        check, matches, given_back=_was_given_back(check), waits=bool(guarded.held)
    )
    case = open_or_join(sensed, account=account, actor=actor, joined=joined)
    record_floods(guarded.began)
    return case


def _was_given_back(check: Check) -> bool:
    """Return whether a person gave this account the same content, or the same bytes, back before.

    A user report may have been about anything: it counts only if a verdict had banked its content.
    """
    same = Check.objects.filter(account=check.account_id, sha256=check.sha256).exclude(sha256="")
    contents = {check.content_id, *same.values_list("content_id", flat=True)}
    banked = Q(bank=True) | Q(consequence__everywhere=True) | Q(consequence__banks=True)
    confirmed = Verdict.objects.filter(banked, outcome=CaseState.CONFIRMED)
    by_people = Q(kind__in=names_by_people())
    findings = Finding.objects.filter(
        ~by_people | Q(by_people, case__verdicts__in=confirmed),
        void=False,  # given back because of a hash, about which people may change their minds
        content_id__in=contents,
        case__account=check.account_id,
        case__state__in=GIVEN_BACK,
    )
    return findings.exists()
