"""`kinward key`: API keys, each with a purpose, an owner and a day on which it expires."""

from datetime import timedelta
from typing import Any, Final

import click

from kinward.access.api import (
    MAX_DAYS,
    MAX_OVERLAP,
    PURPOSES,
    SCOPES,
    YEAR,
    ApiKey,
    Trace,
    change_key,
    create_key,
    entries_by_key,
    keys_in_need,
    last_uses,
    revoke_key,
    rotate_key,
    scopes_of,
    trace_key,
)
from kinward.cli.counts import counted
from kinward.cli.first_run import check_shown
from kinward.cli.main import operator
from kinward.ground.errors import Invalid
from kinward.ground.names import visible

WEEK: Final = 7  # days for which two secrets are valid, unless somebody chooses otherwise
KEEP: Final = "Keep it safe. Kinward stores only its hash and cannot show it again."
for_purposes: Final = click.option(
    "--for",
    "purposes",
    multiple=True,
    help=f"What the key is for: {', '.join(PURPOSES)}. Repeat it for more.",
)
valid_days: Final[Any] = click.IntRange(1, MAX_DAYS)


@click.group()
def key() -> None:
    """Manage API keys for your app."""


@key.command()
@click.argument("name")
@for_purposes
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help=f"A scope, in place of a purpose: {', '.join(sorted(SCOPES))}. Repeat it for more.",
)
@click.option(
    "--owner", default="", help="Who answers for it: a person or a service. Default: you."
)
@click.option("--days", type=valid_days, default=YEAR, show_default=True, help="Until it expires.")
def create(
    name: str, purposes: tuple[str, ...], scopes: tuple[str, ...], owner: str, days: int
) -> None:
    """Create a key and print it once. Without --for and --scope, it asks what the key is for."""
    secret = create_key(
        name=name,
        purposes=purposes or (() if scopes else _ask()),
        scopes=frozenset(scopes),
        owner=owner,
        days=days,
        actor=operator(),
    )
    click.echo(secret)
    click.echo(KEEP, err=True)


def _ask() -> list[str]:
    """Ask what a key is for, on standard error, because its secret goes to standard output."""
    width = max(map(len, PURPOSES)) + 2
    click.echo("What is the key for?", err=True)
    for name, purpose in PURPOSES.items():
        click.echo(f"  {name:<{width}}{purpose.words}", err=True)
    try:
        answer: str = click.prompt("One or more of these, with commas between them", err=True)
    except click.Abort:  # nobody is there to answer
        raise Invalid(f"Say what the key is for: `--for` {', '.join(PURPOSES)}.") from None
    return [word for word in answer.replace(",", " ").split() if word]


@key.command("list")
def list_keys() -> None:
    """List the keys: state, purpose, owner, last use, expiry, and what they need. No secrets."""
    used = last_uses()
    needs = keys_in_need()
    for row in ApiKey.objects.order_by("name"):
        click.echo("  ".join([visible(row.name), _state(row), _scopes(row), *_life(row, used)]))
        for need in needs:
            if need.key == row.name:
                click.secho(f"  {visible(need.sentence)}", fg="yellow")


def _state(row: ApiKey) -> str:
    if row.revoked_at is None:
        return "live"
    return f"{'compromised' if row.compromised else 'revoked'} {row.revoked_at:%Y-%m-%d}"


def _scopes(row: ApiKey) -> str:
    """Return the purposes of a key, and the scopes that it has beside them."""
    covered = scopes_of(purpose for purpose in row.purposes if purpose in PURPOSES)
    return ", ".join([*row.purposes, *(scope for scope in row.scopes if scope not in covered)])


def _life(row: ApiKey, used: dict[str, Any]) -> list[str]:
    last = used.get(row.name)
    return [
        f"owner {visible(row.owner) or 'nobody'}",
        f"used {last:%Y-%m-%d %H:%M}" if last else "not used",
        f"expires {row.expires_at:%Y-%m-%d}" if row.expires_at else "never expires",
    ]


@key.command()
@click.argument("name")
@for_purposes
@click.option("--owner", default="", help="Who answers for it from now on.")
@click.option("--days", type=valid_days, help="Until it expires, from now.")
def change(name: str, purposes: tuple[str, ...], owner: str, days: int | None) -> None:
    """Give a key other purposes, another owner or another expiry. Its secret stays."""
    if not (purposes or owner or days):
        raise Invalid("Say what to change: `--for`, `--owner` or `--days`.")
    change_key(name=name, purposes=purposes or None, owner=owner, days=days, actor=operator())
    click.echo(f"{name} was changed.")


@key.command()
@click.argument("name")
@click.option(
    "--overlap-days",
    type=click.IntRange(0, MAX_OVERLAP.days),
    default=WEEK,
    show_default=True,
    help="For how long the secret before is valid too. 0 ends it at once.",
)
@click.option("--days", type=valid_days, default=YEAR, show_default=True, help="Until it expires.")
def rotate(name: str, overlap_days: int, days: int) -> None:
    """Give a key a new secret and print it once. The one before is valid for a while too."""
    secret = rotate_key(
        name=name, overlap=timedelta(days=overlap_days), days=days, actor=operator()
    )
    click.echo(secret)
    until = ApiKey.objects.get(name=name).previous_until
    ends = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "no longer"
    click.echo(f"{KEEP} The secret before it is valid {ends}.", err=True)


@key.command()
@click.argument("name")
@click.option("--compromised", is_flag=True, help="Somebody else had it: say what it did.")
def revoke(name: str, compromised: bool) -> None:
    """Revoke a key. Kinward refuses it from then on."""
    revoke_key(name=name, compromised=compromised, actor=operator())
    click.echo(f"{name} was revoked.")
    if compromised:
        _print(trace_key(name))
        click.echo(f"\n`kinward key trace {name} --entries` prints each entry of the ledger.")


@key.command()
@click.argument("name")
@click.option("--entries", is_flag=True, help="Print each of its entries in the ledger.")
def trace(name: str, entries: bool) -> None:
    """Say what a key did, and what to look at if somebody else had it."""
    if not entries:
        _print(trace_key(name))
        return
    check_shown()
    for entry in entries_by_key(name):
        told = f"{entry.kind}  {visible(entry.subject or 'erased')}  {visible(str(entry.data))}"
        click.echo(f"{entry.seq}  {entry.at:%Y-%m-%d %H:%M:%S}  {told}")


def _print(found: Trace) -> None:
    click.echo("\nWhat it called, by day in UTC:")
    for calls in found.calls:
        count = counted(calls.count, "call", "calls")
        click.echo(f"  {calls.endpoint}  {count}, {calls.first} to {calls.last}")
    if not found.calls:
        click.echo("  Nothing since uses are counted.")
    click.echo("\nWhat the ledger has by it:")
    for acts in found.acts:
        count = counted(acts.count, "entry", "entries")
        click.echo(f"  {acts.kind}  {count}, {acts.first:%Y-%m-%d} to {acts.last:%Y-%m-%d}")
    if not found.acts:
        click.echo("  Nothing.")
    click.echo("\nWhat to look at:")
    for scope, sentence in found.look_at:
        click.echo(f"  {scope}: {sentence}")
