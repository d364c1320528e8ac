"""The daily comparison of the tables with the ledger."""

from kinward.ground.jobs import task
from kinward.reconciliation.services import reconcile


@task("reconciliation.reconcile", lock="reconciliation", every="7 2 * * *")
def compare(timestamp: int) -> None:
    """Compare all tables with the ledger once a day. A crashed run resumes where it stopped."""
    reconcile()
