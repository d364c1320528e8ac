"""`kinward evidence`: holds, expiry, keys, and whether all of it is whole."""

import sys
from uuid import UUID

import click
from django.utils import timezone

from kinward.cli.main import operator
from kinward.evidence.api import (
    Evidence,
    destroy_expired_evidence,
    keys,
    rewrap_keys,
    scrub_evidence,
    set_legal_hold,
    store_next_file,
)


@click.group()
def evidence() -> None:
    """Sealed evidence: legal holds, expiry, keys, and whether it is whole."""


@evidence.command()
@click.argument("case", type=click.UUID)
@click.option("--reference", required=True, help="The case number of who asked.")
def hold(case: UUID, reference: str) -> None:
    """Put a case's evidence under legal hold: it cannot expire."""
    count = set_legal_hold(case_id=case, reference=reference, actor=operator())
    click.echo(f"{count} files are held.")


@evidence.command()
@click.argument("case", type=click.UUID)
def release(case: UUID) -> None:
    """End a legal hold."""
    count = set_legal_hold(case_id=case, reference="", actor=operator())
    click.echo(f"{count} files are no longer held.")


@evidence.command()
def expire() -> None:
    """Destroy now what has expired; the worker does this daily."""
    click.echo(f"{destroy_expired_evidence(timezone.now())} files were destroyed.")


@evidence.command()
def rewrap() -> None:
    """Wrap every data key by the current key, after a new one was put first or named."""
    others = Evidence.objects.filter(destroyed_at=None).exclude(key_id=keys().current)
    with click.progressbar(range(others.count()), label="Keys", file=sys.stderr) as bar:
        count = rewrap_keys(lambda done: bar.update(done - bar.pos))
    click.echo(f"{count} files are wrapped by {keys().current} now.")


@evidence.command()
def scrub() -> None:
    """Check that every file is as it was sealed, without opening one; the worker does it weekly."""
    live = Evidence.objects.filter(destroyed_at=None)
    with click.progressbar(range(live.count()), label="Files", file=sys.stderr) as bar:
        damaged = scrub_evidence(lambda done: bar.update(done - bar.pos))
    if damaged:
        click.secho(f"{damaged} files are damaged. The ledger names them.", fg="red", err=True)
        raise click.exceptions.Exit(1)
    click.echo("Every file is as it was sealed.")


@evidence.command()
def store() -> None:
    """Move now what is still in the database to KINWARD_EVIDENCE_STORE."""
    count = 0
    while store_next_file():
        count += 1
    click.echo(f"{count} files were moved.")
