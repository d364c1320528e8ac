"""Proposals: one person proposes a pack and sees whom it touches, and another approves it.

It is the only way to put a pack in force, in the console and at the command line.
"""

from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction

from kinward.access import Actor
from kinward.access.api import (
    AgreementState,
    Decider,
    Person,
    actor_of,
    alone_until,
    asked,
    carry_out_due,
    decide_agreement,
    due_to_go_ahead,
    go_ahead,
)
from kinward.experience.live import today
from kinward.experience.models import PackVersion, Proposal
from kinward.experience.population import count_accounts, stored_people
from kinward.experience.services import (
    activate_proposal,
    current_pack,
    lock_pack_in_force,
    require_change,
    store_pack,
)
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.jobs import enqueue
from kinward.ledger.api import kinds, record
from kinward.policy import Pack, decode_pack
from kinward.policy.api import simulate_change

SIMULATE = "experience.simulate"
SYSTEM: Final = Actor.system("experience")
MAX_WHY = 2000
KEPT_CHANGES = 300


class Outdated(KinwardError):
    """The rules have changed since this was proposed. Base a new proposal on the pack in force."""

    code = "proposal.outdated"
    status = 409


def next_version(version: str) -> str:
    """Return the version after this one.

    >>> next_version("2026.11"), next_version("2026.11+3")
    ('2026.11+1', '2026.11+4')
    """
    base, plus, number = version.partition("+")
    return f"{base}+{int(number) + 1 if plus and number.isdigit() else 1}"


def free_version(pack: Pack) -> str:
    """Return the first version after the pack's own that is not stored yet."""
    version = next_version(pack.version)
    while PackVersion.objects.filter(name=pack.name, version=version).exists():
        version = next_version(version)
    return version


@transaction.atomic
def propose_pack(*, files: dict[str, str], why: str, share: int, staff: Person) -> Proposal:
    """Propose a pack in place of the pack in force, and start the job that counts whom it touches.

    Stores the pack, too. Where nobody else can decide it goes ahead by itself, a day later. Before
    anybody has joined the staff, it does so at once. Raises as `store_pack` does, and `Invalid`.
    """
    staff.must(Proposal.permission)
    if not why.strip() or len(why) > MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    base = current_pack().pack
    pack = store_pack(files=files, actor=actor_of(staff))
    require_change(pack, share)
    if pack.proposals.filter(state=AgreementState.ASKED).exists():
        raise Invalid(f"{pack} is proposed already.")
    proposal = Proposal.objects.create(
        pack=pack,
        base=base,
        share=share,
        why=why.strip(),
        total=count_accounts(),
        goes_ahead_at=alone_until(Proposal, staff),
        **asked(staff),
    )
    enqueue(SIMULATE, proposal_id=str(proposal.id))
    record(
        actor=actor_of(staff),
        subject=str(proposal),
        fact=kinds.ProposalMade(pack=str(pack), base=str(base), share=share, why=proposal.why),
    )
    _go_ahead(proposal.pk)
    return get_proposal(proposal.pk)


def get_proposal(proposal_id: UUID) -> Proposal:
    """Return a proposal with its packs and people. Raises `NotFound`."""
    proposals = Proposal.objects.select_related("pack", "base", "asked_by", "decided_by", "glass")
    try:
        return proposals.get(pk=proposal_id)
    except Proposal.DoesNotExist as error:
        raise NotFound(f"There is no proposal {proposal_id}.") from error


def count_touched(proposal_id: UUID) -> None:
    """Simulate a proposal over the stored accounts, and store progress and result. Idempotent."""
    proposal = get_proposal(proposal_id)
    day = today()
    before, after = (
        decode_pack(version.files).on(day) for version in (proposal.base, proposal.pack)
    )

    def progress(counted: int) -> None:
        Proposal.objects.filter(pk=proposal_id).update(counted=counted)

    result = simulate_change(before.ruling, after.ruling, stored_people(before), progress)
    kept = msgspec.structs.replace(result, changes=result.changes[:KEPT_CHANGES])
    simulation = msgspec.to_builtins(kept) | {
        "by_group": result.by_group(),
        "left_out": len(result.changes) - len(kept.changes),
    }
    Proposal.objects.filter(pk=proposal_id).update(
        simulation=simulation, counted=result.accounts, total=result.accounts
    )


@transaction.atomic
def decide_proposal(*, proposal_id: UUID, approve: bool, staff: Decider) -> Proposal:
    """Approve or reject a proposal. Approval activates its pack in the same transaction.

    The person who proposed it may not approve it. Raises `Outdated` if the pack in force has
    changed since.
    """
    lock_pack_in_force()
    proposal = decide_agreement(Proposal, proposal_id, approve=approve, staff=staff)
    if approve:
        _require_current(proposal)
    record(
        actor=actor_of(staff),
        subject=str(proposal),
        fact=(kinds.ProposalApproved if approve else kinds.ProposalRejected)(
            pack=str(proposal.pack)
        ),
    )
    if approve:
        activate_proposal(proposal, actor_of(staff))
    return proposal


def go_ahead_alone() -> int:
    """Put packs in force whose moment has come without an answer; return how many."""
    return carry_out_due(due_to_go_ahead(Proposal), _go_ahead)


def _go_ahead(proposal_id: UUID) -> bool:
    """Let a proposal go ahead if its moment has come. What is outdated waits for a person."""
    lock_pack_in_force()
    proposal = Proposal.objects.get(pk=proposal_id)
    if current_pack().pack.pk != proposal.base_id:
        Proposal.objects.filter(pk=proposal_id).update(goes_ahead_at=None)
        return False
    if go_ahead(Proposal, proposal_id) is None:
        return False
    fact = kinds.ProposalWentAhead(pack=str(proposal.pack))
    record(actor=SYSTEM, subject=str(proposal), fact=fact)
    activate_proposal(proposal, SYSTEM)
    return True


def _require_current(proposal: Proposal) -> None:
    if current_pack().pack.pk != proposal.base_id:
        raise Outdated
