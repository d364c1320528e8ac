"""`kinward exchange`: partners whose lists fill banks of ours."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from kinward.cli.main import operator
from kinward.exchanges.api import (
    Exchange,
    add_exchange,
    get_exchange,
    live_hashes,
    set_exchange_enabled,
    sync_exchange,
)
from kinward.matching.api import Confidence

MAX_CREDENTIALS = 64 * 1024


@click.group()
def exchange() -> None:
    """Partners whose lists fill banks of ours."""


@exchange.command()
@click.argument("name")
@click.option(
    "--api",
    required=True,
    help="ncmec, stop_ncii, fb_threatexchange, tat, local_file, or an extension's.",
)
@click.option("--extension", default="", help="A module with a TX_MANIFEST of threatexchange's.")
@click.option(
    "--config", "pairs", multiple=True, metavar="KEY=VALUE", help="Such as environment=https://…"
)
@click.option(
    "--credentials",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file; it is sealed and can be removed then.",
)
@click.option(
    "--confidence", type=click.Choice([value.value for value in Confidence]), required=True
)
@click.option("--opinions/--no-opinions", default=False, help="Whether ours go back to them.")
@click.option("--minutes", default=60, show_default=True, help="Between two syncs.")
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
    """Add a partner and a bank for its hashes. `sync` then reads it."""
    added = add_exchange(
        name=name,
        api=api,
        extension=extension,
        confidence=confidence,
        config=dict(_pair(each) for each in pairs),
        credentials=_credentials(credentials),
        opinions=opinions,
        minutes=minutes,
        actor=operator(),
    )
    click.echo(f"{added.name!r} is ready: kinward exchange sync {added.name}")


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--config is KEY=VALUE, not {text!r}.")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _credentials(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    if path.stat().st_size > MAX_CREDENTIALS:
        raise click.UsageError("Credentials are a small JSON object.")
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise click.UsageError(f"{path} is not JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise click.UsageError('Credentials are a JSON object of texts, as {"user": "…"}.')
    return found


@exchange.command("sync")
@click.argument("name")
def sync_one(name: str) -> None:
    """Read what is new at a partner, from where it was last cut off."""
    row = get_exchange(name)
    last = None
    for last in sync_exchange(row, actor=operator()):
        click.echo(
            f"\r{last.entries:,} entries, {last.added:,} new hashes, {last.removed:,} gone",
            nl=False,
            file=sys.stderr,
        )
    click.echo(file=sys.stderr)
    if last is not None:
        click.echo(f"{name!r} is up to date: {live_hashes(row):,} hashes.")


@exchange.command()
def status() -> None:
    """Each partner: when it was last read, how it went, and how much is there."""
    for row in Exchange.objects.order_by("name"):
        when = f"{row.finished_at:%Y-%m-%d %H:%M} UTC" if row.finished_at else "never"
        state = "" if row.enabled else "  disabled"
        click.echo(f"{row.name}  {row.api}  {live_hashes(row):,} hashes  last: {when}{state}")
        if row.unusable:
            click.secho(f"  {row.unusable:,} hashes could not be used", fg="yellow")
        if row.problem:
            click.secho(f"  {row.problem}", fg="red")


@exchange.command()
@click.argument("name")
def disable(name: str) -> None:
    """Read a partner no more. Its bank stays; `kinward bank disable` lets it match nothing."""
    set_exchange_enabled(exchange=get_exchange(name), enabled=False, actor=operator())
    click.echo(f"{name!r} is not read any more.")


@exchange.command()
@click.argument("name")
def enable(name: str) -> None:
    """Read a disabled partner again."""
    set_exchange_enabled(exchange=get_exchange(name), enabled=True, actor=operator())
    click.echo(f"{name!r} is read again.")
