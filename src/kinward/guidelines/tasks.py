"""The durable job of guidelines: what goes ahead by itself."""

from kinward.ground.jobs import task
from kinward.guidelines.services import go_ahead_alone


@task("guidelines.go_ahead_alone", every="* * * * *")
def go_ahead(timestamp: int) -> None:
    """Put editions in force whose moment has come where nobody else can decide."""
    go_ahead_alone()
