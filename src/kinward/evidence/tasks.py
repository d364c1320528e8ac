"""The vault's jobs: what has expired, what moves to the store, and whether all of it is whole."""

from django.utils import timezone

from kinward.evidence import storage
from kinward.evidence.care import scrub_evidence, store_next_file
from kinward.evidence.services import DELETE, destroy_expired_evidence
from kinward.ground.jobs import task


@task("evidence.expire", every="17 3 * * *")
def expire(timestamp: int) -> None:
    """Destroy what has expired. What a missed day left over goes the next time."""
    destroy_expired_evidence(timezone.now())


@task(DELETE)
def delete_object(location: str) -> None:
    """Delete the object of evidence that was destroyed; tried until the store does it."""
    storage.delete(location)


@task("evidence.store", lock="evidence.store", every="* * * * *")
def store(timestamp: int) -> None:
    """Move what was sealed since to the store, if there is one."""
    while store_next_file():
        pass


@task("evidence.scrub", lock="evidence.scrub", every="41 4 * * 0")
def check(timestamp: int) -> None:
    """Check once a week that every file is as it was sealed."""
    scrub_evidence()
