"""`kinward staff`: people who work in the console."""

import click

from kinward.access import ROLES
from kinward.access.api import Staff, create_staff
from kinward.cli.main import operator


@click.group()
def staff() -> None:
    """Manage the people who work in the console."""


@staff.command()
@click.argument("username")
@click.option("--role", type=click.Choice(sorted(ROLES)), required=True)
@click.password_option(help="At least 12 characters. Asked for if you leave it out.")
def add(username: str, role: str, password: str) -> None:
    """Create an account. The person sets up a second factor at the first sign-in."""
    create_staff(username=username, password=password, role=role, actor=operator())
    click.echo(f"{username} can sign in as {role}.")


@staff.command("list")
def list_staff() -> None:
    """List the accounts."""
    for person in Staff.objects.order_by("username"):
        click.echo(f"{person.username}  {person.role}  {'active' if person.is_active else 'ended'}")
