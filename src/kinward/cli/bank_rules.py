"""`kinward bank set` and `floods`, and how banks and lookups are printed."""

from collections.abc import Sequence
from typing import Any, cast

import click

from kinward.cli.counts import counted
from kinward.cli.main import operator
from kinward.cli.two_people import BREAK_GLASS, settle
from kinward.ground.names import visible
from kinward.matching.api import (
    Bank,
    Match,
    Role,
    Survey,
    banks_not_asked,
    count_quiet,
    get_bank,
    open_floods,
    open_markings,
    silence_of,
    tune_or_ask,
)


def rules_of(bank: Bank) -> str:
    """Return what is special about a bank, to be printed after its name."""
    special = ["disabled"] if bank.disabled else []
    if bank.role != Role.LIVE:
        special.append(bank.role)
    if bank.distance < Bank._meta.get_field("distance").get_default():
        special.append(f"distance {bank.distance}")
    if bank.enabled_ratio < 1:
        special.append(f"ratio {bank.enabled_ratio:g}")
    return "".join(f"  {word}" for word in special)


def show_survey(met: Survey, values: Sequence[tuple[str, bytes]], nothing: str) -> None:
    """Print what matches, what stays quiet and why, and the banks that were not asked.

    `values`: what was looked up. `nothing`: what to say if nothing matches.
    """
    for match in met.matches:
        click.echo(_line(match))
    if not met.matches:
        click.echo(nothing)
    for hit in met.quiet:
        why = f"silenced by {hit.silenced_by}" if hit.silenced_by else "shadow"
        click.echo(f"{_line(hit.match)}  no match: {why}")
    for bank in banks_not_asked(values):
        click.secho(f"Not asked: {bank.name} (ratio {bank.enabled_ratio:g})", fg="yellow")


def _line(match: Match) -> str:
    about = visible(" ".join(filter(None, (match.label, match.reference))))
    return (
        f"{match.hash}  {match.bank} ({match.confidence})  {match.kind}"
        f"  distance {match.distance}  {about}"
    )


@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), help="What a hit means.")
@click.option("--distance", type=int, help="Bits from 0 to 31. What is farther is no hit.")
@click.option("--enabled-ratio", type=float, help="The share of files, 0 to 1, that ask the bank.")
@BREAK_GLASS
def tune(
    name: str,
    role: str | None,
    distance: int | None,
    enabled_ratio: float | None,
    reason: str | None,
) -> None:
    """Change what a hit on a bank means, how near it must be, or how often it is asked.

    Without options, it prints what is set.
    """
    bank = get_bank(name)
    if (role, distance, enabled_ratio) != (None, None, None):
        asked = tune_or_ask(
            bank=bank, role=role, distance=distance, enabled_ratio=enabled_ratio, asker=operator()
        )
        if asked:
            settle(asked, lambda: "The bank matches less from now on.", reason)
        bank = get_bank(name)
    click.echo(f"{name!r} is {bank.role}, distance {bank.distance}, ratio {bank.enabled_ratio:g}.")
    if bank.role == Role.NEGATIVE:
        silence = silence_of(bank)
        click.echo(
            f"{counted(silence.silencing, 'hash silences', 'hashes silence')} matches."
            f" {counted(silence.waiting, 'hash waits', 'hashes wait')} for two people,"
            " who agree in the console."
        )
    if bank.role != Role.LIVE:
        quiet = count_quiet(bank)
        did = "silenced" if bank.role == Role.NEGATIVE else "would have matched"
        click.echo(
            f"It {did} {counted(quiet.contents, 'content item', 'content items')}"
            f" of {counted(quiet.accounts, 'account', 'accounts')}."
        )


def floods() -> None:
    """List the hashes that wait for a person: they flood, or somebody calls them wrong."""
    waiting, markings = open_floods(), open_markings()
    for flood in cast("Any", waiting):
        click.echo(
            f"{flood.pk}  {flood.hash.bank.name}  {flood.hash.kind}"
            f"  since {flood.began_at:%Y-%m-%d %H:%M}"
            f"  {counted(flood.accounts, 'account', 'accounts')}"
        )
    for marking in markings:
        click.echo(
            f"{marking.hash_id}  {marking.hash.bank.name}  {marking.hash.kind}"
            f"  since {marking.asked_at:%Y-%m-%d %H:%M}"
            f"  false positive, says {marking.asker}"
        )
    if not waiting and not markings:
        click.echo("No hash waits for a person.")
