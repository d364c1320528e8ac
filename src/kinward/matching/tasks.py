"""Upkeep: checks are packed into blocks, and the index is written down for other processes."""

from procrastinate.contrib.django import app

from kinward.jobs import task
from kinward.matching.index import bank_index
from kinward.matching.retro import pack_checks


@app.periodic(cron="* * * * *")
@task("matching.pack")
def pack(timestamp: int) -> None:
    """Pack what was checked."""
    pack_checks()


@app.periodic(cron="*/10 * * * *")
@task("matching.snapshot")
def snapshot(timestamp: int) -> None:
    """Write a snapshot of the index, if much has changed."""
    bank_index().snapshot()
