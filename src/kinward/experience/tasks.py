"""The durable job of experience: counting whom a proposal touches."""

from uuid import UUID

from kinward.experience import proposals
from kinward.ground.jobs import task


@task(proposals.SIMULATE)
def simulate(proposal_id: str) -> None:
    """Simulate one proposal over the stored accounts."""
    proposals.count_touched(UUID(proposal_id))
