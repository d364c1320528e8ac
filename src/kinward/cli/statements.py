"""`kinward statement`: statements of reasons, in the format of the EU's Transparency Database."""

import sys
from datetime import UTC, datetime

import click

from kinward.cli.counts import counted
from kinward.redress.api import send_due_statements, written

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def statement() -> None:
    """Export statements of reasons, or send them to the EU's Transparency Database."""


@statement.command()
@click.option("--since", type=DAY, required=True, help="First day (UTC).")
@click.option("--until", type=DAY, required=True, help="Day after the last one (UTC).")
def export(since: datetime, until: datetime) -> None:
    """Print the statements of a range of days as JSON lines."""
    for line in written(since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)):
        sys.stdout.buffer.write(line)


@statement.command()
def send() -> None:
    """Send all unsent statements now. The worker does this every ten minutes."""
    sent = counted(send_due_statements(), "statement was sent.", "statements were sent.")
    click.echo(sent)
