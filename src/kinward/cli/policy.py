"""`kinward policy`: check, compare and simulate packs, and put one in force."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from kinward.cli.counts import counted
from kinward.cli.two_people import BREAK_GLASS, WHY, settle
from kinward.ground.config import config
from kinward.ground.errors import Invalid, NotFound
from kinward.policy import (
    Pack,
    decode_pack,
    load_pack,
    read_files,
    shipped_editions,
    shipped_overlays,
    shipped_packs,
)

SHOWN = 25


def today() -> date:
    """Return today's date in UTC."""
    return datetime.now(UTC).date()


@click.group()
def policy() -> None:
    """Check, compare, simulate, activate and revert policy packs."""


@policy.command("list")
def list_() -> None:
    """List the shipped packs, the stored packs, and the pack in force."""
    for name in shipped_packs():
        pack = load_pack(name)
        click.echo(f"{pack.label}  shipped  {pack.title}")
    for name in shipped_editions():
        click.echo(f"{name}  shipped  an earlier edition")
    click.echo(f"Shipped overlays: {', '.join(shipped_overlays())}")
    _database()
    from kinward.experience.api import current_pack, pack_versions

    for version in pack_versions():
        click.echo(f"{version}  stored {version.made_at:%Y-%m-%d %H:%M} by {version.made_by}")
    now = current_pack()
    click.echo(f"In force: {_in_words(now)}")


@policy.command()
@click.argument("packs", nargs=-1, required=True)
def check(packs: tuple[str, ...]) -> None:
    """Print the problems of PACKS by file and line, and run the packs' own tests."""
    from kinward.policy import check_pack

    failed = False
    for name in packs:
        problems = check_pack(_files(name), today=today())
        for problem in problems:
            colour = "red" if problem.level == "error" else "yellow"
            click.secho(f"{name}/{problem}", fg=colour)
        failed |= any(problem.level == "error" for problem in problems)
        if not problems:
            click.secho(f"{name}: no problems.", fg="green")
    if failed:
        raise SystemExit(1)


@policy.command()
@click.argument("before")
@click.argument("after")
def diff(before: str, after: str) -> None:
    """Print in words what changes from BEFORE to AFTER, for whom, and on which later days."""
    from kinward.policy import diff_over_time

    lines = diff_over_time(_pack(before), _pack(after), today())
    for line in lines:
        colour = {True: "red", False: "green", None: "yellow"}[line.stricter]
        click.secho(str(line), fg=colour)
    click.echo(f"{counted(len(lines), 'difference', 'differences')}.", err=True)


@policy.command()
@click.argument("pack")
def places(pack: str) -> None:
    """Print the law of every place of PACK: status, since, until, and when it was read."""
    from kinward.policy import places_page

    click.echo(places_page(_pack(pack), today()), nl=False)


@policy.command()
@click.argument("before")
@click.argument("after")
@click.option(
    "--generated", type=click.IntRange(1, 10**9), help="Use this many generated accounts."
)
@click.option("--seed", default=1, show_default=True, help="Seed of the generated accounts.")
@click.option(
    "--parquet", type=click.Path(exists=True, path_type=Path), help="Use the accounts in this file."
)
@click.option("--ray", is_flag=True, help="Read the Parquet files with Ray (kinward[ray]).")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a chart to this SVG file.",
)
def simulate(
    before: str,
    after: str,
    generated: int | None,
    seed: int,
    parquet: Path | None,
    ray: bool,
    picture: Path | None,
) -> None:
    """Count the accounts that would lose or gain something if AFTER replaced BEFORE."""
    from kinward.policy.api import bars, simulate_change, svg

    old, new = _pack(before), _pack(after)
    if ray:
        from kinward.policy.api import simulate_over_ray

        if parquet is None:
            raise Invalid("--ray needs --parquet.")
        simulation = simulate_over_ray(old.ruling, new.ruling, parquet)
    else:
        total, people = _population(old, generated, seed, parquet)
        with click.progressbar(length=total, label="Counting", file=sys.stderr) as bar:
            done = 0

            def progress(count: int) -> None:
                nonlocal done
                bar.update(count - done)
                done = count

            simulation = simulate_change(old.ruling, new.ruling, people, progress)
    accounts = counted(simulation.accounts, "account", "accounts")
    click.echo(f"{simulation.before} -> {simulation.after}: {accounts}")
    click.echo(f"{simulation.touched:,} of them would lose or gain something.\n")
    click.echo(bars(simulation) or "  Nothing changes.")
    click.echo()
    for change in simulation.changes[:SHOWN]:
        examples = f"  such as {', '.join(change.examples)}" if change.examples else ""
        place = change.place or "place unknown"
        click.echo(
            f"  {change.accounts:>12,}  {change.capability:<20} {change.group:<12} {place:<14}"
            f" {change.before} -> {change.after} ({change.direction}){examples}"
        )
    if len(simulation.changes) > SHOWN:
        click.echo(f"  and {len(simulation.changes) - SHOWN} more")
    if picture:
        picture.write_text(svg(simulation))
        click.echo(f"The chart is in {picture}.")


def _population(
    pack: Pack, generated: int | None, seed: int, parquet: Path | None
) -> tuple[int, Iterator[Any]]:
    from kinward.policy.api import count_parquet, from_parquet, generate_people

    if generated is not None:
        return generated, generate_people(generated, seed=seed)
    if parquet is not None:
        return count_parquet(parquet), from_parquet(parquet)
    _database()
    from kinward.experience.api import count_accounts, stored_people

    return count_accounts(), stored_people(pack)


@policy.command()
@click.argument("pack")
@click.option("--share", default=100, show_default=True, help="Share of accounts, in percent.")
@WHY
@BREAK_GLASS
def activate(pack: str, share: int, why: str, reason: str | None) -> None:
    """Put PACK in force once another person agrees, for all accounts or a share of them."""
    _database()
    from kinward.cli.main import operator
    from kinward.experience.api import (
        current_pack,
        propose_pack,
    )

    proposal = propose_pack(files=_files(pack), why=why, share=share, staff=operator())
    settle(proposal, lambda: f"In force: {_in_words(current_pack())}", reason)


@policy.command()
def revert() -> None:
    """Revert the newest activation. Whoever needs an older pack activates that."""
    _database()
    from kinward.cli.main import operator
    from kinward.experience.api import (
        revert_pack,
    )

    click.echo(f"In force: {_in_words(revert_pack(actor=operator()))}")


@policy.command()
def history() -> None:
    """List all activations, newest first."""
    _database()
    from kinward.experience.api import activation_history

    for activation in activation_history():
        reverts = f"  reverts number {activation.reverts_id}" if activation.reverts_id else ""
        click.echo(
            f"{activation.number}  {activation.at:%Y-%m-%d %H:%M}  {_in_words(activation)}"
            f"  {activation.actor}{reverts}"
        )


@policy.command()
@click.argument("pack", required=False)
@click.option("--stop", is_flag=True, help="Stop shadow mode.")
def shadow(pack: str | None, stop: bool) -> None:
    """Start shadow mode with PACK, or show where its decisions differ."""
    _database()
    from kinward.cli.main import operator
    from kinward.experience.api import (
        current_shadow,
        start_shadow,
        stop_shadow,
        store_pack,
    )

    if stop:
        ended = stop_shadow(actor=operator())
        click.echo("Shadow mode has stopped." if ended else "Shadow mode is not running.")
    elif pack:
        version = store_pack(files=_files(pack), actor=operator())
        start_shadow(pack=version, actor=operator())
        click.echo(f"{version} now runs in shadow mode.")
    elif (running := current_shadow()) is None:
        click.echo("No pack has run in shadow mode.")
    else:
        click.echo(f"{running.pack}: {counted(running.asked, 'question', 'questions')}")
        for difference in running.differences.all()[:SHOWN]:
            where = difference.place or "place unknown"
            click.echo(
                f"  {difference.count:>10,}  {difference.capability:<20}"
                f" {difference.group:<12} {where:<14}"
                f" {difference.active} | {difference.shadowed}"
            )


@policy.command()
@click.argument("pack")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3660))
def export(pack: str, to: Path, days: int) -> None:
    """Write PACK as a signed file, so that your own process can decide."""
    from kinward.policy import export_pack, public_key, require_sound

    chosen, issued = _pack(pack), today()
    if not _is_stored(pack) and pack not in shipped_editions():
        require_sound(chosen.files, today=issued)
    key = config().secret("policy_key")
    expires = issued + timedelta(days=days)
    to.write_bytes(export_pack(chosen.files, signing_key=key, issued=issued, expires=expires))
    click.echo(f"{chosen.label} is in {to} and expires on {expires}.")
    click.echo(f"Load it with the public key {public_key(key)}")


def _files(name: str) -> dict[str, str]:
    """Return the files of a shipped pack, of one in a directory, or of a stored one."""
    if not _is_stored(name):
        return read_files(name)
    _database()
    from kinward.experience.api import get_pack_version

    try:
        return dict(get_pack_version(name).files)
    except NotFound as error:
        raise NotFound(f"{error.detail} Or give a directory with a pack.toml.") from None


def _is_stored(name: str) -> bool:
    return name not in (*shipped_packs(), *shipped_editions()) and not Path(name).exists()


def _pack(name: str) -> Pack:
    """Read a pack. What was accepted earlier is only decoded; any other must pass today's rules."""
    accepted = name in shipped_editions() or _is_stored(name)
    return (decode_pack if accepted else load_pack)(_files(name)).on(today())


def _in_words(activation: Any) -> str:
    if activation.rest is None:
        return str(activation.pack)
    return f"{activation.pack} for {activation.share} percent, {activation.rest} for the rest"


def _database() -> None:
    from kinward.cli.main import open_tables

    open_tables()
