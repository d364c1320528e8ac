"""`kinward erase`: ask for the erasure of an account, or carry out again what a backup undid."""

from pathlib import Path

import click

from kinward.cli.counts import counted
from kinward.cli.first_run import check_shown
from kinward.cli.main import operator
from kinward.cli.two_people import WHY, settle
from kinward.erasure.api import (
    keep_list,
    replay_erasures,
    request_erasure,
    settle_list,
    wanted_erasures,
)
from kinward.ground.names import visible


@click.command()
@click.argument("account", required=False)
@WHY
@click.option("--replay", is_flag=True, help="Carry out the listed erasures that are not done.")
@click.option(
    "--erasures",
    "lists",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --replay: a copy of the list of erasures from elsewhere. One for each machine.",
)
@click.option(
    "--no-list",
    metavar="WHY",
    default="",
    help="With --replay after a restore: why there is no list of erasures, for the ledger.",
)
def erase(
    account: str | None, why: str, replay: bool, lists: tuple[Path, ...], no_list: str
) -> None:
    """Ask for the erasure of an ACCOUNT. Another person must approve it.

    Without an ACCOUNT, list the accounts that the platform wants erased.
    """
    if replay:
        for copy in lists:
            keep_list(copy)
        count = replay_erasures(actor=operator())
        click.echo(f"Carried out {counted(count, 'erasure', 'erasures')} again.")
        settle_list(actor=operator(), why=no_list)
        return
    if lists or no_list:
        raise click.UsageError("--erasures and --no-list need --replay.")
    if account is None:
        check_shown()
        _list()
        return
    request = request_erasure(account_id=account, why=why, staff=operator())
    settle(request, lambda: "Erased.")


def _list() -> None:
    wanted = wanted_erasures()
    for account in wanted:
        click.echo(visible(account.platform_id))
    if not wanted:
        click.echo("The platform wants no account erased.")
