"""Put a pack in force, as two people do."""

from django.db import transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.experience.models import Activation, PackVersion, Proposal
from kinward.experience.services import activate_proposal, current_pack


@transaction.atomic
def activate_pack(*, pack: PackVersion, share: int = 100) -> Activation:
    """Put a pack in force by a proposal of one operator that another one approved."""
    proposal = Proposal.objects.create(
        pack=pack,
        base=current_pack().pack,
        share=share,
        why="A test.",
        state="approved",
        operator="operator:first of a test",
        second_operator="operator:second of a test",
        decided_at=timezone.now(),
    )
    return activate_proposal(proposal, Actor.system("test"))
