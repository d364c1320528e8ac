"""`kinward staff`: people who work in the console."""

import click

from kinward.access import ROLES
from kinward.access.api import (
    Staff,
    change_role,
    create_staff,
    end_staff,
    resume_staff,
    sign_out_everywhere,
    suspend_staff,
)
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


@staff.command()
@click.argument("username")
@click.argument("role", type=click.Choice(sorted(ROLES)))
def role(username: str, role: str) -> None:
    """Give somebody another ROLE. They are signed out everywhere."""
    change_role(username=username, role=role, actor=operator())
    click.echo(f"{username} is {role} from now on, and signed out everywhere.")


@staff.command()
@click.argument("username")
def suspend(username: str) -> None:
    """Suspend somebody at once, until `kinward staff resume`."""
    suspend_staff(username=username, actor=operator())
    click.echo(f"{username} is suspended and signed out everywhere.")


@staff.command()
@click.argument("username")
def resume(username: str) -> None:
    """End a suspension."""
    resume_staff(username=username, actor=operator())
    click.echo(f"{username} can sign in again.")


@staff.command()
@click.argument("username")
@click.confirmation_option(prompt="This ends the account for good. Go on?")
def end(username: str) -> None:
    """End an account at once and for good. Its name stays taken."""
    end_staff(username=username, actor=operator())
    click.echo(f"{username} has left the staff and is signed out everywhere.")


@staff.command("sign-out")
@click.argument("username")
def sign_out(username: str) -> None:
    """End all sessions of somebody, who may sign in again."""
    sign_out_everywhere(username=username, actor=operator())
    click.echo(f"{username} is signed out everywhere.")


@staff.command("list")
def list_staff() -> None:
    """List the accounts."""
    for person in Staff.objects.order_by("username"):
        seen = f"{person.last_login:%Y-%m-%d %H:%M} UTC" if person.last_login else "never"
        click.echo(f"{person.username}  {person.role}  {person.state}  last sign-in: {seen}")
