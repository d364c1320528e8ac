"""`kinward staff`: people who work in the console."""

from collections.abc import Collection, Iterable
from typing import Final

import click

from kinward.access import ROLES, in_words
from kinward.access.api import (
    Appointment,
    Staff,
    change_roles,
    end_staff,
    give_role,
    invite_staff,
    link_of,
    mail_invitation,
    open_invitations,
    request_factor_reset,
    resume_staff,
    sign_out_everywhere,
    suspend_staff,
    take_role,
    waiting_appointments,
    withdraw_invitation,
)
from kinward.cli.main import operator

A_ROLE: Final = click.Choice(sorted(ROLES))


@click.group()
def staff() -> None:
    """Manage the people who work in the console."""


@staff.command()
@click.argument("username")
@click.option(
    "--role", "roles", type=A_ROLE, required=True, multiple=True, help="Repeat it for several."
)
@click.option("--mail", default="", help="Mail the link there, instead of printing it.")
def invite(username: str, roles: tuple[str, ...], mail: str) -> None:
    """Invite somebody by a link that works once. The person sets their own password."""
    secret = invite_staff(username=username, roles=roles, actor=operator(), email=mail)
    if mail and mail_invitation(mail, secret):
        click.echo(f"The invitation of {username} was mailed to {mail}.")
        return
    if mail:
        click.echo("The mail could not be sent. Pass the link on yourself.", err=True)
    click.echo(f"Give this link to {username} alone. It works once, within three days:")
    click.echo(link_of(secret))


@staff.command()
@click.argument("username")
def withdraw(username: str) -> None:
    """Withdraw an invitation that nobody has used."""
    withdraw_invitation(username=username, actor=operator())
    click.echo(f"The invitation of {username} is withdrawn.")


@staff.command()
@click.argument("username")
@click.argument("roles", type=A_ROLE, nargs=-1, required=True)
def role(username: str, roles: tuple[str, ...]) -> None:
    """Give somebody exactly these ROLES: any other ends at once.

    A colleague confirms a role with power that takes two people, in the console.
    """
    waiting = change_roles(username=username, roles=roles, actor=operator())
    _say(username, waiting, set(roles) - {row.role for row in waiting})


@staff.command()
@click.argument("username")
@click.argument("role", type=A_ROLE)
def give(username: str, role: str) -> None:
    """Give somebody one more ROLE. A colleague with its power confirms it in the console."""
    waiting = give_role(username=username, role=role, actor=operator())
    _say(username, [waiting] if waiting else [], [] if waiting else [role])


@staff.command()
@click.argument("username")
@click.argument("role", type=A_ROLE)
def take(username: str, role: str) -> None:
    """Take one ROLE from somebody at once. The other roles stay."""
    take_role(username=username, role=role, actor=operator())
    click.echo(f"{username} is no longer {role}, and signed out everywhere.")


def _say(username: str, waiting: Iterable[Appointment], in_force: Collection[str]) -> None:
    """Say which roles somebody has now, and what the others wait for."""
    if in_force:
        click.echo(f"{username} is {in_words(in_force)} from now on, and signed out everywhere.")
    for row in waiting:
        click.echo(f"{username} is to become {row.role}. {what_is_missing(row)}")


def what_is_missing(waiting: Appointment) -> str:
    """Say what a role waits for."""
    if waiting.goes_ahead_at is None:
        return "A colleague who holds that power confirms it on the page Staff."
    moment = f"{waiting.goes_ahead_at:%Y-%m-%d %H:%M} UTC"
    return f"Nobody else holds that power, so it has effect by itself from {moment}."


@staff.command()
@click.argument("username")
def suspend(username: str) -> None:
    """Suspend somebody at once, until `kinward staff resume`."""
    suspend_staff(username=username, actor=operator())
    click.echo(f"{username} is suspended and signed out everywhere.")


@staff.command()
@click.argument("username")
def resume(username: str) -> None:
    """End a suspension. A colleague confirms each role with power that takes two people."""
    waiting = resume_staff(username=username, actor=operator())
    click.echo(f"{username} can sign in again.")
    _say(username, waiting, [])


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


@staff.command("reset-factor")
@click.argument("username")
@click.option("--why", required=True, help="How you know that the second factor is lost.")
def reset_factor(username: str, why: str) -> None:
    """Ask to remove a lost second factor. An administrator agrees in the console."""
    row = request_factor_reset(username=username, why=why, actor=operator())
    click.echo(
        f"Nothing is removed before {row.not_before:%Y-%m-%d %H:%M} UTC, and {username} is told."
    )
    if row.goes_ahead_at is None:
        click.echo("An administrator agrees on the page Staff.")
    else:
        moment = f"{row.goes_ahead_at:%Y-%m-%d %H:%M} UTC"
        click.echo(f"Nobody else can agree, so it is removed by itself from {moment} on.")


@staff.command("list")
def list_staff() -> None:
    """List the accounts, the roles that wait for a colleague, and the open invitations."""
    for person in Staff.objects.order_by("username"):
        roles = in_words(person.roles) if person.roles else "no role yet"
        seen = person.seen_at or person.last_login
        when_seen = f"{seen:%Y-%m-%d %H:%M} UTC" if seen else "never"
        added = f"{person.date_joined:%Y-%m-%d} by {person.added_by or 'unknown'}"
        click.echo(
            f"{person.username}  {roles}  {person.state}  last seen: {when_seen}  added: {added}"
        )
    for waiting in waiting_appointments():
        name, role = waiting.staff.username, waiting.role
        click.echo(f"waiting: {name} is to become {role}. {what_is_missing(waiting)}")
    for invitation in open_invitations():
        name = invitation.username or "the first administrator"
        click.echo(
            f"invited: {name} as {in_words(invitation.roles)} by {invitation.asker}, "
            f"until {invitation.expires_at:%Y-%m-%d %H:%M} UTC"
        )
