"""Delivery as a durable job."""

from uuid import UUID

from kinward.enforcement import services
from kinward.jobs import task


@task(services.DELIVER)
def deliver(action_id: str) -> None:
    """Carry out one action."""
    services.deliver(UUID(action_id))
