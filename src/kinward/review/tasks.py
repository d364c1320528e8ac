"""Durable jobs of the reviewers' room."""

from kinward.ground.jobs import task
from kinward.review.watching import raise_alerts


@task("review.raise_alerts", lock="review.raise_alerts", every="*/10 * * * *")
def look_at_work(timestamp: int) -> None:
    """Open an alert where somebody's work is past a threshold."""
    raise_alerts()
