"""`kinward webhook`: the secrets that sign webhooks."""

from datetime import timedelta

import click

from kinward.access.api import MAX_OVERLAP
from kinward.cli.main import operator
from kinward.enforcement.api import rotate_webhook_secret, secret_before
from kinward.ground.config import config


@click.group()
def webhook() -> None:
    """Rotate the secret that signs webhooks, or say which secrets sign."""


@webhook.command()
@click.option(
    "--overlap-days",
    type=click.IntRange(0, MAX_OVERLAP.days),
    default=7,
    show_default=True,
    help="For how long the secret before signs too. With 0, only the new one signs.",
)
def rotate(overlap_days: int) -> None:
    """Make a new secret and print it. The one before signs too for a while."""
    click.echo(rotate_webhook_secret(overlap=timedelta(days=overlap_days), actor=operator()))
    click.echo(f"Give it to your app. {_now()}", err=True)


@webhook.command("status")
def show_status() -> None:
    """Say which secrets sign, without the secrets."""
    click.echo(_now())


def _now() -> str:
    before = secret_before(config())
    if before is None:
        return "One secret signs."
    if before.until is None:
        return "Two secrets sign, until you unset KINWARD_WEBHOOK_SECRET_BEFORE."
    return f"Two secrets sign, the one before until {before.until:%Y-%m-%d %H:%M} UTC."
