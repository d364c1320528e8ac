"""What takes two people at the command line: a command asks for it, and another person agrees."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

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
    if request.state == AgreementState.ASKED and reason is not None:
        kind.decide(request.pk, True, BreakGlass(operator(), reason))
        click.secho(
            "You did this alone. The console shows an alarm until another person reviews it.",
            fg="yellow",
            err=True,
        )
    request.refresh_from_db()
    if request.state != AgreementState.ASKED:
        click.echo(done())
        return
    click.echo(
        f"Requested, and not done yet: {kind.about(request)}. Another person must approve it: "
        f"{kind.page} in the console, or another operator with `kinward agree {request.pk}`."
    )
    if request.goes_ahead_at:
        click.echo(f"Nobody else can. It goes ahead at {request.goes_ahead_at:%Y-%m-%d %H:%M} UTC.")
