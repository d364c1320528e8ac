"""`kinward staff`: people who sign in to the console."""

import click

from kinward.access import ROLES
from kinward.access.api import Staff, create_staff
from kinward.cli.main import operator


@click.group()
def staff() -> None:
    """People who sign in to the console."""


@staff.command()
@click.argument("username")
@click.option("--role", type=click.Choice(sorted(ROLES)), required=True)
@click.password_option(help="At least 12 characters; asked for when it is not given.")
def add(username: str, role: str, password: str) -> None:
    """Make an account. The second factor is set up at the first sign-in."""
    create_staff(username=username, password=password, role=role, actor=operator())
    click.echo(f"{username} can sign in as {role}.")


@staff.command("list")
def list_staff() -> None:
    """List the accounts."""
    for person in Staff.objects.order_by("username"):
        click.echo(f"{person.username}  {person.role}  {'active' if person.is_active else 'ended'}")
