"""Durable jobs of the staff: what waited because nobody else could decide."""

from kinward.access.appointments import appoint_alone
from kinward.ground.jobs import task


@task("access.appoint_alone", every="* * * * *")
def appoint(timestamp: int) -> None:
    """Put the roles in force that waited because nobody else holds their power."""
    appoint_alone()
