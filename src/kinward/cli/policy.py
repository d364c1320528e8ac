"""`kinward policy`: packs, what they say, whom a change would touch, and putting one in force."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from kinward.ground.config import config
from kinward.ground.errors import Invalid, NotFound
from kinward.policy import Pack, decode_pack, load_pack, read_files, shipped_overlays, shipped_packs

SHOWN = 25


def today() -> date:
    """The day, in UTC."""
    return datetime.now(UTC).date()


@click.group()
def policy() -> None:
    """Policy packs: check, compare, simulate, put in force, take back."""


@policy.command("list")
def list_() -> None:
    """List the packs that come along, those that are stored, and what is in force."""
    for name in shipped_packs():
        pack = load_pack(name)
        click.echo(f"{pack.label}  comes along  {pack.title}")
    click.echo(f"Overlays that come along: {', '.join(shipped_overlays())}")
    _database()
    from kinward.experience.api import current_pack, pack_versions

    for version in pack_versions():
        click.echo(f"{version}  stored {version.made_at:%Y-%m-%d %H:%M} by {version.made_by}")
    now = current_pack()
    click.echo(f"In force: {_said(now)}")


@policy.command()
@click.argument("packs", nargs=-1, required=True)
def check(packs: tuple[str, ...]) -> None:
    """Find what is wrong with PACKS, by file and line, and run the tests beside them."""
    from kinward.policy import check_pack

    failed = False
    for name in packs:
        problems = check_pack(_files(name), today=today())
        for problem in problems:
            colour = "red" if problem.level == "error" else "yellow"
            click.secho(f"{name}/{problem}", fg=colour)
        failed |= any(problem.level == "error" for problem in problems)
        if not problems:
            click.secho(f"{name}: nothing is wrong.", fg="green")
    if failed:
        raise SystemExit(1)


@policy.command()
@click.argument("before")
@click.argument("after")
def diff(before: str, after: str) -> None:
    """Say in words what changes for whom from BEFORE to AFTER."""
    from kinward.policy import diff_packs

    lines = diff_packs(_pack(before).ruling, _pack(after).ruling)
    for line in lines:
        colour = {True: "red", False: "green", None: "yellow"}[line.stricter]
        click.secho(str(line), fg=colour)
    click.echo(f"{len(lines)} differences.", err=True)


@policy.command()
@click.argument("before")
@click.argument("after")
@click.option("--generated", type=click.IntRange(1, 10**9), help="So many made-up accounts.")
@click.option("--seed", default=1, show_default=True, help="For the made-up accounts.")
@click.option("--parquet", type=click.Path(exists=True, path_type=Path), help="Accounts in a file.")
@click.option("--ray", is_flag=True, help="Read the Parquet file(s) over Ray (kinward[ray]).")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Write an SVG.")
def simulate(
    before: str,
    after: str,
    generated: int | None,
    seed: int,
    parquet: Path | None,
    ray: bool,
    picture: Path | None,
) -> None:
    """Count whom AFTER would touch in place of BEFORE, over the accounts in the database."""
    from kinward.policy.api import bars, simulate_change, svg

    old, new = _pack(before), _pack(after)
    if ray:
        from kinward.policy.api import simulate_over_ray

        if parquet is None:
            raise Invalid("--ray reads Parquet: give --parquet.")
        found = simulate_over_ray(old.ruling, new.ruling, parquet)
    else:
        total, people = _population(old, generated, seed, parquet)
        with click.progressbar(length=total, label="Counting", file=sys.stderr) as bar:
            done = 0

            def progress(counted: int) -> None:
                nonlocal done
                bar.update(counted - done)
                done = counted

            found = simulate_change(old.ruling, new.ruling, people, progress)
    click.echo(f"{found.before} -> {found.after}: {found.accounts:,} accounts")
    click.echo(f"{found.touched:,} of them lose or gain something.\n")
    click.echo(bars(found) or "  Nothing changes.")
    click.echo()
    for change in found.changes[:SHOWN]:
        examples = f"  such as {', '.join(change.examples)}" if change.examples else ""
        place = change.place or "place unknown"
        click.echo(
            f"  {change.accounts:>12,}  {change.capability:<20} {change.group:<12} {place:<14}"
            f" {change.before} -> {change.after} ({change.direction}){examples}"
        )
    if len(found.changes) > SHOWN:
        click.echo(f"  and {len(found.changes) - SHOWN} more")
    if picture:
        picture.write_text(svg(found))
        click.echo(f"The picture is {picture}.")


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
@click.option("--share", default=100, show_default=True, help="Percent of accounts.")
def activate(pack: str, share: int) -> None:
    """Put PACK in force, for a share of accounts or for all."""
    _database()
    from kinward.cli.main import operator
    from kinward.experience.api import (
        activate_pack,
        store_pack,
    )

    version = store_pack(files=_files(pack), actor=operator())
    click.echo(f"In force: {_said(activate_pack(pack=version, actor=operator(), share=share))}")


@policy.command()
def revert() -> None:
    """Take the newest activation back."""
    _database()
    from kinward.cli.main import operator
    from kinward.experience.api import (
        revert_pack,
    )

    click.echo(f"In force: {_said(revert_pack(actor=operator()))}")


@policy.command()
def history() -> None:
    """Show every activation, the newest first."""
    _database()
    from kinward.experience.api import activation_history

    for each in activation_history():
        undone = f"  takes back number {each.reverts_id}" if each.reverts_id else ""
        click.echo(f"{each.number}  {each.at:%Y-%m-%d %H:%M}  {_said(each)}  {each.actor}{undone}")


@policy.command()
@click.argument("pack", required=False)
@click.option("--stop", is_flag=True, help="End the shadow that runs.")
def shadow(pack: str | None, stop: bool) -> None:
    """Let PACK decide beside the active one, without effect; or show where it differs."""
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
        click.echo("The shadow is ended." if ended else "No shadow runs.")
    elif pack:
        version = store_pack(files=_files(pack), actor=operator())
        start_shadow(pack=version, actor=operator())
        click.echo(f"{version} decides in the shadow.")
    elif (running := current_shadow()) is None:
        click.echo("No shadow has run.")
    else:
        click.echo(f"{running.pack}: asked {running.asked:,} times")
        for each in running.differences.all()[:SHOWN]:
            where = each.place or "place unknown"
            click.echo(
                f"  {each.count:>10,}  {each.capability:<20} {each.group:<12} {where:<14}"
                f" {each.active} | {each.shadowed}"
            )


@policy.command()
@click.argument("pack")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3660))
def export(pack: str, to: Path, days: int) -> None:
    """Write PACK as a signed file, for deciding inside your own process."""
    from kinward.policy import export_pack, public_key, require_sound

    chosen, issued = _pack(pack), today()
    if not _is_stored(pack):
        require_sound(chosen.files, today=issued)
    key = config().secret("policy_key")
    expires = issued + timedelta(days=days)
    to.write_bytes(export_pack(chosen.files, signing_key=key, issued=issued, expires=expires))
    click.echo(f"{chosen.label} is in {to}, good until {expires}.")
    click.echo(f"Load it with the public key {public_key(key)}")


def _files(name: str) -> dict[str, str]:
    """The files of a pack: shipped, in a directory, or stored."""
    if not _is_stored(name):
        return read_files(name)
    _database()
    from kinward.experience.api import get_pack_version

    try:
        return dict(get_pack_version(name).files)
    except NotFound as error:
        raise NotFound(f"{error.detail} Or give a directory with a pack.toml.") from None


def _is_stored(name: str) -> bool:
    return name not in shipped_packs() and not Path(name).exists()


def _pack(name: str) -> Pack:
    """A pack as it is: a stored one is decoded, any other is judged by today's rules."""
    read = decode_pack if _is_stored(name) else load_pack
    return read(_files(name)).on(today())


def _said(activation: Any) -> str:
    if activation.rest is None:
        return str(activation.pack)
    return f"{activation.pack} for {activation.share} percent, {activation.rest} for the rest"


def _database() -> None:
    from kinward.cli.main import open_tables

    open_tables()
