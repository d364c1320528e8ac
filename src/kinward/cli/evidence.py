"""`kinward evidence`: holds and expiry."""

from uuid import UUID

import click
from django.utils import timezone

from kinward.cli.main import operator
from kinward.evidence.services import destroy_expired, set_hold


@click.group()
def evidence() -> None:
    """Legal holds and expiry of sealed evidence."""


@evidence.command()
@click.argument("case", type=click.UUID)
@click.option("--reference", required=True, help="The case number of who asked.")
def hold(case: UUID, reference: str) -> None:
    """Put a case's evidence under legal hold: it cannot expire."""
    count = set_hold(case_id=case, reference=reference, actor=operator())
    click.echo(f"{count} files are held.")


@evidence.command()
@click.argument("case", type=click.UUID)
def release(case: UUID) -> None:
    """End a legal hold."""
    count = set_hold(case_id=case, reference="", actor=operator())
    click.echo(f"{count} files are no longer held.")


@evidence.command()
def expire() -> None:
    """Destroy now what has expired; the worker does this daily."""
    click.echo(f"{destroy_expired(timezone.now())} files were destroyed.")
