"""Durable jobs of the staff: roles and second factors whose moment has come."""

from kinward.access.appointments import appoint_alone
from kinward.access.factors import TELL, carry_out_resets, tell_of_reset
from kinward.ground.jobs import task
from kinward.ground.lanes import Lane


@task("access.appoint_alone", every="* * * * *")
def appoint(timestamp: int) -> None:
    """Put the roles in force that waited because nobody else holds their power."""
    appoint_alone()


@task("access.reset_factors", every="* * * * *")
def reset_factors(timestamp: int) -> None:
    """Remove the lost second factors whose time has come."""
    carry_out_resets()


@task(TELL, lane=Lane.MAIL)
def tell(reset_id: str) -> None:
    """Mail the person whose second factor somebody asks to remove."""
    tell_of_reset(reset_id)
