"""`kinward statement`: statements of reasons, in the form of the EU's Transparency Database."""

import sys
from datetime import UTC, datetime

import click

from kinward.redress.api import send_due_statements, written

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def statement() -> None:
    """Statements of reasons, for the EU's Transparency Database."""


@statement.command()
@click.option("--since", type=DAY, required=True, help="The first day, in UTC.")
@click.option("--until", type=DAY, required=True, help="The day after the last one.")
def export(since: datetime, until: datetime) -> None:
    """Print the statements of some days as JSON lines."""
    for line in written(since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)):
        sys.stdout.buffer.write(line)


@statement.command()
def send() -> None:
    """Send now what was not sent yet; the worker does this every ten minutes."""
    click.echo(f"{send_due_statements()} statements were sent.")
