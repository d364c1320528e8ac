"""Durable jobs of experience: whom a proposal touches, and what goes ahead by itself."""

from uuid import UUID

from kinward.experience import proposals
from kinward.ground.jobs import task


@task(proposals.SIMULATE)
def simulate(proposal_id: str) -> None:
    """Simulate one proposal over the stored accounts."""
    proposals.count_touched(UUID(proposal_id))


@task("experience.go_ahead_alone", every="* * * * *")
def go_ahead(timestamp: int) -> None:
    """Put packs in force whose moment has come where nobody else can decide."""
    proposals.go_ahead_alone()
