"""`kinward exchange`: partners whose lists fill banks."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from kinward.cli.counts import counted
from kinward.cli.main import operator
from kinward.exchanges.api import (
    Changes,
    Exchange,
    add_exchange,
    change_exchange,
    get_exchange,
    live_hashes,
    remove_exchange,
    set_exchange_enabled,
    sync_exchange,
)
from kinward.ground.names import visible
from kinward.matching.api import Confidence

MAX_CREDENTIALS = 64 * 1024


@click.group()
def exchange() -> None:
    """Manage partners whose lists fill banks."""


@exchange.command()
@click.argument("name")
@click.option(
    "--api",
    required=True,
    help="ncmec, stop_ncii, fb_threatexchange, tat, local_file, or the API of an extension.",
)
@click.option(
    "--extension", default="", help="A Python module with a TX_MANIFEST for threatexchange."
)
@click.option(
    "--config",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the API, such as environment=https://…",
)
@click.option(
    "--credentials",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file. Kinward seals a copy, so you can delete the file.",
)
@click.option(
    "--confidence", type=click.Choice([value.value for value in Confidence]), required=True
)
@click.option(
    "--opinions/--no-opinions",
    default=False,
    help="Whether to share our opinions with the partner.",
)
@click.option("--minutes", default=60, show_default=True, help="Minutes between two syncs.")
def add(
    name: str,
    api: str,
    extension: str,
    pairs: tuple[str, ...],
    credentials: Path | None,
    confidence: str,
    opinions: bool,
    minutes: int,
) -> None:
    """Add a partner, and a bank for its hashes. `sync` then reads its list."""
    added = add_exchange(
        name=name,
        api=api,
        extension=extension,
        confidence=confidence,
        config=dict(_pair(pair) for pair in pairs),
        credentials=_credentials(credentials),
        opinions=opinions,
        minutes=minutes,
        actor=operator(),
    )
    click.echo(f"{added.name!r} is ready. Read its list with: kinward exchange sync {added.name}")


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"Write --config as KEY=VALUE, not {text!r}.")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _credentials(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    if path.stat().st_size > MAX_CREDENTIALS:
        raise click.UsageError(f"The file of credentials has more than {MAX_CREDENTIALS:,} bytes.")
    try:
        credentials = json.loads(path.read_text())
    except ValueError as error:
        raise click.UsageError(f"{path} is not JSON: {error}") from error
    if not isinstance(credentials, dict) or not all(
        isinstance(value, str) for value in credentials.values()
    ):
        raise click.UsageError(
            'Credentials are a JSON object whose values are texts, such as {"user": "…"}.'
        )
    return credentials


@exchange.command("sync")
@click.argument("name")
@click.option("--full", is_flag=True, help="Read the whole list anew, not only what changed.")
def sync_one(name: str, *, full: bool) -> None:
    """Read a partner's changes. An interrupted sync resumes."""
    row = get_exchange(name)
    last = None
    for last in sync_exchange(row, actor=operator(), full=full):
        click.echo(
            f"\r{last.entries:,} read, {last.added:,} added, {last.removed:,} removed",
            nl=False,
            file=sys.stderr,
        )
    click.echo(file=sys.stderr)
    row.refresh_from_db()
    if last is not None:
        hashes = counted(live_hashes(row), "hash", "hashes")
        read = "was read to its end, but not completely" if row.skips.count else "is up to date"
        click.echo(f"{name!r} {read}: {hashes}.")
    _show_skips(row)


def _show_skips(row: Exchange) -> None:
    skips = row.skips
    if not skips.count:
        return
    records = counted(skips.count, "record", "records")
    click.secho(f"  {records} could not be read. Tell the partner:", fg="yellow")
    for name, why in skips.examples:
        click.secho(f"    {name}: {why}", fg="yellow")
    if skips.unnamed:
        records = counted(skips.unnamed, "of them has no key", "of them have no key")
        click.secho(
            f"  {records}. A full sync then removes no hash. Once the partner has fixed them, run "
            f"`kinward exchange sync {row.name} --full`.",
            fg="yellow",
        )


@exchange.command()
def status() -> None:
    """Show when each partner was last read, its number of hashes, and its problems."""
    for row in Exchange.objects.order_by("name"):
        when = f"{row.finished_at:%Y-%m-%d %H:%M} UTC" if row.finished_at else "never"
        state = "" if row.enabled else "  disabled"
        hashes = counted(live_hashes(row), "hash", "hashes")
        click.echo(f"{row.name}  {row.api}  {hashes}  last read: {when}{state}")
        if row.unusable:
            hashes = counted(row.unusable, "hash", "hashes")
            click.secho(f"  {hashes} could not be used", fg="yellow")
        _show_skips(row)
        if row.problem:
            click.secho(f"  {visible(row.problem, lines=True)}", fg="red")


@exchange.command("set")
@click.argument("name")
@click.option(
    "--config",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the API to replace. KEY= removes it.",
)
@click.option(
    "--credentials",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file with all credentials anew.",
)
@click.option("--opinions/--no-opinions", default=None, help="Whether to share our opinions.")
@click.option("--minutes", type=int, default=None, help="Minutes between two syncs.")
def correct(
    name: str,
    pairs: tuple[str, ...],
    credentials: Path | None,
    opinions: bool | None,
    minutes: int | None,
) -> None:
    """Correct a partner. With another --config, its list is read anew."""
    changes = Changes(
        config=dict(_pair(pair) for pair in pairs),
        credentials=_credentials(credentials) if credentials else None,
        minutes=minutes,
        opinions=opinions,
    )
    change_exchange(exchange=get_exchange(name), changes=changes, actor=operator())
    click.echo(f"{name!r} is changed. Try it with: kinward exchange sync {name}")


@exchange.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a partner and its credentials. Its bank keeps its hashes, and still matches."""
    kept = remove_exchange(exchange=get_exchange(name), actor=operator())
    click.echo(f"{name!r} is removed, with its credentials.")
    if kept:
        click.echo(f"Its bank still matches. To stop that: kinward bank disable {name}")
    else:
        click.echo("Its bank never had a hash and is gone, too.")


@exchange.command()
@click.argument("name")
def disable(name: str) -> None:
    """Stop reading a partner. Its bank still matches until `kinward bank disable`."""
    set_exchange_enabled(exchange=get_exchange(name), enabled=False, actor=operator())
    click.echo(f"{name!r} is no longer read.")


@exchange.command()
@click.argument("name")
def enable(name: str) -> None:
    """Resume reading a disabled partner."""
    set_exchange_enabled(exchange=get_exchange(name), enabled=True, actor=operator())
    click.echo(f"{name!r} is read again.")
