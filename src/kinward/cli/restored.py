"""What follows a restore: its entry, the erasures that came after the backup, and lost power."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kinward.cli.counts import counted
from kinward.cli.supervisor import step
from kinward.ground.names import visible

if TYPE_CHECKING:
    from kinward.ledger.api import Head, Log


def erase_again(made_at: datetime, no_list: str) -> None:
    """Carry out again the erasures that are newer than the backup, which was made at a moment.

    `no_list`: in the operator's words, why there is no list of them. Without a list and without
    words nothing serves.
    """
    from kinward.cli.main import operator
    from kinward.erasure.api import ListNeeded, replay_erasures, settle_list

    count = step("erasures", lambda: replay_erasures(actor=operator()))
    if count:
        said = counted(count, "erasure that is", "erasures that are")
        click.echo(f"Carried out {said} newer than the backup.")
    try:
        settle_list(actor=operator(), why=no_list)
    except ListNeeded:
        click.secho(
            "The list of erasures is not here, or not all of it. If anybody was erased since "
            f"{made_at:%Y-%m-%d at %H:%M} UTC, they are back. Nothing serves until you bring each "
            "list: `kinward erase --replay --erasures FILE`. If there is none, say why: "
            "`kinward erase --replay --no-list WHY`.",
            fg="red",
            err=True,
        )


def last_moment() -> datetime:
    """Return the moment of the newest entry, up to which the backup knows who lost power."""
    from kinward.ledger.api import Entry, first_written

    last = first_written(Entry.objects.order_by("-pk"))
    return datetime.min.replace(tzinfo=UTC) if last is None else last.at


def end_again(power: Path | None, since: datetime) -> None:
    """Sign everybody out, and take the power that was lost since the backup."""
    from kinward.access.api import end_access_of_backup, power_path, take_lost_power
    from kinward.cli.main import operator

    count = end_access_of_backup(actor=operator())
    path = power or power_path()
    click.echo(f"Signed out {counted(count, 'person', 'people')}, and ended open invitations.")
    if path.exists():
        for told in take_lost_power(since=since, path=path, actor=operator()):
            click.echo(visible(told))
        return
    click.secho(
        f"There is no list of power here. Who lost power after {since:%Y-%m-%d %H:%M} UTC has it "
        "again: look at `kinward staff list` and `kinward key list`.",
        fg="yellow",
        err=True,
    )


def record_restore(name: str, log: "Log", head: "Head", lists: tuple[Path, ...]) -> None:
    """Write the entry of a restore. The log goes on under another origin.

    `lists`: copies of the list of erasures, which become one with the list that is here.
    """
    from django.db import transaction

    from kinward.cli.main import operator
    from kinward.erasure.api import keep_list, last_mac, read_list
    from kinward.ledger.api import kinds, record, sequence_all

    for copy in lists:
        keep_list(copy)
    lines = read_list()
    fact = kinds.BackupRestored(
        origin=log.origin,
        size=head.size,
        root=head.root.hex(),
        lines=len(lines),
        last=last_mac(lines),
    )
    with transaction.atomic():
        record(actor=operator(), subject=f"backup:{name}", fact=fact)
    sequence_all()
