"""Durable jobs of the vault: expiry, moving files to the store, and checks for damage."""

from django.utils import timezone

from kinward.evidence.care import scrub_evidence, store_next_file
from kinward.evidence.holds import lift_holds_alone
from kinward.evidence.services import DELETE, delete_stored, destroy_expired_evidence
from kinward.ground.jobs import task
from kinward.ground.lanes import Lane


@task("evidence.expire", every="17 3 * * *")
def expire(timestamp: int) -> None:
    """Destroy expired evidence, including any left over from a missed day."""
    destroy_expired_evidence(timezone.now())


@task("evidence.lift_holds_alone", every="* * * * *")
def lift_holds(timestamp: int) -> None:
    """Lift the legal holds whose moment has come where nobody else holds the role."""
    lift_holds_alone()


@task(DELETE, lane=Lane.STORES)
def delete_object(location: str) -> None:
    """Delete the object of destroyed evidence. Retried until the store has deleted it."""
    delete_stored(location)


@task("evidence.store", lock="evidence.store", every="* * * * *", lane=Lane.STORES)
def store(timestamp: int) -> None:
    """Move newly sealed files to the store, if there is one."""
    while store_next_file():
        pass


@task("evidence.scrub", lock="evidence.scrub", every="41 4 * * 0", lane=Lane.STORES)
def check(timestamp: int) -> None:
    """Check once a week that every file is unchanged since it was sealed."""
    scrub_evidence()
