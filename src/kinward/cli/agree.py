"""`kinward agree`: what was asked for at the command line and takes two people."""

from typing import Any
from uuid import UUID

import click

from kinward.access.api import AgreementState, BreakGlass, TwoPeopleAnywhere
from kinward.cli.kinds import KINDS, kind_of
from kinward.cli.main import operator
from kinward.cli.two_people import BREAK_GLASS, ahead, say_alone
from kinward.ground.errors import NotFound
from kinward.ground.names import visible


@click.command()
@click.argument("request_id", metavar="REQUEST", type=click.UUID, required=False)
@click.option("--refuse", is_flag=True, help="Refuse it, or withdraw your own.")
@BREAK_GLASS
def agree(request_id: UUID | None, refuse: bool, reason: str | None) -> None:
    """Agree to REQUEST, which another operator made. Without it, list what waits."""
    if request_id is None:
        _list()
        return
    if refuse and reason is not None:
        raise click.UsageError("Give either --refuse or --break-glass.")
    request = _find(request_id)
    about = visible(kind_of(request).about(request))
    by = operator() if reason is None else BreakGlass(operator(), reason, about)
    kind_of(request).decide(request_id, not refuse, by)
    if reason is not None:
        say_alone()
    request.refresh_from_db()
    click.echo(f"{about}: {request.word}.")


def _list() -> None:
    waiting = [row for kind in KINDS for row in _open(kind.model)]
    for row in sorted(waiting, key=lambda row: row.asked_at):
        about, asker = visible(kind_of(row).about(row)), visible(row.asker)
        click.echo(f"{row.pk}  {about}  asked by {asker}, {row.asked_at:%Y-%m-%d %H:%M}")
        if row.goes_ahead_at:
            click.echo(f"  {ahead(row.goes_ahead_at)}")
    if not waiting:
        click.echo("Nothing waits for another person.")


def _open(model: type[TwoPeopleAnywhere]) -> Any:
    return model._default_manager.filter(state=AgreementState.ASKED, went_ahead_at=None)


def _find(request_id: UUID) -> TwoPeopleAnywhere:
    for kind in KINDS:
        if row := kind.model._default_manager.filter(pk=request_id).first():
            return row
    raise NotFound(f"There is no request {request_id}. `kinward agree` lists what waits.")
