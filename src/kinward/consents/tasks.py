"""The durable job of consents: forgetting."""

from kinward.consents.services import forget_notifications
from kinward.ground.jobs import task


@task("consents.forget", every="41 3 * * *")
def forget(timestamp: int) -> None:
    """Delete old notifications that were about something else than consent."""
    forget_notifications()
