"""Settle a flood: the hash is right and its cases go on, or it is wrong and they give all back."""

from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

import structlog
from django.db import transaction

from kinward.access import Actor, ActorKind, Permission
from kinward.access.api import Staff
from kinward.casebook.api import (
    MATCH,
    UNDECIDED,
    Case,
    CaseState,
    Finding,
    Verdict,
    finding_kind,
)
from kinward.ground.errors import KinwardError
from kinward.ground.locks import wait_for
from kinward.guidelines.api import guidelines_in_force
from kinward.matching.api import LOOKING_UP, HashHit, held_hashes, settle_flood_as_right
from kinward.people.api import lock_account
from kinward.verdicts.api import act_at_once, give_back_void, state_at_once

log = structlog.get_logger(__name__)


class FloodUnseen(KinwardError):
    """Nobody has confirmed a case of this hash. Look at one and confirm it first."""

    code = "flood.unseen"
    status = 409


@transaction.atomic
def release_flood(*, hash_id: int, staff: Staff) -> None:
    """Say that a hash is right, which the flood guard holds. Its further hits act again.

    Requires a case of the hash that a person has confirmed. Raises `FloodUnseen` or `NoFlood`.
    """
    settle_flood_as_right(hash_id=hash_id, actor=staff.actor)
    confirmed = Verdict.objects.filter(
        outcome=CaseState.CONFIRMED,
        given_by__isnull=False,
        case__in=[finding.case_id for finding in _of_hash(hash_id)],
    )
    if not confirmed.exists():
        raise FloodUnseen


def resume_flood(hash_id: int) -> int:
    """Let the undecided cases go on that waited for a hash. Returns how many. Idempotent.

    What the guidelines do at once is done now. Every verdict is left to a person.
    """
    wait_for(LOOKING_UP)
    cases = {finding.case_id for finding in _of_hash(hash_id) if finding.waits}
    return _for_all(cases, _resume_case)


@transaction.atomic
def _resume_case(case_id: UUID) -> bool:
    account = lock_account(Case.objects.values_list("account", flat=True).get(pk=case_id))
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    free = [finding for finding in case.findings.filter(waits=True) if not _still_waits(finding)]
    case.findings.filter(pk__in=[finding.pk for finding in free]).update(waits=False)
    if case.state not in UNDECIDED:
        return False
    guidelines = guidelines_in_force()
    for finding in free:
        finding.waits = False
        rule = finding_kind(finding.kind).rule(guidelines, finding)
        act_at_once(case, account, rule, finding.content_id)
        state_at_once(case, account, rule, guidelines)
    return bool(free)


def _still_waits(finding: Finding) -> bool:
    named = [int(ground.get("hash", 0)) for ground in finding.grounds]
    return bool(held_hashes(named))


def give_back_wrong(hash_id: int, by: str) -> int:
    """Give back what cases took because of a hash that is wrong. Returns how many did. Idempotent.

    `by`: the actor who called it wrong, as the ledger names them.
    """
    wait_for(LOOKING_UP)
    actor, staff = Actor.stored(by), None
    if actor.kind == ActorKind.STAFF:
        staff = Staff.objects.filter(username=actor.name).first()
    if staff is not None and not staff.may(Permission.WORK_ON_CASES):
        staff = None
    cases = {finding.case_id for finding in _of_hash(hash_id)}

    def give_back(case_id: UUID) -> bool:
        return give_back_void(case_id=case_id, hash_id=hash_id, actor=actor, staff=staff)

    return _for_all(cases, give_back)


def _for_all(cases: Iterable[UUID], act: Callable[[UUID], bool]) -> int:
    """Act on every case, and count those where it did something.

    A case that fails keeps no other from its turn. The first failure is raised at the end, so that
    the job is tried again.
    """
    count, failures = 0, list[KinwardError]()
    for case_id in sorted(cases):
        try:
            count += act(case_id)
        except KinwardError as failure:
            log.warning("findings.case_not_settled", case=str(case_id), error=failure.code)
            failures.append(failure)
    if failures:
        raise failures[0]
    return count


def _of_hash(hash_id: int) -> Iterator[Finding]:
    """Yield the findings that name a hash. Only accounts that hit it are asked."""
    accounts = HashHit.objects.filter(hash=hash_id).values("account")
    findings = Finding.objects.filter(kind=MATCH.name, case__account__in=accounts)
    for finding in findings.iterator(1000):
        if any(int(ground.get("hash", 0)) == hash_id for ground in finding.grounds):
            yield finding
