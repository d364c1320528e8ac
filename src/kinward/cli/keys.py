"""`kinward key`: API keys."""

import click

from kinward.access.api import DEFAULT_SCOPES, SCOPES, ApiKey, create_key, revoke_key
from kinward.cli.main import operator


@click.group()
def key() -> None:
    """Manage API keys for your app."""


@key.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help=f"One of {', '.join(sorted(SCOPES))}. Repeat it for more.",
)
def create(name: str, scopes: tuple[str, ...]) -> None:
    """Create a key and print it once. Without --scope it has all scopes but hashes:look-up."""
    secret = create_key(name=name, scopes=frozenset(scopes) or DEFAULT_SCOPES, actor=operator())
    click.echo(secret)
    click.echo("Keep it safe. Kinward stores only its hash and cannot show it again.", err=True)


@key.command("list")
def list_keys() -> None:
    """List the keys, without their secrets."""
    for row in ApiKey.objects.order_by("name"):
        state = f"revoked {row.revoked_at:%Y-%m-%d}" if row.revoked_at else "live"
        click.echo(f"{row.name}  {state}  {', '.join(row.scopes)}")


@key.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke a key. Kinward refuses it from then on."""
    revoke_key(name=name, actor=operator())
    click.echo(f"{name} was revoked.")
