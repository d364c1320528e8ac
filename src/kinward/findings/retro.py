"""When a list grows: check content that was uploaded before again, and open findings.

Each check that could match is looked up exactly, and a match is treated like one of an upload. The
run can be killed at any moment. A finding is made in one transaction under the account's lock, and
one that exists already is not made again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import structlog
from django.db import transaction

from kinward.access import Actor
from kinward.casebook.api import Finding
from kinward.enforcement.api import is_removed
from kinward.findings.matches import add_match
from kinward.ground.locks import exclusive, sharing, wait_for
from kinward.ledger.api import kinds, record
from kinward.matching.api import (
    GROUP,
    LOOKING_UP,
    Check,
    Join,
    RetroRun,
    check_values,
    check_views,
    hashes_of_run,
    next_run,
    pack_checks,
    record_quiet,
    steps,
    survey,
)
from kinward.people.api import lock_account

log = structlog.get_logger(__name__)

ACTOR = Actor.system("retro")
MATCH_HELD = "findings.match_held"  # the job, and its lock


def retro_match(join: Join | None = None, group: int = GROUP) -> Iterator[RetroRun]:
    """Look for all hashes that are new since the last run; yield the run after each step.

    `join` joins `group` blocks at a time, on this machine by default. An interrupted run resumes
    after its last block. Two runs never overlap: the second returns at once.
    """
    with exclusive(MATCH_HELD) as mine:
        if not mine:
            log.info("retro.running_already")
            return
        while (run := next_run()) is not None:
            # Uploads that were looked up before these hashes were added have to be packed as well.
            wait_for(LOOKING_UP)
            pack_checks()
            yield run
            yield from _carry_out(run, join, group)


def _carry_out(run: RetroRun, join: Join | None, group: int) -> Iterator[RetroRun]:
    new = hashes_of_run(run)
    run.hashes = len(new)
    for step in steps(run, new, join, group) if len(new) else ():
        for check_id in sorted(step.checks):
            run.found += match_check_again(check_id)
        run.held += step.records
        run.block = max(run.block, step.block or 0)
        run.save(update_fields=["hashes", "found", "held", "block"])
        yield run
    run.finished_at = datetime.now(UTC)
    with transaction.atomic():
        run.save(update_fields=["hashes", "finished_at"])
        if run.hashes:
            counts = {"hashes": run.hashes, "found": run.found}
            record(actor=ACTOR, subject=str(run), fact=kinds.RetroFinished(**counts))
    yield run


@transaction.atomic
def match_check_again(check_id: UUID) -> bool:
    """Look one check up again; return whether that made a finding."""
    check = Check.objects.filter(pk=check_id).first()
    if check is None:
        return False
    sharing(LOOKING_UP)
    met = survey(check_values(check), check_views(check))
    record_quiet(check, met.quiet)
    if not (matches := met.matches):
        return False
    account = lock_account(check.account_id)
    fresh = [match for match in matches if match.hash not in _found_before(check)]
    if not fresh or is_removed(account, check.content_id):
        return False
    add_match(account=account, check=check, matches=fresh, data=None, actor=ACTOR)
    Check.objects.filter(pk=check.pk).update(matched=True)
    return True


def _found_before(check: Check) -> set[int]:
    """Return the ids of the banked hashes that findings of this check name already.

    Void findings do not count: a hash that is right after all is found again.
    """
    findings = Finding.objects.filter(check_made=check, void=False).values_list(
        "grounds", flat=True
    )
    return {int(match.get("hash", 0)) for grounds in findings for match in grounds}
