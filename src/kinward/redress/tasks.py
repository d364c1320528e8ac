"""Durable jobs: telling statements whose silence is over, and sending to the EU's database."""

from django.utils import timezone

from kinward.ground.jobs import task
from kinward.ground.lanes import Lane
from kinward.redress.database import send_due_statements
from kinward.redress.services import tell_due
from kinward.redress.silence import begin_silences_alone


@task("redress.tell_due", every="*/5 * * * *")
def tell(timestamp: int) -> None:
    """Tell all account holders whose silence is over."""
    while tell_due(timezone.now()):
        pass


@task("redress.begin_silences_alone", every="* * * * *")
def begin_silences(timestamp: int) -> None:
    """Begin the long silences whose moment has come where nobody else holds the role."""
    begin_silences_alone()


@task(
    "redress.send_statements",
    lock="redress.send_statements",
    every="*/10 * * * *",
    lane=Lane.AUTHORITIES,
)
def send_statements(timestamp: int) -> None:
    """Send newly told statements to the Transparency Database, if the operator named one."""
    send_due_statements()
