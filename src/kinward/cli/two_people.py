"""What takes two people at the command line: a command asks for it, and another person agrees."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from kinward.ground.names import visible

if TYPE_CHECKING:
    from kinward.access.api import TwoPeopleAnywhere

BREAK_GLASS: Final = click.option(
    "--break-glass",
    "reason",
    metavar="REASON",
    help="Do it alone and at once. The console shows an alarm until another person reviews it.",
)
WHY: Final = click.option(
    "--why",
    default="Asked for at the command line.",
    show_default=True,
    help="What the other person reads.",
)


def settle(
    request: "TwoPeopleAnywhere", done: Callable[[], str], reason: str | None = None
) -> None:
    """Break the glass if there is a `reason`. Say what is done, or who has to agree.

    `done` returns what an operator reads once the request is carried out.
    """
    from kinward.access.api import AgreementState, BreakGlass
    from kinward.cli.kinds import kind_of
    from kinward.cli.main import operator

    kind = kind_of(request)
    about = visible(kind.about(request))
    if request.state == AgreementState.ASKED and reason is not None:
        kind.decide(request.pk, True, BreakGlass(operator(), reason, about))
        say_alone()
    request.refresh_from_db()
    if request.state != AgreementState.ASKED:
        click.echo(done())
        return
    where = f"{kind.page} in the console, or " if kind.page else ""
    click.echo(
        f"Requested, and not done yet: {about}. Another person must approve it: "
        f"{where}another operator with `kinward agree {request.pk}`."
    )
    if request.goes_ahead_at:
        click.echo(ahead(request.goes_ahead_at))


def ahead(at: datetime) -> str:
    """Return what an operator reads about a request that no colleague can approve."""
    return f"Nobody in the console can approve it. It goes ahead at {at:%Y-%m-%d %H:%M} UTC."


def say_alone() -> None:
    """Say what follows from breaking the glass."""
    alarm = "You did this alone. The console shows an alarm until another person reviews it."
    click.secho(alarm, fg="yellow", err=True)
